//! A package on its way into the store, and what is recorded of it there.

use std::sync::{Arc, Mutex, PoisonError};

use dx_pkg_compat::manifest::Manifest;
use dx_pkg_core::{Integrity, PackageId, PackageName};
use dx_pkg_store::StoreMode;

use super::Shared;
use crate::AcquireError;
use crate::package::OwnFields;

/// A package on its way into the store.
pub(super) struct Download {
    pub(super) shared: Arc<Shared>,
    pub(super) id: PackageId,
    pub(super) name: PackageName,
    pub(super) version: Box<str>,
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
    /// Returns another one of the same package, whose outcome is its own.
    pub(super) fn twin(&self) -> Self {
        Self {
            shared: self.shared.clone(),
            id: self.id,
            name: self.name.clone(),
            version: self.version.clone(),
            integrity: self.integrity.clone(),
            mode: self.mode,
            is_stored: self.is_stored,
            commands: self.commands.clone(),
            wants_license: self.wants_license,
            outcome: Mutex::default(),
        }
    }

    /// Records the outcome of unpacking.
    pub(super) fn finish(&self, outcome: Result<(), AcquireError>) {
        *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
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
