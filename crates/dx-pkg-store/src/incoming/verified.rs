//! Packages that are kept only if their files are those that somebody else had.

use dx_pkg_core::{Integrity, PackageId};
use dx_pkg_format::dxp;

use super::Incoming;
use crate::{Store, StoreError, StoreMode};

impl Store {
    /// Begins a package that is stored at once, if [`Incoming::keep_if_sound`] finds it sound.
    ///
    /// # Errors
    /// When the file system refuses.
    pub(crate) fn receive_unproven(&self, id: PackageId) -> Result<Incoming<'_>, StoreError> {
        let incoming = self.receive(id, StoreMode::Now)?;
        Ok(Incoming { proof: Some(Box::default()), ..incoming })
    }
}

impl Incoming<'_> {
    /// Stores the package, which [`Store::receive_unproven`] has begun, if its files have this
    /// content root; returns whether they have. `before` is called before the package is visible.
    ///
    /// # Errors
    /// When the file system refuses.
    pub(crate) fn keep_if_sound(
        mut self,
        integrity: &Integrity,
        content_root: [u8; 32],
        before: impl FnOnce() -> Result<(), StoreError>,
    ) -> Result<bool, StoreError> {
        self.end_file()?;
        let mut files: Vec<_> =
            self.files.iter().map(|file| (file.path.as_str(), file.mode, file.proof)).collect();
        files.sort_unstable_by_key(|(path, ..)| *path);
        if dxp::content_root_of(files.into_iter()) != content_root {
            return Ok(false);
        }
        before()?;
        self.keep(Some(integrity)).map(|()| true)
    }
}
