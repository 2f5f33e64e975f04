//! `dx lock`: what the lockfile vouches for.

use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use dx_pkg_install::project::find_root;
use dx_pkg_install::summary::count;
use dx_pkg_install::upkeep::verifying::{Difference, VerifiedLock, verify_lockfile};
use dx_pkg_install::{Environment, Events as _, Session, SessionOptions};
use serde_json::json;

use crate::error::CommandError;
use crate::flags::{ExportSettings, SettingFlags};
use crate::report::Report;

/// Check what the lockfile vouches for.
#[derive(Args, Debug)]
pub struct LockArguments {
    /// What to do: `verify` checks that every package from a registry has an integrity.
    #[arg(value_name = "ACTION")]
    pub action: LockAction,
    /// Also fetch every tarball, and compare its contents with those that the store has.
    #[arg(long)]
    pub deep: bool,
    #[command(flatten)]
    pub flags: SettingFlags<ExportSettings>,
}

#[derive(ValueEnum, Clone, Copy, Debug)]
pub enum LockAction {
    /// Check the packages.
    Verify,
}

impl LockArguments {
    /// Carries out the action.
    pub fn run(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        let LockAction::Verify = self.action;
        dx_pkg_os::process::install_signal_handlers();
        let root = find_root(&environment.folder).folder;
        let flags = self.flags.settings().to_vec();
        let options = SessionOptions { flags, ..SessionOptions::default() };
        let session = Arc::new(Session::open(environment, &root, options.clone())?);
        let verified = verify_lockfile(&session, &root, &options, self.deep, report)?;
        let VerifiedLock { packages, tarballs, compared, .. } = verified;
        let lacking = &verified.without_integrity;
        if !lacking.is_empty() {
            report.warning(&format!("the lockfile has no integrity of {}", lacking.join(", ")));
        }
        verified.left_out.iter().for_each(|error| report.warning(&format!("optional: {error}")));
        if let Some((first, others)) = verified.different.split_first() {
            for Difference { package, in_tarball, in_store } in others {
                report.warning(&format!(
                    "{package}: the tarball has the content root {in_tarball}, the store {in_store}"
                ));
            }
            let (first, others) = (first.clone(), others.len());
            return Err(CommandError::ContentsDiffer { first, others });
        }
        let vouched = count(packages as u64, "package");
        let text = match self.deep {
            false => format!("The lockfile has an integrity for {vouched}"),
            true => format!(
                "Checked {} of {vouched}: the store has the contents of {compared}, none differs",
                count(tarballs as u64, "tarball"),
            ),
        };
        let fields = json!({
            "packages": packages, "withoutIntegrity": lacking, "tarballs": tarballs,
            "compared": compared, "leftOut": verified.left_out,
        });
        report.result(&text, &fields);
        Ok(ExitCode::SUCCESS)
    }
}
