//! Compiled lockfiles, by the digest of the text they were made from.

use std::io::Write;

use dx_pkg_os::files::Map;

use crate::layout::EntryName;
use crate::{Folder, Store, StoreError};

fn name_of(key: [u8; 32]) -> EntryName {
    EntryName::of_digest(key, ".dxl")
}

impl Store {
    /// Returns the compiled lockfile stored under `key`, if this store has written it.
    #[must_use]
    pub fn compiled_lock(&self, key: [u8; 32]) -> Option<Map> {
        let dir = self.existing(Folder::Lockfiles)?;
        let file = dir.open_file(name_of(key)).ok()?;
        self.open_sealed(&file, Folder::Lockfiles.name(), &key)
    }

    /// Stores a compiled lockfile under `key`.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn put_compiled_lock(&self, key: [u8; 32], bytes: &[u8]) -> Result<(), StoreError> {
        let seal = self.sealed(Folder::Lockfiles.name(), &key, bytes)?;
        self.write_file(Folder::Lockfiles, name_of(key), |file| {
            file.write_all(bytes)?;
            file.write_all(&seal)
        })
    }
}
