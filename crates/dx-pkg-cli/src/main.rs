//! The `dx` command.
//!
//! Nothing is started before it is needed: an install with nothing to do ends before argument
//! parser, runtime and settings.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
#![allow(unreachable_pub, reason = "a binary has no public interface")]

mod commands;
mod environment;
mod error;
mod flags;
mod noop;
mod opener;
mod options;
mod pages;
mod progress;
mod report;

use std::process::ExitCode;

use commands::Arguments;
use dx_pkg_install::Events as _;
use report::Report;

fn main() -> ExitCode {
    if noop::nothing_to_do() {
        return report::checked(ExitCode::SUCCESS);
    }
    if let Some(code) = commands::completion::answer().or_else(commands::table::answer) {
        return report::checked(code);
    }
    dx_pkg_os::process::meet_limits();
    let arguments = match Arguments::read() {
        Ok(arguments) => arguments,
        Err(code) => return report::checked(code),
    };
    let report = Report::new(&arguments.output);
    for setting in &arguments.idle {
        report.warning(&format!("--{setting} has no effect on this command"));
    }
    for note in &arguments.notes {
        report.warning(note);
    }
    let outcome = environment::read(arguments.folder.as_deref()).and_then(|mut environment| {
        environment.set(&arguments.variables);
        arguments.command.run(environment, &report)
    });
    report::checked(outcome.unwrap_or_else(|error| report.error(&error)))
}
