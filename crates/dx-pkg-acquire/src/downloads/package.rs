//! One package: fetched, or in the store as a tarball, and unpacked.

use std::io::BufReader;
use std::sync::{Arc, PoisonError};

use dx_pkg_compat::tarball;
use dx_pkg_core::PackageId;
use dx_pkg_registry::TarballRequest;
use dx_pkg_store::StoreMode;

use super::download::Download;
use super::streaming::{self, Arriving, Failure, STREAMED_FROM};
use crate::{AcquireError, Network};

/// The usual ratio of an archive to its tarball: those of the large fixture hold 293 MB in 61.
const USUAL_RATIO: u64 = 4;
/// The most bytes that a tarball is unpacked to in memory; a larger one is unpacked in pieces.
pub(super) const IN_MEMORY: u64 = 16 << 20;

impl Download {
    pub(super) async fn bring(
        self: Arc<Self>,
        network: Network,
        wanted: TarballRequest,
    ) -> Result<(), AcquireError> {
        if self.is_stored && self.clone().unpack_stored().await? {
            return Ok(());
        }
        network.source.tarball(wanted, self.clone()).await?;
        let outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner).take();
        outcome.unwrap_or(Err(AcquireError::Panicked))
    }

    /// Unpacks the tarball that the store has; returns whether it was sound.
    async fn unpack_stored(self: Arc<Self>) -> Result<bool, AcquireError> {
        let size = self.shared.store.tarball_size(self.id).unwrap_or_default();
        // The unpacked size is not known before it is read.
        let memory = if size < STREAMED_FROM { size.saturating_mul(USUAL_RATIO) } else { 0 };
        let download = self.clone();
        let unpack = move || download.unpack_stored_now();
        self.shared.workers.run(memory, unpack).await.unwrap_or(Err(AcquireError::Panicked))
    }

    /// Unpacks the tarball that the store has, on this thread; returns whether it was sound.
    pub(super) fn unpack_stored_now(&self) -> Result<bool, AcquireError> {
        let store = &self.shared.store;
        if store.tarball_size(self.id).is_some_and(|size| size < STREAMED_FROM) {
            let Some(integrity) = &self.integrity else { return Ok(false) };
            let Some(bytes) = store.tarball(self.id, integrity) else { return Ok(false) };
            self.unpack_bytes(&bytes)?;
        } else if !self.unpack_file()? {
            return Ok(false);
        }
        if self.mode == StoreMode::Now {
            // A tarball that stays does no harm.
            let _ = store.remove_tarball(self.id);
        }
        Ok(true)
    }

    /// Unpacks a large tarball that the store has; returns whether it was sound. A damaged one is
    /// removed.
    fn unpack_file(&self) -> Result<bool, AcquireError> {
        let store = &self.shared.store;
        let named = self.integrity.as_ref();
        let integrity = named.filter(|named| PackageId::from_integrity(named) == self.id);
        let (Some(file), Some(integrity)) = (store.open_tarball(self.id), integrity) else {
            return Ok(false);
        };
        match streaming::unpack(self, BufReader::new(file), Some(integrity), None) {
            Ok(()) => Ok(true),
            Err(Failure::Refused(error)) => Err(error),
            Err(Failure::Mismatch(_) | Failure::Source(_)) => {
                // If it stays, it is checked again by the next read.
                let _ = store.remove_tarball(self.id);
                Ok(false)
            }
        }
    }

    /// Unpacks a tarball while it arrives.
    pub(super) fn unpack_arriving(&self, source: Arriving) -> Result<(), Failure> {
        let kept = match self.mode {
            StoreMode::Tarball => Some(self.shared.store.receive_tarball()?),
            StoreMode::Now | StoreMode::Deferred => None,
        };
        streaming::unpack(self, source, self.integrity.as_ref(), kept)
    }

    /// Unpacks a tarball in memory, which is verified, into the store.
    pub(super) fn unpack_bytes(&self, bytes: &[u8]) -> Result<(), AcquireError> {
        let unpacked = tarball::unpack_within(bytes, &self.shared.limits, IN_MEMORY);
        let unpacked = unpacked.map_err(|error| AcquireError::Tarball {
            name: self.name.clone(),
            source: Arc::new(error),
        })?;
        let Some(mut unpacked) = unpacked else {
            return match streaming::unpack(self, bytes, None, None) {
                Err(Failure::Refused(error)) => Err(error),
                // Memory does not fail, and nothing is verified.
                Err(Failure::Source(_) | Failure::Mismatch(_)) => Err(AcquireError::Panicked),
                Ok(()) => Ok(()),
            };
        };
        for file in &self.commands {
            unpacked.set_executable(file);
        }
        if self.wants_license {
            self.record_own_fields(unpacked.find("package.json").map(|file| file.data));
        }
        if unpacked.find("binding.gyp").is_some() {
            self.mark_gyp(unpacked.find("package.json").map(|file| file.data))?;
        }
        let store = &self.shared.store;
        match self.mode {
            StoreMode::Deferred | StoreMode::Tarball => {
                store.insert_deferred(self.id, self.integrity.as_ref(), &unpacked.entries())?;
            }
            StoreMode::Now => {
                store.insert(self.id, self.integrity.as_ref(), &unpacked.entries())?
            }
        }
        self.record_inserted();
        Ok(())
    }
}
