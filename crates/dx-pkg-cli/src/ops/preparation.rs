//! The next tree of a project, made by whoever works in the background.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::Path;

use dx_pkg_core::PackageId;
use dx_pkg_link::{LinkOptions, NoProgress, Placement, PlacementSource, Tree, materialise, mend};
use dx_pkg_lock::Lock;
use dx_pkg_lock::dxl::DxlView;
use dx_pkg_store::{Altered, PrepareJob, PreparedKey, PreparedTree, Store};

use crate::ending;
use crate::failure::Failure;
use crate::ops::{installed, prepared};
use crate::plan::tree_of;

/// What was done.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Prepared {
    /// Trees made ready.
    pub trees: usize,
    /// Those of them that were changed from another prepared tree.
    pub patched: usize,
    /// Files that had to be repaired first.
    pub repaired: usize,
}

/// The next tree for a project.
pub struct Preparation<'p> {
    store: &'p Store,
    project: &'p Path,
    new_tree: bool,
    key: PreparedKey,
    record: Vec<u8>,
    installed: Lock,
    tree: Tree,
}

impl<'p> Preparation<'p> {
    /// Of the project as it is now; `None` where no tree can be prepared for it.
    pub fn of(store: &'p Store, job: &'p PrepareJob) -> Result<Option<Self>, Failure> {
        let PrepareJob { project, new_tree } = job;
        let Ok(record) = fs::read(project.join("node_modules").join(installed::RECORD)) else {
            return Ok(None);
        };
        let Ok(view) = DxlView::open(&record) else { return Ok(None) };
        let installed = view.to_lock();
        let tree = tree_of(&installed)?;
        // The commands of a linked folder depend on the files that lie there.
        let is_elsewhere =
            |source: &PlacementSource| matches!(source, PlacementSource::Symlink { .. });
        if tree
            .placements
            .iter()
            .any(|placement| is_elsewhere(&placement.source) && !placement.bins.is_empty())
        {
            return Ok(None);
        }
        let key = prepared::key_of_record(&record);
        Ok(Some(Preparation { store, project, new_tree: *new_tree, key, record, installed, tree }))
    }

    /// Makes as many trees ready as are missing.
    pub fn carry_out(&self, trees: u32) -> Result<Prepared, Failure> {
        let mut prepared = Prepared::default();
        // A package that the store lacks is fetched by the next install that wants it.
        let Some(repaired) = self.check_files()? else { return Ok(prepared) };
        prepared.repaired = repaired;
        self.store.record_prepared(self.key, &self.record, self.project)?;
        let entries = self.store.prepared_entries();
        let ready =
            entries.iter().find(|entry| entry.key == self.key).map_or(0, |entry| entry.trees.len());
        for _ in ready..trees as usize {
            let patched = self.patch()?;
            if !patched {
                self.prepare()?;
            }
            prepared.trees += 1;
            prepared.patched += usize::from(patched);
        }
        Ok(prepared)
    }

    /// Sees to it that the files which the tree is linked from are right. Where they were not, no prepared tree can be trusted,
    /// and the project's own has them too. Says how many were not; `None` where the store lacks a package.
    fn check_files(&self) -> Result<Option<usize>, Failure> {
        let mut seen: HashMap<PackageId, Vec<Altered>> = HashMap::new();
        for placement in &self.tree.placements {
            let PlacementSource::Package(id) = placement.source else { continue };
            if seen.contains_key(&id) {
                continue;
            }
            ending::check()?;
            let altered =
                self.store.keep_expanded(id, Some(&self.project.join(&placement.path)))?;
            let Some(altered) = altered else { return Ok(None) };
            seen.insert(id, altered);
        }
        let mut repaired = seen.values().map(Vec::len).sum();
        if repaired > 0 {
            for prepared in self.store.prepared_entries() {
                prepared
                    .trees
                    .iter()
                    .try_for_each(|prepared| self.store.trash(prepared).map(|_| ()))?;
            }
            for placement in self.tree.placements.iter().filter(|_| self.new_tree) {
                if let PlacementSource::Package(id) = placement.source {
                    self.repair_copy(&self.project.join(&placement.path), id, &seen[&id]);
                }
            }
        }
        if let Some(settled) = self.settled_at().filter(|_| self.new_tree) {
            repaired += mend(self.project, self.store, &self.tree, &options(&[]), settled)?;
        }
        Ok(Some(repaired))
    }

    /// When the project's tree was put in place, in nanoseconds since 1970.
    fn settled_at(&self) -> Option<i64> {
        let record =
            dx_pkg_os::identity(&self.project.join("node_modules").join(installed::RECORD));
        Some(record.ok()??.mtime_ns)
    }

    /// Replaces, in a project's copy of a package, files that share the inode of an altered one. What was altered in this
    /// very project, after dx put it there, was meant for it and is left alone.
    fn repair_copy(&self, copy: &Path, id: PackageId, altered: &[Altered]) {
        let Some(settled) = self.settled_at() else { return };
        for Altered { path, inode } in altered {
            let place = copy.join(path);
            let Ok(Some(found)) = dx_pkg_os::identity(&place) else { continue };
            if found.inode != *inode || found.mtime_ns > settled {
                continue;
            }
            let draft = place.with_file_name(dx_pkg_os::unique_name(dx_pkg_os::TEMPORARY));
            let linked = fs::hard_link(self.store.expanded(id).join(path), &draft);
            // What cannot be replaced stays as it is; `dx ci` makes the tree anew.
            let _ = linked.and_then(|()| fs::rename(&draft, &place));
        }
    }

    /// Makes a tree that was ready for what the project had before the one it needs now, and offers it; says whether
    /// there was one, not too different.
    fn patch(&self) -> Result<bool, Failure> {
        let Some((prepared, before)) = self.claim_another() else { return Ok(false) };
        let changed = self.change(prepared.path(), &before);
        // What is left of a tree that could not be changed goes to the trash.
        if changed.is_err() {
            return ending::check().map(|()| false);
        }
        self.store.offer_prepared_tree(self.key, prepared.path())?;
        Ok(true)
    }

    /// A prepared tree that was last used by this very project and differs in less than half of what it holds.
    fn claim_another(&self) -> Option<(PreparedTree, Tree)> {
        let prepared = self.store.prepared_entries();
        let others = prepared
            .iter()
            .filter(|prepared| prepared.key != self.key && !prepared.trees.is_empty());
        for prepared in
            others.filter(|prepared| prepared.project().as_deref() == Some(self.project))
        {
            let Ok(record) = prepared.record() else { continue };
            // Another version of dx may have built it otherwise.
            if prepared::key_of_record(&record) != prepared.key {
                continue;
            }
            let Ok(view) = DxlView::open(&record) else { continue };
            let Ok(tree) = tree_of(&view.to_lock()) else { continue };
            if is_similar(&tree, &self.tree)
                && let Some(prepared) = self.store.take_prepared_tree(prepared.key)
            {
                return Some((prepared, tree));
            }
        }
        None
    }

    fn change(&self, folder: &Path, before: &Tree) -> Result<(), Failure> {
        self.make_importers(folder)?;
        let state = prepared::state_files(&self.installed);
        materialise(folder, self.store, &self.tree, Some(before), &options(&state), &NoProgress)?;
        // Nothing vouches for what was in it already.
        mend(folder, self.store, &self.tree, &options(&state), i64::MAX)?;
        Ok(())
    }

    /// Builds one tree and offers it.
    fn prepare(&self) -> Result<(), Failure> {
        let folder = self.store.tmp_dir()?.join(dx_pkg_os::unique_name(""));
        let built = self
            .build(&folder)
            .and_then(|()| Ok(self.store.offer_prepared_tree(self.key, &folder)?));
        if built.is_err() {
            let _ = dx_pkg_os::remove_tree(&folder);
        }
        built
    }

    fn build(&self, folder: &Path) -> Result<(), Failure> {
        self.make_importers(folder)?;
        let state = prepared::state_files(&self.installed);
        materialise(folder, self.store, &self.tree, None, &options(&state), &NoProgress)?;
        Ok(())
    }

    /// Makes the folders that stand for the project and its workspaces.
    fn make_importers(&self, folder: &Path) -> Result<(), Failure> {
        let importers: BTreeSet<&str> = self
            .installed
            .packages
            .iter()
            .filter_map(|package| prepared::importer(&package.path))
            .collect();
        for folder in
            importers.into_iter().map(|importer| folder.join(importer)).chain([folder.to_owned()])
        {
            fs::create_dir_all(&folder)
                .map_err(|error| Failure::io(format!("making {}", folder.display()), &error))?;
        }
        Ok(())
    }
}

/// How trees are made while nobody waits.
fn options(state: &[(String, Vec<u8>)]) -> LinkOptions<'_> {
    LinkOptions {
        keep_foreign: false,
        links_outside: true,
        cancelled: Some(dx_pkg_os::asked_to_end()),
        extra_files: state,
        ..LinkOptions::default()
    }
}

/// Whether it costs less to change one tree into the other than to build that: each package that differs is built, and
/// one that is replaced is also taken away.
fn is_similar(before: &Tree, after: &Tree) -> bool {
    let before: HashMap<&str, &Placement> =
        before.placements.iter().map(|placement| (placement.path.as_str(), placement)).collect();
    let is_same = |placement: &&Placement| before.get(placement.path.as_str()) == Some(placement);
    let same = after.placements.iter().filter(is_same).count();
    let changes = (before.len() - same) + (after.placements.len() - same);
    2 * changes < after.placements.len()
}
