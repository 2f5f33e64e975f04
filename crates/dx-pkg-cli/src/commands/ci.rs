//! `dx ci`: installs exactly what the lockfile says.

use std::process::ExitCode;

use dx_pkg_install::{Environment, Mode, OpenProject, Options};

use super::install::carry_out;
use crate::error::CommandError;
use crate::options::TreeArguments;
use crate::report::Report;

/// Replaces `node_modules` by what the lockfile says.
pub fn run(
    arguments: &TreeArguments,
    environment: Environment,
    report: &Report,
) -> Result<ExitCode, CommandError> {
    let open = OpenProject::open(environment, arguments.session_options(), report)?;
    carry_out(arguments, open, Options { mode: Mode::Ci, ..Options::default() }, report)?;
    Ok(ExitCode::SUCCESS)
}
