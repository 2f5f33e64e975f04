//! Resolutions that are made again from their own lock, until that stays as it is.
//!
//! Where a requirement stays unmet, be it that peers contradict each other, that packages displace
//! each other, or that a tarball lacks what its bundled packages require, npm writes a lockfile
//! that its next install changes and its `npm ci` refuses. Here the lock is what such installs
//! come to in the end.

use dx_pkg_lock::{Lock, LockPackage, locale_compare};

use crate::finish::differs;
use crate::{Options, Provider, Requirements, Resolution, resolve_once};

/// The most times that a resolution is made again. Two packages can displace each other for ever.
const MAX_TIMES: usize = 6;

/// Returns `first`, or where it leaves requirements unmet the resolution that further ones from
/// its lock come to ([`Options::repeats`]); `first` again where they come to no end. Its accepted
/// conflicts are those that stand then.
pub(crate) fn until_it_stays(
    first: Resolution,
    requirements: &Requirements,
    previous: Option<&Lock>,
    provider: &dyn Provider,
    options: &Options,
) -> Resolution {
    let accepts_conflicts =
        first.accepted_conflicts.as_ref().is_some_and(|accepted| !accepted.is_empty());
    if !first.changed {
        let accepted_conflicts = if accepts_conflicts {
            Some(first.conflicts.clone())
        } else {
            first.accepted_conflicts
        };
        return Resolution { accepted_conflicts, ..first };
    }
    let is_open = options.repeats && !options.frozen && first.has_unmet;
    if !is_open && !accepts_conflicts {
        return first;
    }
    let times = if options.repeats && !options.frozen { MAX_TIMES } else { 1 };
    let options = Options { update: Vec::new(), explicit: Vec::new(), ..options.clone() };
    let mut last = first.clone();
    for _ in 0..times {
        let (requirements, lock) = as_read(requirements, &last.lock);
        let Ok(again) = resolve_once(&requirements, Some(&lock), provider, &options) else {
            break;
        };
        if !again.changed {
            let accepted_conflicts = last
                .accepted_conflicts
                .map(|accepted| if accepted.is_empty() { accepted } else { again.conflicts });
            return Resolution {
                accepted_conflicts,
                refused_by_npm: first.refused_by_npm,
                changed: previous.is_none_or(|previous| differs(previous, &last.lock)),
                moves: first.moves,
                explanations: first.explanations,
                ..last
            };
        }
        last = again;
    }
    Resolution { accepted_conflicts: None, ..first }
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
