//! Reading a stored package.

use std::fs::File;
use std::io::{self, Read};

use dx_pkg_core::PackageId;
use dx_pkg_format::dxp::{self, Dxp, Layout};
use dx_pkg_fs::{Dir, Map};

use crate::layout::Sharded;
use crate::{Folder, Store, StoreError};

/// A package's DXP file, mapped and checked.
#[derive(Debug)]
pub struct Package {
    map: Map,
    layout: Layout,
}

impl Package {
    /// The package, read in place.
    #[must_use]
    pub fn dxp(&self) -> Dxp<'_> {
        self.layout.view(&self.map)
    }
}

impl Store {
    /// Maps a package's DXP file; `None` when the store has none.
    ///
    /// # Errors
    /// When the file is damaged or cannot be read.
    pub fn open_package(&self, id: PackageId) -> Result<Option<Package>, StoreError> {
        Ok(self.open_package_file(id)?.map(|(package, _)| package))
    }

    /// Maps a package's DXP file and keeps the file open.
    pub(crate) fn open_package_file(&self, id: PackageId) -> Result<Option<(Package, File)>, StoreError> {
        let (map, file) = match self.open_dxp(id).and_then(|file| Ok((Map::of(&file)?, file))) {
            Ok(opened) => opened,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::io("opening the package", self.package_path(id))(error)),
        };
        match Layout::decode(&map) {
            Ok(layout) => Ok(Some((Package { map, layout }, file))),
            Err(source) => Err(StoreError::Damaged { path: self.package_path(id), source }),
        }
    }

    fn open_dxp(&self, id: PackageId) -> io::Result<File> {
        let packages = self.existing(Folder::Packages).ok_or(io::ErrorKind::NotFound)?;
        packages.open_file(Sharded::new(id, ".dxp"))
    }

    /// How many files a package has, by its first bytes alone; `None` when they cannot be read. A hint, unchecked.
    #[must_use]
    pub fn file_count(&self, id: PackageId) -> Option<usize> {
        let mut file = self.open_dxp(id).ok()?;
        let mut header = [0; dxp::HEADER];
        file.read_exact(&mut header).ok()?;
        dxp::file_count(&header)
    }

    /// Opens the folder of the package's files.
    ///
    /// # Errors
    /// When it was not expanded, or the file system refuses.
    pub fn open_expanded(&self, id: PackageId) -> io::Result<Dir> {
        self.existing(Folder::Expanded).ok_or(io::ErrorKind::NotFound)?.open_dir(Sharded::new(id, ""))
    }
}
