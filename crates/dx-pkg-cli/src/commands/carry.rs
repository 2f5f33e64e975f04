//! What the commands share that add, remove and update packages.

use dx_pkg_core::Spec;
use dx_pkg_install::summary::Summary;
use dx_pkg_install::{OpenProject, Options, install};

use crate::error::CommandError;
use crate::options::TreeArguments;
use crate::report::Report;

/// Installs an open project, prints the summary and writes the file that `--timing` names.
pub(super) fn carry_out(
    arguments: &TreeArguments,
    open: OpenProject,
    options: Options<'_>,
    report: &Report,
) -> Result<Summary, CommandError> {
    carried_out(arguments, open, options, report, |summary| report.summary(summary))
}

/// Carries an install out as [`carry_out`] does, and has `tell` say what it has done.
pub(super) fn carried_out(
    arguments: &TreeArguments,
    open: OpenProject,
    options: Options<'_>,
    report: &Report,
    tell: impl FnOnce(&Summary),
) -> Result<Summary, CommandError> {
    dx_pkg_os::process::install_signal_handlers();
    let session = open.session.clone();
    let options = Options { lists_all: report.lists_all(), ..options };
    let outcome = install(open, &options, report);
    if let Ok(summary) = &outcome {
        tell(summary);
    }
    if let Some(path) = &arguments.timing {
        let written = session.write_trace(path);
        // The install's own error comes first.
        if outcome.is_ok() {
            written?;
        }
    }
    Ok(outcome?)
}

/// Returns the names, each once.
pub(super) fn distinct(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for name in names {
        if !found.contains(&name) {
            found.push(name);
        }
    }
    found
}

/// Checks that an argument is the name of a package, and nothing more.
pub(super) fn check_name(command: &'static str, argument: &str) -> Result<(), CommandError> {
    let given = Spec::parse_argument(argument).ok();
    let is_name = given.is_some_and(|given| {
        given.name.is_some_and(|name| name.as_str() == argument) && &*given.raw == "*"
    });
    if is_name {
        return Ok(());
    }
    Err(CommandError::NotAName { command, argument: argument.to_owned() })
}
