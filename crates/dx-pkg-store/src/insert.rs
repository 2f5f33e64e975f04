//! Insertion of packages into the store: their record first, then the expanded files.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use dx_pkg_core::{Integrity, PackageId};
use dx_pkg_format::FormatError;
use dx_pkg_format::dxp::{Dxp, FileEntry};
use dx_pkg_os::files::{Dir, unique_name};

use crate::layout::{EntryName, RECORD};
use crate::package_tree::{PLAIN, PackageTree, now_ns};
use crate::tables::{Names, Row};
use crate::{Folder, PackageTables, Store, StoreError};

/// The most packages whose tables are kept in memory: those of a large project are a third of it.
const MOST_FRESH: usize = 4096;

/// A name in `tmp/` whose file or tree is removed unless it was renamed away.
pub(crate) struct Temporary<'a> {
    store: &'a Store,
    name: String,
    published: bool,
}

impl<'a> Temporary<'a> {
    pub(crate) fn new(store: &'a Store) -> Self {
        Self { store, name: unique_name(""), published: false }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn path(&self) -> std::path::PathBuf {
        self.store.folder(Folder::Tmp).join(&self.name)
    }

    /// Renames the file to its place, replacing an existing one.
    pub(crate) fn publish_file(
        mut self,
        folder: Folder,
        target: impl AsRef<Path>,
    ) -> Result<(), StoreError> {
        let target = target.as_ref();
        let published = self.store.publish(&self.name, folder, target)?;
        published.map_err(|error| {
            StoreError::io("writing", self.store.folder(folder).join(target))(error)
        })?;
        self.published = true;
        Ok(())
    }

    /// Renames the folder to `name` in `into`.
    pub(crate) fn move_to(mut self, into: &Dir, name: String) -> Result<(), StoreError> {
        let moved = self.store.dir(Folder::Tmp)?.rename(&self.name, into, name);
        moved.map_err(|error| StoreError::io("moving", self.path())(error))?;
        self.published = true;
        Ok(())
    }
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        if !self.published {
            // If it stays, emptying the trash removes it later.
            let _ = dx_pkg_os::files::remove_tree(&self.path());
        }
    }
}

impl Store {
    /// Stores a package: its record, and then its files, expanded.
    ///
    /// An entry that another process created meanwhile stays: the same id means the same contents.
    ///
    /// # Errors
    /// When a path is unsafe or repeated, or the file system refuses; nothing incomplete becomes
    /// visible.
    pub fn insert(
        &self,
        id: PackageId,
        integrity: Option<&Integrity>,
        files: &[FileEntry<'_>],
    ) -> Result<(), StoreError> {
        let tables = PackageTables::of_files(files, integrity, &self.seals()?.digests)
            .map_err(|source| StoreError::Unstorable { id, source })?;
        self.insert_expanded(id, tables, |tree| tree.add_all(files))
    }

    /// Expands the package from its DXP file unless it is expanded. Returns whether the store has
    /// the package.
    ///
    /// A damaged DXP file is trashed and counts as missing, so that the package is fetched again.
    /// Expanded files without a record stay: the next insertion compares and uses them.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn ensure_expanded(&self, id: PackageId) -> Result<bool, StoreError> {
        if self.is_own(id) {
            return Ok(true);
        }
        let is_expanded = || self.entry(Folder::Expanded, id, "").is_some();
        if self.has_record(id) {
            if is_expanded() {
                return Ok(true);
            }
            self.forget(id)?;
        }
        match self.open_dxp(id) {
            Ok(Some(_)) => {}
            Ok(None) => return Ok(false),
            Err(StoreError::Damaged { path, .. }) => return self.trash(&path).map(|_| false),
            Err(error) => return Err(error),
        }
        if is_expanded() {
            return Ok(true);
        }
        let (package, archive) = match self.open_package_file(id) {
            Ok(Some(opened)) => opened,
            Ok(None) => return Ok(false),
            Err(StoreError::Damaged { path, .. }) => return self.trash(&path).map(|_| false),
            Err(error) => return Err(error),
        };
        let Some(tables) = self.open_tables(id)? else { return Ok(false) };
        let mut damage = None;
        let expanded = self.insert_expanded(id, tables, |tree| {
            write_verified(tree, package.dxp(), &archive, &mut damage)
        });
        if damage.is_some() {
            return self.trash(&self.package_path(id)).map(|_| false);
        }
        expanded?;
        self.remove_packed(id);
        Ok(true)
    }

    /// Writes a file in `tmp/` and renames it to its place, replacing an existing one.
    pub(crate) fn write_file(
        &self,
        folder: Folder,
        target: impl AsRef<Path>,
        write: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> Result<(), StoreError> {
        let target = target.as_ref();
        let tmp = self.dir(Folder::Tmp)?;
        let temporary = Temporary::new(self);
        let path = || self.folder(folder).join(target);
        let mut file = tmp
            .create_file(&temporary.name, PLAIN)
            .map_err(StoreError::io("creating", temporary.path()))?;
        write(&mut file).map_err(StoreError::io("writing", path()))?;
        temporary.publish_file(folder, target)
    }

    /// Opens a folder of `prepared/` that is no link; `None` if it does not exist yet.
    pub(crate) fn prepared_part(&self, part: &str) -> Option<Dir> {
        self.existing(Folder::Prepared)?.open_dir(part).ok()
    }

    /// Writes a file in such a folder, which is created if missing, as [`Self::write_file`] does.
    pub(crate) fn write_prepared_part(
        &self,
        part: &str,
        name: String,
        contents: &[u8],
    ) -> Result<(), StoreError> {
        let path = || self.folder(Folder::Prepared).join(part);
        let dir = self.dir(Folder::Prepared)?.make_or_open_dir_by_umask(part);
        let dir =
            dir.map_err(|error| StoreError::io("opening the store's folder", path())(error))?;
        let temporary = Temporary::new(self);
        self.dir(Folder::Tmp)?
            .write_file(&temporary.name, contents, PLAIN)
            .map_err(|error| StoreError::io("writing", path())(error))?;
        temporary.move_to(&dir, name)
    }

    /// Writes an empty file in `locks/`, whose time tells when something was done.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn note(&self, name: &str) -> Result<(), StoreError> {
        self.write_file(Folder::Locks, name, |_| Ok(()))
    }

    /// Creates the package's expanded folder in `tmp/`, calls `fill`, which returns the rows of the
    /// files, and publishes it.
    pub(crate) fn insert_expanded(
        &self,
        id: PackageId,
        tables: PackageTables,
        fill: impl FnOnce(&mut PackageTree) -> io::Result<Vec<Row>>,
    ) -> Result<(), StoreError> {
        let temporary = Temporary::new(self);
        let root = self.dir(Folder::Tmp)?.make_dir(&temporary.name);
        let root = root.map_err(StoreError::io("creating", temporary.path()))?;
        let mut tree = PackageTree::new(root, Names::STORED);
        let rows = fill(&mut tree).map_err(|source| {
            let path = self.expanded(id).join(tree.current());
            StoreError::io("writing", path)(source)
        })?;
        let tables = tables.with_rows(Names::STORED, rows, tree.changed_ns());
        self.publish_expanded(id, temporary, tables)
    }

    /// Writes a package's record and renames its expanded folder to its place. Where expanded files
    /// are there already, because another process was first or the package was forgotten, those
    /// that are right are kept.
    pub(crate) fn publish_expanded(
        &self,
        id: PackageId,
        mut temporary: Temporary<'_>,
        mut tables: PackageTables,
    ) -> Result<(), StoreError> {
        let name = EntryName::of_package(id, "");
        let failed = |error| StoreError::io("writing", self.expanded(id))(error);
        if self.entry(Folder::Expanded, id, "").is_some() && self.has_record(id) {
            return Ok(());
        }
        // First, so that expanded files always have a record. One without files counts as nothing.
        self.write_record(id, &tables)?;
        match self.publish(&temporary.name, Folder::Expanded, name)? {
            Ok(()) => temporary.published = true,
            Err(error) if is_taken(&error) => {
                if let Some(rows) = self.keep_right_files(id, &temporary, &tables) {
                    tables = tables.with_rows(Names::STORED, rows, now_ns());
                    self.write_record(id, &tables)?;
                }
                self.trash(&self.expanded(id))?;
                match self.publish(&temporary.name, Folder::Expanded, name)? {
                    Ok(()) => temporary.published = true,
                    // Another process was first, and its files have other stamps.
                    Err(error) if is_taken(&error) => return Ok(()),
                    Err(error) => return Err(failed(error)),
                }
            }
            Err(error) => return Err(failed(error)),
        }
        let mut fresh = self.fresh();
        // A process that stores more than one project's packages must not keep them all.
        if fresh.len() >= MOST_FRESH {
            fresh.clear();
        }
        fresh.insert(id, tables);
        Ok(())
    }

    /// Writes the record of an expanded package.
    pub(crate) fn write_record(
        &self,
        id: PackageId,
        tables: &PackageTables,
    ) -> Result<(), StoreError> {
        let record = tables.encode(id, self.seals()?);
        let name = EntryName::of_package(id, RECORD);
        self.write_file(Folder::Packages, name, |file| file.write_all(&record))
    }

    /// Removes the package's DXP file and the record beside it, once it is expanded and has a
    /// record of its own. If they stay, they take room until the package is removed.
    pub(crate) fn remove_packed(&self, id: PackageId) {
        if let Some(dir) = self.existing(Folder::Packages) {
            for suffix in [".dxp", ".files"] {
                let _ = dir.remove_file(EntryName::of_package(id, suffix));
            }
        }
    }
}

/// Returns whether a rename failed because another process has created the same folder.
fn is_taken(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists)
}

fn write_verified(
    tree: &mut PackageTree,
    dxp: Dxp<'_>,
    archive: &File,
    damage: &mut Option<FormatError>,
) -> io::Result<Vec<Row>> {
    let mut rows = Vec::with_capacity(dxp.len());
    for entry in dxp.entries() {
        match dxp.read_verified(&entry) {
            Ok(contents) => {
                let blocks = entry.stored_at().map(|offset| (archive, offset));
                rows.push(tree.add_sharing(entry.path, entry.mode, &contents, blocks)?);
            }
            Err(error) => {
                *damage = Some(error);
                return Err(io::ErrorKind::InvalidData.into());
            }
        }
    }
    Ok(rows)
}
