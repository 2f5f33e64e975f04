//! The tree in place: what dx or npm has recorded of it, and how much of that is there.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use dx_pkg_acquire::files::read_text;
use dx_pkg_acquire::package::package_id;
use dx_pkg_compat::lockfile::npm;
use dx_pkg_compat::manifest::Manifest;
use dx_pkg_link::{Look, Placement, Repairs, Tree, survey};
use dx_pkg_lock::dxl::DxlView;
use dx_pkg_lock::{Lock, LockPackage};
use dx_pkg_os::files::{Map, identity};
use dx_pkg_os::process::written_since_boot;

use crate::installed::{HIDDEN, RECORD};
use crate::plan::{Plan, tree_of, unpacked};
use crate::{InstallError, Session};

/// How much newer than dx's record npm's hidden lockfile is once npm has written it, in
/// nanoseconds. dx writes both in one go.
const NEWER: i64 = 100_000_000;

/// The packages, links and commands that are in place, and the repairs of the rest.
pub(crate) struct InPlace {
    pub(crate) tree: Tree,
    /// The versions that were recorded, by path.
    pub(crate) versions: HashMap<String, Option<String>>,
    pub(crate) repairs: Repairs,
}

/// Returns the tree in `node_modules`, where dx or npm put it there and has recorded it. `wanted`
/// is the tree of `plan`.
///
/// # Errors
/// A folder or a package of the store that cannot be read.
pub(crate) fn find(
    session: &Session,
    root: &Path,
    plan: &Plan,
    wanted: &Tree,
) -> Result<Option<InPlace>, InstallError> {
    // Names outlive a loss of power, the contents of files may not.
    let may_lack_contents = !written_since_boot(&root.join("node_modules").join(RECORD));
    let look =
        if session.config().force()? || may_lack_contents { Look::Files } else { Look::Folders };
    let (found, recorded) = if let Some((tree, recorded)) = recorded_by_dx(root) {
        (survey(root, session.store(), &tree, look)?, recorded)
    } else if let Some((tree, recorded)) = of_npm(root, plan, wanted) {
        // A tree that dx would not make, such as one of links into a folder of npm's, is replaced.
        (survey(root, session.store(), &tree, look).ok().flatten(), recorded)
    } else {
        return Ok(None);
    };
    let versions = recorded.packages.into_iter().map(|package| (package.path, package.version));
    Ok(found.map(|(tree, repairs)| InPlace { tree, versions: versions.collect(), repairs }))
}

/// Returns the tree of dx's record; `None` without one, and if npm has changed the tree since.
pub(crate) fn of_dx(root: &Path) -> Option<Tree> {
    recorded_by_dx(root).map(|(tree, _)| tree)
}

/// Returns dx's record of the tree.
pub(crate) fn recorded(root: &Path) -> Option<Lock> {
    let map = Map::open(root.join("node_modules").join(RECORD)).ok()?;
    Some(DxlView::open(&map).ok()?.to_lock())
}

/// Returns the tree of dx's record, and the record; `None` without one, and if npm has changed the
/// tree since.
pub(crate) fn recorded_by_dx(root: &Path) -> Option<(Tree, Lock)> {
    let modules = root.join("node_modules");
    let written = |name: &str| Some(identity(&modules.join(name)).ok()??.mtime_ns);
    let is_older = written(HIDDEN)
        .zip(written(RECORD))
        .is_some_and(|(hidden, record)| hidden > record.saturating_add(NEWER));
    if is_older {
        return None;
    }
    let recorded = recorded(root)?;
    Some((tree_of(&recorded).ok()?, recorded))
}

/// Returns the tree of npm's hidden lockfile, as far as it can be believed. npm wrote it after all
/// packages, so a folder that is older is as npm left it. Of a newer one the manifest must have the
/// version, which is all that npm asks.
fn of_npm(root: &Path, plan: &Plan, wanted: &Tree) -> Option<(Tree, Lock)> {
    let path = root.join("node_modules").join(HIDDEN);
    let text = read_text(&path).ok()??;
    let written = identity(&path).ok()??.mtime_ns;
    let mut lock = npm::read(&text).ok()?;
    lock.normalise();
    complete_integrities(&mut lock, plan);
    let own: HashSet<String> = unpacked(&lock).map(|package| package.path.clone()).collect();
    lock.packages.retain(|package| {
        !own.contains(&package.path)
            || !package.path.contains("node_modules/")
            || matches!(package_id(package), Ok(Some(_)))
                && is_current(&root.join(&package.path), package, written)
    });
    let wanted: HashMap<&str, &Placement> =
        wanted.placements.iter().map(|placement| (placement.path.as_str(), placement)).collect();
    let mut tree = tree_of(&lock).ok()?;
    for placement in &mut tree.placements {
        // npm has run the scripts that the project allows, and lists commands in its own order.
        if let Some(wanted) = wanted.get(placement.path.as_str())
            && wanted.source == placement.source
        {
            *placement = (*wanted).clone();
        }
    }
    Some((tree, lock))
}

/// Gives entries without integrity that of the plan's package of the same version and address.
fn complete_integrities(lock: &mut Lock, plan: &Plan) {
    let index = plan.installed.index();
    for package in lock.packages.iter_mut().filter(|package| package.integrity.is_none()) {
        if let Some(planned) = index.get(&package.path)
            && !package.link
            && !package.in_bundle
            && planned.version == package.version
            && (package.resolved.is_none() || planned.resolved == package.resolved)
        {
            package.integrity.clone_from(&planned.integrity);
        }
    }
}

fn is_current(folder: &Path, package: &LockPackage, written: i64) -> bool {
    if let Ok(Some(found)) = identity(folder)
        && found.mtime_ns <= written
    {
        return true;
    }
    let text = read_text(&folder.join("package.json")).ok().flatten();
    let manifest = text.and_then(|text| Manifest::parse(&text).ok());
    manifest.is_some_and(|manifest| manifest.version == package.version)
}
