//! The end of a dry run: what an outcome would change, of which nothing is written.

use std::collections::HashMap;
use std::path::Path;

use dx_pkg_acquire::files::read_text;
use dx_pkg_compat::lockfile::npm;
use dx_pkg_lock::{Lock, LockPackage, name_of_path};

use super::commit::Committed;
use super::outcome::{Outcome, TreeChange};
use super::{Run, link};
use crate::InstallError;
use crate::in_place::recorded;
use crate::installed::HIDDEN;
use crate::project::Project;
use crate::summary::{PackageChange, PackageVersion, Preview};

/// Compares an outcome with what is in place.
pub(super) fn preview(
    run: &Run<'_>,
    project: &Project,
    outcome: Outcome,
) -> Result<Committed, InstallError> {
    run.events.work_ended();
    let mut preview = match &outcome.tree {
        TreeChange::Whole(whole) => {
            let before = installed(&project.root).unwrap_or_default();
            let is_there =
                |package: &LockPackage| project.root.join(&package.path).symlink_metadata().is_ok();
            difference(&before, &whole.plan.installed, is_there)
        }
        // The tree is left alone: what changes is the lockfile.
        _ => {
            let before = project.locked.as_ref().map(|(_, lock)| lock.clone()).unwrap_or_default();
            difference(&before, outcome.lock.as_ref().unwrap_or(&before), |_| true)
        }
    };
    if run.writes() {
        let manifest = outcome.manifest.as_ref().filter(|text| **text != project.manifest_text);
        preview.files.extend(manifest.map(|_| "package.json"));
        let lockfile = link::render(run, project, outcome.lock.as_ref())?;
        preview.files.extend(lockfile.map(|_| project.lockfile));
    }
    let mut summary = outcome.summary;
    summary.added = preview.add.len() as u64;
    summary.changed = preview.change.len() as u64;
    summary.removed = preview.remove.len() as u64;
    summary.lockfile_only = run.lockfile_only;
    summary.preview = Some(preview);
    Ok(Committed { summary, new_tree: None })
}

/// Returns the tree that dx or npm has recorded.
fn installed(root: &Path) -> Option<Lock> {
    recorded(root).or_else(|| {
        let text = read_text(&root.join("node_modules").join(HIDDEN)).ok()??;
        npm::read(&text).ok()
    })
}

/// Returns what leads from one tree to another. A package of the first one that is not there
/// counts as missing.
fn difference(before: &Lock, after: &Lock, is_there: impl Fn(&LockPackage) -> bool) -> Preview {
    let mut left: HashMap<&str, &LockPackage> = placed(before)
        .filter(|package| is_there(package))
        .map(|package| (package.path.as_str(), package))
        .collect();
    let mut preview = Preview::default();
    for package in placed(after) {
        match left.remove(package.path.as_str()) {
            None => preview.add.push(shown(after, package)),
            Some(other) if !is_same(other, package) => {
                preview
                    .change
                    .push(PackageChange { from: shown(before, other), to: shown(after, package) });
            }
            Some(_) => {}
        }
    }
    preview.remove = left.into_values().map(|package| shown(before, package)).collect();
    preview.sort();
    preview
}

/// Returns the packages and links of `node_modules` folders, but for those that are in the tarball
/// of another.
fn placed(lock: &Lock) -> impl Iterator<Item = &LockPackage> {
    let is_placed =
        |package: &&LockPackage| package.path.contains("node_modules/") && !package.in_bundle;
    lock.packages.iter().filter(is_placed)
}

fn is_same(one: &LockPackage, other: &LockPackage) -> bool {
    let agree =
        one.integrity.is_none() || other.integrity.is_none() || one.integrity == other.integrity;
    one.link == other.link
        && if one.link {
            one.resolved == other.resolved
        } else {
            one.version == other.version && one.name == other.name && agree
        }
}

fn shown(lock: &Lock, package: &LockPackage) -> PackageVersion {
    let target = package.resolved.as_deref().filter(|_| package.link);
    let described = target.and_then(|target| lock.get(target)).unwrap_or(package);
    PackageVersion {
        name: name_of_path(&package.path).to_owned(),
        version: described.version.clone().unwrap_or_default(),
        path: package.path.clone(),
    }
}
