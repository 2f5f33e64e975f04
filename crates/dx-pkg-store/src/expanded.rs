//! Checks of packages' expanded files, and repair of altered ones.
//!
//! Projects share these files: a tool that writes into one of them in place changes it for all. So
//! before a tree is built from them, each file is compared with its identity at its last check and
//! its mode, its digest is checked if one differs, and an altered file is replaced. The identities
//! are recorded in `packages/<aa>/<id>.files`, little-endian:
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 4 | signature `DXF\0` |
//! | 4 | 2 | version, 1 |
//! | 6 | 2 | zero |
//! | 8 | 8 | XXH3-64 of all bytes from offset 16 |
//! | 16 | 24 | for each file, in the package's order: inode, size, modification time in ns |
//!
//! A record that is damaged or has another number of files counts as missing.

use std::io::{self, Read, Write};
use std::path::Path;

use dx_pkg_core::PackageId;
use dx_pkg_format::dxp::{Dxp, Entry};
use dx_pkg_format::wire::Frame;
use dx_pkg_os::files::{Dir, Identity, Status, unique_name};

use crate::layout::EntryName;
use crate::matching::{contents_match, file_matches};
use crate::package_tree::PackageTree;
use crate::{Altered, Folder, Store, StoreError};

const SIGNATURE: [u8; 4] = *b"DXF\0";
const VERSION: u16 = 1;
const FRAME: Frame =
    Frame { format: "record of expanded files", signature: SIGNATURE, version: VERSION };
const SUFFIX: &str = ".files";

/// Inode, size and modification time. The change time is of no use: each new link changes it.
type Row = [u8; 24];

impl Store {
    /// Returns whether the package's expanded files, in `root`, have the identities of their last
    /// check, and their modes.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn is_unaltered(&self, id: PackageId, dxp: Dxp<'_>, root: &Dir) -> io::Result<bool> {
        let Some(recorded) = self.recorded_files(id, dxp.len()) else { return Ok(false) };
        for (entry, recorded) in dxp.entries().zip(&recorded) {
            let found = root.status(entry.path)?;
            if !found.is_some_and(|found| row(found.identity) == *recorded && fits(&found, &entry))
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Checks the package's expanded files, and repairs missing and altered ones. Returns the
    /// altered ones, or `None` if the store does not have the package.
    ///
    /// A package that was written to is marked, see [`Self::mark_written`]. Where a file was
    /// altered, prepared trees are trashed.
    ///
    /// A missing folder is filled with links to the files in `copy`, a project's copy of the
    /// package, so far as these are unaltered.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn repair_expanded(
        &self,
        id: PackageId,
        copy: Option<&Path>,
    ) -> Result<Option<Vec<Altered>>, StoreError> {
        let package = match self.open_package(id) {
            Ok(Some(package)) => package,
            Ok(None) => return Ok(None),
            Err(StoreError::Damaged { path, .. }) => return self.trash(&path).map(|_| None),
            Err(error) => return Err(error),
        };
        let dxp = package.dxp();
        let is_new = !self.has(id);
        if is_new {
            let copy = copy.and_then(|copy| Dir::open(copy).ok());
            self.insert_expanded(id, |tree| fill(tree, dxp, copy.as_ref()))?;
        }
        let failed = |error| StoreError::io("checking", self.expanded(id))(error);
        let root = self.open_expanded(id).map_err(failed)?;
        let recorded = self.recorded_files(id, dxp.len());
        let mut rows = Vec::with_capacity(dxp.len());
        let mut altered = Vec::new();
        let mut was_written = false;
        for (index, entry) in dxp.entries().enumerate() {
            let status = root.status(entry.path).map_err(failed)?;
            let found = status.map(|status| row(status.identity));
            let known = recorded.as_ref().and_then(|rows| rows.get(index).copied());
            let is_known = found.is_some() && (is_new || found == known);
            if is_known && status.is_some_and(|status| fits(&status, &entry))
                || file_matches(&root, entry.path, &entry).map_err(failed)?
            {
                rows.extend(found);
                continue;
            }
            altered.push(Altered::new(entry.path, status.as_ref()));
            was_written |= status.is_some_and(|status| adds_permissions(&status, &entry))
                || status.is_some()
                    && !contents_match(&root, entry.path, &entry).map_err(failed)?;
            rows.push(row(self.rewrite(dxp, &entry, &root).map_err(failed)?));
        }
        if recorded.is_none_or(|recorded| recorded != rows) {
            // Without a record the next check computes the digests again.
            let _ = self.write_record(id, &rows);
        }
        if was_written {
            // Without its mark the package is shared as before, and checked again.
            let _ = self.mark_written(id);
        }
        self.distrust(id, &altered)?;
        Ok(Some(altered))
    }

    /// Trashes all prepared trees where files were altered, as any of them may share these. The
    /// files are listed for [`Self::take_altered`].
    fn distrust(&self, id: PackageId, altered: &[Altered]) -> Result<(), StoreError> {
        if altered.is_empty() {
            return Ok(());
        }
        self.trash_prepared_trees()?;
        let found = altered.iter().filter(|altered| altered.inode != 0);
        self.altered().extend(found.map(|altered| (id, altered.clone())));
        Ok(())
    }

    /// Records the identities of the package's expanded files, which were just created.
    pub(crate) fn record_expanded(&self, id: PackageId, dxp: Dxp<'_>) -> Result<(), StoreError> {
        let failed = |error| StoreError::io("checking", self.expanded(id))(error);
        let root = self.open_expanded(id).map_err(failed)?;
        let mut rows = Vec::with_capacity(dxp.len());
        for entry in dxp.entries() {
            rows.extend(root.identity(entry.path).map_err(failed)?.map(row));
        }
        self.write_record(id, &rows)
    }

    fn write_record(&self, id: PackageId, rows: &[Row]) -> Result<(), StoreError> {
        let name = EntryName::of_package(id, SUFFIX);
        self.write_file(Folder::Packages, &name, |file| file.write_all(&encode(rows)))
    }

    /// Replaces an altered file by a new one.
    fn rewrite(&self, dxp: Dxp<'_>, entry: &Entry<'_>, root: &Dir) -> io::Result<Identity> {
        let contents = dxp.read_verified(entry).map_err(io::Error::other)?;
        let tmp = Dir::open(self.folder(Folder::Tmp))?;
        let draft = unique_name("");
        tmp.write_file(&draft, &contents, entry.mode.bits())?;
        for (end, _) in entry.path.match_indices('/') {
            root.make_or_open_dir(entry.path.get(..end).unwrap_or_default())?;
        }
        tmp.rename(&draft, root, entry.path)?;
        root.identity(entry.path)?.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Reads the record of a package of `files` files.
    fn recorded_files(&self, id: PackageId, files: usize) -> Option<Vec<Row>> {
        let packages = self.existing(Folder::Packages)?;
        let mut file = packages.open_file(EntryName::of_package(id, SUFFIX)).ok()?;
        // One read, with room for a byte that should not be there: every linked package has one.
        let mut bytes = vec![0; Frame::SIZE + files * size_of::<Row>() + 1];
        let read = file.read(&mut bytes).ok()?;
        decode(bytes.get(..read)?).filter(|rows| rows.len() == files)
    }
}

/// Returns whether a file has the mode of its entry.
fn fits(found: &Status, entry: &Entry<'_>) -> bool {
    found.mode.is_none_or(|mode| mode == entry.mode.bits())
}

/// Returns whether somebody gave permissions to a file. A file that lacks some may be one that an
/// earlier version of dx created under another umask.
fn adds_permissions(found: &Status, entry: &Entry<'_>) -> bool {
    found.mode.is_some_and(|mode| mode & !entry.mode.bits() != 0)
}

/// Encodes a record.
fn encode(rows: &[Row]) -> Vec<u8> {
    let mut out = FRAME.begin(size_of_val(rows));
    out.bytes(rows.as_flattened());
    Frame::finish(out)
}

/// Decodes a record; `None` if it is damaged.
fn decode(bytes: &[u8]) -> Option<Vec<Row>> {
    let (rows, rest) = FRAME.open(bytes).ok()?.rest().as_chunks();
    rest.is_empty().then(|| rows.to_vec())
}

fn row(identity: Identity) -> Row {
    let mut row = Row::default();
    let numbers = [
        identity.inode.to_le_bytes(),
        identity.size.to_le_bytes(),
        identity.mtime_ns.to_le_bytes(),
    ];
    row.as_chunks_mut::<8>().0.copy_from_slice(&numbers);
    row
}

/// Fills a package's folder, with links to the files of `copy` that are unaltered.
fn fill(tree: &mut PackageTree, dxp: Dxp<'_>, copy: Option<&Dir>) -> io::Result<()> {
    for entry in dxp.entries() {
        let unaltered = copy.filter(|copy| file_matches(copy, entry.path, &entry).unwrap_or(false));
        match unaltered {
            Some(copy) if tree.link(entry.path, copy).is_ok() => {}
            _ => {
                let contents = dxp.read_verified(&entry).map_err(io::Error::other)?;
                tree.add(entry.path, entry.mode, &contents)?;
            }
        }
    }
    Ok(())
}

#[cfg(all(test, unix))]
mod tests;
