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
mod explanation;
mod extensions;
mod finish;
mod flags;
pub mod graph;
mod growth;
mod intern;
mod manifest;
mod overrides;
pub mod peers;
pub mod pick;
mod pins;
mod place;
mod places;
mod planned;
mod provider;
mod repeat;
pub mod rules;
mod several;
mod solve;
mod tree;

use dx_pkg_core::Platform;
use dx_pkg_lock::{Lock, LockPackage, name_of_path};

use pick::PickOptions;
use pins::Pins;
use solve::Input;

pub use error::{ProviderError, ResolveError};
pub use manifest::registry_record;
pub use overrides::Override;
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
    /// Whether the conflicts of a frozen lockfile are explained.
    pub explains_conflicts: bool,
    /// Whether packages for another Node.js or npm are an error, so that older dependents are
    /// looked for.
    pub engine_strict: bool,
    /// The conflicts that were told before, in words: they stay where the lockfile does not change.
    pub known_conflicts: Vec<String>,
    /// Whether an older version that satisfies is kept where a newer one would have to be added.
    pub prefer_dedupe: bool,
    /// How far up the tree packages are placed.
    pub placing: Placing,
    /// Names whose versions are chosen anew, wherever they are locked.
    pub update: Vec<String>,
    /// Names of direct dependencies that the user named on the command line.
    pub explicit: Vec<String>,
    /// Folders of the importers whose dependencies those are; none for the project alone.
    pub explicit_in: Vec<String>,
    /// Names of direct dependencies that a command removes.
    pub removed: Vec<String>,
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
    /// The reasons why packages that bundled ones require, and that their tarballs lack, could not
    /// be loaded; the bundled packages stay without them.
    pub bundles_lack: Vec<String>,
    /// Dependencies of published packages that are folders of their authors' machines, in words;
    /// they are left out.
    pub authors_folders: Vec<String>,
    /// The peer conflicts that `lock` accepts, which every further resolution reports again. `None`
    /// where `lock` is incomplete: resolving the same requirements again could change it, so
    /// [`change::change()`] cannot start from it.
    pub accepted_conflicts: Option<Vec<peers::Conflict>>,
    /// The reason why a frozen install refuses `lock`, where no other was found that it takes.
    pub refused: Option<String>,
    /// Whether a package lacks one that it requires, or has another version, other than of a peer.
    has_unmet: bool,
    /// The packages that have other versions than npm's rules choose, so that peers agree.
    pub moves: Vec<peers::Move>,
    /// The conflicts that were not solved, with the reasons.
    pub explanations: Vec<peers::Explanation>,
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
    let input = Input { requirements, previous, provider, options };
    let resolution = settled(input)?;
    let single =
        solve::fewest::with_single(&resolution, requirements, previous, provider, options)?;
    let resolution = single.unwrap_or(resolution);
    let accepts = resolution.accepted_conflicts.as_ref().is_some_and(|list| !list.is_empty());
    if !accepts {
        return Ok(repeat::until_taken(resolution, requirements, previous, provider, options));
    }
    let accepted_conflicts = complete::standing(&resolution, requirements, provider, options);
    if accepted_conflicts.is_some() {
        return Ok(Resolution { accepted_conflicts, ..resolution });
    }
    let resolution = repeat::until_taken(resolution, requirements, previous, provider, options);
    Ok(Resolution { accepted_conflicts: None, ..resolution })
}

/// Resolves by npm's rules and, where npm refuses, looks for versions that agree.
pub(crate) fn settled(input: Input<'_>) -> Result<Resolution, ResolveError> {
    let first = input.resolve();
    let options = input.options;
    if options.frozen && options.explains_conflicts {
        let resolution = first?;
        if resolution.conflicts.is_empty() {
            return Ok(resolution);
        }
        let solve::Remedy { solved, explanations } = solve::remedy(&resolution, input);
        // What could be solved is told, and stays.
        let moves = solved.map(|solved| solved.moves).unwrap_or_default();
        return Ok(Resolution { explanations, moves, ..resolution });
    }
    if !options.solves_conflicts || options.frozen {
        return first;
    }
    let mut left_out = Vec::new();
    let (first, options) = match first {
        // The version may have been published meanwhile: the caller asks the registry first.
        Err(error @ ResolveError::NoVersion { .. }) if input.provider.may_be_outdated() => {
            return Err(error);
        }
        Err(error) => match solve::with_available(&error, input) {
            Some(solve::Available { outcome, options, left_out: without }) => {
                left_out = without;
                (outcome, options)
            }
            None => (Err(error), options.clone()),
        },
        Ok(resolution) if options.engine_strict && resolution.lacks_engines() => {
            match solve::with_fitting_engines(&resolution, input) {
                Some((resolution, options)) => (Ok(resolution), options),
                None => (Ok(resolution), options.clone()),
            }
        }
        Ok(resolution) if !resolution.refused_by_npm => return Ok(resolution),
        first => (first, options.clone()),
    };
    let outcome = match options.legacy_peer_deps {
        true => first,
        false => remedied(first, Input { options: &options, ..input }),
    };
    outcome.map(|resolution| solve::told(resolution, &left_out, input))
}

/// Returns a resolution without the peer conflicts that npm refuses in `first`, or `first` with
/// explanations. What is wrong besides is told by `first`.
fn remedied(
    first: Result<Resolution, ResolveError>,
    input: Input<'_>,
) -> Result<Resolution, ResolveError> {
    let (options, previous) = (input.options, input.previous);
    match first {
        // What a lockfile holds and nothing has changed was told when it came there.
        Ok(resolution)
            if resolution.refused_by_npm
                && (resolution.changed || !was_told(&resolution, input))
                && !is_left_alone(&resolution, input) =>
        {
            let remedy = solve::remedy(&resolution, input);
            if remedy.solved.is_none() && resolution.conflicts.is_empty() {
                let resolution = solve::completed(resolution, input);
                return match (resolution.conflicts.is_empty(), resolution.refused_by_npm) {
                    (true, false) => Ok(resolution),
                    // npm refuses on the way, and accepts what it comes to.
                    (true, true) if !solve::is_refused(&resolution, input) => Ok(resolution),
                    (true, true) => {
                        Ok(Resolution { explanations: remedy.explanations, ..resolution })
                    }
                    (false, _) => remedied(Ok(resolution), input),
                };
            }
            let resolution = match remedy.solved {
                Some(solved) => Resolution { moves: joined(&resolution, &solved), ..solved },
                None => resolution,
            };
            Ok(Resolution { explanations: remedy.explanations, ..resolution })
        }
        Err(ResolveError::PeerConflict(conflicts)) => {
            let lenient = Options { strict_peer_deps: false, ..options.clone() };
            let Ok(refused) = (Input { options: &lenient, ..input }).resolve() else {
                return Err(ResolveError::PeerConflict(conflicts));
            };
            // Strictly, npm refuses what it meets on the way; the lockfile has no conflict.
            let lenient = Input { options: &lenient, ..input };
            let solve::Remedy { solved, explanations } = solve::remedy(&refused, lenient);
            let is_whole = |solved: &Resolution| solved.conflicts.is_empty();
            match solved.filter(is_whole).filter(|_| explanations.is_empty()) {
                Some(solved) => Ok(solved),
                None if explanations.is_empty() => Err(ResolveError::PeerConflict(conflicts)),
                None => {
                    let text = String::new();
                    Err(ResolveError::Unsolved { conflicts, explanations, text })
                }
            }
        }
        Err(ResolveError::Endless { package }) => {
            let legacy =
                Options { legacy_peer_deps: true, strict_peer_deps: false, ..options.clone() };
            let plain = match resolve_once(input.requirements, previous, input.provider, &legacy) {
                Ok(plain) if !options.strict_peer_deps => plain,
                Ok(_) | Err(ResolveError::Endless { .. }) => {
                    return Err(ResolveError::Endless { package });
                }
                // What is wrong without peers, such as a version that is missing, is wrong with
                // them: what cannot be loaded fits no peer, and is displaced again and again.
                Err(error) => return Err(error),
            };
            let mut remedy = solve::remedy(&plain, input);
            if let Some(solved) = remedy.solved.filter(|_| remedy.explanations.is_empty()) {
                return Ok(solved);
            }
            let endless = peers::Statement::Endless { package };
            remedy.explanations.insert(0, solve::given_up("", endless));
            let explanations = remedy.explanations;
            Ok(Resolution { explanations, accepted_conflicts: None, ..plain })
        }
        first => first,
    }
}

/// Returns whether all conflicts of a resolution were told before.
fn was_told(resolution: &Resolution, input: Input<'_>) -> bool {
    let known = &input.options.known_conflicts;
    let mut texts = resolution.conflicts.iter().map(ToString::to_string);
    texts.all(|text| known.contains(&text) || input.provider.was_told(&text))
}

/// Returns whether a command adds or removes packages beside conflicts that the project has already
/// and that they have no part in. What is removed must not have asked for a peer that they are
/// about, nor that peer for it.
fn is_left_alone(resolution: &Resolution, input: Input<'_>) -> bool {
    let Options { explicit, removed, known_conflicts, .. } = input.options;
    let named = || explicit.iter().chain(removed);
    let is_apart = |conflict: &peers::Conflict| {
        let dependent = conflict.dependent.rsplit_once('@').map(|(name, _)| name);
        known_conflicts.contains(&conflict.to_string())
            && named().all(|name| *name != conflict.name && Some(&**name) != dependent)
    };
    let disputed = resolution.conflicts.iter().map(|conflict| conflict.name.as_str()).collect();
    let entries = input.previous.iter().flat_map(|lock| &lock.packages).map(|entry| {
        let peers = entry.peer_dependencies.iter().map(|(peer, _)| peer.as_str());
        (name_of_path(&entry.path), peers)
    });
    named().next().is_some()
        && !resolution.conflicts.is_empty()
        && resolution.conflicts.iter().all(is_apart)
        && !peers::were_in_the_way(removed, &disputed, entries)
}

/// Returns the moves of a resolution and of the one that it came from.
fn joined(before: &Resolution, solved: &Resolution) -> Vec<peers::Move> {
    let is_new = |known: &&peers::Move| solved.moves.iter().all(|one| one.name != known.name);
    before.moves.iter().filter(is_new).chain(&solved.moves).cloned().collect()
}

impl Resolution {
    /// Returns whether a package is there for another Node.js or npm.
    fn lacks_engines(&self) -> bool {
        self.unfit.iter().any(|unfit| !unfit.platform)
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
    let resolution = single.unwrap_or(resolution);
    Ok(repeat::until_taken(resolution, requirements, previous, provider, options))
}
