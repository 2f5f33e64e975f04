//! Reading of stored packages.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::OnceLock;

use dx_pkg_core::PackageId;
use dx_pkg_format::dxp::{self, Dxp, DxpError, Entry, Layout};
use dx_pkg_os::files::{Dir, Map};

use crate::layout::{EntryName, RECORD, RECORD_LIMIT};
use crate::tables::Names;
use crate::{Folder, PackageFiles, PackageTables, Store, StoreError, pending, tables};

/// A package of the store.
#[derive(Debug)]
pub struct Package(Source);

#[derive(Debug)]
enum Source {
    /// A DXP file, mapped and checked.
    Whole { map: Map, layout: Layout },
    /// The tables of a package, and the folder of its files.
    Files { tables: PackageTables, folder: PathBuf, files: OnceLock<PackageFiles> },
}

impl Package {
    fn of_files(tables: PackageTables, folder: PathBuf) -> Self {
        Self(Source::Files { tables, folder, files: OnceLock::new() })
    }

    /// Returns the package's tables. [`Self::read`] returns contents.
    #[must_use]
    pub fn dxp(&self) -> Dxp<'_> {
        match &self.0 {
            Source::Whole { map, layout } => layout.view(map),
            Source::Files { tables, .. } => tables.dxp(),
        }
    }

    /// Returns a file's contents, whose digest was checked, without a copy if they are in a DXP
    /// file, uncompressed.
    ///
    /// # Errors
    /// When they are damaged, or the package is pending and its files have been moved away.
    pub fn read(&self, entry: &Entry<'_>) -> Result<Cow<'_, [u8]>, DxpError> {
        match &self.0 {
            Source::Whole { map, layout } => layout.view(map).read_verified(entry),
            Source::Files { tables, folder, files } => {
                let damaged = || DxpError::Content { path: entry.path.to_owned() };
                let files = match files.get() {
                    Some(files) => files,
                    None => {
                        let opened = Dir::open(folder).map_err(|_| damaged())?;
                        files.get_or_init(|| PackageFiles::new(opened, tables.clone()))
                    }
                };
                let contents = files.read(entry).ok().flatten();
                contents.map(Cow::Owned).ok_or_else(damaged)
            }
        }
    }
}

impl Store {
    /// Reads the tables of a package; `None` if the store does not have it.
    ///
    /// # Errors
    /// When the tables are damaged or cannot be read, or the package is of other bytes than those
    /// that are expected.
    pub fn open_tables(&self, id: PackageId) -> Result<Option<PackageTables>, StoreError> {
        let pending = self.pending().and_then(|pending| pending.tables(id));
        let tables = match pending.or_else(|| self.fresh().get(&id).cloned()) {
            Some(tables) => Some(tables),
            None => self.stored_tables(id)?,
        };
        tables.map(|tables| self.as_expected(id, tables)).transpose()
    }

    /// Reads the tables of a package from its record or its DXP file.
    pub(crate) fn stored_tables(&self, id: PackageId) -> Result<Option<PackageTables>, StoreError> {
        if let Some(tables) = self.recorded(id)? {
            return Ok(Some(tables));
        }
        let Some(file) = self.open_dxp(id)? else { return Ok(None) };
        let bytes = read_tables(file)
            .map_err(StoreError::io("opening the package", self.package_path(id)))?;
        let damaged = |source| StoreError::Damaged { path: self.package_path(id), source };
        let tables = PackageTables::of_dxp(bytes).map_err(damaged)?;
        let rows = self.earlier_rows(id, tables.dxp().len()).unwrap_or_default();
        Ok(Some(tables.with_rows(Names::Paths, rows, i64::MIN)))
    }

    /// Reads the record of an expanded package; `None` if there is none, or it is damaged or not
    /// this store's.
    fn recorded(&self, id: PackageId) -> Result<Option<PackageTables>, StoreError> {
        /// The first read, which most records fit in: those of 50 files take about 6 KiB.
        const FIRST: usize = 16 * 1024;
        let read = |mut file: File| {
            let mut bytes = vec![0; FIRST];
            let read = file.read(&mut bytes)?;
            bytes.truncate(read);
            if read == FIRST {
                (&file).take(RECORD_LIMIT).read_to_end(&mut bytes)?;
            }
            let is_former = PackageTables::is_former(&bytes) && self.is_former(&file)?;
            Ok((bytes, is_former))
        };
        match self.open_entry(id, RECORD).and_then(read) {
            Ok((bytes, true)) => Ok(PackageTables::decode_former(bytes)),
            Ok((bytes, false)) => Ok(PackageTables::decode(bytes, id, self.seals()?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => {
                let path = self.package_path(id).with_extension("dxt");
                Err(StoreError::io("opening the package", path)(error))
            }
        }
    }

    /// Opens a package; `None` if the store does not have it.
    ///
    /// # Errors
    /// When it is damaged or cannot be read.
    pub fn open_package(&self, id: PackageId) -> Result<Option<Package>, StoreError> {
        if let Some(pending) = self.pending()
            && let Some(tables) = pending.tables(id)
        {
            let folder = self.folder(Folder::Tmp).join(pending.name()).join(pending::name_of(id));
            return Ok(Some(Package::of_files(self.as_expected(id, tables)?, folder)));
        }
        let fresh = self.fresh().get(&id).cloned();
        let recorded = if fresh.is_some() { fresh } else { self.recorded(id)? };
        if let Some(tables) = recorded {
            return Ok(Some(Package::of_files(self.as_expected(id, tables)?, self.expanded(id))));
        }
        // The tables that it has are compared with what is expected.
        self.open_tables(id)?;
        Ok(self.open_package_file(id)?.map(|(package, _)| package))
    }

    /// Maps a package's DXP file and keeps the file open.
    pub(crate) fn open_package_file(
        &self,
        id: PackageId,
    ) -> Result<Option<(Package, File)>, StoreError> {
        let Some(file) = self.open_dxp(id)? else { return Ok(None) };
        let map = Map::of_any_size(&file)
            .map_err(StoreError::io("opening the package", self.package_path(id)))?;
        match Layout::decode(&map) {
            Ok(layout) => Ok(Some((Package(Source::Whole { map, layout }), file))),
            Err(source) => Err(StoreError::Damaged { path: self.package_path(id), source }),
        }
    }

    /// Opens a package's DXP file, which an earlier version has written: one that was put there
    /// later is damage.
    pub(crate) fn open_dxp(&self, id: PackageId) -> Result<Option<File>, StoreError> {
        let failed = |error| StoreError::io("opening the package", self.package_path(id))(error);
        let file = match self.open_entry(id, ".dxp") {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        if self.is_former(&file).map_err(failed)? {
            return Ok(Some(file));
        }
        let source = DxpError::Corrupt { format: "package", what: "dx has not put it there" };
        Err(StoreError::Damaged { path: self.package_path(id), source })
    }

    fn open_entry(&self, id: PackageId, suffix: &str) -> io::Result<File> {
        let packages = self.existing(Folder::Packages).ok_or(io::ErrorKind::NotFound)?;
        packages.open_file(EntryName::of_package(id, suffix))
    }

    /// Returns the number of files of a package, from its unchecked header; `None` if that cannot
    /// be read.
    #[must_use]
    pub fn file_count(&self, id: PackageId) -> Option<usize> {
        if let Some(tables) = self.pending().and_then(|pending| pending.tables(id)) {
            return Some(tables.dxp().len());
        }
        if let Some(tables) = self.fresh().get(&id) {
            return Some(tables.dxp().len());
        }
        if let Ok(mut file) = self.open_entry(id, RECORD) {
            let mut beginning = [0; tables::COUNTED];
            file.read_exact(&mut beginning).ok()?;
            return tables::file_count(&beginning);
        }
        let mut file = self.open_entry(id, ".dxp").ok()?;
        let mut header = [0; dxp::HEADER];
        file.read_exact(&mut header).ok()?;
        dxp::file_count(&header)
    }
}

/// Reads a DXP file up to its payload, or less if the file is damaged.
fn read_tables(mut file: File) -> io::Result<Vec<u8>> {
    /// The first read, which most packages' tables fit in: those of 50 files take about 6 KiB.
    const FIRST: usize = 8 * 1024;
    let mut bytes = vec![0; FIRST];
    let read = file.read(&mut bytes)?;
    bytes.truncate(read);
    let missing = dxp::tables_length(&bytes).unwrap_or_default().saturating_sub(read as u64);
    if missing > 0 {
        file.take(missing).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}
