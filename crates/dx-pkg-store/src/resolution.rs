//! What was once worked out for a project, by a digest of everything it was worked out from; the contents are the
//! caller's.

use std::io::Write;

use dx_pkg_core::{PackageId, PackageName};
use dx_pkg_os::{Identity, Map};

use crate::layout::{Sharded, escaped};
use crate::metadata::file_name;
use crate::{Folder, Form, Store, StoreError};

fn name_of(key: [u8; 32]) -> Sharded {
    Sharded::new(PackageId::from_bytes(key), ".dxr")
}

impl Store {
    /// What is kept under `key`. Its own format tells whether it is sound.
    #[must_use]
    pub fn resolution(&self, key: [u8; 32]) -> Option<Map> {
        let dir = self.existing(Folder::Resolutions)?;
        Map::of(&dir.open_file(name_of(key)).ok()?).ok()
    }

    /// Keeps `bytes` under `key`.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn put_resolution(&self, key: [u8; 32], bytes: &[u8]) -> Result<(), StoreError> {
        self.write_file(Folder::Resolutions, &name_of(key), |file| file.write_all(bytes))
    }

    /// The files that hold what the metadata cache knows of a package: their names within it, and what they are now. An
    /// answer that rests on them holds as long as they are the same.
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

    /// Whether a file of the metadata cache is still the same.
    #[must_use]
    pub fn metadata_is(&self, file: &str, identity: &Identity) -> bool {
        self.existing(Folder::Metadata)
            .is_some_and(|dir| matches!(dir.identity(file), Ok(Some(now)) if now == *identity))
    }
}

#[cfg(test)]
mod tests;
