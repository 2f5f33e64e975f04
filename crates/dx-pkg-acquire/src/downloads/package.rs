//! One package: fetched, or in the store as a tarball, and unpacked.

use std::sync::{Arc, Mutex, PoisonError};

use dx_pkg_compat::manifest::Manifest;
use dx_pkg_compat::tarball::{self, Limits};
use dx_pkg_core::{Integrity, PackageId, PackageName};
use dx_pkg_registry::TarballRequest;
use dx_pkg_store::StoreMode;

use super::Shared;
use crate::package::OwnFields;
use crate::{AcquireError, Network};

/// The usual ratio of an archive to its tarball: those of the large fixture hold 293 MB in 61.
const USUAL_RATIO: u64 = 4;

/// A package on its way into the store.
pub(super) struct Download {
    pub(super) shared: Arc<Shared>,
    pub(super) id: PackageId,
    pub(super) name: PackageName,
    pub(super) integrity: Option<Integrity>,
    pub(super) mode: StoreMode,
    /// Whether the store has its tarball.
    pub(super) is_stored: bool,
    /// Files to be stored as executable: the package's commands, so that linking need not copy
    /// them.
    pub(super) commands: Vec<String>,
    /// Whether its licence is read from its manifest.
    pub(super) wants_license: bool,
    /// The outcome of unpacking, once it is known.
    pub(super) outcome: Mutex<Option<Result<(), AcquireError>>>,
}

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

    /// Records the outcome of unpacking.
    pub(super) fn finish(&self, outcome: Result<(), AcquireError>) {
        *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
    }

    /// Unpacks the tarball that the store has; returns whether it was sound.
    async fn unpack_stored(self: Arc<Self>) -> Result<bool, AcquireError> {
        let store = &self.shared.store;
        // The unpacked size is not known before it is read.
        let memory = store.tarball_size(self.id).unwrap_or_default().saturating_mul(USUAL_RATIO);
        let download = self.clone();
        let unpack = move || {
            let store = &download.shared.store;
            let Some(integrity) = &download.integrity else { return Ok(false) };
            let Some(bytes) = store.tarball(download.id, integrity) else { return Ok(false) };
            download.unpack_bytes(&bytes)?;
            if download.mode == StoreMode::Now {
                // A tarball that stays does no harm.
                let _ = store.remove_tarball(download.id);
            }
            Ok(true)
        };
        self.shared.workers.run(memory, unpack).await.unwrap_or(Err(AcquireError::Panicked))
    }

    /// Unpacks a whole tarball into the store.
    pub(super) fn unpack_bytes(&self, bytes: &[u8]) -> Result<(), AcquireError> {
        let mut unpacked = tarball::unpack(bytes, &Limits::default()).map_err(|error| {
            AcquireError::Tarball { name: self.name.clone(), source: Arc::new(error) }
        })?;
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

    /// Records what abbreviated packuments lack of the package's own `manifest`.
    pub(super) fn record_own_fields(&self, manifest: Option<&[u8]>) {
        let text = manifest.map(String::from_utf8_lossy);
        let parsed = text.and_then(|text| Manifest::parse(&text).ok());
        let fields = parsed.map_or_else(OwnFields::default, |manifest| {
            let has_workspaces = manifest.workspaces.is_some();
            let workspaces = has_workspaces.then(|| manifest.to_lock_package().workspaces);
            OwnFields { license: manifest.license, workspaces: workspaces.flatten() }
        });
        let mut all = self.shared.own_fields.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(self.id, fields);
    }

    /// Marks a package that has a `binding.gyp`, unless its own `manifest` keeps npm from building
    /// it and has no other install script.
    pub(super) fn mark_gyp(&self, manifest: Option<&[u8]>) -> Result<(), AcquireError> {
        let manifest = Manifest::parse(&String::from_utf8_lossy(manifest.unwrap_or(b"{}")));
        if manifest.is_ok_and(|manifest| manifest.implies_gyp() || manifest.has_install_script) {
            self.shared.store.mark_gyp(self.id)?;
        }
        Ok(())
    }

    /// Records that the store, or this process, has the package.
    pub(super) fn record_inserted(&self) {
        self.shared.inserted.lock().unwrap_or_else(PoisonError::into_inner).push(self.id);
    }
}
