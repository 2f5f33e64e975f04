//! What dx does while nobody waits: it writes into the store what an install fetched, prepares the next tree of projects that were installed, checks the files that
//! trees share, sees to it that the lockfile survives a loss of power, and empties the trash.
//!
//! An install leaves a wish in the store and starts `dx store settle --background`, which works at the lowest priority,
//! in a session of its own, one process for a store. `dx store settle` does the same while the user waits.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use dx_pkg_core::PackageId;
use dx_pkg_link::{LinkError, LinkOptions, NoProgress, PlacementSource, Tree, materialise};
use dx_pkg_lock::Lock;
use dx_pkg_lock::dxl::DxlView;
use dx_pkg_store::{Altered, Folder, ForestKey, PruneLimits, Pruned, Store, Wish};

use crate::failure::Failure;
use crate::ops::{forest, installed};
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
    /// Files of packages that had been altered, made anew.
    pub repaired: usize,
}

/// Asks for the next tree of the project in `root`, whose present one may be new as a whole, and starts whoever prepares it. It is a convenience: what fails here
/// is not worth a word.
pub fn start(session: &Session, root: &Path, new_tree: bool) {
    let wish = Wish { project: root.to_owned(), new_tree };
    if session.spares == 0 || session.store.wish(&wish).is_err() {
        return;
    }
    let (Ok(program), Some(store)) = (std::env::current_exe(), session.store.root().parent()) else { return };
    let _ = Command::new(program)
        .args(["store", "settle", "--background"])
        .env("DX_STORE", store)
        .env("DX_SPARE_FORESTS", session.spares.to_string())
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
pub fn settle(store: &Store, spares: u32, wait: bool) -> Result<Settled, Failure> {
    let mut settled = Settled::default();
    let mut waited = false;
    loop {
        let Some(lock) = store.background_lock(wait)? else { return Ok(settled) };
        store_pending(store)?;
        let wishes = store.take_wishes();
        // A wish that came after the last look and before the lock was free again would wait for the next install.
        if waited && wishes.is_empty() {
            return Ok(settled);
        }
        waited = true;
        let mut failed = None;
        wishes.iter().for_each(sync);
        for wish in wishes.iter().filter(|_| spares > 0) {
            let outcome = Preparation::of(store, wish).map(|next| next.map(|next| next.carry_out(spares)));
            match outcome {
                Ok(Some(Ok((prepared, repaired)))) => {
                    settled.prepared += prepared;
                    settled.repaired += repaired;
                }
                Ok(None) => {}
                Err(failure) | Ok(Some(Err(failure))) => failed = Some(failure),
            }
            if is_ending() {
                break;
            }
        }
        if !is_ending() {
            store.keep_within_bounds();
            prune_now_and_then(store)?;
            settled.deleted += store.empty_trash()?;
        }
        drop(lock);
        if let Some(failure) = failed {
            return Err(failure);
        }
        if is_ending() {
            return Ok(settled);
        }
    }
}

/// Writes the packages that installs have left to be written, from their projects' copies.
fn store_pending(store: &Store) -> Result<(), Failure> {
    for note in store.pending_notes()? {
        let mut copies: HashMap<PackageId, Vec<PathBuf>> = HashMap::new();
        let record = fs::read(note.project.join("node_modules").join(installed::RECORD)).unwrap_or_default();
        let tree = DxlView::open(&record).ok().and_then(|view| tree_of(&view.to_lock()).ok()).unwrap_or_default();
        for placement in tree.placements {
            if let PlacementSource::Package(id) = placement.source {
                copies.entry(id).or_default().push(note.project.join(placement.path));
            }
        }
        for (id, tables) in &note.packages {
            if is_ending() {
                return Err(LinkError::Cancelled.into());
            }
            // What cannot be had from any copy is fetched again when it is wanted.
            store.complete(&note, *id, tables, copies.get(id).map_or(&[], Vec::as_slice))?;
        }
        store.forget_pending(&note)?;
    }
    Ok(())
}

/// Takes away what has not been used for so long, and more until the store takes at most `max_bytes`.
pub fn prune(store: &Store, unused_for: Duration, max_bytes: Option<u64>) -> Result<Pruned, Failure> {
    let unused_since = SystemTime::now().checked_sub(unused_for).unwrap_or(SystemTime::UNIX_EPOCH);
    let mut used: HashMap<PackageId, SystemTime> = HashMap::new();
    for forest in store.forests() {
        let Ok(record) = forest.record() else { continue };
        let Some(tree) = DxlView::open(&record).ok().and_then(|view| tree_of(&view.to_lock()).ok()) else { continue };
        for placement in tree.placements {
            if let PlacementSource::Package(id) = placement.source {
                // Forests come with the last used first.
                used.entry(id).or_insert(forest.used);
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
    let is_due = modified.as_ref().is_ok_and(|last| last.elapsed().is_ok_and(|since| since > DAY));
    if is_due {
        prune(store, 90 * DAY, None)?;
    }
    if is_due || modified.is_err() {
        fs::write(&note, b"").map_err(|error| Failure::io(format!("writing {}", note.display()), &error))?;
    }
    Ok(())
}

/// Waits for the device to have what the install wrote into the project, which did not.
fn sync(wish: &Wish) {
    for name in project::FILES {
        // What is not there, or cannot be, needs no waiting for.
        let _ = dx_pkg_fs::sync_file(&wish.project.join(name));
    }
}

fn is_ending() -> bool {
    dx_pkg_fs::asked_to_end().load(Ordering::Relaxed)
}

/// The next tree for a project.
struct Preparation<'p> {
    store: &'p Store,
    project: &'p Path,
    new_tree: bool,
    key: ForestKey,
    record: Vec<u8>,
    installed: Lock,
    tree: Tree,
}

impl<'p> Preparation<'p> {
    /// Of the project as it is now; `None` where no tree can be prepared for it.
    fn of(store: &'p Store, wish: &'p Wish) -> Result<Option<Self>, Failure> {
        let Wish { project, new_tree } = wish;
        let Ok(record) = fs::read(project.join("node_modules").join(installed::RECORD)) else { return Ok(None) };
        let Ok(view) = DxlView::open(&record) else { return Ok(None) };
        let installed = view.to_lock();
        let tree = tree_of(&installed)?;
        // The commands of a linked folder depend on the files that lie there.
        let is_elsewhere = |source: &PlacementSource| matches!(source, PlacementSource::Symlink { .. });
        if tree.placements.iter().any(|placement| is_elsewhere(&placement.source) && !placement.bins.is_empty()) {
            return Ok(None);
        }
        let key = forest::key_of_record(&record);
        Ok(Some(Preparation { store, project, new_tree: *new_tree, key, record, installed, tree }))
    }

    /// Makes as many trees ready as are missing; says how many, and how many files had to be repaired first.
    fn carry_out(&self, spares: u32) -> Result<(usize, usize), Failure> {
        // A package that the store lacks is fetched by the next install that wants it.
        let Some(repaired) = self.check_files()? else { return Ok((0, 0)) };
        self.store.plant_forest(self.key, &self.record, self.project)?;
        let forests = self.store.forests();
        let ready = forests.iter().find(|forest| forest.key == self.key).map_or(0, |forest| forest.spares.len());
        let mut prepared = 0;
        for _ in ready..spares as usize {
            self.prepare()?;
            prepared += 1;
        }
        Ok((prepared, repaired))
    }

    /// Sees to it that the files which the tree is linked from are right. Where they were not, no ready tree can be trusted,
    /// and the project's own has them too. Says how many were not; `None` where the store lacks a package.
    fn check_files(&self) -> Result<Option<usize>, Failure> {
        let mut seen: HashMap<PackageId, Vec<Altered>> = HashMap::new();
        for placement in &self.tree.placements {
            let PlacementSource::Package(id) = placement.source else { continue };
            if seen.contains_key(&id) {
                continue;
            }
            if is_ending() {
                return Err(LinkError::Cancelled.into());
            }
            let altered = self.store.keep_expanded(id, Some(&self.project.join(&placement.path)))?;
            let Some(altered) = altered else { return Ok(None) };
            seen.insert(id, altered);
        }
        let repaired = seen.values().map(Vec::len).sum();
        if repaired > 0 {
            for forest in self.store.forests() {
                forest.spares.iter().try_for_each(|spare| self.store.trash(spare).map(|_| ()))?;
            }
            for placement in self.tree.placements.iter().filter(|_| self.new_tree) {
                if let PlacementSource::Package(id) = placement.source {
                    self.repair_copy(&self.project.join(&placement.path), id, &seen[&id]);
                }
            }
        }
        Ok(Some(repaired))
    }

    /// Replaces, in a project's copy of a package, files that share the inode of an altered one. What was altered in this
    /// very project, after dx put it there, was meant for it and is left alone.
    fn repair_copy(&self, copy: &Path, id: PackageId, altered: &[Altered]) {
        let Ok(settled) = fs::metadata(self.project.join("node_modules").join(installed::RECORD)) else { return };
        for Altered { path, inode } in altered {
            let place = copy.join(path);
            let Ok(Some(found)) = dx_pkg_fs::identity(&place) else { continue };
            if found.inode != *inode || found.mtime_ns > modified_ns(&settled) {
                continue;
            }
            let draft = place.with_file_name(dx_pkg_fs::unique_name(dx_pkg_fs::TEMPORARY));
            let linked = fs::hard_link(self.store.expanded(id).join(path), &draft);
            // What cannot be replaced stays as it is; `dx ci` makes the tree anew.
            let _ = linked.and_then(|()| fs::rename(&draft, &place));
        }
    }

    /// Builds one tree and offers it.
    fn prepare(&self) -> Result<(), Failure> {
        let folder = self.store.tmp_dir()?.join(dx_pkg_fs::unique_name(""));
        let built = self.build(&folder).and_then(|()| Ok(self.store.offer_spare(self.key, &folder)?));
        if built.is_err() {
            let _ = dx_pkg_fs::remove_tree(&folder);
        }
        built
    }

    fn build(&self, folder: &Path) -> Result<(), Failure> {
        let make = |folder: &Path| {
            fs::create_dir_all(folder).map_err(|error| Failure::io(format!("making {}", folder.display()), &error))
        };
        make(folder)?;
        let importers: BTreeSet<&str> =
            self.installed.packages.iter().filter_map(|package| forest::importer(&package.path)).collect();
        importers.into_iter().try_for_each(|importer| make(&folder.join(importer)))?;
        let extra_files = forest::state_files(&self.installed);
        let options = LinkOptions {
            links_outside: true,
            cancelled: Some(dx_pkg_fs::asked_to_end()),
            extra_files: &extra_files,
            ..LinkOptions::default()
        };
        materialise(folder, self.store, &self.tree, None, &options, &NoProgress)?;
        Ok(())
    }
}

fn modified_ns(metadata: &fs::Metadata) -> i64 {
    let since = metadata.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    since.and_then(|since| i64::try_from(since.as_nanos()).ok()).unwrap_or_default()
}
