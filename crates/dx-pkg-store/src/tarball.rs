//! Packages stored as their tarballs, for continuous integration.
//!
//! There the store is deleted or archived right after the install. A tarball takes half of the
//! bytes of a DXP file, and no pass over the contents. The next install verifies and unpacks it
//! as if it had been fetched.

use std::fs::File;
use std::io::{self, Write};

use dx_pkg_core::{Integrity, PackageId};

use crate::insert::Temporary;
use crate::layout::EntryName;
use crate::package_tree::PLAIN;
use crate::{Folder, Store, StoreError};

const SUFFIX: &str = ".tgz";
/// The most bytes of a tarball that is read.
const LARGEST: u64 = 1 << 30;

impl Store {
    /// Stores a package's tarball, which the caller has verified.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn put_tarball(&self, id: PackageId, bytes: &[u8]) -> Result<(), StoreError> {
        let mut tarball = self.receive_tarball()?;
        tarball.write(bytes).map_err(StoreError::io("writing", tarball.temporary.path()))?;
        tarball.keep(id)
    }

    /// Begins a tarball that arrives in pieces.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn receive_tarball(&self) -> Result<IncomingTarball<'_>, StoreError> {
        let temporary = Temporary::new(self);
        let file = self.dir(Folder::Tmp)?.create_file(temporary.name(), PLAIN);
        let file = file.map_err(StoreError::io("creating", temporary.path()))?;
        Ok(IncomingTarball { file, temporary })
    }

    /// Opens a package's tarball, which the caller verifies; `None` if there is none.
    #[must_use]
    pub fn open_tarball(&self, id: PackageId) -> Option<File> {
        self.existing(Folder::Packages)?.open_file(EntryName::of_package(id, SUFFIX)).ok()
    }

    /// Reads a package's tarball, which the caller verifies.
    pub(crate) fn tarball_bytes(&self, id: PackageId) -> io::Result<Vec<u8>> {
        let packages = self.existing(Folder::Packages).ok_or(io::ErrorKind::NotFound)?;
        packages.read_file(EntryName::of_package(id, SUFFIX), LARGEST)
    }

    /// Returns whether the store has the package's tarball.
    #[must_use]
    pub fn has_tarball(&self, id: PackageId) -> bool {
        self.tarball_size(id).is_some()
    }

    /// Returns the tarball's size in bytes; `None` if there is none.
    #[must_use]
    pub fn tarball_size(&self, id: PackageId) -> Option<u64> {
        self.entry(Folder::Packages, id, SUFFIX).map(|found| found.size)
    }

    /// Reads a package's tarball and checks it against the integrity. `None` if there is none of
    /// that integrity; a damaged one is removed.
    #[must_use]
    pub fn tarball(&self, id: PackageId, integrity: &Integrity) -> Option<Vec<u8>> {
        self.tarball_size(id)?;
        let bytes = self.tarball_bytes(id).unwrap_or_default();
        let found = Integrity::sha512_of(&bytes);
        if PackageId::from_integrity(&found) == id {
            // An altered half of the integrity does not make the tarball a damaged one.
            return found.agrees_with(integrity).then_some(bytes);
        }
        // If it stays, it is checked again by the next read.
        let _ = self.remove_tarball(id);
        None
    }

    /// Removes a package's tarball, if there is one.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn remove_tarball(&self, id: PackageId) -> io::Result<()> {
        let Some(dir) = self.existing(Folder::Packages) else { return Ok(()) };
        match dir.remove_file(EntryName::of_package(id, SUFFIX)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// A tarball that is arriving, and is removed unless it is kept.
pub struct IncomingTarball<'s> {
    file: File,
    temporary: Temporary<'s>,
}

impl IncomingTarball<'_> {
    /// Appends bytes.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    /// Publishes the tarball as that of the package `id`, which the caller has verified.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn keep(self, id: PackageId) -> Result<(), StoreError> {
        self.temporary.publish_file(Folder::Packages, EntryName::of_package(id, SUFFIX))
    }
}

#[cfg(test)]
mod tests;
