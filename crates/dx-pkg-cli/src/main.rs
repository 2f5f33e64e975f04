//! The `dx` command.
//!
//! Nothing is started before it is needed: whether there is anything to do is answered first, without argument parser,
//! runtime or configuration.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
#![allow(unreachable_pub, reason = "a binary has no public interface")]

mod arguments;
mod downloads;
mod ending;
mod failure;
mod metadata;
mod node;
mod noop;
mod ops;
mod plan;
mod progress;
mod project;
mod remembered;
mod report;
mod session;
mod speculation;
mod state;
mod surroundings;
mod timing;
mod workers;
mod workspaces;

use std::process::ExitCode;

use arguments::{Arguments, Command};
use failure::Failure;
use report::Report;
use surroundings::Surroundings;

fn main() -> ExitCode {
    if noop::nothing_to_do() {
        return ExitCode::SUCCESS;
    }
    let arguments = match Arguments::read() {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    let report = Report::new(&arguments.output);
    match run(&arguments, &report) {
        Ok(code) => code,
        Err(failure) => report.failure(&failure),
    }
}

fn run(arguments: &Arguments, report: &Report) -> Result<ExitCode, Failure> {
    let surroundings = Surroundings::read(arguments.folder.as_deref())?;
    let script = |name: &str, rest| ops::run::script(&surroundings, name, name, rest, report);
    match &arguments.command {
        Command::Install(install) if install.packages.is_empty() => {
            ops::install::install(
                &surroundings,
                &install.tree,
                ops::install::Mode::Install,
                report,
            )?;
        }
        Command::Install(install) => ops::add::add(&surroundings, install, report)?,
        Command::Ci(tree) => {
            ops::install::install(&surroundings, tree, ops::install::Mode::Ci, report)?
        }
        Command::Remove(remove) => ops::remove::remove(&surroundings, remove, report)?,
        Command::Store(store) => ops::store::store(&surroundings, &store.action, report)?,
        Command::Run(run) => return ops::run::run(&surroundings, run, report),
        Command::Test(rest) => return script("test", rest),
        Command::Start(rest) => return script("start", rest),
        Command::Stop(rest) => return script("stop", rest),
        Command::Restart(rest) => return script("restart", rest),
    }
    Ok(ExitCode::SUCCESS)
}
