//! Packages that are kept only if their files are those that somebody else had.

use dx_pkg_core::{Integrity, PackageId};
use dx_pkg_format::dxp;

use super::Incoming;
use crate::{Store, StoreError, StoreMode};

impl Store {
    /// Begins a package that is stored if [`Incoming::keep_if_sound`] finds it sound.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn receive_unproven(
        &self,
        id: PackageId,
        mode: StoreMode,
    ) -> Result<Incoming<'_>, StoreError> {
        let incoming = self.receive(id, mode)?;
        Ok(Incoming { proof: Some(Box::default()), ..incoming })
    }
}

impl Incoming<'_> {
    /// Stores the package, which [`Store::receive_unproven`] has begun, if its files have this
    /// content root; returns the root that they have if that is another one. `before` is called
    /// before the package is visible.
    ///
    /// # Errors
    /// When the file system refuses, or `before` fails.
    pub fn keep_if_sound<E: From<StoreError>>(
        mut self,
        integrity: Option<&Integrity>,
        content_root: [u8; 32],
        before: impl FnOnce() -> Result<(), E>,
    ) -> Result<Option<[u8; 32]>, E> {
        self.end_file()?;
        let mut files: Vec<_> =
            self.files.iter().map(|file| (file.path.as_str(), file.said, file.proof)).collect();
        files.sort_unstable_by_key(|(path, ..)| *path);
        let found = dxp::content_root_of(files.into_iter());
        if found != content_root {
            return Ok(Some(found));
        }
        before()?;
        self.keep(integrity)?;
        Ok(None)
    }
}
