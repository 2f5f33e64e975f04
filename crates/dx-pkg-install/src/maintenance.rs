//! Maintenance of the store, done while nobody waits.
//!
//! An install queues a job in the store and reports [`Events::maintenance_due`]; the `dx` program
//! then starts `dx store maintain --background`, which works at the lowest priority, in a process
//! of its own, one for a store. Where nothing may be left running, the job waits.

pub mod archive;
pub mod commands;
pub mod costs;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use dx_pkg_acquire::Cancel;
use dx_pkg_core::PackageId;
use dx_pkg_link::PlacementSource;
use dx_pkg_lock::dxl::DxlView;
use dx_pkg_store::preparation::{Allowance, TreeOrigin};
use dx_pkg_store::prune::{PruneLimits, Pruned};
use dx_pkg_store::{Folder, PrepareJob, Store};

use crate::habits::{self, Lesson};
use crate::plan::tree_of;
use crate::prepare::{Preparation, Prepared};
use crate::seal::Seal;
use crate::session::{OpenSession, PreparedTrees};
use crate::{Events, InstallError, Session, own_files, project};

pub use crate::background::Foreground;
pub use crate::cached_install::CachedInstall;
pub use crate::notices::take as take_notices;

/// The result of a maintenance run.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Maintained {
    /// Trees deleted from the trash.
    pub deleted: usize,
    /// Trees prepared.
    pub prepared: usize,
    /// Those of them that were changed from another prepared tree instead of built.
    pub patched: usize,
    /// Altered or missing files of packages that were restored.
    pub repaired: usize,
}

/// Does what follows the install of the project in `root`: queues the preparation of its next tree
/// and reports that maintenance is due. Where nothing may be left running, the job waits for a
/// later process, and trees that were replaced are deleted at once, unless the machine runs on its
/// battery. All this is a convenience: errors are ignored.
pub(crate) fn follow(session: &Session, root: &Path, tree: TreeOrigin, events: &dyn Events) {
    let store = session.store();
    let job = PrepareJob { project: root.to_owned(), tree };
    let is_queued = session.prepared_trees.count > 0 && store.queue_job(&job).is_ok();
    match session.foreground() {
        None if is_queued => events.maintenance_due(session),
        Some(Foreground::NoTrees | Foreground::Setting) if store.has_trash() => {
            let _ = store.empty_trash();
        }
        _ => {}
    }
}

/// Maintains the store: stores pending packages, compiles lockfiles, prepares trees, removes old
/// entries, empties the trash.
///
/// With `wait` it waits for another process that maintains the store; otherwise it does nothing
/// while there is one. `began` is called once the store is locked: from then on the caller should
/// cancel the work rather than end the process. `open` opens a session for a project of which the
/// store lost files that are to be fetched again.
///
/// # Errors
/// The store cannot be changed, or the work is cancelled.
pub fn run(
    store: &Store,
    prepared_trees: PreparedTrees,
    wait: bool,
    cancel: &Cancel,
    began: &dyn Fn(),
    open: &OpenSession<'_>,
) -> Result<Maintained, InstallError> {
    let mut maintained = Maintained::default();
    let mut waited = false;
    loop {
        let Some(lock) = store.background_lock(wait)? else { return Ok(maintained) };
        began();
        store_pending(store, cancel)?;
        store.drop_second_copies(&mut || !cancel.is_cancelled())?;
        store.seal_former_records(&mut || !cancel.is_cancelled())?;
        let jobs = store.take_jobs();
        // A job queued after the last look, but before the lock was free again, would wait for the
        // next install.
        if waited && jobs.is_empty() {
            return Ok(maintained);
        }
        waited = true;
        jobs.iter().for_each(|job| project::compile_lockfile(&job.project, store));
        jobs.iter().for_each(sync);
        let failed = prepare_all(store, &jobs, prepared_trees, cancel, open, &mut maintained)?;
        if !cancel.is_cancelled() {
            store.trim_preparations();
            prune_now_and_then(store)?;
            maintained.deleted += store.empty_trash()?;
        }
        drop(lock);
        if let Some(error) = failed {
            return Err(error);
        }
        if cancel.is_cancelled() {
            return Ok(maintained);
        }
    }
}

/// Prepares the next tree of each project; returns the last error. Jobs that are not done on
/// cancellation are queued again.
fn prepare_all(
    store: &Store,
    jobs: &[PrepareJob],
    prepared_trees: PreparedTrees,
    cancel: &Cancel,
    open: &OpenSession<'_>,
    maintained: &mut Maintained,
) -> Result<Option<InstallError>, InstallError> {
    let mut failed = None;
    for job in jobs.iter().filter(|_| prepared_trees.count > 0) {
        if cancel.is_cancelled() {
            store.queue_job(job)?;
            continue;
        }
        match prepare(store, job, prepared_trees, cancel, open) {
            Ok(Prepared { trees, patched, repaired }) => {
                maintained.prepared += trees;
                maintained.patched += patched;
                maintained.repaired += repaired;
            }
            Err(error) if error.is_cancelled() => store.queue_job(job)?,
            Err(error) => failed = Some(error),
        }
    }
    Ok(failed)
}

/// Prepares the next tree of one project, if there can be one and it is likely to be used.
fn prepare(
    store: &Store,
    job: &PrepareJob,
    prepared_trees: PreparedTrees,
    cancel: &Cancel,
    open: &OpenSession<'_>,
) -> Result<Prepared, InstallError> {
    let Some(next) = Preparation::of(store, job, cancel)? else { return Ok(Prepared::default()) };
    let lesson = Lesson::of(store, job, next.key());
    let prepared = if lesson.outlook(store, prepared_trees).is_likely() {
        prepare_next(store, job, next, prepared_trees, cancel, open)
    } else {
        next.record().map(|()| next.remove_others()).map(|()| Prepared::default())
    };
    if !prepared.as_ref().is_err_and(InstallError::is_cancelled) {
        lesson.record(store, prepared.as_ref().is_ok_and(|prepared| prepared.trees > 0))?;
    }
    prepared
}

fn prepare_next(
    store: &Store,
    job: &PrepareJob,
    next: Preparation<'_>,
    prepared_trees: PreparedTrees,
    cancel: &Cancel,
    open: &OpenSession<'_>,
) -> Result<Prepared, InstallError> {
    // A package that the store lacks is fetched by the next install that needs it.
    let Some(repaired) = next.check_files(open)? else { return Ok(Prepared::default()) };
    // The next tree has copies of the packages that were written to.
    let next = if repaired > 0 { Preparation::of(store, job, cancel)? } else { Some(next) };
    let prepared = next.map(|next| next.carry_out(prepared_trees.count)).transpose()?;
    Ok(Prepared { repaired, ..prepared.unwrap_or_default() })
}

/// Whether trees are prepared for a project, and the space that all prepared trees take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreparationStatus {
    /// Whether the next tree is prepared after an install.
    pub prepares: bool,
    /// Why, in a sentence.
    pub reason: String,
    /// What prepared trees take and may take.
    pub allowance: Allowance,
}

/// Returns whether trees are prepared for the project in `root`, and why.
#[must_use]
pub fn preparation_status(session: &Session, root: &Path) -> PreparationStatus {
    let (prepares, mut reason) = match session.foreground() {
        Some(Foreground::NoTrees) => (
            false,
            "No trees are prepared: prepared-trees is 0, as it is where CI is set".to_owned(),
        ),
        _ if !root.join("package.json").exists() => (
            false,
            "There is no package.json here: run it in a project to see whether trees are prepared for it"
                .to_owned(),
        ),
        _ => habits::explain(session.store(), session.prepared_trees, root),
    };
    let later = match session.foreground() {
        Some(Foreground::Setting) if prepares => {
            "; `dx store maintain` does it: background is false"
        }
        Some(Foreground::Battery) if prepares => "; not while this machine runs on its battery",
        _ => "",
    };
    reason.push_str(later);
    PreparationStatus { prepares, reason, allowance: session.store().allowance() }
}

/// Stores the packages that installs have queued, with the files of their projects' copies.
fn store_pending(store: &Store, cancel: &Cancel) -> Result<(), InstallError> {
    let seal = Seal::of_store(store);
    for note in store.pending_records()? {
        let mut copies: HashMap<PackageId, Vec<PathBuf>> = HashMap::new();
        let tree = own_files::with_record(&note.project, seal, |view| tree_of(&view.to_lock()));
        let tree = tree.and_then(Result::ok).unwrap_or_default();
        for placement in tree.placements {
            if let PlacementSource::Package(id) = placement.source {
                copies.entry(id).or_default().push(note.project.join(placement.path));
            }
        }
        for (id, tables) in &note.packages {
            cancel.check()?;
            // A package without any sound copy is fetched again when it is needed.
            store.complete(&note, *id, tables, copies.get(id).map_or(&[], Vec::as_slice))?;
        }
        store.remove_pending(&note)?;
    }
    Ok(())
}

/// Removes what was not used for so long, and then the least recently used until the store takes at
/// most `max_bytes`.
///
/// # Errors
/// The store cannot be changed.
pub fn prune(
    store: &Store,
    unused_for: Duration,
    max_bytes: Option<u64>,
) -> Result<Pruned, InstallError> {
    let unused_since = SystemTime::now().checked_sub(unused_for).unwrap_or(SystemTime::UNIX_EPOCH);
    commands::prune(store, unused_since);
    let mut used: HashMap<PackageId, SystemTime> = HashMap::new();
    for prepared in store.prepared_entries() {
        let Ok(record) = prepared.record() else { continue };
        let Some(tree) = DxlView::open(&record).ok().and_then(|view| tree_of(&view.to_lock()).ok())
        else {
            continue;
        };
        for placement in tree.placements {
            if let PlacementSource::Package(id) = placement.source {
                // Prepared come with the last used first.
                used.entry(id).or_insert(prepared.used);
            }
        }
    }
    Ok(store.prune(&PruneLimits { unused_since, max_bytes, used: &used })?)
}

/// Removes, about once a day, what was not used for three months.
fn prune_now_and_then(store: &Store) -> Result<(), InstallError> {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    const PRUNED: &str = "pruned";
    let note = store.folder(Folder::Locks).join(PRUNED);
    let modified = fs::metadata(&note).and_then(|metadata| metadata.modified());
    // A time in the future only means that the clock was set back.
    let is_due =
        modified.as_ref().is_ok_and(|last| last.elapsed().map_or(true, |since| since > DAY));
    if is_due {
        prune(store, 90 * DAY, None)?;
    }
    if is_due || modified.is_err() {
        store.note(PRUNED)?;
    }
    Ok(())
}

/// Waits until the device has the project's files, which the install did not wait for.
fn sync(job: &PrepareJob) {
    for name in project::FILES {
        // A file that does not exist needs no waiting for.
        let _ = dx_pkg_os::files::sync_file(&job.project.join(name));
    }
}
