//! `dx rebuild`: install scripts run again, commands linked again.

use std::process::ExitCode;

use clap::Args;
use dx_pkg_acquire::Cancel;
use dx_pkg_install::scripts::skipped_line;
use dx_pkg_install::upkeep::rebuild::rebuild;
use dx_pkg_install::{Environment, Events as _, OpenProject, SessionOptions};
use serde_json::json;

use crate::error::CommandError;
use crate::flags::{RebuildSettings, SettingFlags};
use crate::report::Report;

/// Run the allowed install scripts of packages again, and link their commands again.
#[derive(Args, Debug)]
pub struct RebuildArguments {
    /// Packages to rebuild: names, names with a version or range, or folders; by default all.
    #[arg(value_name = "PACKAGE")]
    pub packages: Vec<String>,
    #[command(flatten)]
    pub flags: SettingFlags<RebuildSettings>,
}

impl RebuildArguments {
    /// Rebuilds the packages that are named, or all.
    pub fn run(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        dx_pkg_os::process::install_signal_handlers();
        let options = SessionOptions {
            flags: self.flags.settings().to_vec(),
            cancel: Cancel::from_flag(dx_pkg_os::process::cancellation_flag()),
            ..SessionOptions::default()
        };
        let open = OpenProject::open_or_new(environment, options, report)?;
        let rebuilt = rebuild(open, &self.packages, report)?;
        skipped_line(&rebuilt.scripts_skipped).iter().for_each(|line| report.warning(line));
        let fields =
            json!({ "packages": rebuilt.packages, "scriptsSkipped": rebuilt.scripts_skipped });
        report.result("rebuilt dependencies successfully", &fields);
        Ok(ExitCode::SUCCESS)
    }
}
