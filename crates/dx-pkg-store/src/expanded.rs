//! Checks of packages' expanded files, and repair of altered ones.
//!
//! Projects share these files: a tool that writes into one of them in place changes it for all. So
//! before a tree is prepared, each file is compared with its identity at its last check, its digest
//! is checked if that differs, and an altered file is replaced. The identities are recorded in
//! `packages/<aa>/<id>.files`, little-endian:
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
use dx_pkg_format::wire::{self, Frame};
use dx_pkg_os::files::{Dir, Identity, unique_name};

use crate::layout::EntryName;
use crate::matching::file_matches;
use crate::package_tree::PackageTree;
use crate::{Folder, Store, StoreError};

const SIGNATURE: [u8; 4] = *b"DXF\0";
const VERSION: u16 = 1;
const FRAME: Frame =
    Frame { format: "record of expanded files", signature: SIGNATURE, version: VERSION };
const SUFFIX: &str = ".files";

/// Inode, size and modification time. The change time is of no use: each new link changes it.
type Row = [u8; 24];

/// An expanded file that differed from its package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Altered {
    /// The path within the package.
    pub path: String,
    /// The inode that has the wrong contents; other trees may have it.
    pub inode: u64,
}

impl Store {
    /// Checks the package's expanded files, and repairs missing and altered ones. Returns the
    /// altered ones, or `None` if the store does not have the package.
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
        for (index, entry) in dxp.entries().enumerate() {
            let found = root.identity(entry.path).map_err(failed)?.map(row);
            let known = recorded.as_ref().and_then(|rows| rows.get(index).copied());
            if found.is_some() && (is_new || found == known)
                || file_matches(&root, entry.path, &entry).map_err(failed)?
            {
                rows.extend(found);
                continue;
            }
            altered.push(Altered {
                path: entry.path.to_owned(),
                inode: found.map_or(0, |found| wire::u64_at(&found, 0)),
            });
            rows.push(row(self.rewrite(dxp, &entry, &root).map_err(failed)?));
        }
        if recorded.is_none_or(|recorded| recorded != rows) {
            let name = EntryName::of_package(id, SUFFIX);
            self.write_file(Folder::Packages, &name, |file| file.write_all(&encode(&rows)))?;
        }
        Ok(Some(altered))
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
        let mut bytes = Vec::new();
        let packages = self.existing(Folder::Packages)?;
        let mut file = packages.open_file(EntryName::of_package(id, SUFFIX)).ok()?;
        file.read_to_end(&mut bytes).ok()?;
        decode(&bytes).filter(|rows| rows.len() == files)
    }
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
