//! Deferred insertion: pending packages, their records, and their storage in the background.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use dx_pkg_core::{Integrity, PackageId};
use dx_pkg_format::dxp::FileEntry;
use dx_pkg_os::files::{Dir, read_bounded, unique_name};

use crate::layout::RECORD_LIMIT;
use crate::matching::read_matching;
use crate::package_tree::PackageTree;
use crate::pending::{PREFIX, Pending, name_of, record};
use crate::tables::{Names, Row};
use crate::{Folder, PackageTables, Store, StoreError};

/// The time for which an abandoned folder is unchanged. A process in another container looks
/// like a dead one, and has this long from one package to the next.
const ABANDONED_FOR: Duration = Duration::from_secs(10 * 60);

/// The packages of one install that are yet to be stored.
#[derive(Debug)]
pub struct PendingRecord {
    /// The project that has the packages' files.
    pub project: PathBuf,
    /// The packages, with their tables.
    pub packages: Vec<(PackageId, PackageTables)>,
    /// The folder in `tmp/` that has the files which were not moved into the project.
    unmoved: PathBuf,
    /// The record's own file.
    file: PathBuf,
}

impl Store {
    /// Inserts a package for this process alone, to be stored later with a project's files; see
    /// [`Self::record_pending`].
    ///
    /// # Errors
    /// When a path is unsafe or repeated, or the file system refuses.
    pub fn insert_deferred(
        &self,
        id: PackageId,
        integrity: Option<&Integrity>,
        files: &[FileEntry<'_>],
    ) -> Result<(), StoreError> {
        let tables = PackageTables::of_files(files, integrity, &self.seals()?.digests)
            .map_err(|source| StoreError::Unstorable { id, source })?;
        self.defer(id, tables, files)
    }

    /// Inserts a package of these tables for this process alone.
    pub(crate) fn defer(
        &self,
        id: PackageId,
        tables: PackageTables,
        files: &[FileEntry<'_>],
    ) -> Result<(), StoreError> {
        let pending = self.pending_or_begin()?;
        let Some(claim) = pending.claim(id) else { return Ok(()) };
        let name = name_of(id);
        let write = || {
            let mut tree = PackageTree::new(pending.dir.make_dir(&name)?, Names::Paths);
            Ok((tree.add_all(files)?, tree.changed_ns()))
        };
        match write() {
            Ok((rows, changed_ns)) => {
                claim.complete(tables.with_rows(Names::Paths, rows, changed_ns));
                Ok(())
            }
            Err(error) => {
                // What is half-written is in nobody's way.
                let _ = pending.dir.remove_tree(&name);
                Err(StoreError::io("writing", self.expanded(id))(error))
            }
        }
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

    /// Records this process's pending packages for the background process, which stores them with
    /// `project`'s files. Returns the number of packages.
    ///
    /// # Errors
    /// When the file system refuses; the packages are then fetched again when they are needed.
    pub fn record_pending(&self, project: &Path) -> Result<usize, StoreError> {
        let Some(pending) = self.pending() else { return Ok(0) };
        let tables = pending.take();
        let packages = tables.iter().map(|(id, tables)| (*id, tables));
        let bytes = record::encode(project, pending.name(), packages, self.seals()?);
        self.write_file(Folder::Pending, unique_name(""), |file| file.write_all(&bytes))?;
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
            // What is no record, as a pipe, is removed as a damaged one is.
            let bytes = match read_bounded(&file, RECORD_LIMIT) {
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => Vec::new(),
                read => read.map_err(StoreError::io("reading", &file))?,
            };
            match record::decode(&bytes, self.seals()?) {
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

    /// Stores a pending package with links to the files of the first folder that has all of them,
    /// none changed: one of `copies`, or the one it was unpacked into. Returns whether there is
    /// such a folder.
    ///
    /// # Errors
    /// When the store cannot be written to.
    pub fn complete(
        &self,
        record: &PendingRecord,
        id: PackageId,
        tables: &PackageTables,
        copies: &[PathBuf],
    ) -> Result<bool, StoreError> {
        let unmoved = record.unmoved.join(name_of(id));
        let is_stored =
            self.has(id) || self.link_copy(id, tables, copies.iter().chain([&unmoved]))?;
        if is_stored {
            // A tarball that cannot be removed does no harm.
            let _ = self.remove_tarball(id);
        }
        Ok(is_stored)
    }

    /// Stores a package with links to the files of the first copy that has all of them.
    fn link_copy<'c>(
        &self,
        id: PackageId,
        tables: &PackageTables,
        copies: impl Iterator<Item = &'c PathBuf>,
    ) -> Result<bool, StoreError> {
        for copy in copies {
            let Ok(dir) = Dir::open(copy) else { continue };
            let mut differs = false;
            let linked = self.insert_expanded(id, tables.clone(), |tree| {
                let rows = link_all(tree, tables, &dir)?;
                differs = rows.is_none();
                rows.ok_or_else(|| io::ErrorKind::InvalidData.into())
            });
            match linked {
                Ok(()) => return Ok(true),
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

/// Links the files of `copy` into `tree`, those that cannot be linked are copied. Returns their
/// rows; `None` if a file is missing or was changed.
fn link_all(
    tree: &mut PackageTree,
    tables: &PackageTables,
    copy: &Dir,
) -> io::Result<Option<Vec<Row>>> {
    let mut rows = Vec::with_capacity(tables.dxp().len());
    for (entry, stamp) in tables.stamped() {
        let found = copy.status(entry.path)?;
        // Nobody but dx may have touched it: these files have other names than the store's.
        let is_same = found.zip(stamp).is_some_and(|(found, stamp)| {
            stamp.fits(&found, &entry) && found.identity.ctime_ns <= tables.changed_ns
        });
        let linked = stamp.filter(|_| is_same).map(|stamp| tree.link(entry.path, copy, stamp));
        rows.push(match linked {
            Some(Ok(row)) => row,
            _ => {
                let contents = read_matching(copy, entry.path, &entry, &tables.digests)?;
                let Some(contents) = contents else { return Ok(None) };
                tree.add(entry.path, entry.mode, &contents)?
            }
        });
    }
    Ok(Some(rows))
}

#[cfg(test)]
mod tests;
