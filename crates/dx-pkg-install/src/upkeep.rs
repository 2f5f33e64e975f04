//! The commands that look after what is installed: approvals of scripts, patches, links between
//! projects, and copies of workspaces and lockfiles.

pub mod decisions;
pub mod deploying;
pub mod fetching;
pub mod importing;
pub mod linking;
pub mod patching;
pub mod rebuild;
pub mod recorded;
pub mod updates;
pub mod verifying;

pub use crate::error::UpkeepError;
use crate::{InstallError, Session};

/// Refuses a dry run of a command that only writes.
fn refuse_dry_run(session: &Session, command: &'static str) -> Result<(), InstallError> {
    if session.config().dry_run()? { Err(UpkeepError::NoDryRun { command }.into()) } else { Ok(()) }
}
