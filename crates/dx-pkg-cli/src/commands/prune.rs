//! `dx prune`: removes what the project does not require.

use std::process::ExitCode;

use clap::Args;
use dx_pkg_install::{Environment, Mode, OpenProject, Options};

use super::install::{carry_out, offering};
use crate::error::CommandError;
use crate::options::TreeArguments;
use crate::report::Report;

/// Remove packages that the project does not require.
///
/// What is missing is installed, as by npm.
#[derive(Args, Debug)]
pub struct PruneArguments {
    /// Names of packages; as with npm, all that are not required are removed.
    #[arg(value_name = "PACKAGE")]
    pub packages: Vec<String>,
    #[command(flatten)]
    pub tree: TreeArguments,
}

impl PruneArguments {
    /// Makes `node_modules` what the project requires.
    pub fn run(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        let again = environment.clone();
        let open = OpenProject::open_or_new(environment, self.tree.session_options(), report)?;
        let options =
            Options { mode: Mode::Prune, frozen: self.tree.frozen_lockfile, ..Options::default() };
        let summary = carry_out(&self.tree, open, options, report)?;
        offering(&self.tree, again, report, &summary)
    }
}
