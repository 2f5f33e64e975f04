//! The store's key on disk: read, or created.

use std::io;
use std::path::Path;

use dx_pkg_os::files::{create_secret, read_secret};

use crate::key::{LENGTH, NAME, StoreKey};
use crate::{Store, StoreError};

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
