//! Reading a stored package.

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
        let Some(packages) = self.existing(Folder::Packages) else { return Ok(None) };
        let map = match packages.open_file(Sharded::new(id, ".dxp")).and_then(|file| Map::of(&file)) {
            Ok(map) => map,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::io("opening the package", self.package_path(id))(error)),
        };
        match Layout::decode(&map) {
            Ok(layout) => Ok(Some(Package { map, layout })),
            Err(source) => Err(StoreError::Damaged { path: self.package_path(id), source }),
        }
    }

    /// How many files a package has, by its first bytes alone; `None` when they cannot be read. A hint, unchecked.
    #[must_use]
    pub fn file_count(&self, id: PackageId) -> Option<usize> {
        let mut file = self.existing(Folder::Packages)?.open_file(Sharded::new(id, ".dxp")).ok()?;
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
