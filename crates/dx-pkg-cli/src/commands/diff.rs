//! `dx diff`: what differs between two packages.

use std::process::ExitCode;

use clap::Args;
use dx_pkg_author::diff::{DiffOptions, compare, sides};
use dx_pkg_core::text::addresses::without_secrets;
use dx_pkg_install::Environment;
use dx_pkg_install::session::configuration;

use super::members::WorkspaceArguments;
use super::pack::session;
use crate::error::CommandError;
use crate::flags::{DiffSettings, SettingFlags};
use crate::report::Report;

/// Show what differs between two packages.
#[derive(Args, Debug)]
#[command(after_help = "\
Without --diff, the project is compared with its latest version in the registry.
  dx diff --diff=1.0.0                the project with a version
  dx diff --diff=1.0.0 --diff=2.0.0   two versions of the project
  dx diff --diff=NAME                 what is installed with what would be installed
  dx diff --diff=NAME@1 --diff=NAME@2 two versions of a package")]
pub struct DiffArguments {
    /// Files, folders or patterns that are compared; by default all.
    #[arg(value_name = "PATH")]
    pub paths: Vec<String>,
    #[command(flatten)]
    pub members: WorkspaceArguments,
    #[command(flatten)]
    pub flags: SettingFlags<DiffSettings>,
}

impl DiffArguments {
    /// Compares the packages, for each workspace that is meant.
    pub fn run(
        &self,
        environment: &Environment,
        report: &Report,
    ) -> Result<ExitCode, CommandError> {
        let members = self.members.find(environment)?;
        let flags = self.flags.settings();
        let (config, _) = configuration(environment, &members.root, flags)?;
        let options = DiffOptions::of(&config, self.paths.clone())?;
        let (specs, tag) = (config.diff()?, config.tag()?);
        let open = || session(environment, &members, flags);
        for (_, folder) in members.each() {
            let places = (folder, environment.folder.as_path());
            let [a, b] = sides(&specs, places, &tag, &open, report)?;
            let differences = compare(&a, &b, &options)?;
            if report.wants_json() {
                report.pretty(&differences.json);
            } else {
                // As npm does, an empty line where nothing differs.
                report.plain_result(&without_secrets(&differences.text));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
