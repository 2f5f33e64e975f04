//! One package: fetched, or already here as a tarball, and unpacked.

use std::sync::{Arc, PoisonError};

use dx_pkg_compat::manifest::Manifest;
use dx_pkg_compat::npm_registry::{Streaming, Tarball, TarballRequest, Unpacker};
use dx_pkg_compat::tarball::{self, Limits};
use dx_pkg_core::{Integrity, IntegrityMismatch, PackageId, PackageName};
use tokio::sync::{mpsc, oneshot};

use super::streaming::{self, PIECES, STREAMED_FROM};
use super::{Shared, Storing};
use crate::failure::Failure;
use crate::session::Network;

/// How many times as large as its tarball the archive in it usually is: those of the large fixture hold 293 MB in 61.
const USUAL_RATIO: u64 = 4;

/// A package on its way into the store.
pub(super) struct Download {
    pub(super) shared: Arc<Shared>,
    pub(super) id: PackageId,
    pub(super) name: PackageName,
    pub(super) integrity: Option<Integrity>,
    pub(super) storing: Storing,
    /// The files that are to be executable: commands are so in the store, and linking need not make copies that are.
    pub(super) commands: Vec<String>,
    /// Whether its licence is to be read from its manifest.
    pub(super) wants_license: bool,
}

impl Download {
    pub(super) async fn bring(
        self: Arc<Self>,
        network: Network,
        wanted: TarballRequest,
    ) -> Result<(), Failure> {
        if self.shared.store.has_tarball(self.id) && self.clone().unpack_kept().await? {
            return Ok(());
        }
        network.registry.tarball(wanted, &self).await?
    }

    /// Unpacks the tarball that the store has, if that is sound.
    async fn unpack_kept(self: Arc<Self>) -> Result<bool, Failure> {
        let store = &self.shared.store;
        // How much is in it is not known before it is read.
        let memory = store.tarball_size(self.id).unwrap_or_default().saturating_mul(USUAL_RATIO);
        let download = self.clone();
        let unpack = move || {
            let store = &download.shared.store;
            let Some(bytes) = store.tarball(download.id) else { return Ok(false) };
            download.unpack_bytes(&bytes)?;
            if download.storing == Storing::Now {
                // What stays is in nobody's way.
                let _ = store.forget_tarball(download.id);
            }
            Ok(true)
        };
        self.shared.workers.run(memory, unpack).await.unwrap_or_else(|| Err(panicked()))
    }

    fn unpack_bytes(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut unpacked = tarball::unpack(bytes, &Limits::default()).map_err(|error| {
            let mut failure = Failure::from(error);
            failure.message = format!("the tarball of {}: {}", self.name, failure.message);
            failure
        })?;
        for file in &self.commands {
            unpacked.set_executable(file);
        }
        if self.wants_license {
            self.note_license(unpacked.find("package.json").map(|file| file.data));
        }
        let store = &self.shared.store;
        match self.storing {
            Storing::Later | Storing::Packed => {
                store.insert_later(self.id, self.integrity.as_ref(), &unpacked.entries())?;
            }
            Storing::Now => store.insert(self.id, self.integrity.as_ref(), &unpacked.entries())?,
        }
        self.note_inserted();
        Ok(())
    }

    /// Notes the licence that `manifest` tells, the package's own.
    pub(super) fn note_license(&self, manifest: Option<&[u8]>) {
        let text = manifest.and_then(|manifest| std::str::from_utf8(manifest).ok());
        let license =
            text.and_then(|text| Manifest::parse(text).ok()).and_then(|manifest| manifest.license);
        self.shared
            .licenses
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(self.id, license);
    }

    /// Notes that the store has the package, or this process.
    pub(super) fn note_inserted(&self) {
        self.shared.inserted.lock().unwrap_or_else(PoisonError::into_inner).push(self.id);
    }
}

impl Unpacker for Download {
    type Taken = Result<(), Failure>;

    async fn unpack(self: &Arc<Self>, tarball: Tarball) -> Result<Self::Taken, IntegrityMismatch> {
        self.shared.progress.received(tarball.bytes.len() as u64);
        let memory = tarball::unpacked_size(&tarball.bytes);
        let download = self.clone();
        let unpack = move || {
            let (bytes, _slot) = tarball.verify()?;
            if download.storing == Storing::Packed
                && let Err(error) = download.shared.store.put_tarball(download.id, &bytes)
            {
                return Ok(Err(error.into()));
            }
            Ok(download.unpack_bytes(&bytes))
        };
        self.shared.workers.run(memory, unpack).await.unwrap_or_else(|| Ok(Err(panicked())))
    }

    fn begin(self: &Arc<Self>, length: u64) -> Option<Streaming<Self::Taken>> {
        if length < STREAMED_FROM {
            return None;
        }
        let integrity = self.integrity.clone()?;
        let (pieces, arriving) = mpsc::channel(PIECES);
        let (taken, outcome) = oneshot::channel();
        let download = self.clone();
        // It waits for the network most of the time: the threads that unpack what is here would be too few.
        let unpack = move || {
            if streaming::unpack(&download, &integrity, length, arriving).is_ok() {
                let _ = taken.send(Ok(()));
            }
        };
        std::thread::Builder::new().name("dx-stream".into()).spawn(unpack).ok()?;
        Some(Streaming { pieces, outcome })
    }
}

fn panicked() -> Failure {
    Failure::new("DX_INTERNAL", "unpacking a tarball panicked")
}
