//! Compiled lockfiles by the digest of the text they were made from.

use std::io::Write;

use dx_pkg_core::PackageId;
use dx_pkg_os::Map;

use crate::layout::Sharded;
use crate::{Folder, Store, StoreError};

fn name_of(key: [u8; 32]) -> Sharded {
    Sharded::new(PackageId::from_bytes(key), ".dxl")
}

impl Store {
    /// The compiled lockfile kept under `key`. Its own format tells whether it is sound.
    #[must_use]
    pub fn compiled_lock(&self, key: [u8; 32]) -> Option<Map> {
        let dir = self.existing(Folder::Lockfiles)?;
        Map::of(&dir.open_file(name_of(key)).ok()?).ok()
    }

    /// Keeps a compiled lockfile under `key`.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn put_compiled_lock(&self, key: [u8; 32], bytes: &[u8]) -> Result<(), StoreError> {
        self.write_file(Folder::Lockfiles, &name_of(key), |file| file.write_all(bytes))
    }
}
