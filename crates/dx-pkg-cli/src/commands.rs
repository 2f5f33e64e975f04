//! The commands: a module each, with its arguments, its help and its work.

mod ci;
mod install;
mod remove;
mod run;
mod store;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use dx_pkg_install::Environment;

use crate::error::CommandError;
use crate::options::{GLOBAL, OutputArguments, TreeArguments};
use crate::report::Report;

/// The end of the help.
const AFTER_HELP: &str =
    "Settings are read from .npmrc files and npm_config_* variables; see docs/settings.md.";

/// A fast, safe package manager for npm projects.
#[derive(Parser, Debug)]
#[command(name = "dx", version, about, disable_help_subcommand = true)]
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
    #[command(visible_aliases = ["i", "add"], aliases = ["in", "ins", "inst"])]
    Install(install::InstallArguments),
    /// Install exactly what the lockfile says, replacing node_modules.
    #[command(aliases = ["clean-install", "ic"])]
    Ci(TreeArguments),
    #[command(visible_aliases = ["rm", "uninstall", "un"])]
    Remove(remove::RemoveArguments),
    #[command(visible_alias = "run-script", aliases = ["rum", "urn"])]
    Run(run::RunArguments),
    /// Run the project's script "test".
    #[command(visible_alias = "t", alias = "tst")]
    Test(run::ScriptArguments),
    /// Run the project's script "start", or server.js.
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
        Arguments::try_parse().map_err(|error| {
            let _ = error.print();
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
        })
    }
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
