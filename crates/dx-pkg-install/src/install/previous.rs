//! The lock that a resolution starts from: that of the lockfile, else what is in `node_modules`.

use std::collections::HashSet;

use dx_pkg_acquire::local::places;
use dx_pkg_lock::{Lock, LockPackage};
use dx_pkg_resolve::Requirements;

use super::Run;
use crate::project::Project;
use crate::project::disowned::without;
use crate::project::outside::refuse_unasked;
use crate::seal::Seal;
use crate::{InstallError, in_place, own_files};

/// The lock that a resolution starts from, where that is not the lockfile's as it is.
#[derive(Debug, Default)]
pub(super) struct Start {
    lock: Option<Lock>,
    /// Whether it is what `node_modules` has, of which no key of a cached install tells.
    pub(super) is_in_place: bool,
}

impl Start {
    /// Returns the lock that the resolution starts from.
    pub(super) fn lock<'l>(&'l self, project: &'l Project) -> Option<&'l Lock> {
        self.lock.as_ref().or(project.locked.as_ref().map(|(_, lock)| lock))
    }

    /// Returns the same with what goes with requirements of the project.
    pub(super) fn whole<'l>(&'l self, project: &'l Project) -> Option<&'l Lock> {
        project.locked.as_ref().map(|(_, lock)| lock).or(self.lock.as_ref())
    }
}

/// Returns the lockfile without the packages that go with requirements of the project. Without a
/// lockfile the packages in place stay where they fit; beside one that is not to be read all are
/// chosen anew. Both are npm's rules.
///
/// # Errors
/// What is left of a lockfile links to a folder outside of the project that no manifest requires.
pub(super) fn start(
    run: &Run<'_>,
    project: &Project,
    requirements: &Requirements,
) -> Result<Start, InstallError> {
    if let Some((_, lock)) = &project.locked {
        let left = if run.frozen { None } else { without(requirements, lock) };
        let places = places(&project.root, run.session.config());
        refuse_unasked(project, &places, left.as_ref().unwrap_or(lock))?;
        return Ok(Start { lock: left, is_in_place: false });
    }
    let is_ignored = project.root.join(project.lockfile).symlink_metadata().is_ok();
    if is_ignored || run.frozen || run.options.updates_all() || run.session.is_global()? {
        return Ok(Start::default());
    }
    let lock = packages_in_place(run, project);
    Ok(Start { is_in_place: lock.is_some(), lock })
}

/// Returns what dx or npm has put into `node_modules`, as far as it is there. Links are made anew,
/// but for those to workspaces.
fn packages_in_place(run: &Run<'_>, project: &Project) -> Option<Lock> {
    let (store, root) = (run.session.store(), &project.root);
    // Of another machine, or forged.
    if own_files::is_forged(root, Seal::of_store(store)) {
        return None;
    }
    let mut lock = in_place::known(store, root)?;
    let folders: HashSet<&str> =
        project.workspaces.iter().map(|(folder, _)| folder.as_str()).collect();
    let is_workspace = |folder: Option<&str>| folder.is_some_and(|one| folders.contains(one));
    lock.packages.retain(|package| match package {
        package if package.link => is_workspace(package.resolved.as_deref()),
        package if package.path.contains("node_modules/") => !package.is_outside(),
        package => is_workspace(Some(&package.path)),
    });
    in_place::drop_other(root, &mut lock);
    if lock.packages.iter().all(|package| package.link || !package.path.contains("node_modules/")) {
        return None;
    }
    // What the project requires is no news: what is not in place is looked for.
    let own = LockPackage { extra: Vec::new(), ..project.own_record() };
    lock.packages.retain(|package| !package.path.is_empty());
    lock.packages.insert(0, own);
    lock.format_version = 3;
    lock.normalise();
    Some(lock)
}
