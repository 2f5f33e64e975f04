//! Packages that one process has whole, and the store not yet.
//!
//! An install that a background process follows need not write what it fetched twice. It unpacks packages into a folder of
//! its own in `tmp/`, keeps the tables of their DXP files in memory, and moves or links the files into its project. When it
//! ends, it leaves the tables in `pending/`, and whoever works in the background writes the DXP files from the project's
//! copies, each file compared with a provisional digest; BLAKE3 is left to it. Other processes see nothing of such a package until then.
//!
//! ```text
//! magic "DXQ\0" | version u32 | XXH3-64 of all after it
//! project: length u32, text | folder in tmp/: length u32, text
//! per package: id 32 | length u32 | the DXP file up to its payload, with provisional digests
//! ```
//! Numbers are little-endian.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dx_pkg_core::{Integrity, PackageId};
use dx_pkg_format::dxp::{self, DigestedFile, Dxp, Entry, FileEntry, Layout, ProvisionalDigest};
use dx_pkg_format::wire;
use dx_pkg_os::{Dir, unique_name};

use crate::insert::Tree;
use crate::layout::Sharded;
use crate::verify::open_matching;
use crate::{Folder, PackageTables, Store, StoreError};

const MAGIC: [u8; 4] = *b"DXQ\0";
const VERSION: u32 = 2;
const HEADER: usize = 16;
/// How the folders of packages in `tmp/` begin; the number of their process follows.
const PREFIX: &str = "pending-";
/// How much of a file is copied at once, in bytes.
const BUFFER: usize = 128 * 1024;
/// A process of another container cannot be told from a dead one; it has this long from one package to the next.
const PAUSE: Duration = Duration::from_secs(10 * 60);

/// The packages of this process.
#[derive(Debug)]
pub(crate) struct Pending {
    /// Below `tmp/`.
    name: String,
    pub(crate) dir: Dir,
    tables: Mutex<HashMap<PackageId, PackageTables>>,
}

impl Pending {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn tables(&self, id: PackageId) -> Option<PackageTables> {
        self.lock().get(&id).cloned()
    }

    /// Takes a package whose folder is there.
    pub(crate) fn insert(&self, id: PackageId, tables: PackageTables) {
        self.lock().insert(id, tables);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PackageId, PackageTables>> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an install left to be written.
#[derive(Debug)]
pub struct PendingNote {
    /// The project that has the packages' files.
    pub project: PathBuf,
    /// The packages, with the beginnings of their DXP files.
    pub packages: Vec<(PackageId, Vec<u8>)>,
    /// The folder in `tmp/` that holds what was not moved into the project.
    rest: PathBuf,
    note: PathBuf,
}

impl Store {
    /// Takes a package for this process alone; see [`Self::leave_pending`].
    ///
    /// # Errors
    /// When a path is unsafe or repeated, or the file system refuses.
    pub fn insert_later(
        &self,
        id: PackageId,
        integrity: Option<&Integrity>,
        files: &[FileEntry<'_>],
    ) -> Result<(), StoreError> {
        let unstorable = |source| StoreError::Unstorable { id, source };
        let digested: Vec<_> = files.iter().map(DigestedFile::of).collect();
        let tables =
            dxp::tables_of(&digested, integrity).and_then(PackageTables::of).map_err(unstorable)?;
        let pending = self.pending_or_begin()?;
        if pending.tables(id).is_some() {
            return Ok(());
        }
        let failed = |error| StoreError::io("writing", self.expanded(id))(error);
        let mut tree = Tree::new(pending.dir.make_dir(name_of(id)).map_err(failed)?);
        tree.add_all(files).map_err(failed)?;
        pending.insert(id, tables);
        Ok(())
    }

    pub(crate) fn pending_or_begin(&self) -> Result<&Pending, StoreError> {
        let tmp = self.dir(Folder::Tmp)?;
        if let Some(pending) = self.pending() {
            return Ok(pending);
        }
        // Threads that begin at once begin one folder.
        let _begins = self.begins_pending();
        if let Some(pending) = self.pending() {
            return Ok(pending);
        }
        let name = unique_name(&format!("{PREFIX}{}-", std::process::id()));
        let dir = tmp
            .make_dir(&name)
            .map_err(StoreError::io("making", self.folder(Folder::Tmp).join(&name)))?;
        let begun = Pending { name, dir, tables: Mutex::default() };
        Ok(self.pending_cell().get_or_init(|| begun))
    }

    /// Leaves what [`Self::insert_later`] took to whoever works in the background; `project` has the files. Says how many
    /// packages these are.
    ///
    /// # Errors
    /// When the file system refuses; the packages are then fetched again when they are wanted.
    pub fn leave_pending(&self, project: &Path) -> Result<usize, StoreError> {
        let Some(pending) = self.pending() else { return Ok(0) };
        let tables = std::mem::take(&mut *pending.lock());
        let left = tables.len();
        let mut out = Vec::with_capacity(
            HEADER + tables.values().map(|tables| tables.bytes().len() + 36).sum::<usize>(),
        );
        out.extend(MAGIC);
        out.extend(VERSION.to_le_bytes());
        out.extend([0; 8]);
        field(&mut out, project.as_os_str().as_encoded_bytes());
        field(&mut out, pending.name.as_bytes());
        for (id, tables) in tables {
            out.extend(id.as_bytes());
            field(&mut out, tables.bytes());
        }
        let checksum = wire::checksum(out.get(HEADER..).unwrap_or_default());
        if let Some(place) = out.get_mut(8..HEADER) {
            place.copy_from_slice(&checksum.to_le_bytes());
        }
        let (tmp, folder) = (self.dir(Folder::Tmp)?, self.dir(Folder::Pending)?);
        let name = unique_name("");
        tmp.write_file(&name, &out, 0o644)
            .and_then(|()| tmp.rename(&name, folder, &name))
            .map_err(StoreError::io("writing", self.folder(Folder::Pending).join(name)))?;
        Ok(left)
    }

    /// Gives up what [`Self::insert_later`] took, where nobody will work in the background.
    ///
    /// # Errors
    /// When what was not moved away cannot be removed.
    pub fn drop_pending(&self) -> Result<(), StoreError> {
        let Some(pending) = self.pending() else { return Ok(()) };
        pending.lock().clear();
        let path = self.folder(Folder::Tmp).join(&pending.name);
        dx_pkg_os::remove_tree(&path).map_err(StoreError::io("removing", path))
    }

    /// What installs have left. A note that is damaged is removed.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn pending_notes(&self) -> Result<Vec<PendingNote>, StoreError> {
        let mut notes = Vec::new();
        for path in self.names_in(Folder::Pending)? {
            let bytes = std::fs::read(&path).map_err(StoreError::io("reading", &path))?;
            match self.decode_note(&bytes, &path) {
                Some(note) => notes.push(note),
                None => std::fs::remove_file(&path).map_err(StoreError::io("removing", path))?,
            }
        }
        Ok(notes)
    }

    /// The folders that killed processes left: those without a note.
    pub(crate) fn abandoned_pending(&self) -> Result<Vec<PathBuf>, StoreError> {
        let is_abandoned = |path: &PathBuf| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let process =
                name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next()?.parse().ok());
            let modified = std::fs::metadata(path).and_then(|metadata| metadata.modified());
            process.is_some_and(|process| !dx_pkg_os::process_alive(process))
                && modified.is_ok_and(|modified| modified.elapsed().is_ok_and(|age| age > PAUSE))
        };
        let mut abandoned: Vec<PathBuf> =
            self.names_in(Folder::Tmp)?.into_iter().filter(is_abandoned).collect();
        if !abandoned.is_empty() {
            // Looked for last: a process leaves its note before it ends.
            let notes = self.pending_notes()?;
            abandoned.retain(|path| notes.iter().all(|note| note.rest != *path));
        }
        Ok(abandoned)
    }

    fn decode_note(&self, bytes: &[u8], path: &Path) -> Option<PendingNote> {
        let (header, mut rest) = bytes.split_at_checked(HEADER)?;
        let is_sound = header.get(..4) == Some(&MAGIC)
            && wire::u32_at(header, 4) == VERSION
            && wire::u64_at(header, 8) == wire::checksum(rest);
        let project = PathBuf::from(std::str::from_utf8(take_field(&mut rest)?).ok()?);
        let name = std::str::from_utf8(take_field(&mut rest)?).ok()?;
        let is_name = name.starts_with(PREFIX) && !name.contains(['/', '\\']);
        let mut packages = Vec::new();
        while let Some((id, after)) = rest.split_first_chunk::<32>() {
            rest = after;
            packages.push((PackageId::from_bytes(*id), take_field(&mut rest)?.to_vec()));
        }
        (is_sound && is_name && project.is_absolute() && rest.is_empty()).then(|| PendingNote {
            project,
            packages,
            rest: self.folder(Folder::Tmp).join(name),
            note: path.to_owned(),
        })
    }

    /// Writes the DXP file of a pending package from the first of `copies`, or of what was not moved, that has all its
    /// files as they were; says whether there was one.
    ///
    /// # Errors
    /// When the file system refuses to be written to.
    pub fn complete(
        &self,
        note: &PendingNote,
        id: PackageId,
        tables: &[u8],
        copies: &[PathBuf],
    ) -> Result<bool, StoreError> {
        let Ok(layout) = Layout::decode_tables(tables) else { return Ok(false) };
        if dxp::tables_length(tables) != Some(tables.len() as u64) {
            return Ok(false);
        }
        if self.open_package(id).is_ok_and(|package| package.is_some()) {
            return Ok(true);
        }
        let left = note.rest.join(name_of(id));
        for copy in copies.iter().chain([&left]) {
            let Ok(dir) = Dir::open(copy) else { continue };
            let mut differs = false;
            let written = self.write_file(Folder::Packages, &Sharded::new(id, ".dxp"), |file| {
                let written = write_package(file, tables, layout.view(tables), &dir);
                differs =
                    matches!(&written, Err(error) if error.kind() == io::ErrorKind::InvalidData);
                written
            });
            match written {
                Ok(()) => {
                    // What stays is in nobody's way.
                    let _ = self.forget_tarball(id);
                    return Ok(true);
                }
                Err(_) if differs => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    /// Forgets what an install left, once it is written or cannot be.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn forget_pending(&self, note: &PendingNote) -> Result<(), StoreError> {
        self.trash(&note.rest)?;
        std::fs::remove_file(&note.note).map_err(StoreError::io("removing", &note.note))
    }
}

/// Writes a DXP file of what is in the folder `from`, as the provisional `tables` say, which `dxp` is a view of.
///
/// Fails with [`io::ErrorKind::InvalidData`] where the files are others.
fn write_package(file: &mut File, tables: &[u8], dxp: Dxp<'_>, from: &Dir) -> io::Result<()> {
    file.seek(SeekFrom::Start(tables.len() as u64))?;
    let digests = write_payload(file, tables.len() as u64, dxp, from)?;
    let mut tables = tables.to_vec();
    dxp::complete_tables(&mut tables, &digests).map_err(|_| io::ErrorKind::InvalidData)?;
    file.rewind()?;
    file.write_all(&tables)
}

/// Writes the contents where the tables say, from files that are compared with their provisional digests; gives the BLAKE3
/// of each.
fn write_payload(
    file: &mut File,
    mut position: u64,
    dxp: Dxp<'_>,
    from: &Dir,
) -> io::Result<Vec<[u8; 32]>> {
    let mut digests = Vec::with_capacity(dxp.len());
    let mut buffer = vec![0; BUFFER];
    for entry in dxp.entries() {
        let mut contents =
            open_matching(from, entry.path, &entry)?.ok_or(io::ErrorKind::InvalidData)?;
        let at = entry.stored_at().ok_or(io::ErrorKind::InvalidData)?;
        let padding = at.checked_sub(position).ok_or(io::ErrorKind::InvalidData)?;
        io::copy(&mut io::Read::take(io::repeat(0), padding), file)?;
        let (mut provisional, mut digest) = (ProvisionalDigest::default(), blake3::Hasher::new());
        let mut left = entry.size;
        while left > 0 {
            let room = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            let piece = buffer.get_mut(..room).unwrap_or_default();
            let read = match contents.read(piece) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read?,
            };
            let piece = piece
                .get(..read)
                .filter(|piece| !piece.is_empty())
                .ok_or(io::ErrorKind::InvalidData)?;
            provisional.update(piece);
            digest.update(piece);
            file.write_all(piece)?;
            left -= read as u64;
        }
        if provisional.finish() != entry.digest {
            return Err(io::ErrorKind::InvalidData.into());
        }
        digests.push(*digest.finalize().as_bytes());
        position = at + entry.size;
    }
    Ok(digests)
}

/// The contents of a pending package's file, if they are what was unpacked.
pub(crate) fn read_matching(dir: &Dir, entry: &Entry<'_>) -> io::Result<Option<Vec<u8>>> {
    let Some(mut file) = open_matching(dir, entry.path, entry)? else { return Ok(None) };
    let mut contents = Vec::with_capacity(usize::try_from(entry.size).unwrap_or_default());
    file.read_to_end(&mut contents)?;
    Ok((ProvisionalDigest::of(&contents) == entry.digest).then_some(contents))
}

/// What the folder of a pending package is called.
pub(crate) fn name_of(id: PackageId) -> String {
    String::from_utf8_lossy(&id.hex()).into_owned()
}

fn field(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend(bytes);
}

fn take_field<'b>(rest: &mut &'b [u8]) -> Option<&'b [u8]> {
    let (length, after) = rest.split_first_chunk::<4>()?;
    let (bytes, after) = after.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    *rest = after;
    Some(bytes)
}

#[cfg(test)]
mod tests;
