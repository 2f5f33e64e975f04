//! Reading a stored package.

use std::io;
use std::path::{Path, PathBuf};

use dx_pkg_core::PackageId;
use dx_pkg_format::dxp::{Dxp, Layout};
use dx_pkg_fs::Map;

use crate::{Store, StoreError};

/// A package's DXP file, mapped and checked.
#[derive(Debug)]
pub struct Package {
    map: Map,
    layout: Layout,
    expanded: PathBuf,
}

impl Package {
    /// The package, read in place.
    #[must_use]
    pub fn dxp(&self) -> Dxp<'_> {
        self.layout.view(&self.map)
    }

    /// Where its files are, if they were expanded.
    #[must_use]
    pub fn expanded(&self) -> &Path {
        &self.expanded
    }
}

impl Store {
    /// Maps a package's DXP file; `None` when the store has none.
    ///
    /// # Errors
    /// When the file is damaged or cannot be read.
    pub fn open_package(&self, id: PackageId) -> Result<Option<Package>, StoreError> {
        let path = self.package_path(id);
        let map = match Map::open(&path) {
            Ok(map) => map,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::io("opening the package", path)(error)),
        };
        match Layout::decode(&map) {
            Ok(layout) => Ok(Some(Package { map, layout, expanded: self.expanded(id) })),
            Err(source) => Err(StoreError::Damaged { path, source }),
        }
    }
}
