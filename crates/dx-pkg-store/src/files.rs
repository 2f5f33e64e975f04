//! The files of one package, in the store or pending.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use dx_pkg_core::PackageId;
use dx_pkg_format::dxp::Entry;
use dx_pkg_os::files::{Dir, Status};

use crate::layout::EntryName;
use crate::matching::{contents_match, file_matches, read_matching};
use crate::tables::{FileName, Row, Stamp};
use crate::{Folder, PackageTables, Store, pending};

/// The open folder of a package's files.
#[derive(Debug)]
pub struct PackageFiles {
    dir: Dir,
    tables: PackageTables,
}

impl PackageFiles {
    pub(crate) fn new(dir: Dir, tables: PackageTables) -> Self {
        Self { dir, tables }
    }

    /// Returns the package's tables.
    #[must_use]
    pub fn tables(&self) -> &PackageTables {
        &self.tables
    }

    pub(crate) fn dir(&self) -> &Dir {
        &self.dir
    }

    pub(crate) fn name<'a>(&self, entry: &Entry<'a>) -> FileName<'a> {
        self.tables.name(entry)
    }

    /// Opens a file for reading.
    ///
    /// # Errors
    /// When it is missing, or the file system refuses.
    pub fn open(&self, entry: &Entry<'_>) -> io::Result<File> {
        self.dir.open_file(self.name(entry))
    }

    /// Creates `name` in `into` as a hard link to a file.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn link(&self, entry: &Entry<'_>, into: &Dir, name: &str) -> io::Result<()> {
        into.link_from(&self.dir, self.name(entry), name)
    }

    /// Creates `name` in `into` as a file that shares the blocks of a file, which has `mode` too;
    /// see [`dx_pkg_os::files::reflink`].
    ///
    /// # Errors
    /// When the file systems cannot, or refuse.
    pub fn reflink(&self, entry: &Entry<'_>, into: &Dir, name: &str, mode: u32) -> io::Result<()> {
        dx_pkg_os::files::reflink(&self.dir, self.name(entry), into, name, mode)
    }

    /// Returns identity, mode and number of links of a file; `None` if it is missing.
    pub(crate) fn status(&self, entry: &Entry<'_>) -> io::Result<Option<Status>> {
        self.dir.status(self.name(entry))
    }

    /// Returns whether a file has the size, mode and digest of its entry.
    pub(crate) fn matches(&self, entry: &Entry<'_>) -> io::Result<bool> {
        file_matches(&self.dir, self.name(entry), entry, &self.tables.digests)
    }

    /// Returns whether a file has the size and digest of its entry.
    pub(crate) fn contents_match(&self, entry: &Entry<'_>) -> io::Result<bool> {
        contents_match(&self.dir, self.name(entry), entry, &self.tables.digests)
    }

    /// Reads a file; `None` if it is missing or altered.
    pub(crate) fn read(&self, entry: &Entry<'_>) -> io::Result<Option<Vec<u8>>> {
        read_matching(&self.dir, self.name(entry), entry, &self.tables.digests)
    }

    /// Returns the row of a file as it is now.
    pub(crate) fn row(&self, entry: &Entry<'_>, found: &Status) -> Row {
        Row { stamp: Stamp::of(&found.identity), number: self.tables.number(entry) }
    }

    /// Returns whether all files have the stamps, sizes and modes of the tables. Those that were
    /// changed since dx has last linked or checked them are compared with their digests, as long as
    /// `budget` lasts.
    pub(crate) fn all_fit(&self, budget: &AtomicU64) -> io::Result<bool> {
        /// What opening a file takes, in bytes that are hashed in that time.
        const OPENING: u64 = 64 * 1024;
        for (entry, stamp) in self.tables.stamped() {
            let found = self.status(&entry)?.zip(stamp);
            let Some((found, _)) = found.filter(|(found, stamp)| stamp.fits(found, &entry)) else {
                return Ok(false);
            };
            if found.identity.ctime_ns > self.tables.changed_ns
                && spend(budget, entry.size.saturating_add(OPENING))
                && !self.contents_match(&entry)?
            {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Takes so much from what is left; returns whether there was enough.
fn spend(budget: &AtomicU64, cost: u64) -> bool {
    let left = budget.load(Ordering::Relaxed);
    left > 0
        && budget
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(cost))
            .is_ok()
}

impl Store {
    /// Opens the folder of a package's files; `tables` are those of [`Self::open_tables`].
    ///
    /// # Errors
    /// When the package is not expanded, or the file system refuses.
    pub fn open_files(&self, id: PackageId, tables: &PackageTables) -> io::Result<PackageFiles> {
        let dir = match self.pending().filter(|pending| pending.tables(id).is_some()) {
            Some(pending) => pending.dir.open_dir(pending::name_of(id))?,
            None => self
                .existing(Folder::Expanded)
                .ok_or(io::ErrorKind::NotFound)?
                .open_dir(EntryName::of_package(id, ""))?,
        };
        Ok(PackageFiles::new(dir, tables.clone()))
    }

    /// Returns where the file at `path` of a stored package is; `None` if there is none.
    #[must_use]
    pub fn file_path(&self, id: PackageId, path: &str) -> Option<PathBuf> {
        let tables = self.stored_tables(id).ok()??;
        let entry = tables.dxp().find(path)?;
        Some(self.expanded(id).join(tables.name(&entry)))
    }
}
