//! Packages whose files arrive one after the other, and are verified after the last.

mod verified;

use std::fs::File;
use std::io::{self, Write};

use dx_pkg_core::{Integrity, PackageId};
use dx_pkg_format::FormatError;
use dx_pkg_format::dxp::{self, DigestSecret, DigestedFile, FileMode, ProvisionalDigest};
use dx_pkg_os::files::Identity;

use crate::PackageTables;
use crate::insert::Temporary;
use crate::package_tree::PackageTree;
use crate::pending::name_of;
use crate::tables::{Names, Row};
use crate::{Folder, Store, StoreError, StoreMode};

/// A package whose files are arriving, in a folder that is removed unless the package is kept.
pub struct Incoming<'s> {
    store: &'s Store,
    id: PackageId,
    mode: StoreMode,
    secret: DigestSecret,
    tree: PackageTree,
    files: Vec<Arrived>,
    open: Option<(File, ProvisionalDigest)>,
    /// The BLAKE3 of the open file, where the content root is to be compared.
    proof: Option<Box<blake3::Hasher>>,
    /// Declared last, so that its files are closed when it is removed.
    folder: Temporary<'s>,
}

/// A file that has arrived, wholly or in part.
struct Arrived {
    path: String,
    mode: FileMode,
    /// The mode that counts for the content root.
    said: FileMode,
    size: u64,
    digest: [u8; 32],
    /// The BLAKE3 of the contents, where that is computed.
    proof: [u8; 32],
    row: Option<Row>,
}

impl Arrived {
    fn digested(&self) -> DigestedFile<'_> {
        DigestedFile { path: &self.path, mode: self.mode, size: self.size, digest: self.digest }
    }
}

impl Store {
    /// Begins a package whose files arrive one by one. With [`StoreMode::Tarball`] the caller also
    /// stores the tarball; see [`Self::receive_tarball`].
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn receive(&self, id: PackageId, mode: StoreMode) -> Result<Incoming<'_>, StoreError> {
        let secret = self.seals()?.digests.clone();
        let folder = Temporary::new(self);
        let root = self.dir(Folder::Tmp)?.make_dir(folder.name());
        let root = root.map_err(StoreError::io("creating", folder.path()))?;
        let names = if mode == StoreMode::Now { Names::STORED } else { Names::Paths };
        let tree = PackageTree::new(root, names);
        Ok(Incoming {
            store: self,
            id,
            mode,
            secret,
            tree,
            files: Vec::new(),
            open: None,
            proof: None,
            folder,
        })
    }
}

impl Incoming<'_> {
    /// Begins a file. The bytes given to [`Self::write`] until the next file begins are its
    /// contents.
    ///
    /// # Errors
    /// When its path is unsafe or repeated, or the file system refuses.
    pub fn begin(&mut self, path: String, mode: FileMode) -> Result<(), StoreError> {
        self.begin_as(path, mode, mode)
    }

    /// Begins a file, as [`Self::begin`], that gets another mode than is `said` of it.
    ///
    /// # Errors
    /// As [`Self::begin`].
    pub fn begin_as(
        &mut self,
        path: String,
        mode: FileMode,
        said: FileMode,
    ) -> Result<(), StoreError> {
        if !dxp::is_safe_path(&path) {
            let source = FormatError::UnsafePath { doing: "writing", path };
            return Err(StoreError::Unstorable { id: self.id, source });
        }
        self.end_file()?;
        let file = self.tree.create(&path, mode).map_err(|error| self.failed(&path, error))?;
        self.open = Some((file, ProvisionalDigest::new(&self.secret)));
        self.files.push(Arrived {
            path,
            mode,
            said,
            size: 0,
            digest: [0; 32],
            proof: [0; 32],
            row: None,
        });
        Ok(())
    }

    /// Begins a file in place of the one that has arrived with this path.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn replace(&mut self, path: String, mode: FileMode) -> Result<(), StoreError> {
        self.end_file()?;
        if let Some(at) = self.files.iter().position(|file| file.path == path) {
            let former = self.files.swap_remove(at);
            let removed = former.row.map_or(Ok(()), |row| self.tree.remove(&path, row));
            removed.map_err(|error| self.failed(&path, error))?;
        }
        self.begin(path, mode)
    }

    /// Appends bytes to the file begun last.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        if let (Some((file, digest)), Some(arrived)) = (&mut self.open, self.files.last_mut()) {
            digest.update(bytes);
            if let Some(proof) = &mut self.proof {
                proof.update(bytes);
            }
            arrived.size += bytes.len() as u64;
            if let Err(error) = file.write_all(bytes) {
                let path = arrived.path.clone();
                return Err(self.failed(&path, error));
            }
        }
        Ok(())
    }

    /// Stores the package, whose tarball the caller has verified.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn keep(mut self, integrity: Option<&Integrity>) -> Result<(), StoreError> {
        self.end_file()?;
        self.files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        let files: Vec<_> = self.files.iter().map(Arrived::digested).collect();
        let tables = PackageTables::of_digested(&files, integrity, &self.secret)
            .map_err(|source| StoreError::Unstorable { id: self.id, source })?;
        let rows = self.files.iter().filter_map(|file| file.row).collect();
        let tables = tables.with_rows(self.tree.names(), rows, self.tree.changed_ns());
        match self.mode {
            StoreMode::Now => self.store.publish_expanded(self.id, self.folder, tables),
            StoreMode::Deferred | StoreMode::Tarball => self.defer(tables),
        }
    }

    fn defer(self, tables: PackageTables) -> Result<(), StoreError> {
        let pending = self.store.pending_or_begin()?;
        if let Some(claim) = pending.claim(self.id) {
            self.folder.move_to(&pending.dir, name_of(self.id))?;
            claim.complete(tables);
        }
        Ok(())
    }

    fn end_file(&mut self) -> Result<(), StoreError> {
        if let (Some((file, digest)), Some(arrived)) = (self.open.take(), self.files.last_mut()) {
            arrived.digest = digest.finish();
            if let Some(proof) = &mut self.proof {
                arrived.proof = *proof.finalize().as_bytes();
                proof.reset();
            }
            match Identity::of_file(&file) {
                Ok(identity) => arrived.row = Some(self.tree.added(&identity)),
                Err(error) => {
                    let path = arrived.path.clone();
                    return Err(self.failed(&path, error));
                }
            }
        }
        Ok(())
    }

    fn failed(&self, path: &str, error: io::Error) -> StoreError {
        StoreError::io("writing", self.store.expanded(self.id).join(path))(error)
    }
}

#[cfg(test)]
mod tests;
