//! Prepared as installs see them: what a tree is known by, and what it must hold beside packages.

use std::borrow::Cow;

use dx_pkg_compat::lockfile::npm;
use dx_pkg_lock::Lock;
use dx_pkg_lock::dxl;
use dx_pkg_store::PreparedKey;

use crate::ops::installed;
use crate::plan::Plan;

/// The files of `node_modules` that describe it: dx's own record, and what npm reads.
pub fn state_files(installed: &Lock) -> [(String, Vec<u8>); 2] {
    let mut visible = Cow::Borrowed(installed);
    if installed.packages.iter().any(|package| !package.extra.is_empty()) {
        visible.to_mut().packages.iter_mut().for_each(|package| package.extra.clear());
    }
    [
        installed::record(&visible),
        (installed::HIDDEN.to_owned(), npm::write_hidden(&visible).into_bytes()),
    ]
}

/// The prepared of trees that hold what the plan says; `record` is the first of its [`state_files`].
pub fn key(plan: &Plan, record: &[u8]) -> PreparedKey {
    // This is how the record is settled.
    if plan.has_private() {
        key_of_record(&dxl::encode(&plan.installed, [0; 32]))
    } else {
        key_of_record(record)
    }
}

/// The same, from the settled record of a tree in place.
pub fn key_of_record(record: &[u8]) -> PreparedKey {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"dx prepared 1\0");
    hasher.update(env!("CARGO_PKG_VERSION").as_bytes());
    hasher.update(record);
    *hasher.finalize().as_bytes()
}

/// The folder, relative to the project, whose `node_modules` a path is in.
pub fn importer(path: &str) -> Option<&str> {
    match path.split_once("node_modules/") {
        Some(("", _)) => Some(""),
        Some((folder, _)) => folder.strip_suffix('/'),
        None => None,
    }
}
