//! Dependency resolution and hoisting by npm's rules, those of its library Arborist.
//!
//! [`resolve`] is a function of the requirements, the lockfile and the [`Provider`]'s answers. It
//! does no I/O, reads no clock and no environment, and its result does not depend on the order in
//! which answers arrive.
//!
//! The modules follow Arborist's: `build` is `build-ideal-tree`, `can_place` is `can-place-dep`,
//! `place` is `place-dep`, `pick` is `npm-pick-manifest`, `flags` is `calc-dep-flags`, `overrides`
//! is `override-set`, and `tree` holds nodes and edges. A *scratch tree* is Arborist's virtual
//! root. [`change::change()`] has no counterpart there: it resolves a changed manifest in the
//! affected part of a lock only.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod build;
mod can_place;
pub mod change;
mod choice;
mod complete;
pub mod dedupe;
mod engines;
mod entry;
mod error;
mod exceptions;
mod explain;
mod extensions;
mod finish;
mod flags;
mod growth;
mod intern;
mod manifest;
mod overrides;
pub mod peers;
mod pick;
mod pins;
mod place;
mod places;
mod provider;
pub mod rules;
mod several;
mod solve;
mod tree;

use dx_pkg_core::Platform;
use dx_pkg_lock::{Lock, LockPackage};

use pins::Pins;

pub use error::{ProviderError, ResolveError};
pub use manifest::registry_record;
pub use overrides::Override;
pub use pick::{PickOptions, Picker};
pub use place::Placing;
pub use places::Places;
pub use provider::{External, Provider};

use rules::{Exceptions, Extension, Single};

/// The requirements of a project.
#[derive(Clone, Debug, Default)]
pub struct Requirements {
    /// The project's manifest, whose path is empty.
    pub root: LockPackage,
    /// The manifests of its workspaces and linked folders, each with its folder as path.
    pub workspaces: Vec<LockPackage>,
    /// The project's `overrides`.
    pub overrides: Vec<Override>,
    /// The requirements that are not taken as they are written.
    pub pins: Pins,
    /// The project's `packageExtensions`; their hash is a member of `root`.
    pub extensions: Vec<Extension>,
    /// The exceptions that the project makes from what packages require.
    pub exceptions: Exceptions,
    /// The packages of which there is to be one version only.
    pub single: Vec<Single>,
}

/// The settings of a resolution.
#[derive(Clone, Debug)]
pub struct Options {
    /// The rules for choosing versions.
    pub pick: PickOptions,
    /// The platform to install for.
    pub platform: Platform,
    /// Further platforms: what runs on one of them is installed too.
    pub more_platforms: Vec<Platform>,
    /// Whether peer requirements are ignored.
    pub legacy_peer_deps: bool,
    /// Whether contradicting peer requirements are an error; otherwise they are reported.
    pub strict_peer_deps: bool,
    /// Whether peer requirements that contradict each other are solved by other versions where npm
    /// would refuse.
    pub solves_conflicts: bool,
    /// Whether an older version that satisfies is kept where a newer one would have to be added.
    pub prefer_dedupe: bool,
    /// How far up the tree packages are placed.
    pub placing: Placing,
    /// Names whose versions are chosen anew, wherever they are locked.
    pub update: Vec<String>,
    /// Names of the project's direct dependencies that the user named on the command line.
    pub explicit: Vec<String>,
    /// Folders of the workspaces, relative to the project.
    pub workspaces: Vec<String>,
    /// Whether a requirement that the lockfile does not meet is an error.
    pub frozen: bool,
    /// Whether folders outside the project are copied rather than linked.
    pub install_links: bool,
    /// The most versions of packages that may be loaded.
    pub max_packages: usize,
}

impl Options {
    /// Returns whether a package with these `os`, `cpu` and `libc` lists is installed.
    pub(crate) fn accepts(&self, os: &[&str], cpu: &[&str], libc: &[&str]) -> bool {
        self.platform.accepts(os, cpu, libc)
            || self.more_platforms.iter().any(|platform| platform.accepts(os, cpu, libc))
    }

    /// The most versions of packages that may be loaded where nothing else is said.
    pub const MAX_PACKAGES: usize = growth::MAX_PACKAGES;
}

/// The outcome of a resolution.
#[derive(Clone, Debug)]
pub struct Resolution {
    /// Every package with its path, in the lockfile's order.
    pub lock: Lock,
    /// For each package of `lock`, whether it is installed on this platform.
    pub installed: Vec<bool>,
    /// Whether `lock` differs from the lockfile the resolution started from.
    pub changed: bool,
    /// Peer requirements that are not met, in a stable order.
    pub conflicts: Vec<peers::Conflict>,
    /// Whether npm refuses to install because of peer requirements. It may where none is unmet in
    /// the end.
    pub refused_by_npm: bool,
    /// Packages to install although their engines or platforms exclude this machine.
    pub unfit: Vec<Unfit>,
    /// Optional packages that could not be loaded, with the reason.
    pub skipped: Vec<String>,
    /// Dependencies of published packages that are folders of their authors' machines, in words;
    /// they are left out.
    pub authors_folders: Vec<String>,
    /// The peer conflicts that `lock` accepts, which every further resolution reports again. `None`
    /// where `lock` is incomplete: resolving the same requirements again could change it, so
    /// [`change::change()`] cannot start from it.
    pub accepted_conflicts: Option<Vec<peers::Conflict>>,
    /// The packages that have other versions than npm's rules choose, so that peers agree.
    pub moves: Vec<peers::Move>,
}

/// A package whose `engines`, `os`, `cpu` or `libc` exclude this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// `name@version`.
    pub package: String,
    /// Its path, relative to the project.
    pub path: String,
    /// The engine or platform that it requires.
    pub wants: String,
    /// The engine's version here, or this platform.
    pub current: String,
    /// Whether the platform, not an engine, excludes this machine.
    pub platform: bool,
}

/// Resolves `requirements`; locked versions of `previous` are kept wherever they satisfy.
///
/// # Errors
/// When a package that is not optional cannot be loaded or has no matching version, a requirement
/// cannot be parsed, overrides contradict each other or, with `strict_peer_deps`, peer requirements
/// do.
pub fn resolve(
    requirements: &Requirements,
    previous: Option<&Lock>,
    provider: &dyn Provider,
    options: &Options,
) -> Result<Resolution, ResolveError> {
    let first = resolve_once(requirements, previous, provider, options);
    let mut resolution = match solved(&first, requirements, previous, provider, options) {
        Some(solved) => solved,
        None => first?,
    };
    if let Some(single) =
        solve::fewest::with_single(&resolution, requirements, previous, provider, options)?
    {
        resolution = single;
    }
    if resolution.accepted_conflicts.as_ref().is_some_and(|accepted| !accepted.is_empty()) {
        resolution.accepted_conflicts =
            complete::standing(&resolution, requirements, provider, options);
    }
    Ok(resolution)
}

/// Returns a resolution without the peer conflicts that npm refuses in `first`; `None` where that
/// has none, or where they cannot be solved. What is wrong besides is told by `first`.
fn solved(
    first: &Result<Resolution, ResolveError>,
    requirements: &Requirements,
    previous: Option<&Lock>,
    provider: &dyn Provider,
    options: &Options,
) -> Option<Resolution> {
    if !options.solves_conflicts || options.frozen || options.legacy_peer_deps {
        return None;
    }
    match first {
        // What a lockfile holds and nothing has changed was told when it came there.
        Ok(resolution) if resolution.refused_by_npm && resolution.changed => {
            solve::remedy(resolution, requirements, previous, provider, options)
        }
        Err(ResolveError::PeerConflict(_)) => {
            let lenient = Options { strict_peer_deps: false, ..options.clone() };
            let refused = resolve_once(requirements, previous, provider, &lenient).ok()?;
            solve::remedy(&refused, requirements, previous, provider, options)
        }
        _ => None,
    }
}

/// Resolves `requirements`; the conflicts that are accepted then are those of the tree.
fn resolve_once(
    requirements: &Requirements,
    previous: Option<&Lock>,
    provider: &dyn Provider,
    options: &Options,
) -> Result<Resolution, ResolveError> {
    let builder = build::start(requirements, previous, provider, options)?;
    conclude(builder, requirements, previous, options)
}

/// Places what is missing and makes the lock; a frozen one is compared with `previous`.
fn conclude(
    mut builder: build::Builder<'_, '_>,
    requirements: &Requirements,
    previous: Option<&Lock>,
    options: &Options,
) -> Result<Resolution, ResolveError> {
    let run = builder.run();
    let refusal = builder.refusal();
    let outcome = run.and_then(|()| finish::finish(builder, requirements, previous, options));
    build::compare(outcome, refusal, previous)
}

/// Resolves as [`resolve`] does from a lock that told too little and was completed: `locks` are the
/// lock as it was read and the completed one, with the same paths.
///
/// As for npm, requirements that only the completion brought do not change the lock.
///
/// # Errors
/// As [`resolve`].
pub fn resolve_upgraded(
    requirements: &Requirements,
    locks: (&Lock, &Lock),
    provider: &dyn Provider,
    options: &Options,
) -> Result<Resolution, ResolveError> {
    let builder = build::start_upgraded(requirements, locks, provider, options)?;
    let resolution = conclude(builder, requirements, Some(locks.1), options)?;
    let previous = Some(locks.1);
    let single =
        solve::fewest::with_single(&resolution, requirements, previous, provider, options)?;
    Ok(single.unwrap_or(resolution))
}
