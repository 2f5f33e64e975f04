//! The store's key: 32 random bytes in `<root>/v1/key`, by which the store knows what it has
//! written into folders that others can write to. It is created on first use, and leaves the store
//! never.

use std::io;
use std::path::Path;

use dx_pkg_os::files::{create_secret, read_secret};

use crate::{Store, StoreError};

/// The name in the store's folder.
const NAME: &str = "key";
/// The length in bytes.
const LENGTH: usize = 32;

/// The key of a store.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct StoreKey([u8; LENGTH]);

impl StoreKey {
    /// Reads the key of the store below `root` without opening the store; `None` if it has none that
    /// can be used.
    #[must_use]
    pub fn of_store(root: &Path) -> Option<Self> {
        read_secret(&root.join("v1").join(NAME)).ok().map(Self)
    }

    /// Returns the bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; LENGTH] {
        &self.0
    }
}

/// Shows nothing of the key.
impl std::fmt::Debug for StoreKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("StoreKey")
    }
}

impl Store {
    /// Returns the store's key, which is created if missing. One that others may read, or that is
    /// no key, is replaced: what it vouched for is then no longer believed.
    ///
    /// # Errors
    /// When it can be neither read nor created.
    pub fn key(&self) -> Result<StoreKey, StoreError> {
        if let Some(key) = self.key_cell().get() {
            return Ok(*key);
        }
        let path = self.root().join(NAME);
        let fail = |error| StoreError::io("reading or creating the store's key", &path)(error);
        let key = match read_secret(&path) {
            Ok(key) => key,
            Err(error) => self.create_key(&path, &error).map_err(fail)?,
        };
        Ok(*self.key_cell().get_or_init(|| StoreKey(key)))
    }

    fn create_key(&self, path: &Path, why: &io::Error) -> io::Result<[u8; LENGTH]> {
        let dir = self.root_dir();
        if why.kind() != io::ErrorKind::NotFound {
            // The system refuses for a folder, and in a folder of somebody else's.
            dir.remove_file(NAME)?;
        }
        match create_secret(dir, NAME) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => read_secret(path),
            created => created,
        }
    }
}

#[cfg(test)]
mod tests;
