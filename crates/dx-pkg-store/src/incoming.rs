//! Packages whose files arrive one after the other, and which nobody can vouch for until the last has.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};

use dx_pkg_core::{Integrity, PackageId};
use dx_pkg_format::FormatError;
use dx_pkg_format::dxp::{self, DigestedFile, ProvisionalDigest};
use dx_pkg_os::Dir;

use crate::insert::{Temporary, Tree};
use crate::layout::Sharded;
use crate::package::PackageTables;
use crate::pending::name_of;
use crate::{Folder, Store, StoreError};

/// What is to become of a package that is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeping {
    /// It is stored, as by [`Store::insert`].
    Now,
    /// It is this process's alone, as by [`Store::insert_later`].
    Later,
}

/// A package on its way. Its files are written to a folder of its own, which is removed unless the package is kept.
pub struct Incoming<'s> {
    store: &'s Store,
    id: PackageId,
    keeping: Keeping,
    tree: Tree,
    files: Vec<Arrived>,
    open: Option<(File, Digest)>,
    /// Removed last, when no file in it is open any more.
    folder: Temporary<'s>,
}

/// The digest that the tables are to have.
enum Digest {
    Blake3(Box<blake3::Hasher>),
    Provisional(Box<ProvisionalDigest>),
}

impl Digest {
    fn new(keeping: Keeping) -> Self {
        match keeping {
            Keeping::Now => Self::Blake3(Box::default()),
            Keeping::Later => Self::Provisional(Box::default()),
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

/// A file that is there, or as far as it is there.
struct Arrived {
    path: String,
    executable: bool,
    size: u64,
    digest: [u8; 32],
}

impl Arrived {
    fn digested(&self) -> DigestedFile<'_> {
        DigestedFile {
            path: &self.path,
            executable: self.executable,
            size: self.size,
            digest: self.digest,
        }
    }
}

impl Store {
    /// Begins to take the files of a package.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn receive(&self, id: PackageId, keeping: Keeping) -> Result<Incoming<'_>, StoreError> {
        let folder = Temporary::new(self);
        let root = self.dir(Folder::Tmp)?.make_dir(folder.name());
        let tree = Tree::new(root.map_err(StoreError::io("creating", folder.path()))?);
        Ok(Incoming { store: self, id, keeping, tree, files: Vec::new(), open: None, folder })
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
        let file =
            self.tree.create(&path, executable).map_err(|error| self.failed(&path, error))?;
        self.open = Some((file, Digest::new(self.keeping)));
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

    /// Makes it a package. The caller has verified what it came from.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn keep(mut self, integrity: Option<&Integrity>) -> Result<(), StoreError> {
        self.end_file();
        let files: Vec<_> = self.files.iter().map(Arrived::digested).collect();
        let tables = dxp::tables_of(&files, integrity).and_then(PackageTables::of);
        let tables = tables.map_err(|source| StoreError::Unstorable { id: self.id, source })?;
        match self.keeping {
            Keeping::Now => self.store(&tables),
            Keeping::Later => self.leave_to_later(tables),
        }
    }

    fn store(self, tables: &PackageTables) -> Result<(), StoreError> {
        let name = Sharded::new(self.id, ".dxp");
        self.store.write_file(Folder::Packages, &name, |file| {
            copy_package(file, tables, self.tree.root())
        })?;
        self.folder.publish_expanded(self.id)
    }

    fn leave_to_later(self, tables: PackageTables) -> Result<(), StoreError> {
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

/// Writes a DXP file whose contents are the files of `from`, which this process has just written.
fn copy_package(file: &mut File, tables: &PackageTables, from: &Dir) -> io::Result<()> {
    file.write_all(tables.bytes())?;
    for entry in tables.dxp().entries() {
        file.seek(SeekFrom::Start(entry.stored_at().ok_or(io::ErrorKind::InvalidData)?))?;
        // The system copies by itself, from one file to the other.
        if io::copy(&mut from.open_file(entry.path)?, file)? != entry.size {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
