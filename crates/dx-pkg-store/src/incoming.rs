//! Packages whose files arrive one after the other, and which nobody can vouch for until the last has.

use std::fs::File;
use std::io::{self, Write};

use dx_pkg_core::{Integrity, PackageId};
use dx_pkg_format::FormatError;
use dx_pkg_format::dxp::{self, DigestedFile, ProvisionalDigest};

use crate::insert::{Temporary, Tree, is_taken};
use crate::layout::Sharded;
use crate::package::PackageTables;
use crate::pending::{name_of, write_package};
use crate::{Folder, Store, StoreError};

/// A package on its way. Its files are written to a folder of its own, which is removed unless the package is kept.
pub struct Incoming<'s> {
    store: &'s Store,
    id: PackageId,
    tree: Tree,
    files: Vec<Arrived>,
    open: Option<(File, ProvisionalDigest)>,
    /// Removed last, when no file in it is open any more.
    folder: Temporary<'s>,
}

/// A file that is there, or as far as it is there.
struct Arrived {
    path: String,
    executable: bool,
    size: u64,
    digest: [u8; 32],
}

impl Arrived {
    fn digested(&self) -> DigestedFile<'_> {
        DigestedFile { path: &self.path, executable: self.executable, size: self.size, digest: self.digest }
    }
}

impl Store {
    /// Begins to take the files of a package.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn receive(&self, id: PackageId) -> Result<Incoming<'_>, StoreError> {
        let folder = Temporary::new(self);
        let root = self.dir(Folder::Tmp)?.make_dir(folder.name());
        let tree = Tree::new(root.map_err(StoreError::io("creating", folder.path()))?);
        Ok(Incoming { store: self, id, tree, files: Vec::new(), open: None, folder })
    }
}

impl Incoming<'_> {
    /// Begins a file, whose contents are what [`Self::write`] is given until the next one begins.
    ///
    /// # Errors
    /// When its path is unsafe or there already, or the file system refuses.
    pub fn begin(&mut self, path: String, executable: bool) -> Result<(), StoreError> {
        if !dxp::is_safe_path(&path) {
            let source = FormatError::UnsafePath { doing: "writing", path };
            return Err(StoreError::Unstorable { id: self.id, source });
        }
        self.end_file();
        let file = self.tree.create(&path, executable).map_err(|error| self.failed(&path, error))?;
        self.open = Some((file, ProvisionalDigest::default()));
        self.files.push(Arrived { path, executable, size: 0, digest: [0; 32] });
        Ok(())
    }

    /// Takes the next bytes of the file begun last.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        if let (Some((file, digest)), Some(arrived)) = (&mut self.open, self.files.last_mut()) {
            digest.update(bytes);
            arrived.size += bytes.len() as u64;
            if let Err(error) = file.write_all(bytes) {
                let path = arrived.path.clone();
                return Err(self.failed(&path, error));
            }
        }
        Ok(())
    }

    /// Takes the package for this process alone, as [`Store::insert_later`] does.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn keep_for_later(mut self, integrity: Option<&Integrity>) -> Result<(), StoreError> {
        let tables = self.tables(integrity)?;
        let pending = self.store.pending_or_begin()?;
        if pending.tables(self.id).is_none() {
            let moved = self.store.dir(Folder::Tmp)?.rename(self.folder.name(), &pending.dir, name_of(self.id));
            moved.map_err(|error| self.failed("", error))?;
            self.folder.published = true;
            pending.insert(self.id, tables);
        }
        Ok(())
    }

    /// Stores the package, as [`Store::insert`] does.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn keep(mut self, integrity: Option<&Integrity>) -> Result<(), StoreError> {
        let tables = self.tables(integrity)?;
        let target = Sharded::new(self.id, "");
        self.store.write_file(Folder::Packages, &Sharded::new(self.id, ".dxp"), |file| {
            write_package(file, tables.bytes(), tables.dxp(), self.tree.root())
        })?;
        match self.store.publish(self.folder.name(), Folder::Expanded, &target)? {
            Ok(()) => self.folder.published = true,
            Err(error) if is_taken(&error) => {}
            Err(error) => return Err(self.failed("", error)),
        }
        Ok(())
    }

    fn end_file(&mut self) {
        if let (Some((_, digest)), Some(arrived)) = (self.open.take(), self.files.last_mut()) {
            arrived.digest = digest.finish();
        }
    }

    fn tables(&mut self, integrity: Option<&Integrity>) -> Result<PackageTables, StoreError> {
        self.end_file();
        let files: Vec<_> = self.files.iter().map(Arrived::digested).collect();
        let tables = dxp::provisional_tables(&files, integrity).and_then(PackageTables::of);
        tables.map_err(|source| StoreError::Unstorable { id: self.id, source })
    }

    fn failed(&self, path: &str, error: io::Error) -> StoreError {
        StoreError::io("writing", self.store.expanded(self.id).join(path))(error)
    }
}

#[cfg(test)]
mod tests;
