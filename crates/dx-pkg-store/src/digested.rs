//! Insertion of packages whose files' digests are known, as those of packages that came with a
//! proof of their contents: nothing is hashed here.

use dx_pkg_core::{Integrity, PackageId};
use dx_pkg_format::dxp::FileEntry;

use crate::{PackageTables, Store, StoreError, StoreMode};

impl Store {
    /// Stores a package, as [`Self::insert`] or [`Self::insert_deferred`] does; `digests` are the
    /// BLAKE3 of its files' contents, in their order. Without a tarball, [`StoreMode::Tarball`] is
    /// [`StoreMode::Now`].
    ///
    /// # Errors
    /// When a path is unsafe or repeated, or the file system refuses; nothing incomplete becomes
    /// visible.
    pub fn insert_digested(
        &self,
        id: PackageId,
        integrity: Option<&Integrity>,
        files: &[FileEntry<'_>],
        digests: &[[u8; 32]],
        mode: StoreMode,
    ) -> Result<(), StoreError> {
        let tables = PackageTables::of_proven(files, digests, integrity)
            .map_err(|source| StoreError::Unstorable { id, source })?;
        match mode {
            StoreMode::Deferred => self.defer(id, tables, files),
            StoreMode::Now | StoreMode::Tarball => {
                self.insert_expanded(id, tables, |tree| tree.add_all(files))
            }
        }
    }
}
