//! Insertion of packages into the store: the DXP file first, then the expanded files.

use std::fs::File;
use std::io::{self, IoSlice, Write};

use dx_pkg_core::{Integrity, PackageId};
use dx_pkg_format::FormatError;
use dx_pkg_format::dxp::{Compression, Dxp, Encoding, FileEntry};
use dx_pkg_os::files::{Dir, unique_name};

use crate::layout::EntryName;
use crate::package_tree::{PLAIN, PackageTree};
use crate::{Folder, Store, StoreError};

/// The most buffers that systems take in one call.
const MOST_PARTS: usize = 1024;

/// A name in `tmp/` whose file or tree is removed unless it was renamed away.
pub(crate) struct Temporary<'a> {
    store: &'a Store,
    name: String,
    published: bool,
}

impl<'a> Temporary<'a> {
    pub(crate) fn new(store: &'a Store) -> Self {
        Self { store, name: unique_name(""), published: false }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn path(&self) -> std::path::PathBuf {
        self.store.folder(Folder::Tmp).join(&self.name)
    }

    /// Renames the file to its place, replacing an existing one.
    pub(crate) fn publish_file(
        mut self,
        folder: Folder,
        target: &EntryName,
    ) -> Result<(), StoreError> {
        let published = self.store.publish(&self.name, folder, target)?;
        published.map_err(|error| {
            StoreError::io("writing", self.store.folder(folder).join(target))(error)
        })?;
        self.published = true;
        Ok(())
    }

    /// Renames a package's expanded folder to its place, unless another process was first.
    pub(crate) fn publish_expanded(mut self, id: PackageId) -> Result<(), StoreError> {
        match self.store.publish(&self.name, Folder::Expanded, &EntryName::of_package(id, ""))? {
            Ok(()) => self.published = true,
            Err(error) if is_taken(&error) => {}
            Err(error) => return Err(StoreError::io("writing", self.store.expanded(id))(error)),
        }
        Ok(())
    }

    /// Renames the folder to `name` in `into`.
    pub(crate) fn move_to(mut self, into: &Dir, name: String) -> Result<(), StoreError> {
        let moved = self.store.dir(Folder::Tmp)?.rename(&self.name, into, name);
        moved.map_err(|error| StoreError::io("moving", self.path())(error))?;
        self.published = true;
        Ok(())
    }
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        if !self.published {
            // If it stays, emptying the trash removes it later.
            let _ = dx_pkg_os::files::remove_tree(&self.path());
        }
    }
}

impl Store {
    /// Stores a package: its DXP file, then its files, expanded.
    ///
    /// An entry that another process created meanwhile stays: the same id means the same contents.
    ///
    /// # Errors
    /// When a path is unsafe or repeated, or the file system refuses; nothing incomplete becomes
    /// visible.
    pub fn insert(
        &self,
        id: PackageId,
        integrity: Option<&Integrity>,
        files: &[FileEntry<'_>],
    ) -> Result<(), StoreError> {
        let encoding = Encoding::new(files, integrity, Compression::Stored)
            .map_err(|source| StoreError::Unstorable { id, source })?;
        self.write_file(Folder::Packages, &EntryName::of_package(id, ".dxp"), |file| {
            write_parts(file, encoding.parts())
        })?;
        // No blocks are shared: those just written are not on the device yet, and sharing would
        // wait for it.
        self.insert_expanded(id, |tree| tree.add_all(files))
    }

    /// Expands the package from its DXP file unless it is expanded. Returns whether the store has
    /// the package.
    ///
    /// A damaged DXP file is trashed and counts as missing, so that the package is fetched again.
    /// Expanded files without a DXP file are trashed too, as nothing verifies them.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn ensure_expanded(&self, id: PackageId) -> Result<bool, StoreError> {
        if self.has(id) {
            return Ok(true);
        }
        let (package, archive) = match self.open_package_file(id) {
            Ok(Some(opened)) => opened,
            Ok(None) => {
                if self.entry(Folder::Expanded, id, "").is_some() {
                    self.trash(&self.expanded(id))?;
                }
                return Ok(false);
            }
            Err(StoreError::Damaged { path, .. }) => return self.trash(&path).map(|_| false),
            Err(error) => return Err(error),
        };
        let mut damage = None;
        let expanded = self
            .insert_expanded(id, |tree| write_verified(tree, package.dxp(), &archive, &mut damage));
        match damage {
            None => {
                expanded?;
                // Without a record the next check computes the digests.
                let _ = self.record_expanded(id, package.dxp());
                Ok(true)
            }
            Some(_) => self.trash(&self.package_path(id)).map(|_| false),
        }
    }

    /// Writes a file in `tmp/` and renames it to its place, replacing an existing one.
    pub(crate) fn write_file(
        &self,
        folder: Folder,
        target: &EntryName,
        write: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> Result<(), StoreError> {
        let tmp = self.dir(Folder::Tmp)?;
        let temporary = Temporary::new(self);
        let path = || self.folder(folder).join(target);
        let mut file = tmp
            .create_file(&temporary.name, PLAIN)
            .map_err(StoreError::io("creating", temporary.path()))?;
        write(&mut file).map_err(StoreError::io("writing", path()))?;
        temporary.publish_file(folder, target)
    }

    /// Creates the package's expanded folder in `tmp/`, calls `fill`, and renames it to its place.
    pub(crate) fn insert_expanded(
        &self,
        id: PackageId,
        fill: impl FnOnce(&mut PackageTree) -> io::Result<()>,
    ) -> Result<(), StoreError> {
        let temporary = Temporary::new(self);
        let root = self.dir(Folder::Tmp)?.make_dir(&temporary.name);
        let mut tree =
            PackageTree::new(root.map_err(StoreError::io("creating", temporary.path()))?);
        fill(&mut tree).map_err(|source| {
            let path = self.expanded(id).join(tree.current());
            StoreError::io("writing", path)(source)
        })?;
        temporary.publish_expanded(id)
    }
}

/// Returns whether a rename failed because another process has created the same folder.
fn is_taken(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists)
}

/// Writes the parts in place: copying them to one buffer first takes up to twice as long.
pub(crate) fn write_parts<'p>(
    file: &mut File,
    parts: impl Iterator<Item = &'p [u8]>,
) -> io::Result<()> {
    let mut parts: Vec<_> = parts.map(IoSlice::new).collect();
    for batch in parts.chunks_mut(MOST_PARTS) {
        let mut rest = batch;
        while !rest.is_empty() {
            match file.write_vectored(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => IoSlice::advance_slices(&mut rest, written),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

fn write_verified(
    tree: &mut PackageTree,
    dxp: Dxp<'_>,
    archive: &File,
    damage: &mut Option<FormatError>,
) -> io::Result<()> {
    for entry in dxp.entries() {
        match dxp.read_verified(&entry) {
            Ok(contents) => {
                let blocks = entry.stored_at().map(|offset| (archive, offset));
                tree.add_sharing(entry.path, entry.mode, &contents, blocks)?;
            }
            Err(error) => {
                *damage = Some(error);
                return Err(io::ErrorKind::InvalidData.into());
            }
        }
    }
    Ok(())
}
