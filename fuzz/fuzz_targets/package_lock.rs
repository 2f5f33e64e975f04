//! Any text as a package-lock.json, with the markers of a merge or without: refused, or written
//! again so that it reads the same.

use dx_pkg_compat::lockfile::npm::{merged, read, write, write_hidden};
use dx_pkg_lock::{Lock, LockPackage};

pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let merged = merged(text);
    let text = merged.as_deref().unwrap_or(text);
    let Ok(lock) = read(text) else { return };
    let written = write(&lock, Some(text));
    assert_eq!(read(&written).map(|lock| entries(&lock)), Ok(entries(&lock)));
    assert_eq!(write(&lock, Some(&written)), written);
    let _ = write_hidden(&lock);
}

/// Returns the entries of a lockfile that are written: a project with an empty manifest has none.
fn entries(lock: &Lock) -> Vec<LockPackage> {
    lock.packages.iter().filter(|package| **package != LockPackage::default()).cloned().collect()
}
