//! Git repositories: which commit a revision is, and the files of a commit.
//!
//! Runs the user's `git` program and nothing else, in such a way that neither an address nor a
//! revision nor anything in a repository can make it run another (see `command`). It asks nothing,
//! is bounded in time, output and bytes on disk, and ends with the command that started it. What
//! the user has set up for git counts: credential helpers, the agent of `ssh`, `url.….insteadOf`.
//!
//! Knows nothing of packages.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod address;
mod checkout;
mod command;
mod error;
mod process;
mod refs;

pub use address::Address;
pub use checkout::Revision;
pub use command::{Git, GitOptions};
pub use error::GitError;
pub use refs::{Commit, Refs};
