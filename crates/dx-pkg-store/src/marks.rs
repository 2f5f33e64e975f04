//! Marks: empty files by which the store remembers something about a package or a conflict. All
//! marks of a kind are in one folder, so that an install reads them at once.

use std::collections::HashSet;
use std::io;

use dx_pkg_core::{Integrity, PackageId};

use crate::{Folder, Store, StoreError};

/// Returns the digest of a text in the form of a package's.
fn id_of(text: &str) -> PackageId {
    PackageId::from_integrity(&Integrity::sha512_of(text.as_bytes()))
}

impl Store {
    /// Marks a package; returns whether it was not marked before.
    pub(crate) fn mark(&self, folder: Folder, id: PackageId) -> Result<bool, StoreError> {
        match self.dir(folder)?.create_file(id.to_string(), 0o644) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(StoreError::io("writing", self.folder(folder))(error)),
        }
    }

    /// Returns the marked packages.
    pub(crate) fn marked(&self, folder: Folder) -> HashSet<PackageId> {
        let entries = self.existing(folder).and_then(|folder| folder.entries().ok());
        let names = entries.into_iter().flatten();
        names.filter_map(|entry| PackageId::from_hex(entry.name.to_str()?)).collect()
    }

    /// Remembers that a package has install scripts though its registry may not say so: it has a
    /// `binding.gyp`, which only its files tell.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn mark_gyp(&self, id: PackageId) -> Result<(), StoreError> {
        self.mark(Folder::Gyp, id)?;
        if let Some(known) = self.known_gyp().as_mut() {
            known.insert(id);
        }
        Ok(())
    }

    /// Remembers that this machine was told of a peer conflict, in these words.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn mark_conflict(&self, conflict: &str) -> Result<(), StoreError> {
        self.mark(Folder::Conflicts, id_of(conflict)).map(|_| ())
    }

    /// Returns whether this machine was told of a peer conflict.
    #[must_use]
    pub fn knows_conflict(&self, conflict: &str) -> bool {
        self.marked(Folder::Conflicts).contains(&id_of(conflict))
    }

    /// Returns the packages that were marked by [`Self::mark_gyp`]: by this process, and by others
    /// before this one asked first.
    #[must_use]
    pub fn gyp(&self) -> HashSet<PackageId> {
        self.known_gyp().get_or_insert_with(|| self.marked(Folder::Gyp)).clone()
    }
}
