//! Resolves a project's dependencies and decides where each package lies, by npm's rules.
//!
//! [`resolve`] is a function of the requirements, the lockfile and what the [`Provider`] answers; it does no I/O of its
//! own, reads no clock and no environment, and gives the same result however its answers are timed.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod build;
mod can_place;
mod change;
mod engines;
mod error;
mod explain;
mod finish;
mod flags;
mod intern;
mod manifest;
mod overrides;
mod pick;
mod place;
mod provider;
mod tree;

use dx_pkg_core::Platform;
use dx_pkg_lock::{Lock, LockPackage};

pub use change::{Change, change};
pub use error::{ProviderError, ResolveError};
pub use explain::Conflict;
pub use overrides::Override;
pub use pick::{PickOptions, Picker};
pub use provider::{External, Provider};

/// What the project asks for.
#[derive(Clone, Debug, Default)]
pub struct Requirements {
    /// The project's manifest, with an empty path.
    pub root: LockPackage,
    /// The manifests of its workspaces and linked folders, each with its folder as path.
    pub workspaces: Vec<LockPackage>,
    /// The project's `overrides`.
    pub overrides: Vec<Override>,
}

/// How to resolve.
#[derive(Clone, Debug)]
pub struct Options {
    /// How versions are chosen.
    pub pick: PickOptions,
    /// The machine to install for.
    pub platform: Platform,
    /// Leave peer requirements out of account.
    pub legacy_peer_deps: bool,
    /// Refuse instead of going on where peer requirements contradict each other.
    pub strict_peer_deps: bool,
    /// Keep an older version that satisfies rather than add a newer one.
    pub prefer_dedupe: bool,
    /// Names whose version is to be chosen anew.
    pub update: Vec<String>,
    /// Names of the project's own dependencies that were asked for explicitly.
    pub explicit: Vec<String>,
    /// Folders that are workspaces, relative to the project.
    pub workspaces: Vec<String>,
    /// Refuse to place anything that the lockfile does not have.
    pub frozen: bool,
}

/// The outcome of a resolution.
#[derive(Clone, Debug)]
pub struct Resolution {
    /// Every package with its place; sorted as the lockfile is.
    pub lock: Lock,
    /// For each package of `lock`, whether it is to be installed on this machine.
    pub installed: Vec<bool>,
    /// Whether `lock` differs from the lockfile the resolution started from.
    pub changed: bool,
    /// Peer requirements that are not met.
    pub conflicts: Vec<Conflict>,
    /// Packages that are to be installed although they name engines this machine does not have.
    pub unfit: Vec<Unfit>,
    /// Optional packages that could not be loaded, with the reason.
    pub skipped: Vec<String>,
    /// Where nothing was left open, so that [`change`] can tell what a change of the requirements does to `lock`: the
    /// conflicts that every resolution of it will note.
    pub settled: Option<Vec<Conflict>>,
}

/// A package whose `engines`, `os`, `cpu` or `libc` exclude this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// `name@version`.
    pub package: String,
    /// What it asks for.
    pub wants: String,
    /// Whether it is the platform rather than an engine that does not fit.
    pub platform: bool,
}

/// Resolves `requirements`, keeping what `previous` has wherever it still satisfies.
///
/// # Errors
/// A package that is not optional cannot be loaded, has no matching version or a requirement cannot be understood;
/// contradicting overrides; with `strict_peer_deps`, contradicting peer requirements.
pub fn resolve(
    requirements: &Requirements,
    previous: Option<&Lock>,
    provider: &dyn Provider,
    options: &Options,
) -> Result<Resolution, ResolveError> {
    let mut builder = build::start(requirements, previous, provider, options)?;
    builder.run()?;
    finish::finish(builder, requirements, previous, options)
}
