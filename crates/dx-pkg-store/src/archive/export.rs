//! Writing of archives.

use std::collections::HashSet;
use std::io::{self, Write};

use dx_pkg_core::{Integrity, PackageId};
use dx_pkg_format::archive::{self, ArchivedFile, Marks, PackageHead};
use dx_pkg_format::dxp::{self, FileEntry, FileMode};
use zstd::Encoder;

use super::counted::Counted;
use super::{ArchiveError, is_bomb};
use crate::{Package, Store};

/// The level of compression. Level 5 writes the large fixture 6 % smaller in half as much processor
/// time again, level 9 17 % smaller in three times of it.
const LEVEL: i32 = 3;
/// The window of compression, 2^24 bytes. A larger one needs as much more memory on both sides and
/// saves 1 %.
const WINDOW_LOG: u32 = 24;

/// The contents of an archive that was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Exported {
    /// The number of packages.
    pub packages: usize,
    /// The number of files in them.
    pub files: usize,
    /// The size of their contents in bytes.
    pub contents: u64,
    /// The size of the archive in bytes.
    pub bytes: u64,
}

/// Writes an archive, package by package.
pub struct Exporter<W: Write> {
    encoder: Encoder<'static, Counted<W>>,
    exported: Exported,
    announced: u32,
    added: HashSet<PackageId>,
}

impl<W: Write> Exporter<W> {
    /// Begins an archive of so many packages.
    ///
    /// # Errors
    /// When `out` cannot be written to.
    pub fn begin(out: W, packages: u32) -> Result<Self, ArchiveError> {
        let mut out = Counted::new(out);
        out.write_all(&archive::encode_header(packages)).map_err(writing)?;
        let encoder = encoder(out).map_err(writing)?;
        let (exported, added) = (Exported::default(), HashSet::new());
        Ok(Self { encoder, exported, announced: packages, added })
    }

    /// Adds a package that is stored whole. Each file is compared with its digest.
    ///
    /// # Errors
    /// When the package is damaged or not stored, or was added before, or the archive cannot be
    /// written.
    pub fn add_stored(
        &mut self,
        store: &Store,
        id: PackageId,
        integrity: &Integrity,
        marks: Marks,
    ) -> Result<(), ArchiveError> {
        let unsound = |what: String| ArchiveError::Unsound { id, what };
        let package = store.open_package(id)?;
        let package = package.ok_or_else(|| unsound("it was removed from the store".into()))?;
        let entries = package.dxp().entries();
        let files = entries.clone().map(|entry| (entry.path, entry.mode, entry.size));
        self.write_head(id, integrity, marks, files)?;
        let mut digests = Vec::with_capacity(entries.len());
        for entry in entries {
            digests.push((entry.path, entry.mode, self.write_stored(id, &package, &entry)?));
        }
        self.write(&dxp::content_root_of(digests.into_iter()))
    }

    /// Adds a package with the contents of its files, which the caller has verified; its files
    /// ascend by path.
    ///
    /// # Errors
    /// When the package was added before, its files cannot be stored, or the archive cannot be
    /// written.
    pub fn add_files(
        &mut self,
        id: PackageId,
        integrity: &Integrity,
        marks: Marks,
        files: &[FileEntry<'_>],
    ) -> Result<(), ArchiveError> {
        let rows = files.iter().map(|file| (file.path, file.mode, file.data.len() as u64));
        self.write_head(id, integrity, marks, rows)?;
        let mut digests = Vec::with_capacity(files.len());
        for file in files {
            self.write(file.data)?;
            digests.push((file.path, file.mode, *blake3::hash(file.data).as_bytes()));
        }
        self.write(&dxp::content_root_of(digests.into_iter()))
    }

    /// Ends the archive.
    ///
    /// # Errors
    /// When fewer packages were added than announced, or it cannot be written.
    pub fn finish(mut self) -> Result<(W, Exported), ArchiveError> {
        if self.exported.packages != self.announced as usize {
            return Err(ArchiveError::refused("it lacks packages that it was begun with"));
        }
        self.write(&0_u32.to_le_bytes())?;
        let mut out = self.encoder.finish().map_err(writing)?;
        out.flush().map_err(writing)?;
        let exported = Exported { bytes: out.bytes, ..self.exported };
        if is_bomb(exported.bytes, exported.contents) {
            return Err(ArchiveError::refused(
                "its packages are so repetitive that import would take it for an attack",
            ));
        }
        Ok((out.into_inner(), exported))
    }

    fn write_head<'f>(
        &mut self,
        id: PackageId,
        integrity: &Integrity,
        marks: Marks,
        files: impl Iterator<Item = (&'f str, FileMode, u64)>,
    ) -> Result<(), ArchiveError> {
        if !self.added.insert(id) {
            return Err(ArchiveError::refused(format!("the package {id} is in it twice")));
        }
        let files = files.map(|(path, mode, size)| ArchivedFile { path: path.into(), mode, size });
        let head = PackageHead { id, marks, integrity: integrity.clone(), files: files.collect() };
        let unsound = |source: dx_pkg_format::FormatError| ArchiveError::Unsound {
            id,
            what: source.to_string(),
        };
        let bytes = head.encode().map_err(unsound)?;
        self.exported.packages += 1;
        self.exported.files += head.files.len();
        self.exported.contents += head.size();
        self.write(&(bytes.len() as u32).to_le_bytes())?;
        self.write(&bytes)
    }

    /// Writes the contents of a stored file; returns their BLAKE3.
    fn write_stored(
        &mut self,
        id: PackageId,
        package: &Package,
        entry: &dxp::Entry<'_>,
    ) -> Result<[u8; 32], ArchiveError> {
        let unsound = |what| ArchiveError::Unsound { id, what };
        // The digest was checked by this.
        let contents = package.read(entry).map_err(|error| unsound(error.to_string()))?;
        if contents.len() as u64 != entry.size {
            return Err(unsound(format!("its file {:?} is damaged", entry.path)));
        }
        self.write(&contents)?;
        Ok(*blake3::hash(&contents).as_bytes())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), ArchiveError> {
        self.encoder.write_all(bytes).map_err(writing)
    }
}

fn encoder<W: Write>(out: W) -> io::Result<Encoder<'static, W>> {
    let mut encoder = Encoder::new(out, LEVEL)?;
    encoder.long_distance_matching(true)?;
    encoder.window_log(WINDOW_LOG)?;
    encoder.include_checksum(true)?;
    // This thread reads and hashes meanwhile.
    encoder.multithread(u32::try_from(dx_pkg_os::process::processors()).unwrap_or(1))?;
    Ok(encoder)
}

fn writing(source: io::Error) -> ArchiveError {
    ArchiveError::Io { doing: "writing", source }
}
