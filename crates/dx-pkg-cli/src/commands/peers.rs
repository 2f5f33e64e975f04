//! `dx peers`: lists the peer conflicts of a project.

use std::process::ExitCode;

use clap::Args;
use dx_pkg_acquire::Cancel;
use dx_pkg_install::{Environment, OpenProject, SessionOptions};

use crate::error::CommandError;
use crate::flags::{PeerSettings, SettingFlags};
use crate::report::Report;

/// List the peer conflicts of the lockfile, with reasons and changes that would help.
#[derive(Args, Debug)]
#[command(after_help = "Ends with 1 if there is a conflict. `dx check peers` is the same.")]
pub struct PeersArguments {
    #[command(flatten)]
    pub flags: SettingFlags<PeerSettings>,
}

impl PeersArguments {
    /// Prints the conflicts; there may be none.
    pub fn run(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        dx_pkg_os::process::install_signal_handlers();
        let session = SessionOptions {
            flags: self.flags.settings().to_vec(),
            cancel: Cancel::from_flag(dx_pkg_os::process::cancellation_flag()),
            ..SessionOptions::default()
        };
        let found = OpenProject::open(environment, session, report)?.peer_conflicts()?;
        report.result(&found.text(), &found.to_json());
        Ok(ExitCode::from(u8::from(!found.conflicts.is_empty())))
    }
}
