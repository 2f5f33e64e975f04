//! The tree in place: what dx or npm has recorded of it, and how much of that is there.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use dx_pkg_acquire::package::package_id;
use dx_pkg_compat::lockfile::npm;
use dx_pkg_compat::manifest::Manifest;
use dx_pkg_core::{Integrity, PackageId};
use dx_pkg_link::{Look, Placement, Repairs, Tree, survey};
use dx_pkg_lock::{Lock, LockPackage};
use dx_pkg_os::files::{Dir, Identity};
use dx_pkg_os::process::written_since_boot;
use dx_pkg_store::Store;

use crate::installed::{HIDDEN, RECORD};
use crate::plan::{Plan, tree_of, unpacked};
use crate::seal::Seal;
use crate::{InstallError, Session, built, own_files};

/// How much newer than dx's record npm's hidden lockfile is once npm has written it, in
/// nanoseconds. dx writes both in one go.
const NEWER: i64 = 100_000_000;

/// The size from which on a manifest in the tree is not read, in bytes.
const LARGEST_MANIFEST: u64 = 32 << 20;

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
    let may_lack_contents =
        |record: &str| !written_since_boot(&root.join("node_modules").join(record));
    let is_forced = session.config().force()?;
    let look = |is_doubtful| if is_forced || is_doubtful { Look::Files } else { Look::Folders };
    if session.is_global()? {
        return find_global(session, root, look(may_lack_contents(RECORD)));
    }
    let (found, recorded) =
        if let Some((mut tree, recorded)) = recorded_by_dx(session.store(), root) {
            drop_other_bytes(&mut tree, &recorded, plan);
            let look = look(may_lack_contents(RECORD));
            if look == Look::Files {
                built::drop_emptied(root, &mut tree);
            }
            (survey(root, session.store(), &tree, look)?, recorded)
        } else if own_files::is_forged(root, Seal::of_store(session.store())) {
            return Ok(None);
        } else if let Some((mut tree, recorded)) = of_npm(root, plan, wanted) {
            drop_other_bytes(&mut tree, &recorded, plan);
            // Without a network only what the store has can be compared.
            let is_doubtful = may_lack_contents(HIDDEN) && !session.config().offline()?;
            // A tree that dx would not make, such as one of links into a folder of npm's, is
            // replaced.
            (survey(root, session.store(), &tree, look(is_doubtful)).ok().flatten(), recorded)
        } else {
            return Ok(None);
        };
    let versions = recorded.packages.into_iter().map(|package| (package.path, package.version));
    Ok(found.map(|(tree, repairs)| InPlace { tree, versions: versions.collect(), repairs }))
}

/// Returns the paths of the packages that are in place as the plan wants them, with all their files
/// as far as that is looked at: they need not be fetched. There are none where files have to be
/// compared with those of the store and it lacks them.
pub(crate) fn kept(
    session: &Session,
    root: &Path,
    plan: &Plan,
) -> Result<HashSet<String>, InstallError> {
    let wanted = plan.tree()?;
    let Some(InPlace { tree, repairs, .. }) = find(session, root, plan, &wanted).ok().flatten()
    else {
        return Ok(HashSet::new());
    };
    let wanted: HashMap<&str, &Placement> =
        wanted.placements.iter().map(|placement| (placement.path.as_str(), placement)).collect();
    let lacking: HashSet<&str> = repairs.incomplete().collect();
    let is_kept = |placement: &&Placement| {
        let path = placement.path.as_str();
        wanted.get(path) == Some(placement) && !lacking.contains(path)
    };
    Ok(tree.placements.iter().filter(is_kept).map(|placement| placement.path.clone()).collect())
}

/// Returns the global packages that dx put there. Others stay, whoever installed them.
fn find_global(
    session: &Session,
    root: &Path,
    look: Look,
) -> Result<Option<InPlace>, InstallError> {
    if !root.join("node_modules").is_dir() {
        return Ok(None);
    }
    let mut recorded =
        recorded_by_dx(session.store(), root).map(|(_, lock)| lock).unwrap_or_default();
    drop_replaced(root, &mut recorded);
    let tree = tree_of(&recorded)?;
    let versions = recorded.packages.into_iter().map(|package| (package.path, package.version));
    let found = survey(root, session.store(), &tree, look)?;
    Ok(found.map(|(tree, mut repairs)| {
        repairs.leave_top_level();
        InPlace { tree, versions: versions.collect(), repairs }
    }))
}

/// Returns the tree that dx or npm has recorded.
pub(crate) fn known(store: &Store, root: &Path) -> Option<Lock> {
    recorded_by_dx(store, root).map(|(_, lock)| lock).or_else(|| {
        let (text, _) = own_files::text(root, HIDDEN).ok()?;
        npm::read(&text).ok()
    })
}

/// Drops placements whose recorded integrity is another than that of the plan's entry though the
/// first halves of the digests, which are the packages' ids, are the same.
fn drop_other_bytes(tree: &mut Tree, recorded: &Lock, plan: &Plan) {
    let planned: HashMap<&str, &str> = integrities(&plan.installed).collect();
    let other: HashSet<&str> = integrities(recorded)
        .filter(|(path, integrity)| planned.get(path).is_some_and(|planned| planned != integrity))
        .filter(|(path, integrity)| is_half_of(integrity, planned[path]))
        .map(|(path, _)| path)
        .collect();
    if !other.is_empty() {
        tree.placements.retain(|placement| !other.contains(placement.path.as_str()));
    }
}

fn integrities(lock: &Lock) -> impl Iterator<Item = (&str, &str)> {
    let packages = lock.packages.iter().filter(|package| !package.link);
    packages.filter_map(|package| Some((package.path.as_str(), package.integrity.as_deref()?)))
}

/// Returns whether two integrities name other bytes under one id.
fn is_half_of(recorded: &str, planned: &str) -> bool {
    let parsed = Integrity::parse(recorded).ok().zip(Integrity::parse(planned).ok());
    parsed.is_some_and(|(recorded, planned)| {
        PackageId::from_integrity(&recorded) == PackageId::from_integrity(&planned)
            && !recorded.agrees_with(&planned)
    })
}

/// Returns the tree of dx's record; `None` without one, and if npm has changed the tree since.
pub(crate) fn of_dx(store: &Store, root: &Path) -> Option<Tree> {
    recorded_by_dx(store, root).map(|(tree, _)| tree)
}

/// Returns dx's record of the tree, if this machine wrote it.
pub(crate) fn recorded(store: &Store, root: &Path) -> Option<Lock> {
    own_files::with_record(root, Seal::of_store(store), |record| record.to_lock())
}

/// Returns whether npm has written its hidden lockfile after dx wrote its record.
pub(crate) fn is_newer(hidden: Identity, record: Identity) -> bool {
    hidden.mtime_ns > record.mtime_ns.saturating_add(NEWER)
}

/// Returns the tree of dx's record, and the record; `None` without one, and if npm has changed the
/// tree since.
pub(crate) fn recorded_by_dx(store: &Store, root: &Path) -> Option<(Tree, Lock)> {
    let [hidden, record] = own_files::identities(root, [HIDDEN, RECORD])?;
    if hidden.zip(record).is_some_and(|(hidden, record)| is_newer(hidden, record)) {
        return None;
    }
    let recorded = recorded(store, root)?;
    Some((tree_of(&recorded).ok()?, recorded))
}

/// Drops the global packages that another program has replaced since dx recorded them, with what
/// is in their folders: they are its own now.
pub(crate) fn drop_replaced(root: &Path, recorded: &mut Lock) {
    let Ok(project) = Dir::open(root) else { return };
    let is_global = |package: &LockPackage| package.path.matches("node_modules/").count() == 1;
    let replaced: Vec<String> = recorded
        .packages
        .iter()
        .filter(|package| !package.link && is_global(package) && !is_current(&project, package))
        .map(|package| format!("{}/", package.path))
        .collect();
    recorded.packages.retain(|package| {
        let path = format!("{}/", package.path);
        !replaced.iter().any(|replaced| path.starts_with(replaced.as_str()))
    });
}

/// Drops the packages of a record that are not there, or are there in another version, with those
/// in their folders.
pub(crate) fn drop_other(root: &Path, recorded: &mut Lock) {
    let Ok(project) = Dir::open(root) else { return recorded.packages.clear() };
    let is_package =
        |package: &LockPackage| !package.link && package.path.contains("node_modules/");
    let other: HashSet<String> = recorded
        .packages
        .iter()
        .filter(|package| is_package(package) && !is_current(&project, package))
        .map(|package| package.path.clone())
        .collect();
    recorded.packages.retain(|package| {
        let ends = package.path.match_indices("/node_modules/").map(|(end, _)| end);
        !ends.chain([package.path.len()]).any(|end| other.contains(&package.path[..end]))
    });
}

/// Returns the tree of npm's hidden lockfile, as far as npm would believe it. npm wrote it after
/// all packages, so where no folder is newer the tree is as npm left it. Otherwise npm asks the
/// packages themselves: the manifest of each must have the version.
fn of_npm(root: &Path, plan: &Plan, wanted: &Tree) -> Option<(Tree, Lock)> {
    let (text, found) = own_files::text(root, HIDDEN).ok()?;
    let mut lock = npm::read(&text).ok()?;
    lock.normalise();
    complete_integrities(&mut lock, plan);
    let own: HashSet<String> = unpacked(&lock).map(|package| package.path.clone()).collect();
    let project = Dir::open(root).ok()?;
    let is_untouched = is_as_old(&project, &own, found.mtime_ns);
    lock.packages.retain(|package| {
        !own.contains(&package.path)
            || !package.path.contains("node_modules/")
            || matches!(package_id(package), Ok(Some(_)))
                && (is_untouched || is_current(&project, package))
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

/// Returns whether the folders of these packages, and those around them, were last changed before
/// the hidden lockfile was written.
fn is_as_old(project: &Dir, packages: &HashSet<String>, written: i64) -> bool {
    let in_modules =
        |path: &&Path| path.components().any(|component| component.as_os_str() == "node_modules");
    let folders: HashSet<&Path> = packages
        .iter()
        .flat_map(|path| Path::new(path).ancestors().take_while(in_modules))
        .collect();
    folders.into_iter().all(|folder| {
        let found = project.identity(folder).ok().flatten();
        found.is_some_and(|found| found.mtime_ns <= written)
    })
}

fn is_current(project: &Dir, package: &LockPackage) -> bool {
    let text = project.read_file(Path::new(&package.path).join("package.json"), LARGEST_MANIFEST);
    let manifest = text.ok().and_then(|text| Manifest::parse(&String::from_utf8_lossy(&text)).ok());
    manifest.is_some_and(|manifest| manifest.version == package.version)
}
