//! Resolutions of projects, by the digest of all their input. Their format is the caller's.

use std::io::Write;

use dx_pkg_os::files::Map;

use crate::layout::EntryName;
use crate::{Folder, Store, StoreError};

fn name_of(key: [u8; 32]) -> EntryName {
    EntryName::of_digest(key, ".dxr")
}

impl Store {
    /// Returns the resolution stored under `key`, if this store has written it.
    #[must_use]
    pub fn resolution(&self, key: [u8; 32]) -> Option<Map> {
        let dir = self.existing(Folder::Resolutions)?;
        let file = dir.open_file(name_of(key)).ok()?;
        self.open_sealed(&file, Folder::Resolutions.name(), &key)
    }

    /// Stores a resolution under `key`.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn put_resolution(&self, key: [u8; 32], bytes: &[u8]) -> Result<(), StoreError> {
        let seal = self.sealed(Folder::Resolutions.name(), &key, bytes)?;
        self.write_file(Folder::Resolutions, name_of(key), |file| {
            file.write_all(bytes)?;
            file.write_all(&seal)
        })
    }
}

#[cfg(test)]
mod tests;
