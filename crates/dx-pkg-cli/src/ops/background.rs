//! What dx does while nobody waits: it writes into the store what an install fetched, prepares the next tree of projects that were installed, checks the files that
//! trees share, sees to it that the lockfile survives a loss of power, and empties the trash.
//!
//! An install leaves a job in the store and starts `dx store maintain --background`, which works at the lowest priority,
//! in a session of its own, one process for a store. `dx store maintain` does the same while the user waits.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use dx_pkg_core::PackageId;
use dx_pkg_link::PlacementSource;
use dx_pkg_lock::dxl::DxlView;
use dx_pkg_store::{Folder, PrepareJob, PruneLimits, Pruned, Store};

use crate::ending;
use crate::failure::Failure;
use crate::ops::installed;
use crate::ops::preparation::{Preparation, Prepared};
use crate::plan::tree_of;
use crate::project;
use crate::session::Session;

/// What was done.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// Trees deleted from the trash.
    pub deleted: usize,
    /// Trees made ready.
    pub prepared: usize,
    /// Those of them that were changed from another prepared tree instead of being built.
    pub patched: usize,
    /// Files of packages that had been altered or were missing, made anew.
    pub repaired: usize,
}

/// Asks for the next tree of the project in `root`, whose present one may be new as a whole, and starts whoever prepares it. It is a convenience: what fails here
/// is not worth a word.
pub fn start(session: &Session, root: &Path, new_tree: bool) {
    let job = PrepareJob { project: root.to_owned(), new_tree };
    if session.trees > 0 && session.store.queue_job(&job).is_ok() {
        start_worker(session);
    }
}

/// Starts whoever does what waits.
pub fn start_worker(session: &Session) {
    let (Ok(program), Some(store)) = (std::env::current_exe(), session.store.root().parent())
    else {
        return;
    };
    let _ = Command::new(program)
        .args(["store", "maintain", "--background"])
        .env("DX_STORE", store)
        .env("DX_PREPARED_TREES", session.trees.to_string())
        .current_dir(store)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
}

/// Does what waits. With `wait` after another process that does so has ended; otherwise not at all while there is one.
///
/// # Errors
/// What the store cannot do, and `DX_CANCELLED` when the process is asked to end.
pub fn settle(store: &Store, trees: u32, wait: bool) -> Result<Settled, Failure> {
    let mut settled = Settled::default();
    let mut waited = false;
    loop {
        let Some(lock) = store.background_lock(wait)? else { return Ok(settled) };
        store_pending(store)?;
        let jobs = store.take_jobs();
        // A job that came after the last look and before the lock was free again would wait for the next install.
        if waited && jobs.is_empty() {
            return Ok(settled);
        }
        waited = true;
        let mut failed = None;
        jobs.iter().for_each(|job| project::compile_lockfile(&job.project, store));
        jobs.iter().for_each(sync);
        for job in jobs.iter().filter(|_| trees > 0) {
            // Whoever comes next does the rest.
            if ending::is_asked() {
                store.queue_job(job)?;
                continue;
            }
            match prepare(store, job, trees) {
                Ok(Prepared { trees, patched, repaired }) => {
                    settled.prepared += trees;
                    settled.patched += patched;
                    settled.repaired += repaired;
                }
                Err(failure) if failure.code == ending::CANCELLED => store.queue_job(job)?,
                Err(failure) => failed = Some(failure),
            }
        }
        if !ending::is_asked() {
            store.keep_within_bounds();
            prune_now_and_then(store)?;
            settled.deleted += store.empty_trash()?;
        }
        drop(lock);
        if let Some(failure) = failed {
            return Err(failure);
        }
        if ending::is_asked() {
            return Ok(settled);
        }
    }
}

/// Prepares the next tree of one project, as far as there can be one.
fn prepare(store: &Store, job: &PrepareJob, trees: u32) -> Result<Prepared, Failure> {
    let next = Preparation::of(store, job)?;
    Ok(next.map(|next| next.carry_out(trees)).transpose()?.unwrap_or_default())
}

/// Writes the packages that installs have left to be written, from their projects' copies.
fn store_pending(store: &Store) -> Result<(), Failure> {
    for note in store.pending_notes()? {
        let mut copies: HashMap<PackageId, Vec<PathBuf>> = HashMap::new();
        let record =
            fs::read(note.project.join("node_modules").join(installed::RECORD)).unwrap_or_default();
        let tree = DxlView::open(&record)
            .ok()
            .and_then(|view| tree_of(&view.to_lock()).ok())
            .unwrap_or_default();
        for placement in tree.placements {
            if let PlacementSource::Package(id) = placement.source {
                copies.entry(id).or_default().push(note.project.join(placement.path));
            }
        }
        for (id, tables) in &note.packages {
            ending::check()?;
            // What cannot be had from any copy is fetched again when it is wanted.
            store.complete(&note, *id, tables, copies.get(id).map_or(&[], Vec::as_slice))?;
        }
        store.forget_pending(&note)?;
    }
    Ok(())
}

/// Takes away what has not been used for so long, and more until the store takes at most `max_bytes`.
pub fn prune(
    store: &Store,
    unused_for: Duration,
    max_bytes: Option<u64>,
) -> Result<Pruned, Failure> {
    let unused_since = SystemTime::now().checked_sub(unused_for).unwrap_or(SystemTime::UNIX_EPOCH);
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

/// Keeps the store from growing for ever: about once a day, what nobody used for three months goes.
fn prune_now_and_then(store: &Store) -> Result<(), Failure> {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let note = store.folder(Folder::Locks).join("pruned");
    let modified = fs::metadata(&note).and_then(|metadata| metadata.modified());
    // A time that has yet to come tells that the clock was set back, and nothing else.
    let is_due =
        modified.as_ref().is_ok_and(|last| last.elapsed().map_or(true, |since| since > DAY));
    if is_due {
        prune(store, 90 * DAY, None)?;
    }
    if is_due || modified.is_err() {
        fs::write(&note, b"")
            .map_err(|error| Failure::io(format!("writing {}", note.display()), &error))?;
    }
    Ok(())
}

/// Waits for the device to have what the install wrote into the project, which did not.
fn sync(job: &PrepareJob) {
    for name in project::FILES {
        // What is not there, or cannot be, needs no waiting for.
        let _ = dx_pkg_os::sync_file(&job.project.join(name));
    }
}
