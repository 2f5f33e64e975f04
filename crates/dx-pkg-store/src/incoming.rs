//! Packages whose files arrive one after the other, and are verified after the last.

mod verified;

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};

use dx_pkg_core::{Integrity, PackageId};
use dx_pkg_format::FormatError;
use dx_pkg_format::dxp::{self, DigestedFile, FileMode, ProvisionalDigest};
use dx_pkg_os::files::Dir;

use crate::PackageTables;
use crate::insert::Temporary;
use crate::layout::EntryName;
use crate::package_tree::PackageTree;
use crate::pending::name_of;
use crate::{Folder, Store, StoreError, StoreMode};

/// A package whose files are arriving, in a folder that is removed unless the package is kept.
pub struct Incoming<'s> {
    store: &'s Store,
    id: PackageId,
    mode: StoreMode,
    tree: PackageTree,
    files: Vec<Arrived>,
    open: Option<(File, Digest)>,
    /// Declared last, so that its files are closed when it is removed.
    folder: Temporary<'s>,
}

/// The digest that goes into the tables.
enum Digest {
    Blake3(Box<blake3::Hasher>),
    Provisional(Box<ProvisionalDigest>),
}

impl Digest {
    fn new(mode: StoreMode) -> Self {
        match mode {
            StoreMode::Now => Self::Blake3(Box::default()),
            StoreMode::Deferred | StoreMode::Tarball => Self::Provisional(Box::default()),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Blake3(hasher) => drop(hasher.update(bytes)),
            Self::Provisional(digest) => digest.update(bytes),
        }
    }

    fn finish(&self) -> [u8; 32] {
        match self {
            Self::Blake3(hasher) => *hasher.finalize().as_bytes(),
            Self::Provisional(digest) => digest.finish(),
        }
    }
}

/// A file that has arrived, wholly or in part.
struct Arrived {
    path: String,
    mode: FileMode,
    size: u64,
    digest: [u8; 32],
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
        let folder = Temporary::new(self);
        let root = self.dir(Folder::Tmp)?.make_dir(folder.name());
        let tree = PackageTree::new(root.map_err(StoreError::io("creating", folder.path()))?);
        Ok(Incoming { store: self, id, mode, tree, files: Vec::new(), open: None, folder })
    }
}

impl Incoming<'_> {
    /// Begins a file. The bytes given to [`Self::write`] until the next file begins are its
    /// contents.
    ///
    /// # Errors
    /// When its path is unsafe or repeated, or the file system refuses.
    pub fn begin(&mut self, path: String, mode: FileMode) -> Result<(), StoreError> {
        if !dxp::is_safe_path(&path) {
            let source = FormatError::UnsafePath { doing: "writing", path };
            return Err(StoreError::Unstorable { id: self.id, source });
        }
        self.end_file();
        let file = self.tree.create(&path, mode).map_err(|error| self.failed(&path, error))?;
        self.open = Some((file, Digest::new(self.mode)));
        self.files.push(Arrived { path, mode, size: 0, digest: [0; 32] });
        Ok(())
    }

    /// Appends bytes to the file begun last.
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

    /// Stores the package, whose tarball the caller has verified.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn keep(mut self, integrity: Option<&Integrity>) -> Result<(), StoreError> {
        self.end_file();
        let files: Vec<_> = self.files.iter().map(Arrived::digested).collect();
        let tables = dxp::tables_of(&files, integrity).and_then(PackageTables::of);
        let tables = tables.map_err(|source| StoreError::Unstorable { id: self.id, source })?;
        match self.mode {
            StoreMode::Now => self.store(&tables),
            StoreMode::Deferred | StoreMode::Tarball => self.defer(tables),
        }
    }

    fn store(self, tables: &PackageTables) -> Result<(), StoreError> {
        let name = EntryName::of_package(self.id, ".dxp");
        self.store.write_file(Folder::Packages, &name, |file| {
            copy_package(file, tables, self.tree.root())
        })?;
        self.folder.publish_expanded(self.id)
    }

    fn defer(self, tables: PackageTables) -> Result<(), StoreError> {
        let pending = self.store.pending_or_begin()?;
        if pending.tables(self.id).is_none() {
            self.folder.move_to(&pending.dir, name_of(self.id))?;
            pending.insert(self.id, tables);
        }
        Ok(())
    }

    fn end_file(&mut self) {
        if let (Some((_, digest)), Some(arrived)) = (self.open.take(), self.files.last_mut()) {
            arrived.digest = digest.finish();
        }
    }

    fn failed(&self, path: &str, error: io::Error) -> StoreError {
        StoreError::io("writing", self.store.expanded(self.id).join(path))(error)
    }
}

/// Writes a DXP file from the files in `from`, which this process has just written.
fn copy_package(file: &mut File, tables: &PackageTables, from: &Dir) -> io::Result<()> {
    file.write_all(tables.bytes())?;
    for entry in tables.dxp().entries() {
        file.seek(SeekFrom::Start(entry.stored_at().ok_or(io::ErrorKind::InvalidData)?))?;
        // The system copies between the files.
        if io::copy(&mut from.open_file(entry.path)?, file)? != entry.size {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
