//! Packages that one process has whole and the store does not have yet.
//!
//! An install that a background process follows does not name fetched files twice. It unpacks
//! packages into a folder of its own in `tmp/`, keeps their tables in memory, and moves or links
//! the files into its project. When it ends, it writes the tables to a record in `pending/`. The
//! background process then links the project's files into the store. Until then no other process
//! sees such a package.

pub(crate) mod record;

use std::collections::HashMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

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
    packages: Mutex<HashMap<PackageId, Progress>>,
    /// Woken when a package's folder is complete, or given up.
    ended: Condvar,
}

#[derive(Debug)]
enum Progress {
    Writing,
    Whole(PackageTables),
}

impl Pending {
    pub(crate) fn new(name: String, dir: Dir) -> Self {
        Self { name, dir, packages: Mutex::default(), ended: Condvar::new() }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn tables(&self, id: PackageId) -> Option<PackageTables> {
        match self.lock().get(&id) {
            Some(Progress::Whole(tables)) => Some(tables.clone()),
            _ => None,
        }
    }

    /// Makes the calling thread the one that writes a package's folder; `None` where it is there.
    /// Waits for another thread that writes it: of a change that was given up for a whole install
    /// downloads may still go on.
    pub(crate) fn claim(&self, id: PackageId) -> Option<Claim<'_>> {
        let mut packages = self.lock();
        loop {
            match packages.get(&id) {
                Some(Progress::Whole(_)) => return None,
                Some(Progress::Writing) => {
                    packages = self.ended.wait(packages).unwrap_or_else(PoisonError::into_inner);
                }
                None => {
                    packages.insert(id, Progress::Writing);
                    return Some(Claim { pending: self, id, tables: None });
                }
            }
        }
    }

    /// Removes and returns all packages that are whole.
    pub(crate) fn take(&self) -> HashMap<PackageId, PackageTables> {
        let whole = |(id, progress)| match progress {
            Progress::Whole(tables) => Some((id, tables)),
            Progress::Writing => None,
        };
        let is_whole =
            |_: &PackageId, progress: &mut Progress| matches!(progress, Progress::Whole(_));
        self.lock().extract_if(is_whole).filter_map(whole).collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PackageId, Progress>> {
        self.packages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to write a package's folder; others get it when it is dropped without the package.
pub(crate) struct Claim<'p> {
    pending: &'p Pending,
    id: PackageId,
    tables: Option<PackageTables>,
}

impl Claim<'_> {
    /// Adds the package, whose folder is complete.
    pub(crate) fn complete(mut self, tables: PackageTables) {
        self.tables = Some(tables);
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let mut packages = self.pending.lock();
        match self.tables.take() {
            Some(tables) => packages.insert(self.id, Progress::Whole(tables)),
            None => packages.remove(&self.id),
        };
        self.pending.ended.notify_all();
    }
}

/// Returns the name of a pending package's folder.
pub(crate) fn name_of(id: PackageId) -> String {
    String::from_utf8_lossy(&id.hex()).into_owned()
}
