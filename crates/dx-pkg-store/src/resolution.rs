//! Resolutions of projects, by the digest of all their input. Their format is the caller's.

use std::io::Write;

use dx_pkg_os::files::Map;

use crate::layout::EntryName;
use crate::{Folder, Store, StoreError};

fn name_of(key: [u8; 32]) -> EntryName {
    EntryName::of_digest(key, ".dxr")
}

impl Store {
    /// Returns the resolution stored under `key`, unchecked: its own format detects damage.
    #[must_use]
    pub fn resolution(&self, key: [u8; 32]) -> Option<Map> {
        let dir = self.existing(Folder::Resolutions)?;
        Map::of(&dir.open_file(name_of(key)).ok()?).ok()
    }

    /// Stores a resolution under `key`.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn put_resolution(&self, key: [u8; 32], bytes: &[u8]) -> Result<(), StoreError> {
        self.write_file(Folder::Resolutions, name_of(key), |file| file.write_all(bytes))
    }
}

#[cfg(test)]
mod tests;
