//! The files that describe a tree, and the key that identifies prepared trees of its kind.

use std::borrow::Cow;

use dx_pkg_compat::lockfile::npm;
use dx_pkg_lock::{ALTERATIONS, Lock, LockPackage, dxl};
use dx_pkg_store::preparation::PreparedKey;

use crate::installed;
use crate::plan::Plan;
use crate::seal::Seal;

/// Returns the files of `node_modules` that describe it: dx's record, and npm's hidden lockfile.
pub(crate) fn state_files(installed: &Lock, seal: Option<Seal>) -> [(String, Vec<u8>); 2] {
    let mut visible = Cow::Borrowed(installed);
    let is_told = |key: &str| ALTERATIONS.contains(&key);
    let is_visible = |package: &LockPackage| {
        package.extra.iter().all(|(key, _)| is_told(key)) && !package.private_copy
    };
    if !installed.packages.iter().all(is_visible) {
        for package in &mut visible.to_mut().packages {
            package.extra.retain(|(key, _)| is_told(key));
            package.private_copy = false;
        }
    }
    let record = installed::record(&visible, seal);
    if visible.packages.iter().any(|package| package.link && !package.bin.is_empty()) {
        let links = visible.to_mut().packages.iter_mut().filter(|package| package.link);
        links.for_each(|link| link.bin.clear());
    }
    [record, (installed::HIDDEN.to_owned(), npm::write_hidden(&visible).into_bytes())]
}

/// Returns the key of trees that hold what the plan says; `record` is the first of its
/// [`state_files`].
pub(crate) fn key(plan: &Plan, record: &[u8]) -> PreparedKey {
    // The record will be completed with private copies.
    if plan.has_private() {
        key_of_record(&dxl::encode(&plan.installed, [0; 32]))
    } else {
        key_of_record(record)
    }
}

/// Returns the key for a complete record.
pub(crate) fn key_of_record(record: &[u8]) -> PreparedKey {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"dx prepared 3\0");
    hasher.update(env!("CARGO_PKG_VERSION").as_bytes());
    // Whose seal it has makes no other tree of it.
    for part in dxl::without_source_digest(record).unwrap_or_default() {
        hasher.update(part);
    }
    *hasher.finalize().as_bytes()
}

/// Returns the folder, relative to the project, whose `node_modules` a path is in.
pub(crate) fn importer(path: &str) -> Option<&str> {
    if path.starts_with("node_modules/") {
        return Some("");
    }
    // Few slashes are in a path: each is looked at, which costs less than a search by words.
    let slashes = path.bytes().enumerate().filter(|(_, byte)| *byte == b'/');
    let mut ends = slashes.map(|(at, _)| at);
    ends.find(|at| path[at + 1..].starts_with("node_modules/")).map(|at| &path[..at])
}
