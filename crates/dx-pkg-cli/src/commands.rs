//! The commands: a module each, with its arguments, its help and its work.

mod ci;
mod dedupe;
mod global;
mod install;
mod list;
mod outdated;
mod peers;
mod remove;
mod run;
mod store;
mod update;
mod words;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use dx_pkg_compat::command_words::command_place;
use dx_pkg_compat::npmrc::take_settings;
use dx_pkg_install::Environment;

use crate::error::CommandError;
use crate::options::{GLOBAL, OutputArguments, TreeArguments};
use crate::report::Report;

/// The end of the help.
const AFTER_HELP: &str = "\
A script of package.json also runs by its name alone: `dx dev` is `dx run dev`.
Settings are read from .npmrc files and npm_config_* variables; see docs/settings.md.";

/// A fast, safe package manager for npm projects.
#[derive(Parser, Debug)]
#[command(name = "dx", version, about, disable_help_subcommand = true)]
#[command(args_override_self = true)]
#[command(after_help = AFTER_HELP)]
pub struct Arguments {
    /// Run as if dx had been started in this folder.
    #[arg(short = 'C', long = "dir", aliases = ["prefix", "cwd"], value_name = "FOLDER")]
    #[arg(global = true, display_order = GLOBAL)]
    pub folder: Option<PathBuf>,
    #[command(flatten)]
    pub output: OutputArguments,
    /// Settings that were given to a command for which they have no effect.
    #[arg(skip)]
    pub idle: Vec<String>,
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
    #[command(visible_aliases = ["up", "upgrade"], aliases = ["u", "udpate"])]
    Update(update::UpdateArguments),
    #[command(visible_alias = "ddp")]
    Dedupe(dedupe::DedupeArguments),
    /// Show what "dedupe" would change, and change nothing.
    FindDupes(TreeArguments),
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
    /// Do what "install" does, then run the project's script "test".
    #[command(visible_alias = "it")]
    InstallTest(install::InstallArguments),
    /// Do what "ci" does, then run the project's script "test".
    #[command(visible_alias = "cit", aliases = ["sit", "clean-install-test"])]
    InstallCiTest(TreeArguments),
    Peers(peers::PeersArguments),
    #[command(visible_alias = "list", aliases = ["la"])]
    Ls(list::ListArguments),
    /// List installed packages with their descriptions.
    #[command(hide = true)]
    Ll(list::ListArguments),
    #[command(visible_alias = "why")]
    Explain(list::ExplainArguments),
    Outdated(outdated::OutdatedArguments),
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
        let words = words::with_long_flags(words);
        let is_global = words::is_global(&words);
        let command = own_flags_first(&parser, &words);
        let is_own = |name: &str| {
            // Without --global it is the folder of the project.
            name == "prefix" && !is_global
                || command.is_some_and(|command| has_flag(command, name))
        };
        let taken = take_settings(words.iter().cloned(), is_own)
            .map_err(|error| parser.error(ErrorKind::MissingRequiredArgument, error))?;
        let rest = words::prepared(&parser, taken.rest)?;
        let matches = parser.try_get_matches_from_mut(rest).map_err(words::advised)?;
        let mut arguments = Self::from_arg_matches(&matches)?;
        if taken.settings.is_empty() {
            return Ok(arguments);
        }
        let is_adding = match &arguments.command {
            Command::Install(adding) | Command::InstallTest(adding) => !adding.packages.is_empty(),
            _ => false,
        };
        let ambiguous = |flag: &&&str| taken.settings.contains(&((**flag).into(), "true".into()));
        if let Some(flag) = ["dev", "optional"].iter().find(ambiguous).filter(|_| is_adding) {
            let message = format!(
                "--{flag} with packages means different things to npm and to others: write \
                 --save-{flag} to save them there, or --include={flag} to install what is omitted"
            );
            return Err(parser.error(ErrorKind::ArgumentConflict, message));
        }
        match &mut arguments.command {
            Command::Install(install) | Command::InstallTest(install) => {
                install.tree.flags.extend(taken.settings)
            }
            Command::Ci(tree) | Command::InstallCiTest(tree) | Command::FindDupes(tree) => {
                tree.flags.extend(taken.settings)
            }
            Command::Dedupe(dedupe) => dedupe.tree.flags.extend(taken.settings),
            Command::Remove(remove) => remove.tree.flags.extend(taken.settings),
            Command::Update(update) => update.tree.flags.extend(taken.settings),
            Command::Run(run) => run.rest.flags.extend(taken.settings),
            Command::Test(script)
            | Command::Start(script)
            | Command::Stop(script)
            | Command::Restart(script) => script.flags.extend(taken.settings),
            Command::Peers(peers) => peers.flags.extend(taken.settings),
            Command::Outdated(outdated) => outdated.flags.extend(taken.settings),
            // No setting matters there: the flag is unknown.
            Command::Ls(_) | Command::Ll(_) | Command::Explain(_) => {
                arguments.idle = taken.settings.into_iter().map(|(key, _)| key).collect();
            }
            Command::Store(_) => return Arguments::try_parse_from(words),
        }
        Ok(arguments)
    }
}

/// The commands that any setting may change, given as a flag. For every other command a flag of its
/// own comes before a setting of that name.
const CHANGED_BY_SETTINGS: [&str; 15] = [
    "install",
    "ci",
    "remove",
    "update",
    "dedupe",
    "find-dupes",
    "run",
    "test",
    "start",
    "stop",
    "restart",
    "install-test",
    "install-ci-test",
    "peers",
    "store",
];

/// Returns the command among the words, if its own flags come before settings.
fn own_flags_first<'p>(parser: &'p clap::Command, words: &[OsString]) -> Option<&'p clap::Command> {
    let command = parser.find_subcommand(&words[command_place(words)?])?;
    (!CHANGED_BY_SETTINGS.contains(&command.get_name())).then_some(command)
}

/// Returns whether a command has a flag of this name.
fn has_flag(command: &clap::Command, name: &str) -> bool {
    command.get_arguments().any(|argument| {
        let aliases = argument.get_all_aliases().unwrap_or_default();
        argument.get_long() == Some(name) || aliases.contains(&name)
    })
}

impl Command {
    /// Carries the command out.
    pub fn run(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        match self {
            Self::Install(arguments) => arguments.run(environment, report),
            Self::Ci(arguments) => ci::run(arguments, environment, report),
            Self::Dedupe(arguments) => arguments.run(environment, report),
            Self::FindDupes(arguments) => dedupe::find(arguments, environment, report),
            Self::Remove(arguments) => arguments.run(environment, report),
            Self::Update(arguments) => arguments.run(environment, report),
            Self::Run(arguments) => arguments.run(&environment, report),
            Self::Test(arguments) => arguments.run("test", &environment, report),
            Self::Start(arguments) => arguments.run("start", &environment, report),
            Self::Stop(arguments) => arguments.run("stop", &environment, report),
            Self::Restart(arguments) => arguments.run("restart", &environment, report),
            Self::InstallTest(arguments) => {
                let code = arguments.run(environment.clone(), report)?;
                run::test_after(code, &arguments.tree, &environment, report)
            }
            Self::InstallCiTest(arguments) => {
                let code = ci::run(arguments, environment.clone(), report)?;
                run::test_after(code, arguments, &environment, report)
            }
            Self::Peers(arguments) => arguments.run(environment, report),
            Self::Ls(arguments) => arguments.run(&environment, report),
            Self::Ll(arguments) => arguments.in_full().run(&environment, report),
            Self::Explain(arguments) => arguments.run(&environment, report),
            Self::Outdated(arguments) => arguments.run(environment, report),
            Self::Store(arguments) => arguments.run(environment, report),
        }
    }
}
