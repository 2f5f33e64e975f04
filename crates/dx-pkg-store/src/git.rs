//! Packages made of commits of git repositories: by the digest of what was packed, the integrity of
//! the package. Such a record ends in the store's seal, and is believed only with it.

use std::io::Write;

use dx_pkg_core::Integrity;

use crate::layout::EntryName;
use crate::{Folder, Store, StoreError};

fn name_of(key: [u8; 32]) -> EntryName {
    EntryName::of_digest(key, ".dxg")
}

/// Returns the key of the package in `folder` of a commit; `is_built` tells whether its scripts
/// were run before it was packed.
fn key(commit: &str, folder: &str, is_built: bool) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key("dx store v1: packages of git commits");
    for part in [commit, folder] {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.update(&[u8::from(is_built)]);
    *hasher.finalize().as_bytes()
}

impl Store {
    /// Returns the integrity of the package that was made of `folder` in a commit; `is_built` tells
    /// whether its scripts were run.
    #[must_use]
    pub fn git_package(&self, commit: &str, folder: &str, is_built: bool) -> Option<Integrity> {
        let key = key(commit, folder, is_built);
        let file = self.existing(Folder::Git)?.open_file(name_of(key)).ok()?;
        let map = self.open_sealed(&file, Folder::Git.name(), &key)?;
        Integrity::parse(std::str::from_utf8(&map).ok()?).ok()
    }

    /// Records the package that was made of a commit.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn put_git_package(
        &self,
        commit: &str,
        folder: &str,
        is_built: bool,
        integrity: &Integrity,
    ) -> Result<(), StoreError> {
        let (key, text) = (key(commit, folder, is_built), integrity.to_string());
        let seal = self.sealed(Folder::Git.name(), &key, text.as_bytes())?;
        self.write_file(Folder::Git, name_of(key), |file| {
            file.write_all(text.as_bytes())?;
            file.write_all(&seal)
        })
    }
}
