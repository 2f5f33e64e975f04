//! Takes the versions that were found: resolves with them, and tells whether npm accepts that.

use std::rc::Rc;

use dx_pkg_core::Version;
use dx_pkg_lock::Lock;
use rustc_hash::FxHashSet;

use super::input::Input;
use super::packages::Source;
use super::pinned::{Move, Pinned};
use super::search::Part;
use crate::{Options, Resolution, ResolveError};

/// Returns whether npm refuses to install the lockfile of a resolution.
pub(crate) fn is_refused(resolution: &Resolution, input: Input<'_>) -> bool {
    again(resolution, input).is_some_and(|again| again.refused_by_npm)
}

/// Returns what npm makes of the lockfile of a resolution.
fn again(resolution: &Resolution, input: Input<'_>) -> Option<Resolution> {
    let options = Options {
        update: Vec::new(),
        explicit: Vec::new(),
        strict_peer_deps: false,
        frozen: false,
        ..input.options.clone()
    };
    let again = Input { previous: Some(&resolution.lock), options: &options, ..input };
    again.resolve().ok()
}

/// Returns whether npm accepts a resolution, if only as a lockfile. One that starts from a lockfile
/// is not refused for what that has already.
pub(super) fn is_accepted(resolution: &Resolution, input: Input<'_>) -> bool {
    !resolution.refused_by_npm && resolution.conflicts.is_empty() || !is_refused(resolution, input)
}

/// Returns what npm makes of the lockfile of a refused resolution in which no peer is unmet: on the
/// way it can leave out what it would have placed again, or keep what nothing requires in the end.
pub(crate) fn completed(refused: Resolution, input: Input<'_>) -> Resolution {
    if !refused.conflicts.is_empty() {
        return refused;
    }
    let Some(again) = again(&refused, input).filter(|again| again.changed) else { return refused };
    let changed = input.previous.is_none_or(|previous| *previous != again.lock);
    let is_there = |step: &&Move| {
        let entry = again.lock.get(&format!("node_modules/{}", step.name));
        entry.is_some_and(|entry| entry.version.as_deref() == Some(&step.to))
    };
    let moves = refused.moves.iter().filter(is_there).cloned().collect();
    Resolution { changed, moves, ..again }
}

/// A solution that cannot be installed, or is no better.
pub(super) struct Rejected {
    /// The resolution, if there is one.
    pub(super) resolution: Option<Resolution>,
    /// The version that is to be left out of the next solution.
    pub(super) culprit: Option<(String, Version)>,
    /// Whether there are fewer conflicts, and npm accepts the lockfile.
    pub(super) is_improvement: bool,
}

/// Resolves with the versions that were found. `Ok(None)` where nothing moves.
///
/// # Errors
/// They cannot be installed, or are no better.
pub(super) fn install(
    parts: &[Rc<Part>],
    sources: &[Source<'_>],
    refused: &Resolution,
    input: Input<'_>,
) -> Result<Option<Resolution>, Box<Rejected>> {
    let mut pinned = pinned(parts, sources, input);
    if pinned.moves.is_empty() && pinned.options.update.len() == input.options.update.len() {
        return Ok(None);
    }
    let is_partial = parts.iter().any(|part| !part.is_settled());
    pinned.options.strict_peer_deps &= !is_partial;
    let previous = input.previous.map(|lock| pinned.without_released(lock));
    let input = Input { previous: previous.as_ref(), ..input };
    let solved = match (Input { options: &pinned.options, ..input }).resolve() {
        // On the way it can get packages that nothing requires in the end, which npm removes later.
        Ok(solved) if has_leftovers(&solved) => {
            match again(&solved, input).filter(|again| again.changed) {
                Some(again)
                    if again.conflicts.len() <= solved.conflicts.len()
                        && (is_partial || !again.refused_by_npm) =>
                {
                    again
                }
                _ => solved,
            }
        }
        Ok(solved) => solved,
        Err(error) => {
            let culprit = dependent_of(&error).or_else(|| pinned.culprit());
            return Err(Box::new(Rejected { resolution: None, culprit, is_improvement: false }));
        }
    };
    let is_improvement = (is_partial || is_accepted(&solved, input))
        && solved.conflicts.len() < refused.conflicts.len().max(1);
    let culprit = pinned.culprit();
    let solved = with_moves(solved, pinned.moves, sources);
    // npm accepts as a lockfile what it would not install, such as importers' own conflicts.
    let is_left = !is_partial && solved.refused_by_npm && has_unmet(&solved, sources);
    if !is_improvement || is_left {
        return Err(Box::new(Rejected { resolution: Some(solved), culprit, is_improvement }));
    }
    Ok(Some(solved))
}

/// Returns whether an importer finds a package whose peer requirement is not met.
fn has_unmet(solved: &Resolution, sources: &[Source<'_>]) -> bool {
    let tree = solved.lock.index();
    let mut after = sources.iter().map(|source| Source { tree: &tree, ..*source });
    after.any(|source| !source.unmet_pairs().is_empty())
}

/// Resolves with versions on which all importers agree: by npm's rules, or as these place what each
/// importer asks for exactly. A copy that a workspace could share is its own then, and npm keeps
/// that.
pub(super) fn install_jointly(
    parts: &[Rc<Part>],
    sources: &[Source<'_>],
    refused: &Resolution,
    input: Input<'_>,
) -> Option<Resolution> {
    if let Ok(Some(solved)) = install(parts, sources, refused, input) {
        return Some(solved);
    }
    let pinned = pinned(parts, sources, input);
    let mut exact = input.requirements.clone();
    for (part, source) in parts.iter().zip(sources) {
        let Some((gathered, solution)) = &part.solution else { continue };
        let mut importers = std::iter::once(&mut exact.root).chain(&mut exact.workspaces);
        let importer = importers.find(|one| one.path == source.importer.path)?;
        for (known, choice) in gathered.known.iter().zip(&solution.chosen) {
            let Some(choice) = choice.filter(|_| known.is_of_registry) else { continue };
            let version = known.version(choice);
            let spec = match known.registry_name == known.name {
                true => version.to_string(),
                false => format!("npm:{}@{version}", known.registry_name),
            };
            let sections = [
                &mut importer.dependencies,
                &mut importer.dev_dependencies,
                &mut importer.optional_dependencies,
                &mut importer.peer_dependencies,
            ];
            let own = sections.into_iter().flatten().filter(|(name, _)| *name == known.name);
            own.for_each(|(_, written)| written.clone_from(&spec));
        }
    }
    let placed = |previous: Option<&Lock>| {
        let exact = Input { requirements: &exact, previous, options: &pinned.options, ..input };
        let solved = again(&exact.resolve().ok()?, input)?;
        (!solved.refused_by_npm && solved.conflicts.is_empty()).then_some(solved)
    };
    let previous = input.previous.map(|lock| pinned.without_released(lock));
    // What is locked for one importer can be found by another that is to have none.
    let bare = || placed(Some(&without_problems(previous.as_ref()?, parts)));
    let solved = placed(previous.as_ref()).or_else(bare)?;
    let changed = input.previous.is_none_or(|previous| *previous != solved.lock);
    Some(with_moves(Resolution { changed, ..solved }, pinned.moves, sources))
}

/// Returns a lock without the packages that problems are about, and what is below them.
fn without_problems(lock: &Lock, parts: &[Rc<Part>]) -> Lock {
    let names: FxHashSet<String> = parts.iter().flat_map(|part| part.names()).collect();
    let mut lock = lock.clone();
    lock.packages.retain(|entry| {
        let mut above = entry.path.split("node_modules/").skip(1);
        entry.link || !above.any(|name| names.contains(name.trim_end_matches('/')))
    });
    lock
}

/// Returns the versions that were found as options, with what they move and release.
fn pinned(parts: &[Rc<Part>], sources: &[Source<'_>], input: Input<'_>) -> Pinned {
    let mut pinned = Pinned::new(input.options);
    let locked = input.previous.into_iter().flat_map(|lock| &lock.packages);
    let required: FxHashSet<&str> = locked
        .flat_map(|entry| {
            [&entry.dependencies, &entry.optional_dependencies, &entry.dev_dependencies]
        })
        .flatten()
        .map(|(name, _)| name.as_str())
        .collect();
    for (part, source) in parts.iter().zip(sources) {
        let Some((gathered, solution)) = &part.solution else { continue };
        let current = |name: &str| source.found(name).and_then(|found| found.version.clone());
        pinned.add(gathered, &solution.chosen, current);
        pinned.release(gathered, &solution.chosen, source, &required);
    }
    pinned.moves.sort_by(|a, b| (!a.is_direct, &a.name).cmp(&(!b.is_direct, &b.name)));
    pinned.moves.dedup();
    pinned
}

/// Returns whether a resolution can have packages that nothing requires.
fn has_leftovers(solved: &Resolution) -> bool {
    solved.refused_by_npm && solved.conflicts.is_empty()
        || solved.lock.packages.iter().any(|entry| entry.extraneous)
}

/// Returns a resolution with those moves that are true of it.
fn with_moves(solved: Resolution, mut moves: Vec<Move>, sources: &[Source<'_>]) -> Resolution {
    let tree = solved.lock.index();
    let after: Vec<Source<'_>> =
        sources.iter().map(|source| Source { tree: &tree, ..*source }).collect();
    moves.retain(|step| after.iter().any(|source| has(source, step)));
    Resolution { moves, ..solved }
}

/// Returns whether an importer finds the version that a package has moved to.
fn has(source: &Source<'_>, step: &Move) -> bool {
    source.found(&step.name).is_some_and(|found| found.version.as_deref() == Some(&step.to))
}

/// Returns the version whose requirement could not be met.
fn dependent_of(error: &ResolveError) -> Option<(String, Version)> {
    let (ResolveError::NoVersion { required_by, .. } | ResolveError::Load { required_by, .. }) =
        error
    else {
        return None;
    };
    let (name, version) = required_by.rsplit_once('@')?;
    Some((name.to_owned(), Version::parse(version).ok()?))
}
