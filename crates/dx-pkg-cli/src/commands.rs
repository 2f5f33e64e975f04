//! The commands: a module each, with its arguments, its help and its work.

mod ci;
mod install;
mod remove;
mod run;
mod store;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use dx_pkg_compat::npmrc::take_settings;
use dx_pkg_install::Environment;

use crate::error::CommandError;
use crate::options::{GLOBAL, OutputArguments, TreeArguments};
use crate::report::Report;

/// The end of the help.
const AFTER_HELP: &str =
    "Settings are read from .npmrc files and npm_config_* variables; see docs/settings.md.";

/// The commands that run a script, to which they pass arguments.
const SCRIPT_COMMANDS: [&str; 5] = ["run", "test", "start", "stop", "restart"];

/// The flags whose argument is a folder, which may have the name of a command.
const FOLDER_FLAGS: [&str; 3] = ["-C", "--dir", "--prefix"];

/// A fast, safe package manager for npm projects.
#[derive(Parser, Debug)]
#[command(name = "dx", version, about, disable_help_subcommand = true)]
#[command(args_override_self = true)]
#[command(after_help = AFTER_HELP)]
pub struct Arguments {
    /// Run as if dx had been started in this folder.
    #[arg(short = 'C', long = "dir", alias = "prefix", value_name = "FOLDER")]
    #[arg(global = true, display_order = GLOBAL)]
    pub folder: Option<PathBuf>,
    #[command(flatten)]
    pub output: OutputArguments,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand, Debug)]
pub enum Command {
    #[command(visible_aliases = ["i", "add"], aliases = ["in", "ins", "inst", "insta", "instal", "isnt", "isnta", "isntal", "isntall"])]
    Install(install::InstallArguments),
    /// Install exactly what the lockfile says, replacing node_modules.
    #[command(aliases = ["clean-install", "ic", "install-clean", "isntall-clean"])]
    Ci(TreeArguments),
    #[command(visible_aliases = ["rm", "uninstall", "un"], aliases = ["unlink", "r"])]
    Remove(remove::RemoveArguments),
    #[command(visible_alias = "run-script", aliases = ["rum", "urn"])]
    Run(run::RunArguments),
    /// Run the project's script "test".
    #[command(visible_alias = "t", alias = "tst")]
    Test(run::ScriptArguments),
    /// Run the project's script "start".
    Start(run::ScriptArguments),
    /// Run the project's script "stop".
    Stop(run::ScriptArguments),
    /// Run the project's script "restart", or "stop" and "start".
    Restart(run::ScriptArguments),
    Store(store::StoreArguments),
}

impl Arguments {
    /// Reads the process's arguments. Prints the help if it is requested, and what is wrong with
    /// them.
    pub fn read() -> Result<Self, ExitCode> {
        Self::parsed(std::env::args_os().collect()).map_err(|error| {
            let _ = error.print();
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
        })
    }

    fn parsed(words: Vec<OsString>) -> Result<Self, clap::Error> {
        let mut parser = Arguments::command();
        let taken = take_settings(words.iter().cloned())
            .map_err(|error| parser.error(ErrorKind::MissingRequiredArgument, error))?;
        let rest = pass_unknown_flags(&parser, taken.rest);
        let mut arguments = Self::from_arg_matches(&parser.try_get_matches_from_mut(rest)?)?;
        if taken.settings.is_empty() {
            return Ok(arguments);
        }
        match &mut arguments.command {
            Command::Install(install) => install.tree.flags.extend(taken.settings),
            Command::Ci(tree) => tree.flags.extend(taken.settings),
            Command::Remove(remove) => remove.tree.flags.extend(taken.settings),
            Command::Run(run) => run.rest.flags.extend(taken.settings),
            Command::Test(script)
            | Command::Start(script)
            | Command::Stop(script)
            | Command::Restart(script) => script.flags.extend(taken.settings),
            // No setting matters there: the flag is unknown.
            Command::Store(_) => return Arguments::try_parse_from(words),
        }
        Ok(arguments)
    }
}

/// Puts `--` in front of the first flag behind a script's name that dx does not know: it is the
/// script's, with everything that follows.
fn pass_unknown_flags(parser: &clap::Command, mut words: Vec<OsString>) -> Vec<OsString> {
    let is_folder = |at: usize| FOLDER_FLAGS.iter().any(|flag| words[at - 1] == *flag);
    let mut places = (1..words.len()).filter(|at| !is_folder(*at));
    let named = places.find_map(|at| Some((at, parser.find_subcommand(&words[at])?)));
    let is_script = |command: &clap::Command| SCRIPT_COMMANDS.contains(&command.get_name());
    let Some((at, command)) = named.filter(|(_, command)| is_script(command)) else {
        return words;
    };
    let is_known = |word: &str| {
        let arguments = command.get_arguments().chain(parser.get_arguments());
        let name = word.split('=').next().unwrap_or(word);
        matches!(word, "-h" | "--help")
            || arguments.into_iter().any(|argument| {
                let longs = argument.get_long_and_visible_aliases().unwrap_or_default();
                let aliases = argument.get_all_aliases().unwrap_or_default();
                let mut longs = longs.iter().chain(&aliases);
                longs.any(|long| name.strip_prefix("--") == Some(long))
                    || argument.get_short().is_some_and(|short| name == format!("-{short}"))
            })
    };
    let is_flag = |word: &&OsString| word.to_str().is_some_and(|word| word.starts_with('-'));
    let script = if command.get_name() == "run" {
        words.iter().skip(at + 1).position(|word| !is_flag(&word)).map(|skipped| at + 1 + skipped)
    } else {
        Some(at)
    };
    let Some(script) = script else { return words };
    let foreign = words
        .iter()
        .skip(script + 1)
        .position(|word| word == "--" || is_flag(&word) && !word.to_str().is_some_and(is_known));
    if let Some(place) = foreign.map(|skipped| script + 1 + skipped)
        && words[place] != "--"
    {
        words.insert(place, "--".into());
    }
    words
}

impl Command {
    /// Carries the command out.
    pub fn run(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        match self {
            Self::Install(arguments) => arguments.run(environment, report),
            Self::Ci(arguments) => ci::run(arguments, environment, report),
            Self::Remove(arguments) => arguments.run(environment, report),
            Self::Run(arguments) => arguments.run(&environment, report),
            Self::Test(arguments) => arguments.run("test", &environment, report),
            Self::Start(arguments) => arguments.run("start", &environment, report),
            Self::Stop(arguments) => arguments.run("stop", &environment, report),
            Self::Restart(arguments) => arguments.run("restart", &environment, report),
            Self::Store(arguments) => arguments.run(environment, report),
        }
    }
}
