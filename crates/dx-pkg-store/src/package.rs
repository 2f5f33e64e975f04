//! Reading of stored packages.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use dx_pkg_core::PackageId;
use dx_pkg_format::dxp::{self, Dxp, DxpError, Entry, Layout};
use dx_pkg_os::files::{Dir, Map};

use crate::layout::EntryName;
use crate::pending;
use crate::{Folder, PackageTables, Store, StoreError};

/// A package of the store.
#[derive(Debug)]
pub struct Package(Source);

#[derive(Debug)]
enum Source {
    /// A DXP file, mapped and checked.
    Whole { map: Map, layout: Layout },
    /// The tables of a pending package, and the folder of its files.
    Pending { tables: PackageTables, files: PathBuf },
}

impl Package {
    /// Returns the package's tables. [`Self::read`] returns contents.
    #[must_use]
    pub fn dxp(&self) -> Dxp<'_> {
        match &self.0 {
            Source::Whole { map, layout } => layout.view(map),
            Source::Pending { tables, .. } => tables.dxp(),
        }
    }

    /// Returns a file's contents, without a copy if they are stored uncompressed.
    ///
    /// # Errors
    /// When they are damaged, or the package is pending and its files have been moved away.
    pub fn read(&self, entry: &Entry<'_>) -> Result<Cow<'_, [u8]>, DxpError> {
        match &self.0 {
            Source::Whole { map, layout } => layout.view(map).read(entry),
            Source::Pending { files, .. } => {
                let read = |dir: Dir| pending::read_matching(&dir, entry);
                let contents = Dir::open(files).and_then(read).ok().flatten();
                contents
                    .map(Cow::Owned)
                    .ok_or_else(|| DxpError::Content { path: entry.path.to_owned() })
            }
        }
    }
}

impl Store {
    /// Reads the tables of a package's DXP file; `None` if the store has none.
    ///
    /// # Errors
    /// When the tables are damaged or cannot be read.
    pub fn open_tables(&self, id: PackageId) -> Result<Option<PackageTables>, StoreError> {
        if let Some(tables) = self.pending().and_then(|pending| pending.tables(id)) {
            return Ok(Some(tables));
        }
        let bytes = match self.open_dxp(id).and_then(read_tables) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(StoreError::io("opening the package", self.package_path(id))(error));
            }
        };
        match PackageTables::of(bytes) {
            Ok(tables) => Ok(Some(tables)),
            Err(source) => Err(StoreError::Damaged { path: self.package_path(id), source }),
        }
    }

    /// Maps a package's DXP file; `None` if the store has none.
    ///
    /// # Errors
    /// When the file is damaged or cannot be read.
    pub fn open_package(&self, id: PackageId) -> Result<Option<Package>, StoreError> {
        if let Some(pending) = self.pending()
            && let Some(tables) = pending.tables(id)
        {
            let files = self.folder(Folder::Tmp).join(pending.name()).join(pending::name_of(id));
            return Ok(Some(Package(Source::Pending { tables, files })));
        }
        Ok(self.open_package_file(id)?.map(|(package, _)| package))
    }

    /// Maps a package's DXP file and keeps the file open.
    pub(crate) fn open_package_file(
        &self,
        id: PackageId,
    ) -> Result<Option<(Package, File)>, StoreError> {
        let (map, file) = match self.open_dxp(id).and_then(|file| Ok((Map::of(&file)?, file))) {
            Ok(opened) => opened,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(StoreError::io("opening the package", self.package_path(id))(error));
            }
        };
        match Layout::decode(&map) {
            Ok(layout) => Ok(Some((Package(Source::Whole { map, layout }), file))),
            Err(source) => Err(StoreError::Damaged { path: self.package_path(id), source }),
        }
    }

    fn open_dxp(&self, id: PackageId) -> io::Result<File> {
        let packages = self.existing(Folder::Packages).ok_or(io::ErrorKind::NotFound)?;
        packages.open_file(EntryName::of_package(id, ".dxp"))
    }

    /// Returns the number of files of a package, from its unchecked header; `None` if that cannot
    /// be read.
    #[must_use]
    pub fn file_count(&self, id: PackageId) -> Option<usize> {
        if let Some(tables) = self.pending().and_then(|pending| pending.tables(id)) {
            return Some(tables.dxp().len());
        }
        let mut file = self.open_dxp(id).ok()?;
        let mut header = [0; dxp::HEADER];
        file.read_exact(&mut header).ok()?;
        dxp::file_count(&header)
    }

    /// Opens the package's expanded folder.
    ///
    /// # Errors
    /// When the package is not expanded, or the file system refuses.
    pub fn open_expanded(&self, id: PackageId) -> io::Result<Dir> {
        if let Some(pending) = self.pending().filter(|pending| pending.tables(id).is_some()) {
            return pending.dir.open_dir(pending::name_of(id));
        }
        self.existing(Folder::Expanded)
            .ok_or(io::ErrorKind::NotFound)?
            .open_dir(EntryName::of_package(id, ""))
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
