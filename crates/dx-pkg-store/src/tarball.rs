//! Packages kept as they came, where nobody will make more of them: in continuous integration, where the store is thrown
//! away or packed up right after the install, writing a tarball takes half of the bytes that a DXP file would, and no
//! pass over the contents. Whoever wants the package next checks and unpacks it as if it had been fetched.

use std::fs::File;
use std::io::{self, Read, Write};

use dx_pkg_core::{Integrity, PackageId};

use crate::insert::{PLAIN, Temporary};
use crate::layout::Sharded;
use crate::{Folder, Store, StoreError};

const SUFFIX: &str = ".tgz";

impl Store {
    /// Keeps the bytes of a package's tarball, which the caller has verified.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn put_tarball(&self, id: PackageId, bytes: &[u8]) -> Result<(), StoreError> {
        let mut tarball = self.receive_tarball(id)?;
        tarball.write(bytes).map_err(StoreError::io("writing", tarball.temporary.path()))?;
        tarball.keep()
    }

    /// Begins to keep a tarball that is on its way.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn receive_tarball(&self, id: PackageId) -> Result<IncomingTarball<'_>, StoreError> {
        let temporary = Temporary::new(self);
        let file = self.dir(Folder::Tmp)?.create_file(temporary.name(), PLAIN);
        let file = file.map_err(StoreError::io("creating", temporary.path()))?;
        Ok(IncomingTarball { id, file, temporary })
    }

    /// Whether there is a tarball.
    #[must_use]
    pub fn has_tarball(&self, id: PackageId) -> bool {
        self.tarball_size(id).is_some()
    }

    /// How many bytes the tarball has; `None` where there is none.
    #[must_use]
    pub fn tarball_size(&self, id: PackageId) -> Option<u64> {
        self.entry(Folder::Packages, id, SUFFIX).map(|found| found.size)
    }

    /// The bytes of a package's tarball if they are what the id says; what is damaged is removed and counts as missing.
    #[must_use]
    pub fn tarball(&self, id: PackageId) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut file = self.existing(Folder::Packages)?.open_file(Sharded::new(id, SUFFIX)).ok()?;
        let read = file.read_to_end(&mut bytes);
        if read.is_ok() && PackageId::from_integrity(&Integrity::sha512_of(&bytes)) == id {
            return Some(bytes);
        }
        // What cannot be removed is looked at again.
        let _ = self.forget_tarball(id);
        None
    }

    /// Removes a package's tarball, if there is one.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn forget_tarball(&self, id: PackageId) -> io::Result<()> {
        let Some(dir) = self.existing(Folder::Packages) else { return Ok(()) };
        match dir.remove_file(Sharded::new(id, SUFFIX)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// A tarball on its way, which is removed unless it is kept.
pub struct IncomingTarball<'s> {
    id: PackageId,
    file: File,
    temporary: Temporary<'s>,
}

impl IncomingTarball<'_> {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    /// Keeps the tarball, which the caller has verified.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn keep(self) -> Result<(), StoreError> {
        self.temporary.publish_file(Folder::Packages, &Sharded::new(self.id, SUFFIX))
    }
}

#[cfg(test)]
mod tests;
