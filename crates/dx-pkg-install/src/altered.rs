//! Files of packages that were written to in place, in one project for all that share them: found
//! before a prepared tree is used, after scripts, and by what linking and maintenance repaired.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use dx_pkg_compat::npmrc::VerifyMode;
use dx_pkg_core::PackageId;
use dx_pkg_link::{Placement, PlacementSource, Tree};
use dx_pkg_lock::Lock;
use dx_pkg_lock::dxl::{self, DxlView};
use dx_pkg_os::files::{Dir, read_bounded};
use dx_pkg_store::expanded::Altered;
use dx_pkg_store::preparation::PreparedKey;
use dx_pkg_store::{Folder, Store};

use crate::plan::{Plan, tree_of};
use crate::seal::Seal;
use crate::{InstallError, Session, built, in_place, installed, notices, own_files};

/// The number of bytes that an install compares with digests where files were changed since they
/// were last linked or checked; opening each counts as 64 KiB. More would be noticed, as removing a
/// tree changes the time of all its files. A background process compares the rest.
pub(crate) const COMPARED: u64 = 512 * 1024;
/// The most threads that check files.
const MOST_THREADS: usize = 4;

/// Returns whether the prepared trees of a key may be used: the setting `verify` does not ask for a
/// check, or every file that they share is unaltered. Altered files are repaired.
///
/// A check that may come afterwards is made before where no process follows that would make it.
pub(crate) fn may_use_prepared(
    session: &Session,
    is_ci: bool,
    key: PreparedKey,
) -> Result<bool, InstallError> {
    let is_checked = match session.config().verify()? {
        VerifyMode::Always => true,
        VerifyMode::Ci => is_ci || !session.maintenance_follows(),
        VerifyMode::After => false,
    };
    if !is_checked {
        return Ok(true);
    }
    let Some(tree) = session
        .store()
        .prepared_record(key)
        .and_then(|record| tree_in(&DxlView::open(&record).ok()?))
    else {
        return Ok(false);
    };
    let sound = check(session.store(), &packages(&tree));
    session.context.mark("verified");
    Ok(sound)
}

/// Returns whether the expanded files of all packages are unaltered, after they are repaired.
pub(crate) fn check(store: &Store, packages: &[PackageId]) -> bool {
    let (next, sound) = (AtomicUsize::new(0), AtomicBool::new(true));
    let budget = AtomicU64::new(COMPARED);
    let threads = dx_pkg_os::process::processors().min(MOST_THREADS);
    let work = || {
        while let Some(id) = packages.get(next.fetch_add(1, Ordering::Relaxed)) {
            if !is_unaltered(store, *id, &budget) {
                sound.store(false, Ordering::Relaxed);
                // What cannot be repaired counts as missing then, and is fetched.
                let _ = store.repair_expanded(*id, None);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
    sound.into_inner()
}

fn is_unaltered(store: &Store, id: PackageId, budget: &AtomicU64) -> bool {
    let Ok(Some(tables)) = store.open_tables(id) else { return false };
    let Ok(files) = store.open_files(id, &tables) else { return false };
    store.is_unaltered(id, &files, budget).unwrap_or(false)
}

/// Separates files that scripts of this install wrote to from those that other projects share, and
/// marks their packages as private copies. Returns whether there are such.
pub(crate) fn separate_written(
    store: &Store,
    root: &Path,
    plan: &mut Plan,
) -> Result<bool, InstallError> {
    let (Some(linked), Ok(project)) = (linked_at(root), Dir::open(root)) else {
        return Ok(false);
    };
    let mut written = HashSet::new();
    for placement in plan.tree()?.placements.iter().filter(|placement| !placement.private_copy) {
        let PlacementSource::Package(id) = placement.source else { continue };
        // A package that a script removed or replaced by a link has no shared files.
        let Ok(copy) = project.open_dir(&placement.path) else { continue };
        if !store.separate(id, &copy, linked)?.is_empty() {
            written.insert(placement.path.clone());
        }
    }
    plan.add_private(|package| written.contains(&package.path));
    Ok(!written.is_empty())
}

/// Marks as private copies the packages that have been in the project's tree, and those that the
/// store knows to be written to, but for such as are in the tree otherwise and stay there.
pub(crate) fn mark_written(
    is_ci: bool,
    store: &Store,
    root: &Path,
    plan: &mut Plan,
) -> Result<(), InstallError> {
    if !is_ci {
        built::keep(store, root, plan)?;
    }
    let written = store.written();
    if written.is_empty() {
        return Ok(());
    }
    let mut in_place = if is_ci { None } else { in_place::of_dx(store, root) };
    if let Some(tree) = &mut in_place {
        tree.placements.retain(|placement| root.join(&placement.path).symlink_metadata().is_ok());
    }
    plan.mark_written(&written, in_place.as_ref())
}

/// Returns lock and record that the next install of a tree will have: packages that were written to
/// are private copies then.
pub(crate) fn as_installed_next(
    store: &Store,
    installed: Lock,
    record: &[u8],
) -> Result<(Lock, Vec<u8>), InstallError> {
    let mut plan = Plan::recorded(installed);
    plan.mark_written(&store.written(), None)?;
    let changed = plan.installed.packages.iter().any(|package| package.private_copy);
    let record = if changed { dxl::encode(&plan.installed, [0; 32]) } else { record.to_vec() };
    Ok((plan.installed, record))
}

/// Returns when the tree in a project was put in place, in nanoseconds since 1970.
pub(crate) fn linked_at(root: &Path) -> Option<i64> {
    Some(own_files::identity(root, installed::RECORD)?.mtime_ns)
}

/// Tells every project that shares a file which this process found altered and repaired in the
/// store.
pub(crate) fn tell(store: &Store) {
    let altered = store.take_altered();
    if altered.is_empty() {
        return;
    }
    let mut files: HashMap<PackageId, Vec<Altered>> = HashMap::new();
    for (id, file) in altered {
        files.entry(id).or_default().push(file);
    }
    let seal = Seal::of_store(store);
    for root in known_projects(store) {
        let Some(tree) = own_files::with_record(&root, seal, tree_in).flatten() else { continue };
        let shared = tree.placements.iter().flat_map(|placement| shared(&root, placement, &files));
        for path in shared {
            notices::add(
                &root,
                &format!(
                    "{path} was changed in place, here or in another project that shared the \
                     file. The store has the published file again; this one stays as it is. \
                     `dx ci` restores it"
                ),
            );
        }
    }
}

/// Tells a project that a file of its new tree had been altered before, and was restored.
pub(crate) fn tell_restored(root: &Path, path: &str) {
    notices::add(
        root,
        &format!(
            "{path} had been changed in place in another project before it came into this one; \
             it was restored"
        ),
    );
}

/// Returns the files at a placement that are those which were altered.
fn shared(
    root: &Path,
    placement: &Placement,
    altered: &HashMap<PackageId, Vec<Altered>>,
) -> Vec<String> {
    let PlacementSource::Package(id) = placement.source else { return Vec::new() };
    let files = altered.get(&id).into_iter().flatten();
    let is_shared = |file: &&Altered| {
        let place = Path::new(&placement.path).join(&file.path);
        let found = Dir::open(root).and_then(|root| root.identity(place)).ok().flatten();
        found.is_some_and(|found| found.inode == file.inode)
    };
    files.filter(is_shared).map(|file| format!("{}/{}", placement.path, file.path)).collect()
}

/// The most bytes that are read of a lock: a path.
const LONGEST_PATH: u64 = 64 << 10;

/// Returns the projects that have used this store: the locks of projects hold their folders.
fn known_projects(store: &Store) -> Vec<PathBuf> {
    let locks = fs::read_dir(store.folder(Folder::Locks)).into_iter().flatten().flatten();
    let texts = locks.filter_map(|lock| {
        let text = read_bounded(&lock.path(), LONGEST_PATH).ok()?;
        String::from_utf8(text).ok()
    });
    texts.map(PathBuf::from).filter(|root| root.is_absolute()).collect()
}

fn tree_in(record: &DxlView<'_>) -> Option<Tree> {
    tree_of(&record.to_lock()).ok()
}

fn packages(tree: &Tree) -> Vec<PackageId> {
    let ids = tree.placements.iter().filter_map(|placement| match placement.source {
        PlacementSource::Package(id) => Some(id),
        PlacementSource::Symlink { .. } | PlacementSource::Bundled { .. } => None,
    });
    let unique: HashSet<PackageId> = ids.collect();
    unique.into_iter().collect()
}
