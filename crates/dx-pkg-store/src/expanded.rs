//! Keeping the expanded files of a package what the package says they are.
//!
//! Projects share these files: a tool that writes into one of them in place changes it for all. So before a tree is
//! prepared, each file is compared with what it was when its digest was last checked, and repaired where it changed.
//!
//! That is noted in `packages/<aa>/<id>.files`:
//! ```text
//! magic "DXF\0" | version u32 | XXH3-64 of all after it | per file, in the package's order: inode, size, mtime: u64 each
//! ```
//! Numbers are little-endian. A note that is damaged or does not fit counts as missing.

use std::io;
use std::io::Write;
use std::path::Path;

use dx_pkg_core::PackageId;
use dx_pkg_format::dxp::{Dxp, Entry};
use dx_pkg_format::wire;
use dx_pkg_os::{Dir, Identity, unique_name};

use crate::insert::Tree;
use crate::layout::Sharded;
use crate::verify::file_matches;
use crate::{Folder, Store, StoreError};

const MAGIC: [u8; 4] = *b"DXF\0";
const VERSION: u32 = 1;
const HEADER: usize = 16;
const ROW: usize = 24;

/// A file that was not what its package says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Altered {
    /// The path within the package.
    pub path: String,
    /// The inode that holds the wrong contents; other trees may have it.
    pub inode: u64,
}

impl Store {
    /// Sees to it that the package's expanded files are there and right; says which of them were not right, or `None`
    /// for a package the store does not have. A missing folder is made of second names for the files in `copy`, a
    /// project's copy of the package, as far as those are right, so that nothing is written twice.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn keep_expanded(
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
        let just_made = !self.has(id);
        if just_made {
            let copy = copy.and_then(|copy| Dir::open(copy).ok());
            self.insert_expanded(id, |tree| fill(tree, dxp, copy.as_ref()))?;
        }
        let failed = |error| StoreError::io("checking", self.expanded(id))(error);
        let root = self.open_expanded(id).map_err(failed)?;
        let noted = self.note(id, dxp.len());
        let mut now = Vec::with_capacity(dxp.len() * ROW);
        let mut altered = Vec::new();
        for (index, entry) in dxp.entries().enumerate() {
            let found = root.identity(entry.path).map_err(failed)?.map(row);
            let known =
                noted.as_ref().and_then(|note| wire::array_at::<ROW>(note, HEADER + index * ROW));
            if found.is_some() && (just_made || found == known)
                || file_matches(&root, entry.path, &entry).map_err(failed)?
            {
                now.extend(found.unwrap_or_default());
                continue;
            }
            altered.push(Altered {
                path: entry.path.to_owned(),
                inode: found.map_or(0, |found| wire::u64_at(&found, 0)),
            });
            now.extend(row(self.rewrite(dxp, &entry, &root).map_err(failed)?));
        }
        if noted.is_none_or(|note| note.get(HEADER..) != Some(&now)) {
            self.write_note(id, &now)?;
        }
        Ok(Some(altered))
    }

    /// Puts a new file in the place of one that is not right.
    fn rewrite(&self, dxp: Dxp<'_>, entry: &Entry<'_>, root: &Dir) -> io::Result<Identity> {
        let contents = dxp.read_verified(entry).map_err(io::Error::other)?;
        let tmp = Dir::open(self.folder(Folder::Tmp))?;
        let draft = unique_name("");
        tmp.write_file(&draft, &contents, if entry.executable { 0o755 } else { 0o644 })?;
        for (end, _) in entry.path.match_indices('/') {
            root.make_or_open_dir(entry.path.get(..end).unwrap_or_default())?;
        }
        tmp.rename(&draft, root, entry.path)?;
        root.identity(entry.path)?.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// The note about a package of `files` files.
    fn note(&self, id: PackageId, files: usize) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut file =
            self.existing(Folder::Packages)?.open_file(Sharded::new(id, ".files")).ok()?;
        io::Read::read_to_end(&mut file, &mut bytes).ok()?;
        let body = bytes.get(HEADER..)?;
        let is_sound = bytes.get(..4) == Some(&MAGIC)
            && wire::u32_at(&bytes, 4) == VERSION
            && wire::u64_at(&bytes, 8) == wire::checksum(body)
            && body.len() == files * ROW;
        is_sound.then_some(bytes)
    }

    fn write_note(&self, id: PackageId, rows: &[u8]) -> Result<(), StoreError> {
        self.write_file(Folder::Packages, &Sharded::new(id, ".files"), |file| {
            file.write_all(&MAGIC)?;
            file.write_all(&VERSION.to_le_bytes())?;
            file.write_all(&wire::checksum(rows).to_le_bytes())?;
            file.write_all(rows)
        })
    }
}

/// Inode, size and modification time; the change time is no use, as every new name of the file changes it.
fn row(identity: Identity) -> [u8; ROW] {
    let mut row = [0; ROW];
    let numbers = [
        identity.inode.to_le_bytes(),
        identity.size.to_le_bytes(),
        identity.mtime_ns.to_le_bytes(),
    ];
    row.as_chunks_mut::<8>().0.copy_from_slice(&numbers);
    row
}

fn fill(tree: &mut Tree, dxp: Dxp<'_>, copy: Option<&Dir>) -> io::Result<()> {
    for entry in dxp.entries() {
        let right = copy.filter(|copy| file_matches(copy, entry.path, &entry).unwrap_or(false));
        match right {
            Some(copy) if tree.link(entry.path, copy).is_ok() => {}
            _ => {
                let contents = dxp.read_verified(&entry).map_err(io::Error::other)?;
                tree.add(entry.path, entry.executable, &contents)?;
            }
        }
    }
    Ok(())
}

#[cfg(all(test, unix))]
mod tests;
