//! Runs what a project or a package offers: scripts of several workspaces, commands of installed
//! packages, commands of packages that are installed for it alone, initializers of new projects.
//!
//! Nothing here prints: a [`Listener`] is told what runs, and asked what the user has to decide.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod create;
mod environments;
mod error;
mod exec;
pub mod init;
pub mod leaving;
mod listing;
mod patterns;
mod place;
mod scripts;
pub mod shims;

pub use create::package_of_initializer;
pub use error::RunError;
pub use exec::{ExecRequest, exec, has_command};
pub use listing::{Listing, listing};
pub use place::{Place, Runner, Selection, add_workspace};
pub use scripts::{ScriptRequest, run_scripts};

use dx_pkg_install::Events;

/// The number that shells add to the number of a signal that ended a command.
const BY_SIGNAL: i32 = 128;

/// The listener of a run.
pub trait Listener: Events {
    /// Reports that a script begins: its package, its name, its text with the arguments.
    fn script(&self, _package: &str, _event: &str, _script: &str) {}

    /// Reports that a script of one of several packages failed, in words.
    fn failure(&self, _error: &RunError) {}

    /// Reports that the user's shell begins, in words.
    fn shell(&self, _text: &str) {}

    /// Returns whether there is somebody who can answer a question.
    fn can_ask(&self) -> bool {
        false
    }

    /// Asks whether packages may be installed and returns whether the answer is yes.
    fn may_install(&self, _packages: &[String]) -> bool {
        false
    }
}

impl Listener for dx_pkg_install::NoEvents {}
