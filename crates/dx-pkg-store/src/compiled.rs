//! Compiled lockfiles, by the digest of the text they were made from.

use std::io::Write;

use dx_pkg_os::files::Map;

use crate::layout::EntryName;
use crate::{Folder, Store, StoreError};

fn name_of(key: [u8; 32]) -> EntryName {
    EntryName::of_digest(key, ".dxl")
}

impl Store {
    /// Returns the compiled lockfile stored under `key`, unchecked: its own format detects damage.
    #[must_use]
    pub fn compiled_lock(&self, key: [u8; 32]) -> Option<Map> {
        let dir = self.existing(Folder::Lockfiles)?;
        Map::of(&dir.open_file(name_of(key)).ok()?).ok()
    }

    /// Stores a compiled lockfile under `key`.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn put_compiled_lock(&self, key: [u8; 32], bytes: &[u8]) -> Result<(), StoreError> {
        self.write_file(Folder::Lockfiles, name_of(key), |file| file.write_all(bytes))
    }
}
