//! The options of linking.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use dx_pkg_core::PackageId;

use crate::{ImportMethod, LinkError, Repairs};

/// The options of linking a tree.
#[derive(Clone, Copy, Debug)]
pub struct LinkOptions<'o> {
    /// The way in which files get from the store into the tree.
    pub import: ImportMethod,
    /// Whether dot-entries and plain files in an old `node_modules` that belong to no package
    /// manager are kept: yes for `install`, no for `ci`.
    pub keep_foreign: bool,
    /// Whether the commands of the packages in the project's own `node_modules` are left to the
    /// caller: no `.bin` is made there.
    pub leaves_own_commands: bool,
    /// Whether links may lead out of the project, as for `file:` dependencies in a manifest.
    pub links_outside: bool,
    /// The packages that were fetched for this tree. The files of one that is pending and has a
    /// single placement are moved instead of linked.
    pub movable: &'o [PackageId],
    /// A folder with a prepared tree of the same contents, which is renamed into place if it can
    /// be. It must have the state files, with the contents of `extra_files`.
    pub prepared: Option<&'o Path>,
    /// The repairs of the tree in place, where that was looked at.
    pub repairs: Option<&'o Repairs>,
    /// Whether the last run may have been killed, so that what it left is looked for in every
    /// workspace, not only beside the trees that change.
    pub after_interruption: bool,
    /// A flag that cancels linking once it is set: the unfinished tree is removed and
    /// [`LinkError::Cancelled`] returned.
    pub cancelled: Option<&'o AtomicBool>,
    /// Whether the caller has just compared the store's files with their records: each file is
    /// otherwise looked at before it is linked.
    pub store_is_checked: bool,
    /// The number of bytes of the store's files, in all, that are compared with their digests where
    /// a file was changed since it was last linked or checked.
    pub compares_bytes: u64,
    /// The number of threads; by default that of the processors, at most eight.
    pub threads: Option<NonZeroUsize>,
    /// The state files below the project's `node_modules`, such as `.package-lock.json` and
    /// `.dx/lock.dxl`, with their contents.
    ///
    /// They describe the tree, so they become visible with it, or are removed before the first
    /// change and written after the last. Their times are newer than those of all folders.
    pub extra_files: &'o [(String, Vec<u8>)],
}

impl Default for LinkOptions<'_> {
    fn default() -> Self {
        Self {
            import: ImportMethod::Auto,
            keep_foreign: true,
            leaves_own_commands: false,
            links_outside: false,
            movable: &[],
            prepared: None,
            repairs: None,
            after_interruption: false,
            cancelled: None,
            store_is_checked: false,
            compares_bytes: 0,
            threads: None,
            extra_files: &[],
        }
    }
}

/// Checks the paths of state files.
pub(crate) fn check_extra_files(files: &[(String, Vec<u8>)]) -> Result<(), LinkError> {
    for (path, _) in files {
        let refuse = |reason| LinkError::UnsafePath { path: path.clone(), reason };
        crate::tree::check_segments(path).map_err(refuse)?;
        if !path.starts_with('.') || path.starts_with(".bin/") {
            return Err(refuse("a state file's path begins with a dot"));
        }
    }
    Ok(())
}
