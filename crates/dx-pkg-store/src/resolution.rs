//! Resolutions of projects, by the digest of all their input. Their format is the caller's.

use std::io::Write;

use dx_pkg_core::PackageName;
use dx_pkg_os::files::{Identity, Map};

use crate::layout::{EntryName, escaped};
use crate::metadata::Form;
use crate::metadata::file_name;
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
        self.write_file(Folder::Resolutions, &name_of(key), |file| file.write_all(bytes))
    }

    /// Returns a package's files in the metadata cache, with their present identities. A result
    /// that was derived from them holds while these stay the same.
    #[must_use]
    pub fn metadata_files(
        &self,
        registry_key: &str,
        name: &PackageName,
    ) -> Vec<(String, Identity)> {
        let Some(dir) = self.existing(Folder::Metadata) else { return Vec::new() };
        let registry = escaped(registry_key);
        let paths = [Form::Abbreviated, Form::Full]
            .map(|form| format!("{registry}/{}", file_name(name, form)));
        let present = paths.into_iter().filter_map(|path| Some((dir.identity(&path).ok()??, path)));
        present.map(|(identity, path)| (path, identity)).collect()
    }

    /// Returns whether a file of the metadata cache still has this identity.
    #[must_use]
    pub fn metadata_is_unchanged(&self, file: &str, identity: &Identity) -> bool {
        self.existing(Folder::Metadata)
            .is_some_and(|dir| matches!(dir.identity(file), Ok(Some(now)) if now == *identity))
    }
}

#[cfg(test)]
mod tests;
