//! Finds the words that a command line may go on with.

use std::path::{Path, PathBuf};

use clap::{Arg, Command};
use dx_pkg_compat::npmrc::OPTIONS;
use dx_pkg_compat::npmrc::definitions::DEFINITIONS;

use super::candidate::Candidate;
use super::line::Line;
use super::names;

/// What has been written so far.
struct Place<'p> {
    /// The command and the commands within it, the outermost first.
    commands: Vec<&'p Command>,
    /// The words that are neither flags nor commands.
    others: Vec<&'p str>,
    /// The flag whose value comes next.
    awaits: Option<&'p Arg>,
    /// Whether `--` was written.
    is_behind_dashes: bool,
    folder: PathBuf,
}

/// Returns the words that may stand where the line ends, in a useful order.
pub fn candidates(parser: &Command, line: &Line, folder: &Path) -> Vec<Candidate> {
    let place = place(parser, line, folder);
    let mut found = words(parser, line, &place);
    found.retain(|found| found.word.starts_with(&line.current) && found.word != line.current);
    let mut seen: Vec<String> = Vec::new();
    found.retain(|found| {
        let is_new = !seen.contains(&found.word);
        seen.push(found.word.clone());
        is_new
    });
    found
}

fn words(parser: &Command, line: &Line, place: &Place<'_>) -> Vec<Candidate> {
    if let Some(flag) = place.awaits {
        return values(flag, &place.folder, "");
    }
    if !place.is_behind_dashes && line.current.starts_with('-') {
        if let Some((name, _)) = line.current.split_once('=') {
            let flag = place.flags(parser).find(|flag| is_flag(flag, name));
            return flag
                .map_or_else(Vec::new, |flag| values(flag, &place.folder, &format!("{name}=")));
        }
        return flags(parser, place);
    }
    let Some(command) = place.commands.last() else {
        let mut found = commands(parser);
        found.extend(names::scripts(&place.folder));
        return found;
    };
    if place.is_behind_dashes {
        return Vec::new();
    }
    let mut found = commands(command);
    if found.is_empty() || !place.others.is_empty() {
        found.extend(arguments(parser, line, place));
    }
    found
}

/// Follows the words of a line.
fn place<'p>(parser: &'p Command, line: &'p Line, folder: &Path) -> Place<'p> {
    let mut place = Place {
        commands: Vec::new(),
        others: Vec::new(),
        awaits: None,
        is_behind_dashes: false,
        folder: folder.to_owned(),
    };
    for word in &line.words {
        if let Some(flag) = place.awaits.take() {
            if flag.get_id() == "folder" {
                place.folder = folder.join(word);
            }
            continue;
        }
        if place.is_behind_dashes {
            continue;
        }
        if word == "--" {
            place.is_behind_dashes = true;
        } else if word.starts_with('-') && word.len() > 1 {
            let takes = |flag: &&Arg| flag.get_action().takes_values() && is_flag(flag, word);
            if !word.contains('=') {
                place.awaits = place.flags(parser).find(takes);
            }
        } else {
            let within = place.commands.last().copied().unwrap_or(parser);
            match within.find_subcommand(word).filter(|_| place.others.is_empty()) {
                Some(command) => place.commands.push(command),
                None => place.others.push(word),
            }
        }
    }
    place
}

impl<'p> Place<'p> {
    /// Returns the flags of the command that is being written, the innermost first.
    fn flags(&self, parser: &'p Command) -> impl Iterator<Item = &'p Arg> + use<'p> {
        let commands: Vec<&'p Command> =
            self.commands.iter().rev().copied().chain([parser]).collect();
        commands.into_iter().flat_map(Command::get_arguments).filter(|flag| !flag.is_positional())
    }

    /// Returns the name of the outermost command.
    fn command(&self) -> &str {
        self.commands.first().map(|command| command.get_name()).unwrap_or_default()
    }
}

/// Returns whether a word is a flag: by its long name, an alias, or its letter.
fn is_flag(flag: &Arg, word: &str) -> bool {
    match word.strip_prefix("--") {
        Some(name) => {
            flag.get_long() == Some(name)
                || flag.get_all_aliases().is_some_and(|names| names.contains(&name))
        }
        None => flag.get_short().is_some_and(|letter| word == format!("-{letter}")),
    }
}

/// Returns the commands within a command, with the names that its help shows.
fn commands(parser: &Command) -> Vec<Candidate> {
    let shown = parser.get_subcommands().filter(|command| !command.is_hide_set());
    let named = shown.flat_map(|command| {
        let help = command.get_about().map(ToString::to_string).unwrap_or_default();
        let names = std::iter::once(command.get_name()).chain(command.get_visible_aliases());
        names.map(|name| Candidate::new(name, &help)).collect::<Vec<_>>()
    });
    named.collect()
}

/// Returns the flags that a command has, and the settings that any command takes.
fn flags(parser: &Command, place: &Place<'_>) -> Vec<Candidate> {
    let own = place.flags(parser).filter(|flag| !flag.is_hide_set()).filter_map(|flag| {
        let help = flag.get_help().map(ToString::to_string).unwrap_or_default();
        Some(Candidate::new(&format!("--{}", flag.get_long()?), &help))
    });
    let mut found: Vec<Candidate> = own.collect();
    found.push(Candidate::new("--help", "Print help"));
    found
}

/// Returns the values of a flag, with `before` in front of each.
fn values(flag: &Arg, folder: &Path, before: &str) -> Vec<Candidate> {
    let mut found = match flag.get_id().as_str() {
        "workspace" => names::workspaces(folder),
        _ => {
            let possible = flag.get_possible_values();
            let shown = possible.iter().filter(|value| !value.is_hide_set());
            let help = |value: &clap::builder::PossibleValue| {
                value.get_help().map(ToString::to_string).unwrap_or_default()
            };
            shown.map(|value| Candidate::new(value.get_name(), &help(value))).collect()
        }
    };
    found.iter_mut().for_each(|found| found.word.insert_str(0, before));
    found
}

/// Returns the words that a command's own arguments may be.
fn arguments(parser: &Command, line: &Line, place: &Place<'_>) -> Vec<Candidate> {
    let folder = &place.folder;
    let is_first = place.others.is_empty();
    match place.command() {
        "run" if is_first => names::scripts(folder),
        "exec" if is_first => names::commands(folder),
        "explain" if line.current.starts_with("DX_") => {
            crate::pages::codes().map(|code| Candidate::new(code, "")).collect()
        }
        "remove" | "update" | "outdated" => names::dependencies(folder),
        "explain" | "ls" | "ll" | "rebuild" | "edit" | "explore" | "patch" | "fund" => {
            names::packages(folder)
        }
        "help" => commands(parser),
        "config" | "get" | "set" => settings(),
        _ => {
            let positional = place.commands.last().map(|command| command.get_positionals());
            let at = positional.and_then(|mut all| all.nth(place.others.len()));
            at.map_or_else(Vec::new, |argument| values(argument, folder, ""))
        }
    }
}

/// Returns every setting of npm and dx.
fn settings() -> Vec<Candidate> {
    let npm = DEFINITIONS.iter().filter(|row| !row.is_deprecated).map(|row| row.key);
    let all = npm.chain(OPTIONS.iter().map(|option| option.key));
    let sentence = |key: &str| {
        let option = OPTIONS.iter().find(|option| option.key == key);
        option.map_or("", |option| option.sentence)
    };
    let mut found: Vec<Candidate> = all.map(|key| Candidate::new(key, sentence(key))).collect();
    found.sort_by(|a, b| a.word.cmp(&b.word));
    found
}
