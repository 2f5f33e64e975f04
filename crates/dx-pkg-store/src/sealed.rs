//! Files of the store with their seals.

use std::fs::File;
use std::io;

use dx_pkg_os::files::{Identity, Map, identity, is_own_file};

use crate::seal::{SEAL, Seals};
use crate::{Store, StoreError};

impl Store {
    /// Returns the seals of this store, whose key is created if missing.
    pub(crate) fn seals(&self) -> Result<&Seals, StoreError> {
        if let Some(seals) = self.seals_cell().get() {
            return Ok(seals);
        }
        let seals = Seals::of_key(self.key()?);
        Ok(self.seals_cell().get_or_init(|| seals))
    }

    /// Returns `bytes` with a seal that binds them to `entry` of the folder called `folder`.
    pub(crate) fn sealed(
        &self,
        folder: &str,
        entry: &[u8; 32],
        bytes: &[u8],
    ) -> Result<[u8; SEAL], StoreError> {
        Ok(self.seals()?.seal(entry, [folder.as_bytes(), bytes]))
    }

    /// Maps a file up to the seal in which it ends; `None` unless that is the one of `entry`.
    pub(crate) fn open_sealed(&self, file: &File, folder: &str, entry: &[u8; 32]) -> Option<Map> {
        let map = Map::of(file).ok()?;
        let (bytes, seal) = map.split_last_chunk::<SEAL>()?;
        let fits = self.seals().ok()?.fits(seal, entry, [folder.as_bytes(), bytes]);
        let length = bytes.len();
        fits.then(|| map.up_to(length))
    }

    /// Returns whether a file of the store may be one that a version before seals has written.
    pub(crate) fn is_former(&self, file: &File) -> io::Result<bool> {
        let is_own = is_own_file(&file.metadata()?);
        Ok(is_own && Identity::of_file(file)?.ctime_ns <= self.sealed_since())
    }

    /// Returns when the key was made, in nanoseconds since 1970. Where there is none and none can
    /// be made nothing is sealed yet.
    fn sealed_since(&self) -> i64 {
        *self.sealed_since_cell().get_or_init(|| {
            let made = self.key().ok();
            let made = made.and_then(|_| identity(&self.root().join("key")).ok().flatten());
            made.map_or(i64::MAX, |made| made.mtime_ns)
        })
    }
}

#[cfg(test)]
mod tests;
