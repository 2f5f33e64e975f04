//! The end of a dry run: what an outcome would change, of which nothing is written.

use std::collections::HashMap;

use dx_pkg_link::ChangedPaths;
use dx_pkg_lock::{Lock, LockPackage};

use super::commit::{Committed, direct};
use super::outcome::{Outcome, TreeChange};
use super::{Run, link};
use crate::project::{Project, manifest_of};
use crate::summary::{Changes, Scope, version_in};
use crate::{InstallError, demands, in_place};

/// Compares an outcome with what is in place.
pub(super) fn preview(
    run: &Run<'_>,
    project: &Project,
    mut outcome: Outcome,
) -> Result<Committed, InstallError> {
    run.events.work_ended();
    demands::add_engine_warnings(run.session, project, &mut outcome.summary.warnings)?;
    let direct = direct(run, project, &outcome);
    let locked = || project.locked.as_ref().map(|(_, lock)| lock.clone()).unwrap_or_default();
    let is_there =
        |package: &LockPackage| project.root.join(&package.path).symlink_metadata().is_ok();
    let is_of_lockfile = run.options.against_lockfile;
    let mut before = match &outcome.tree {
        TreeChange::Whole(_) if !is_of_lockfile => {
            in_place::known(run.session.store(), &project.root).unwrap_or_default()
        }
        // The tree is left alone or does not matter: what changes is the lockfile.
        _ => locked(),
    };
    let after = match &outcome.tree {
        TreeChange::Whole(whole) if !is_of_lockfile => {
            before.packages.retain(|package| !is_placed(package) || is_there(package));
            &whole.plan.installed
        }
        _ => outcome.lock.as_ref().unwrap_or(&before),
    };
    let paths = difference(&before, after);
    let versions = before.packages.iter();
    let versions = versions.map(|entry| (entry.path.clone(), version_in(&before, entry))).collect();
    let changes = Changes { after, before: &versions, direct: &direct, scope: Scope::All };
    changes.record_difference(&paths, &mut outcome.summary);
    let mut files = Vec::new();
    if run.writes() {
        let changed = project.changed_manifests(&outcome.manifests);
        files.extend(changed.map(|(importer, _)| manifest_of(importer)));
        let lockfile = link::render(run, project, outcome.lock.as_ref())?;
        files.extend(lockfile.map(|_| project.lockfile.to_owned()));
    }
    let mut summary = outcome.summary;
    summary.lockfile_only = run.lockfile_only;
    summary.would_write = Some(files);
    Ok(Committed { summary, tree: None })
}

/// Returns what leads from one tree to another.
fn difference(before: &Lock, after: &Lock) -> ChangedPaths {
    let placed = before.packages.iter().filter(|package| is_placed(package));
    let mut left: HashMap<&str, &LockPackage> =
        placed.map(|package| (package.path.as_str(), package)).collect();
    let mut paths = ChangedPaths::default();
    for package in after.packages.iter().filter(|package| is_placed(package)) {
        match left.remove(package.path.as_str()) {
            None => paths.added.push(package.path.clone()),
            Some(other) if !is_same(other, package) => paths.replaced.push(package.path.clone()),
            Some(_) => {}
        }
    }
    paths.removed = left.into_keys().map(str::to_owned).collect();
    paths
}

/// Returns whether an entry is a package or link in a `node_modules` folder that is not in the
/// tarball of another.
fn is_placed(package: &LockPackage) -> bool {
    package.path.contains("node_modules/") && !package.in_bundle
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
