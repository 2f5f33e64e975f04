//! Packages that one process has whole and the store does not have yet.
//!
//! An install that a background process follows does not name fetched files twice. It unpacks
//! packages into a folder of its own in `tmp/`, keeps their tables in memory, and moves or links
//! the files into its project. When it ends, it writes the tables to a record in `pending/`. The
//! background process then links the project's files into the store. Until then no other process
//! sees such a package.

pub(crate) mod record;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use dx_pkg_core::PackageId;
use dx_pkg_os::files::Dir;

use crate::PackageTables;

/// The beginning of the names of packages' folders in `tmp/`; the process's number follows.
pub(crate) const PREFIX: &str = "pending-";
/// The pending packages of this process.
#[derive(Debug)]
pub(crate) struct Pending {
    /// The name of their folder in `tmp/`.
    name: String,
    pub(crate) dir: Dir,
    tables: Mutex<HashMap<PackageId, PackageTables>>,
}

impl Pending {
    pub(crate) fn new(name: String, dir: Dir) -> Self {
        Self { name, dir, tables: Mutex::default() }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn tables(&self, id: PackageId) -> Option<PackageTables> {
        self.lock().get(&id).cloned()
    }

    /// Adds a package whose folder is complete.
    pub(crate) fn insert(&self, id: PackageId, tables: PackageTables) {
        self.lock().insert(id, tables);
    }

    /// Removes and returns all packages.
    pub(crate) fn take(&self) -> HashMap<PackageId, PackageTables> {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PackageId, PackageTables>> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the name of a pending package's folder.
pub(crate) fn name_of(id: PackageId) -> String {
    String::from_utf8_lossy(&id.hex()).into_owned()
}
