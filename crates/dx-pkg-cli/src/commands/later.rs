//! The arguments of commands, made only for those that a command line can mean.
//!
//! The arguments of all commands take longer to make than a small command takes in all.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};

use clap::{ArgMatches, Args, Command, CommandFactory, FromArgMatches};

use super::Arguments;
use super::groups::with_groups;

/// The commands whose arguments are made.
#[derive(Debug)]
enum Wanted {
    All,
    Named(Vec<String>),
}

thread_local! {
    static WANTED: RefCell<Wanted> = const { RefCell::new(Wanted::All) };
}

/// Returns the parser without the arguments of any command.
pub fn names_only() -> Command {
    only(Vec::new())
}

/// Returns the parser for a command line whose first word is `word`: with the arguments of the
/// command of this name, or of those that run what is no command. Without a word it has none,
/// unless the help of all is wanted. `names` has the commands' names.
pub fn parser_for(names: &Command, word: Option<&str>, wants_help: bool) -> Command {
    let word = match word {
        Some("help") => return with_groups(Arguments::command()),
        None if wants_help => return with_groups(Arguments::command()),
        None => return names.clone(),
        Some(word) => word,
    };
    let name = names.find_subcommand(word).map(Command::get_name);
    // `check peers` is `peers`, unless there is a script called `check`.
    let named = name.map_or_else(|| vec!["run", "exec", "peers"], |name| vec![name]);
    only(named.into_iter().map(str::to_owned).collect())
}

/// Returns the parser with the arguments of these commands.
fn only(names: Vec<String>) -> Command {
    WANTED.set(Wanted::Named(names));
    let parser = Arguments::command();
    WANTED.set(Wanted::All);
    parser
}

/// The arguments of a command, which [`parser_for`] may leave out.
#[derive(Debug)]
pub struct Later<T>(T);

impl<T> Deref for Later<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Later<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: Args> Args for Later<T> {
    fn augment_args(command: Command) -> Command {
        let is_wanted = WANTED.with_borrow(|wanted| match wanted {
            Wanted::All => true,
            Wanted::Named(names) => names.iter().any(|name| name == command.get_name()),
        });
        if is_wanted { T::augment_args(command) } else { command }
    }

    fn augment_args_for_update(command: Command) -> Command {
        T::augment_args_for_update(command)
    }
}

impl<T: FromArgMatches> FromArgMatches for Later<T> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        T::from_arg_matches(matches).map(Later)
    }

    fn from_arg_matches_mut(matches: &mut ArgMatches) -> Result<Self, clap::Error> {
        T::from_arg_matches_mut(matches).map(Later)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.0.update_from_arg_matches(matches)
    }
}
