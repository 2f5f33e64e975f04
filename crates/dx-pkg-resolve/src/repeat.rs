//! Resolutions that are made again from their own lock, where a frozen install would refuse it.
//!
//! Packages that displace each other, overrides that overlap, names that differ in case only and
//! tarballs that lack what their bundled packages require can leave a requirement unmet. npm writes
//! a lockfile then that its next install changes and that its `npm ci` refuses. Here such a lock is
//! brought to one that is taken.

use dx_pkg_lock::{Lock, LockPackage, locale_compare, name_of_path};
use rustc_hash::FxHashSet;

use crate::complete::has_new;
use crate::finish::differs;
use crate::{Options, Override, Provider, Requirements, Resolution, ResolveError, build, conclude};

/// The most times that a resolution is made again. Two packages can displace each other for ever.
const MAX_TIMES: usize = 6;

/// Returns `first`, or where a frozen install would refuse its lock, the first one of the
/// resolutions from its lock that is taken; `first` again, with the reason, where there is none.
pub(crate) fn until_taken(
    first: Resolution,
    requirements: &Requirements,
    previous: Option<&Lock>,
    provider: &dyn Provider,
    options: &Options,
) -> Resolution {
    let is_doubtful = || {
        has_new(&first.conflicts, options)
            || can_overlap(&requirements.overrides)
            || differ_in_case_only(&first.lock)
    };
    let is_open = first.has_unmet || first.changed && is_doubtful();
    if !is_open || options.frozen {
        return first;
    }
    let options = Options { update: Vec::new(), explicit: Vec::new(), ..options.clone() };
    let frozen = Options { frozen: true, ..options.clone() };
    let mut last = first.clone();
    let mut reason = None;
    for _ in 0..MAX_TIMES {
        let (requirements, lock) = as_read(requirements, &last.lock);
        match resolve_again(&requirements, &lock, provider, &frozen) {
            Err(error @ ResolveError::Frozen { .. }) => {
                reason.get_or_insert_with(|| error.to_string());
            }
            _ => {
                let changed = previous.is_none_or(|previous| differs(previous, &last.lock));
                let Resolution { refused_by_npm, moves, explanations, .. } = first;
                return Resolution { refused_by_npm, moves, explanations, changed, ..last };
            }
        }
        match resolve_again(&requirements, &lock, provider, &options) {
            Ok(again) if again.changed => last = again,
            _ => break,
        }
    }
    Resolution { refused: reason, ..first }
}

/// Resolves from a lock of this resolution's own, in which packages may be missing that npm removes
/// where what they replace leads back to them.
fn resolve_again(
    requirements: &Requirements,
    lock: &Lock,
    provider: &dyn Provider,
    options: &Options,
) -> Result<Resolution, ResolveError> {
    let mut builder = build::start(requirements, Some(lock), provider, options)?;
    builder.tree.keeps_replacements = true;
    conclude(builder, requirements, Some(lock), options)
}

/// Returns whether the order in which packages are met can decide which of these overrides applies.
fn can_overlap(overrides: &[Override]) -> bool {
    let name = |rule: &Override| rule.key.rfind('@').filter(|at| *at > 0).unwrap_or(rule.key.len());
    let is_nested = |rule: &Override| !rule.children.is_empty();
    let names: FxHashSet<&str> = overrides.iter().map(|rule| &rule.key[..name(rule)]).collect();
    names.len() < overrides.len() || overrides.iter().any(is_nested)
}

/// Returns whether two names in a lock differ in case only: the packages share a place, and the
/// order in which they are met decides which of them has it.
fn differ_in_case_only(lock: &Lock) -> bool {
    let names = || {
        lock.packages.iter().flat_map(|entry| {
            let required = entry.requirements().map(|(name, _)| name);
            required.chain(std::iter::once(name_of_path(&entry.path)))
        })
    };
    let has_capitals = |name: &&str| name.bytes().any(|byte| byte.is_ascii_uppercase());
    let capital: FxHashSet<&str> = names().filter(has_capitals).collect();
    let small: FxHashSet<String> = capital.iter().map(|name| name.to_ascii_lowercase()).collect();
    small.len() < capital.len() || !small.is_empty() && names().any(|name| small.contains(name))
}

/// Returns the requirements and the lock as an install that read them from disk would have them: a
/// lockfile has its requirements in the order of names, which decides where packages are placed,
/// and names the linked folders, which are read first.
fn as_read(requirements: &Requirements, lock: &Lock) -> (Requirements, Lock) {
    let (mut requirements, mut lock) = (requirements.clone(), lock.clone());
    let folders = lock.packages.iter().filter(|entry| {
        let is_folder = !entry.path.is_empty() && !entry.path.contains("node_modules/");
        is_folder && requirements.workspaces.iter().all(|known| known.path != entry.path)
    });
    let folders: Vec<LockPackage> = folders.cloned().collect();
    requirements.workspaces.extend(folders);
    for entry in &mut lock.packages {
        for section in [
            &mut entry.dependencies,
            &mut entry.dev_dependencies,
            &mut entry.optional_dependencies,
            &mut entry.peer_dependencies,
        ] {
            section.sort_by(|(a, _), (b, _)| locale_compare(a, b));
        }
        entry.peer_dependencies_meta.sort_by(|(a, _), (b, _)| locale_compare(a, b));
    }
    (requirements, lock)
}

#[cfg(test)]
mod tests;
