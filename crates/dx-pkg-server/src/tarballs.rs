//! Tarballs by their digest: `tarballs/<aa>/<algorithm>-<hex>`, each stored once, whoever has it.
//!
//! A stored tarball is hashed when this process serves it for the first time, and again if its file
//! has changed since; never per request. Small ones stay in memory, within a limit: to open, read
//! and close a file takes longer than to send what is in it.

use crate::failure::Failure;
use crate::lru::Lru;
use crate::storage::{Created, Key, Storage, Temporary, blocking};
use crate::turns::Turns;
use bytes::Bytes;
use dx_pkg_core::Integrity;
use dx_pkg_core::integrity::HashAlgorithm;
use dx_pkg_os::files::Map;
use std::fs::{File, Metadata};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::OwnedMutexGuard;

/// The memory for the names of tarballs that were hashed, in bytes.
const REMEMBERED: usize = 8 << 20;

/// The age of its mark at which a file that is used is marked anew. By the marks, the file that was
/// used least recently is removed first.
const USED: Duration = Duration::from_secs(24 * 3600);

/// The longest tarball that stays in memory, in bytes.
const SMALL: usize = 64 << 10;

/// The tarballs of a storage.
pub(crate) struct Tarballs {
    storage: Storage,
    /// Small ones, each with the time since which it is here.
    small: Lru<Integrity, (Bytes, Instant)>,
    /// The state of each file when it was hashed.
    hashed: Lru<Key, (u64, SystemTime)>,
    turns: Turns<Key>,
}

/// A tarball that was looked for.
pub(crate) enum Found {
    /// Its bytes, mapped.
    Whole(Bytes),
    /// Its file is not what it was.
    Damaged,
    Missing,
}

impl Tarballs {
    /// Opens the tarballs of a storage, with `memory` bytes for small ones.
    pub(crate) fn new(storage: Storage, memory: usize) -> Self {
        let (small, hashed) = (Lru::new(memory), Lru::new(REMEMBERED));
        Self { storage, small, hashed, turns: Turns::default() }
    }

    /// Returns the key of the tarball with this integrity.
    pub(crate) fn key(integrity: &Integrity) -> Key {
        let hash = integrity.strongest();
        let algorithm = match hash.algorithm() {
            HashAlgorithm::Sha512 => "sha512",
            HashAlgorithm::Sha384 => "sha384",
            HashAlgorithm::Sha256 => "sha256",
            HashAlgorithm::Sha1 => "sha1",
        };
        let hex: String = hash.digest().iter().map(|byte| format!("{byte:02x}")).collect();
        Key::of("tarballs").with(&hex[..2]).with(&format!("{algorithm}-{hex}"))
    }

    /// Opens a tarball.
    pub(crate) async fn open(&self, integrity: &Integrity) -> Result<Found, Failure> {
        // After that time its file is looked at, which is marked as used then.
        if let Some((bytes, since)) = self.small.get(integrity)
            && since.elapsed() < USED
        {
            return Ok(Found::Whole(bytes));
        }
        let found = self.open_file(integrity).await?;
        if let Found::Whole(bytes) = &found
            && bytes.len() <= SMALL
        {
            self.small.put(integrity.clone(), (bytes.clone(), Instant::now()), bytes.len());
        }
        Ok(found)
    }

    async fn open_file(&self, integrity: &Integrity) -> Result<Found, Failure> {
        let key = Self::key(integrity);
        let Some(opened) = self.storage.open_object(&key)? else {
            return Ok(Found::Missing);
        };
        let fault = |error: std::io::Error| Failure::of_io("read", key.as_str(), &error);
        let state = state(&opened.metadata().map_err(fault)?).map_err(fault)?;
        let map = Map::of_any_size(&opened).map_err(fault)?;
        let bytes = Bytes::from_owner(map);
        if self.hashed.get(&key) == Some(state) {
            let is_old = state.1.elapsed().unwrap_or_default() > USED;
            if is_old && opened.set_modified(SystemTime::now()).is_ok() {
                // So it is hashed again at the next request: once a day.
                self.hashed.remove(&key);
            }
            return Ok(Found::Whole(bytes));
        }
        let (integrity, checked) = (integrity.clone(), bytes.clone());
        if blocking(move || integrity.verify(&checked)).await?.is_err() {
            return Ok(Found::Damaged);
        }
        self.hashed.put(key, state, 64);
        Ok(Found::Whole(bytes))
    }

    /// Stores a complete file, whose bytes were checked against the integrity.
    pub(crate) async fn store(
        &self,
        integrity: &Integrity,
        file: Temporary,
    ) -> Result<(), Failure> {
        let key = Self::key(integrity);
        let created = self.storage.adopt(&key, file).await?;
        let fault = |error: std::io::Error| Failure::of_io("read", key.as_str(), &error);
        let opened = File::open(self.storage.path(&key)).map_err(fault)?;
        if created == Created::Exists {
            // Used again: it is no longer what was used least recently.
            return opened.set_modified(SystemTime::now()).map_err(fault);
        }
        let state = state(&opened.metadata().map_err(fault)?).map_err(fault)?;
        self.hashed.put(key, state, 64);
        Ok(())
    }

    /// Removes a tarball's file, so that it can be fetched again.
    pub(crate) async fn remove(&self, integrity: &Integrity) -> Result<(), Failure> {
        let key = Self::key(integrity);
        self.hashed.remove(&key);
        self.small.remove(integrity);
        self.storage.remove(&key).await
    }

    /// Waits for the turn to fetch a tarball.
    pub(crate) async fn turn(&self, integrity: &Integrity) -> OwnedMutexGuard<()> {
        self.turns.take(&Self::key(integrity)).await
    }
}

fn state(metadata: &Metadata) -> std::io::Result<(u64, SystemTime)> {
    Ok((metadata.len(), metadata.modified()?))
}
