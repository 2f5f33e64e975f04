//! Deferred insertion: pending packages, their records, and their completion in the background.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use dx_pkg_core::{Integrity, PackageId};
use dx_pkg_format::dxp::{self, DigestedFile, FileEntry, Layout};
use dx_pkg_os::files::{Dir, unique_name};

use crate::layout::EntryName;
use crate::package_tree::PackageTree;
use crate::pending::{PREFIX, Pending, name_of, record, write_package};
use crate::{Folder, PackageTables, Store, StoreError};

/// The time for which an abandoned folder is unchanged. A process in another container looks
/// like a dead one, and has this long from one package to the next.
const ABANDONED_FOR: Duration = Duration::from_secs(10 * 60);

/// The packages of one install whose DXP files are yet to be written.
#[derive(Debug)]
pub struct PendingRecord {
    /// The project that has the packages' files.
    pub project: PathBuf,
    /// The packages, with the beginnings of their DXP files.
    pub packages: Vec<(PackageId, Vec<u8>)>,
    /// The folder in `tmp/` that has the files which were not moved into the project.
    unmoved: PathBuf,
    /// The record's own file.
    file: PathBuf,
}

impl Store {
    /// Inserts a package for this process alone, its DXP to be written later from a project's
    /// files; see [`Self::record_pending`].
    ///
    /// # Errors
    /// When a path is unsafe or repeated, or the file system refuses.
    pub fn insert_deferred(
        &self,
        id: PackageId,
        integrity: Option<&Integrity>,
        files: &[FileEntry<'_>],
    ) -> Result<(), StoreError> {
        let unstorable = |source| StoreError::Unstorable { id, source };
        let digested: Vec<_> = files.iter().map(DigestedFile::of).collect();
        let tables =
            dxp::tables_of(&digested, integrity).and_then(PackageTables::of).map_err(unstorable)?;
        let pending = self.pending_or_begin()?;
        if pending.tables(id).is_some() {
            return Ok(());
        }
        let failed = |error| StoreError::io("writing", self.expanded(id))(error);
        let mut tree = PackageTree::new(pending.dir.make_dir(name_of(id)).map_err(failed)?);
        tree.add_all(files).map_err(failed)?;
        pending.insert(id, tables);
        Ok(())
    }

    pub(crate) fn pending_or_begin(&self) -> Result<&Pending, StoreError> {
        let tmp = self.dir(Folder::Tmp)?;
        if let Some(pending) = self.pending() {
            return Ok(pending);
        }
        // Threads that arrive together must create one folder.
        let _begins = self.begins_pending();
        if let Some(pending) = self.pending() {
            return Ok(pending);
        }
        let name = unique_name(&format!("{PREFIX}{}-", std::process::id()));
        let dir = tmp
            .make_dir(&name)
            .map_err(StoreError::io("making", self.folder(Folder::Tmp).join(&name)))?;
        let begun = Pending::new(name, dir);
        Ok(self.pending_cell().get_or_init(|| begun))
    }

    /// Records this process's pending packages for the background process, which writes them from
    /// `project`'s files. Returns the number of packages.
    ///
    /// # Errors
    /// When the file system refuses; the packages are then fetched again when they are needed.
    pub fn record_pending(&self, project: &Path) -> Result<usize, StoreError> {
        let Some(pending) = self.pending() else { return Ok(0) };
        let tables = pending.take();
        let packages = tables.iter().map(|(id, tables)| (*id, tables));
        let bytes = record::encode(project, pending.name(), packages);
        let (tmp, folder) = (self.dir(Folder::Tmp)?, self.dir(Folder::Pending)?);
        let name = unique_name("");
        tmp.write_file(&name, &bytes, 0o644)
            .and_then(|()| tmp.rename(&name, folder, &name))
            .map_err(StoreError::io("writing", self.folder(Folder::Pending).join(name)))?;
        Ok(tables.len())
    }

    /// Discards this process's pending packages, where no background process will follow.
    ///
    /// # Errors
    /// When their folder cannot be removed.
    pub fn drop_pending(&self) -> Result<(), StoreError> {
        let Some(pending) = self.pending() else { return Ok(()) };
        drop(pending.take());
        let path = self.folder(Folder::Tmp).join(pending.name());
        dx_pkg_os::files::remove_tree(&path).map_err(StoreError::io("removing", path))
    }

    /// Reads the records of all installs. A damaged one is removed.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn pending_records(&self) -> Result<Vec<PendingRecord>, StoreError> {
        let mut records = Vec::new();
        for file in self.names_in(Folder::Pending)? {
            let bytes = std::fs::read(&file).map_err(StoreError::io("reading", &file))?;
            match record::decode(&bytes) {
                Some(record::Contents { project, folder, packages }) => {
                    let unmoved = self.folder(Folder::Tmp).join(folder);
                    records.push(PendingRecord { project, packages, unmoved, file });
                }
                None => std::fs::remove_file(&file).map_err(StoreError::io("removing", file))?,
            }
        }
        Ok(records)
    }

    /// Returns the folders of killed processes: those without a record.
    pub(crate) fn abandoned_pending(&self) -> Result<Vec<PathBuf>, StoreError> {
        let is_abandoned = |path: &PathBuf| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let process =
                name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next()?.parse().ok());
            let modified = std::fs::metadata(path).and_then(|metadata| metadata.modified());
            process.is_some_and(|process| !dx_pkg_os::process::process_alive(process))
                && modified
                    .is_ok_and(|modified| modified.elapsed().is_ok_and(|age| age > ABANDONED_FOR))
        };
        let mut abandoned: Vec<PathBuf> =
            self.names_in(Folder::Tmp)?.into_iter().filter(is_abandoned).collect();
        if !abandoned.is_empty() {
            // Read last: a process writes its record before it ends.
            let records = self.pending_records()?;
            abandoned.retain(|path| records.iter().all(|record| record.unmoved != *path));
        }
        Ok(abandoned)
    }

    /// Writes the DXP file of a pending package from the first folder with all its files unchanged:
    /// one of `copies`, or the one it was unpacked into. Returns whether there is such a folder.
    ///
    /// # Errors
    /// When the store cannot be written to.
    pub fn complete(
        &self,
        record: &PendingRecord,
        id: PackageId,
        tables: &[u8],
        copies: &[PathBuf],
    ) -> Result<bool, StoreError> {
        let Ok(layout) = Layout::decode_tables(tables) else { return Ok(false) };
        if dxp::tables_length(tables) != Some(tables.len() as u64) {
            return Ok(false);
        }
        if self.open_package(id).is_ok_and(|package| package.is_some()) {
            return Ok(true);
        }
        let unmoved = record.unmoved.join(name_of(id));
        for copy in copies.iter().chain([&unmoved]) {
            let Ok(dir) = Dir::open(copy) else { continue };
            let mut differs = false;
            let name = EntryName::of_package(id, ".dxp");
            let written = self.write_file(Folder::Packages, &name, |file| {
                let written = write_package(file, tables, layout.view(tables), &dir);
                differs =
                    matches!(&written, Err(error) if error.kind() == io::ErrorKind::InvalidData);
                written
            });
            match written {
                Ok(()) => {
                    // A tarball that cannot be removed does no harm.
                    let _ = self.remove_tarball(id);
                    return Ok(true);
                }
                Err(_) if differs => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    /// Removes a record, once its packages are written or cannot be.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn remove_pending(&self, record: &PendingRecord) -> Result<(), StoreError> {
        self.trash(&record.unmoved)?;
        std::fs::remove_file(&record.file).map_err(StoreError::io("removing", &record.file))
    }
}

#[cfg(test)]
mod tests;
