//! Prepares the next tree of a project, during maintenance.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::Path;

use dx_pkg_acquire::Cancel;
use dx_pkg_core::PackageId;
use dx_pkg_link::{LinkOptions, NoProgress, Placement, PlacementSource, Tree, materialise, mend};
use dx_pkg_lock::Lock;
use dx_pkg_lock::dxl::DxlView;
use dx_pkg_os::files::Dir;
use dx_pkg_store::expanded::{Altered, Checked};
use dx_pkg_store::preparation::{PreparedKey, PreparedTree, TreeOrigin, TreeSize};
use dx_pkg_store::{PrepareJob, Store};

use crate::plan::{Plan, tree_of};
use crate::seal::Seal;
use crate::session::OpenSession;
use crate::{InstallError, altered, own_files, restore, snapshot, tree_files};

/// The result of a preparation.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Prepared {
    /// Trees prepared.
    pub(crate) trees: usize,
    /// Those of them that were changed from another prepared tree.
    pub(crate) patched: usize,
    /// Files that had to be restored first.
    pub(crate) repaired: usize,
}

/// The next tree of a project.
pub(crate) struct Preparation<'p> {
    store: &'p Store,
    cancel: &'p Cancel,
    project: &'p Path,
    origin: TreeOrigin,
    key: PreparedKey,
    record: Vec<u8>,
    installed: Lock,
    tree: Tree,
}

impl<'p> Preparation<'p> {
    /// Returns the preparation for the project as it is now; `None` where no tree can be prepared.
    pub(crate) fn of(
        store: &'p Store,
        job: &'p PrepareJob,
        cancel: &'p Cancel,
    ) -> Result<Option<Self>, InstallError> {
        let PrepareJob { project, tree: origin } = job;
        let seal = Seal::of_store(store);
        let Some(record) = own_files::record(project, seal) else { return Ok(None) };
        let Ok(view) = DxlView::open(&record) else { return Ok(None) };
        let (installed, record) = altered::as_installed_next(store, view.to_lock(), &record)?;
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
        let key = tree_files::key_of_record(&record);
        Ok(Some(Preparation {
            store,
            cancel,
            project,
            origin: *origin,
            key,
            record,
            installed,
            tree,
        }))
    }

    /// Returns the key of the tree.
    pub(crate) fn key(&self) -> PreparedKey {
        self.key
    }

    /// Records that the project has a tree of this key.
    pub(crate) fn record(&self) -> Result<(), InstallError> {
        Ok(self.store.record_prepared(self.key, &self.record, self.project)?)
    }

    /// Prepares as many trees as are missing, so far as the disk has room for them.
    pub(crate) fn carry_out(&self, trees: u32) -> Result<Prepared, InstallError> {
        let mut prepared = Prepared::default();
        self.record()?;
        let entries = self.store.prepared_entries();
        let ready =
            entries.iter().find(|entry| entry.key == self.key).map_or(0, |entry| entry.trees.len());
        for _ in ready..trees as usize {
            let size = self.store.tree_size(self.key).unwrap_or_else(|| self.estimate());
            if !self.store.make_room(Some(self.key), size) {
                break;
            }
            let patched = self.patch()?;
            if !patched {
                self.prepare()?;
            }
            prepared.trees += 1;
            prepared.patched += usize::from(patched);
        }
        if prepared.trees > 0 {
            self.store.record_links(self.packages().into_iter());
        }
        Ok(prepared)
    }

    fn packages(&self) -> BTreeSet<PackageId> {
        let ids = self.tree.placements.iter().filter_map(|placement| match placement.source {
            PlacementSource::Package(id) => Some(id),
            _ => None,
        });
        ids.collect()
    }

    /// Trashes trees that were prepared for other locks of this project: where its next tree is not
    /// prepared, nothing is made of them.
    pub(crate) fn remove_others(&self) {
        for entry in self.store.prepared_entries() {
            if entry.key != self.key && entry.project().as_deref() == Some(self.project) {
                for tree in &entry.trees {
                    // One that cannot be moved is removed with its entry.
                    let _ = self.store.trash(tree);
                }
            }
        }
    }

    /// Returns what a tree takes that was never made: packages have some five folders each.
    fn estimate(&self) -> TreeSize {
        const FOLDERS: u64 = 5;
        TreeSize::of(FOLDERS * self.tree.placements.len() as u64, 0)
    }

    /// Restores altered files that the tree is linked from, and returns their number; `None` where
    /// the store lacks a package. The project's own tree is repaired too, and other projects that
    /// share the files are told. What only the registry has is fetched in a session of the project.
    ///
    /// Files that were changed since dx has last linked or checked them are hashed: the install has
    /// only compared sizes and times, which can be set back.
    pub(crate) fn check_files(
        &self,
        open: &OpenSession<'_>,
    ) -> Result<Option<usize>, InstallError> {
        let mut seen: HashMap<PackageId, Vec<Altered>> = HashMap::new();
        let mut lacking = Vec::new();
        for placement in &self.tree.placements {
            let PlacementSource::Package(id) = placement.source else { continue };
            if seen.contains_key(&id) {
                continue;
            }
            self.cancel.check()?;
            let Checked { altered, is_complete } =
                self.store.repair_expanded(id, Some(&self.project.join(&placement.path)))?;
            if !is_complete && altered.is_empty() {
                return Ok(None);
            }
            if !is_complete {
                lacking.push(id);
            }
            seen.insert(id, altered);
        }
        let is_fetched = lacking.is_empty() || self.fetch(open, &lacking);
        if !is_fetched {
            altered::tell(self.store);
            return Ok(None);
        }
        let mut repaired = seen.values().map(Vec::len).sum();
        if repaired > 0 {
            for placement in self.tree.placements.iter().filter(|_| self.origin.is_new()) {
                if let PlacementSource::Package(id) = placement.source {
                    self.repair_copy(&placement.path, id, &seen[&id]);
                }
            }
        }
        altered::tell(self.store);
        // A tree that was built here has lost nothing while it waited.
        if let Some(linked) =
            altered::linked_at(self.project).filter(|_| self.origin == TreeOrigin::Prepared)
        {
            let seal = Seal::of_store(self.store);
            let held = seal.filter(|seal| snapshot::state_holds(self.project, *seal));
            let lost = mend(self.project, self.store, &self.tree, &self.options(&[]), linked)?;
            if let Some(seal) = held.filter(|_| lost > 0) {
                snapshot::refresh_state(self.project, seal)?;
            }
            repaired += lost;
        }
        Ok(Some(repaired))
    }

    /// Fetches packages again; returns whether that succeeded. The next install that needs them
    /// does so otherwise, and tells why it cannot.
    fn fetch(&self, open: &OpenSession<'_>, ids: &[PackageId]) -> bool {
        let plan = Plan::recorded(self.installed.clone());
        let fetched = open(self.project)
            .and_then(|session| restore::fetch(&session, self.project, &plan, ids));
        fetched.is_ok()
    }

    /// Replaces, in the project's copy of a package, files that share the inode of an altered one.
    /// A file that was altered after dx put it there was altered for this project and stays.
    fn repair_copy(&self, copy: &str, id: PackageId, altered: &[Altered]) {
        let Some(linked) = altered::linked_at(self.project) else { return };
        let Ok(folder) = Dir::open(self.project).and_then(|root| root.open_dir(copy)) else {
            return;
        };
        for Altered { path, inode } in altered {
            let place = Path::new(path);
            let Ok(Some(found)) = folder.identity(place) else { continue };
            if found.inode != *inode || found.mtime_ns > linked {
                continue;
            }
            let draft =
                place.with_file_name(dx_pkg_os::files::unique_name(dx_pkg_os::files::TEMPORARY));
            let Some(stored) = self.store.file_path(id, path) else { continue };
            let (Some(around), Some(name)) = (stored.parent(), stored.file_name()) else {
                continue;
            };
            let linked =
                Dir::open(around).and_then(|around| folder.link_from(&around, name, &draft));
            // A file that cannot be replaced stays; `dx ci` makes the tree anew.
            if linked.and_then(|()| folder.rename(&draft, &folder, place)).is_ok() {
                altered::tell_restored(self.project, &format!("{copy}/{path}"));
            }
        }
    }

    /// Changes a tree prepared for the project's earlier lockfile into the one it needs now, and
    /// offers it; returns whether there was one that is similar enough.
    fn patch(&self) -> Result<bool, InstallError> {
        let Some((other, prepared, before)) = self.claim_another() else { return Ok(false) };
        let changed = self.change(prepared.path(), &before);
        // A tree that could not be changed goes to the trash.
        if changed.is_err() {
            self.cancel.check()?;
            return Ok(false);
        }
        self.store.offer_prepared_tree(self.key, prepared.path())?;
        let packages = before.placements.len().max(1) as u64;
        if let Some(size) = self.store.tree_size(other) {
            // Folders that went are not counted; on average packages take the same.
            let size = size.scaled(self.tree.placements.len() as u64, packages);
            self.store.record_tree_size(self.key, size)?;
        }
        Ok(true)
    }

    /// Claims a prepared tree last used by this project that differs in less than half of its
    /// packages.
    fn claim_another(&self) -> Option<(PreparedKey, PreparedTree, Tree)> {
        let prepared = self.store.prepared_entries();
        let others = prepared
            .iter()
            .filter(|prepared| prepared.key != self.key && !prepared.trees.is_empty());
        for prepared in
            others.filter(|prepared| prepared.project().as_deref() == Some(self.project))
        {
            let Ok(record) = prepared.record() else { continue };
            // Another version of dx may have built it differently.
            if tree_files::key_of_record(&record) != prepared.key {
                continue;
            }
            let Ok(view) = DxlView::open(&record) else { continue };
            let Ok(tree) = tree_of(&view.to_lock()) else { continue };
            if is_similar(&tree, &self.tree)
                && let Some(claimed) = self.store.take_prepared_tree(prepared.key)
            {
                return Some((prepared.key, claimed, tree));
            }
        }
        None
    }

    fn change(&self, folder: &Path, before: &Tree) -> Result<(), InstallError> {
        self.make_importers(folder)?;
        let state = tree_files::state_files(&self.installed, Seal::of_store(self.store));
        materialise(
            folder,
            self.store,
            &self.tree,
            Some(before),
            &self.options(&state),
            &NoProgress,
        )?;
        // Files that it had already are checked too.
        mend(folder, self.store, &self.tree, &self.options(&state), i64::MAX)?;
        Ok(())
    }

    /// Builds one tree and offers it.
    fn prepare(&self) -> Result<(), InstallError> {
        let folder = self.store.tmp_dir()?.join(dx_pkg_os::files::unique_name(""));
        let built = self.build(&folder).and_then(|size| {
            self.store.record_tree_size(self.key, size)?;
            Ok(self.store.offer_prepared_tree(self.key, &folder)?)
        });
        if built.is_err() {
            let _ = dx_pkg_os::files::remove_tree(&folder);
        }
        built
    }

    fn build(&self, folder: &Path) -> Result<TreeSize, InstallError> {
        self.make_importers(folder)?;
        let state = tree_files::state_files(&self.installed, Seal::of_store(self.store));
        let options = self.options(&state);
        let report = materialise(folder, self.store, &self.tree, None, &options, &NoProgress)?;
        let state = state.iter().map(|(_, contents)| contents.len() as u64).sum::<u64>();
        Ok(TreeSize::of(report.directories, report.bytes_copied + state))
    }

    fn options<'o>(&'o self, state: &'o [(String, Vec<u8>)]) -> LinkOptions<'o> {
        LinkOptions {
            keep_foreign: false,
            links_outside: true,
            cancelled: Some(self.cancel.flag()),
            // [`Self::check_files`] has.
            store_is_checked: true,
            extra_files: state,
            ..LinkOptions::default()
        }
    }

    /// Creates the folders of the project and its workspaces.
    fn make_importers(&self, folder: &Path) -> Result<(), InstallError> {
        let importers: BTreeSet<&str> = self
            .installed
            .packages
            .iter()
            .filter_map(|package| tree_files::importer(&package.path))
            .collect();
        for folder in
            importers.into_iter().map(|importer| folder.join(importer)).chain([folder.to_owned()])
        {
            fs::create_dir_all(&folder)
                .map_err(|error| InstallError::io(format!("making {}", folder.display()), error))?;
        }
        Ok(())
    }
}

/// Returns whether changing one tree into the other costs less than building that: each package
/// that differs is built, and a replaced one is also removed.
fn is_similar(before: &Tree, after: &Tree) -> bool {
    let before: HashMap<&str, &Placement> =
        before.placements.iter().map(|placement| (placement.path.as_str(), placement)).collect();
    let is_same = |placement: &&Placement| before.get(placement.path.as_str()) == Some(placement);
    let same = after.placements.iter().filter(is_same).count();
    let changes = (before.len() - same) + (after.placements.len() - same);
    2 * changes < after.placements.len()
}
