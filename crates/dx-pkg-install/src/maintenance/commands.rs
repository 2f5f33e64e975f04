//! Folders in which packages are installed for their commands alone, by `dx exec` and `dx dlx`:
//! small projects in the store, one for each list of packages.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use dx_pkg_store::Store;

/// Returns the folder of these projects in the store that lies in `store`.
#[must_use]
pub fn folder(store: &Path) -> PathBuf {
    store.join("v1").join("commands")
}

/// Removes those that were not used since a time; returns their number.
pub(super) fn prune(store: &Store, unused_since: SystemTime) -> usize {
    let entries = std::fs::read_dir(store.root().join("commands"));
    let is_old = |path: &PathBuf| {
        let used = std::fs::metadata(path).and_then(|metadata| metadata.modified());
        used.is_ok_and(|used| used < unused_since)
    };
    let old = entries.into_iter().flatten().flatten().map(|entry| entry.path()).filter(is_old);
    // One that stays costs room, nothing else.
    old.filter(|path| dx_pkg_os::files::remove_tree(path).is_ok()).count()
}
