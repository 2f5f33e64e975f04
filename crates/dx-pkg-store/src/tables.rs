//! The tables of packages: their files without contents, and the record that the store keeps of an
//! expanded package.
//!
//! The expanded files are the only copy of a package's contents. Beside them,
//! `packages/<aa>/<id>.dxt` has what a DXP file has before its payload, and by what each file is
//! known to be unaltered. Little-endian:
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 4 | signature `DXT\0` |
//! | 4 | 2 | version, 2 |
//! | 6 | 2 | zero |
//! | 8 | 8 | XXH3-64 of all bytes from offset 16 |
//! | 16 | 2 | the digests in the tables: 0 = BLAKE3, 1 = XXH3-128, 2 = the same with a secret |
//! | 18 | 2 | the names of the expanded files: 0 = their paths, 1 to 3 = their numbers (below) |
//! | 20 | 8 | the latest change time of the files that is known to be dx's own, in ns |
//! | 28 | 4 | length of the tables, T |
//! | 32 | T | a DXP file up to its payload |
//! | … | 20 × files | for each file, in the tables' order: inode, modification time, number |
//! | … | 32 | the seal of the id, the first 8 bytes and those from offset 16 up to here |
//!
//! Files are numbered from 0 in the order in which they were written. The name of file n is, by the
//! code above: 1, the number in decimal; 2, the same with 31 digits; 3, `d<n / 64>/<n % 64>`, and
//! below 64 the number alone.
//!
//! A damaged record counts as missing, and so does one of another store or another package.
//!
//! Version 1 lacks the change time and the seal, and has no digests with a secret. It is read where
//! it is older than the store's key; see [`crate::seal`].

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use dx_pkg_core::{Integrity, PackageId};
use dx_pkg_format::FormatError;
use dx_pkg_format::dxp::{self, DigestSecret, DigestedFile, Dxp, Entry, FileEntry, Layout};
use dx_pkg_format::wire::{Frame, Reader};
use dx_pkg_os::files::{Identity, Status};

use crate::seal::{SEAL, Seals};

const SIGNATURE: [u8; 4] = *b"DXT\0";
const VERSION: u16 = 2;
const FORMAT: &str = "record of an expanded package";
const FRAME: Frame = Frame { format: FORMAT, signature: SIGNATURE, version: VERSION };
/// The version without seals.
const FORMER: Frame = Frame { version: 1, ..FRAME };
/// The offset of the tables.
const TABLES_AT: usize = Frame::SIZE + 16;
/// Their offset in version 1.
const FORMER_TABLES_AT: usize = Frame::SIZE + 8;
/// The length of the beginning of a record that [`file_count`] needs.
pub(crate) const COUNTED: usize = TABLES_AT + dxp::HEADER;

/// Inode and modification time of a file at its last check. Its change time is no part of that:
/// each new link changes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    inode: u64,
    mtime_ns: i64,
}

impl Stamp {
    pub(crate) fn of(identity: &Identity) -> Self {
        Self { inode: identity.inode, mtime_ns: identity.mtime_ns }
    }

    /// Returns the stamp in a row of the older record beside a DXP file: inode, size, modification
    /// time.
    pub(crate) fn of_row(row: &[u8; 24]) -> Self {
        let [inode, _, mtime] = row.as_chunks::<8>().0 else {
            return Self { inode: 0, mtime_ns: 0 };
        };
        Self { inode: u64::from_le_bytes(*inode), mtime_ns: i64::from_le_bytes(*mtime) }
    }

    /// Returns whether a file is the one of this stamp with the size and mode of its entry.
    pub(crate) fn fits(&self, found: &Status, entry: &Entry<'_>) -> bool {
        *self == Self::of(&found.identity)
            && found.identity.size == entry.size
            && found.mode.is_none_or(|mode| mode == entry.mode.bits())
    }
}

/// What is recorded of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    /// The stamp.
    pub(crate) stamp: Stamp,
    /// The number.
    pub(crate) number: u32,
}

impl Row {
    const BYTES: usize = 20;
}

/// The names that expanded files have in the package's folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    /// Their paths, as in a project. Pending packages, whose folders are moved into one, are such,
    /// and those stored by an earlier version.
    Paths = 0,
    /// Their numbers, in one folder. An earlier version gave them.
    Numbers = 1,
    /// Their numbers with [`PADDED`] digits, in one folder. An earlier version gave them.
    Padded = 2,
    /// Their numbers, [`FOLDER`] in a folder.
    Folders = 3,
}

/// The digits of a padded number.
const PADDED: usize = 31;

/// The number of files in a folder of an expanded package. Adding a name to a block of a folder
/// searches all names in it, so on ext4 small folders are filled faster, as long as there are not
/// too many of them to make.
const FOLDER: u32 = 64;

impl Names {
    /// The names that this build gives. A system that clones whole folders needs paths.
    pub(crate) const STORED: Self =
        if dx_pkg_os::files::CLONES_TREES { Self::Paths } else { Self::Folders };

    /// Returns the code in a record.
    fn code(self) -> u32 {
        self as u32
    }

    fn of_code(code: [u8; 2]) -> Option<Self> {
        let all = [Self::Paths, Self::Numbers, Self::Padded, Self::Folders];
        all.into_iter().find(|names| names.code() == u32::from(u16::from_le_bytes(code)))
    }
}

/// The name of an expanded file, which may lie in a folder.
#[derive(Debug, Clone, Copy)]
pub(crate) enum FileName<'a> {
    Path(&'a str),
    Number(NumberName),
}

/// A name made of numbers, written from its end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NumberName {
    bytes: [u8; PADDED],
    start: usize,
}

impl NumberName {
    fn push(&mut self, byte: u8) {
        self.start = self.start.saturating_sub(1);
        if let Some(first) = self.bytes.get_mut(self.start) {
            *first = byte;
        }
    }

    fn push_number(&mut self, mut number: u32) {
        loop {
            self.push(b'0' + (number % 10) as u8);
            number /= 10;
            if number == 0 {
                break;
            }
        }
    }

    fn as_str(&self) -> &str {
        let bytes = self.bytes.get(self.start..).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }
}

impl<'a> FileName<'a> {
    /// Returns the name of the file with this path and number.
    pub(crate) fn of(names: Names, path: &'a str, number: u32) -> Self {
        let mut name = NumberName { bytes: [b'0'; PADDED], start: PADDED };
        match names {
            Names::Paths => return Self::Path(path),
            Names::Numbers => name.push_number(number),
            Names::Padded => {
                name.push_number(number);
                name.start = 0;
            }
            Names::Folders => {
                name.push_number(number % FOLDER);
                if number >= FOLDER {
                    name.push(b'/');
                    name.push_number(number / FOLDER);
                    name.push(b'd');
                }
            }
        }
        Self::Number(name)
    }

    /// Returns the folder of a numbered file that is the first in it.
    pub(crate) fn new_folder(&self) -> Option<&str> {
        let Self::Number(name) = self else { return None };
        name.as_str().strip_suffix("/0")
    }

    /// Returns the path from the package's folder.
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Path(path) => path,
            Self::Number(name) => name.as_str(),
        }
    }
}

impl AsRef<Path> for FileName<'_> {
    fn as_ref(&self) -> &Path {
        Path::new(self.as_str())
    }
}

/// The way in which the digests in tables were computed.
#[derive(Debug, Clone)]
pub(crate) enum Digests {
    /// As the format says.
    Blake3,
    /// Provisional ones of an earlier version, which detect damage only.
    Unkeyed,
    /// Provisional ones with the store's secret.
    Keyed(DigestSecret),
}

impl Digests {
    fn code(&self) -> u32 {
        match self {
            Self::Blake3 => 0,
            Self::Unkeyed => 1,
            Self::Keyed(_) => 2,
        }
    }
}

/// A package's tables: its files without their contents.
#[derive(Debug, Clone)]
pub struct PackageTables {
    bytes: Arc<Vec<u8>>,
    /// Where in `bytes` the tables are.
    range: Range<usize>,
    layout: Layout,
    pub(crate) digests: Digests,
    pub(crate) names: Names,
    /// The rows of the files, in the tables' order; empty where they are not known.
    rows: Arc<[Row]>,
    /// The latest change time of the files that is known to be dx's own.
    pub(crate) changed_ns: i64,
}

impl PackageTables {
    /// Decodes the beginning of a DXP file, at least up to its payload.
    pub(crate) fn of_dxp(mut bytes: Vec<u8>) -> Result<Self, FormatError> {
        let length = dxp::tables_length(&bytes).and_then(|length| usize::try_from(length).ok());
        bytes.truncate(length.unwrap_or(usize::MAX));
        Self::new(bytes, Digests::Blake3)
    }

    /// Makes the tables of files, with provisional digests.
    pub(crate) fn of_files(
        files: &[FileEntry<'_>],
        integrity: Option<&Integrity>,
        secret: &DigestSecret,
    ) -> Result<Self, FormatError> {
        let digested: Vec<_> = files.iter().map(|file| DigestedFile::of(file, secret)).collect();
        Self::of_digested(&digested, integrity, secret)
    }

    /// Makes the tables of files whose provisional digests are known.
    pub(crate) fn of_digested(
        files: &[DigestedFile<'_>],
        integrity: Option<&Integrity>,
        secret: &DigestSecret,
    ) -> Result<Self, FormatError> {
        let digests = Digests::Keyed(secret.clone());
        let tables = Self::new(dxp::tables_of(files, integrity)?, digests)?;
        tables.check_folders()?;
        Ok(tables)
    }

    /// Makes the tables of files with the BLAKE3 of their contents, in the files' order.
    pub(crate) fn of_proven(
        files: &[FileEntry<'_>],
        digests: &[[u8; 32]],
        integrity: Option<&Integrity>,
    ) -> Result<Self, FormatError> {
        let files = files.iter().zip(digests).map(|(file, digest)| DigestedFile {
            path: file.path,
            mode: file.mode,
            size: file.data.len() as u64,
            digest: *digest,
        });
        let files: Vec<_> = files.collect();
        let tables = Self::new(dxp::tables_of(&files, integrity)?, Digests::Blake3)?;
        tables.check_folders()?;
        Ok(tables)
    }

    /// Checks that no path is both a file and a folder.
    fn check_folders(&self) -> Result<(), FormatError> {
        let mut last = "";
        for Entry { path, .. } in self.dxp().entries() {
            for (end, _) in path.match_indices('/').filter(|(end, _)| {
                // The one before has the same folder.
                last.get(..=*end) != path.get(..=*end)
            }) {
                if self.dxp().find(path.get(..end).unwrap_or_default()).is_some() {
                    let what = "a path is both a file and a folder";
                    return Err(FormatError::Corrupt { format: "package", what });
                }
            }
            last = path;
        }
        Ok(())
    }

    fn new(bytes: Vec<u8>, digests: Digests) -> Result<Self, FormatError> {
        let layout = Layout::decode_tables(&bytes)?;
        let range = 0..bytes.len();
        let (names, rows) = (Names::Paths, Arc::new([]));
        let changed_ns = i64::MIN;
        Ok(Self { bytes: Arc::new(bytes), range, layout, digests, names, rows, changed_ns })
    }

    /// Adds the files' rows, in the tables' order, and the latest change of them that is dx's own.
    #[must_use]
    pub(crate) fn with_rows(self, names: Names, rows: Vec<Row>, changed_ns: i64) -> Self {
        Self { names, rows: rows.into(), changed_ns, ..self }
    }

    /// Sets the latest change of the files that is dx's own.
    #[must_use]
    pub(crate) fn changed_until(self, changed_ns: i64) -> Self {
        Self { changed_ns, ..self }
    }

    /// Decodes the record of a package; `None` if it is damaged, or not this store's.
    pub(crate) fn decode(bytes: Vec<u8>, id: PackageId, seals: &Seals) -> Option<Self> {
        let reader = FRAME.open(&bytes).ok()?;
        let (rest, seal) = reader.rest().split_last_chunk::<SEAL>()?;
        if !seals.fits(seal, id.as_bytes(), [bytes.get(..8)?, rest]) {
            return None;
        }
        let mut reader = Reader::new(rest);
        let digests = match reader.array()? {
            [0, 0] => Digests::Blake3,
            [1, 0] => Digests::Unkeyed,
            [2, 0] => Digests::Keyed(seals.digests.clone()),
            _ => return None,
        };
        let names = Names::of_code(reader.array()?)?;
        let changed_ns = i64::from_le_bytes(reader.array()?);
        let (layout, length, rows) = read_tables_and_rows(&mut reader)?;
        let range = TABLES_AT..TABLES_AT + length;
        Some(Self { bytes: Arc::new(bytes), range, layout, digests, names, rows, changed_ns })
    }

    /// Decodes a record of version 1; `None` if it is damaged. Nothing binds it to a package.
    pub(crate) fn decode_former(bytes: Vec<u8>) -> Option<Self> {
        let mut reader = FORMER.open(&bytes).ok()?;
        let digests = match reader.array()? {
            [0, 0] => Digests::Blake3,
            [1, 0] => Digests::Unkeyed,
            _ => return None,
        };
        let names = Names::of_code(reader.array()?)?;
        let (layout, length, rows) = read_tables_and_rows(&mut reader)?;
        let (range, changed_ns) = (FORMER_TABLES_AT..FORMER_TABLES_AT + length, i64::MIN);
        Some(Self { bytes: Arc::new(bytes), range, layout, digests, names, rows, changed_ns })
    }

    /// Returns whether bytes are a record of version 1.
    pub(crate) fn is_former(bytes: &[u8]) -> bool {
        FORMER.check_version(bytes).is_ok()
    }

    /// Encodes the record of the package, whose stamps are known.
    pub(crate) fn encode(&self, id: PackageId, seals: &Seals) -> Vec<u8> {
        let tables = self.bytes();
        let mut out = FRAME.begin(16 + tables.len() + self.rows.len() * Row::BYTES + SEAL);
        out.u32(self.digests.code() | self.names.code() << 16);
        out.bytes(&self.changed_ns.to_le_bytes());
        out.blob(tables);
        for Row { stamp, number } in &*self.rows {
            out.u64(stamp.inode);
            out.bytes(&stamp.mtime_ns.to_le_bytes());
            out.u32(*number);
        }
        let mut bytes = out.into_bytes();
        let (head, rest) = bytes.split_at(Frame::SIZE);
        let seal = seals.seal(id.as_bytes(), [head.get(..8).unwrap_or_default(), rest]);
        bytes.extend_from_slice(&seal);
        Frame::write_checksum(&mut bytes);
        bytes
    }

    /// Returns the bytes of a DXP file up to its payload.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.get(self.range.clone()).unwrap_or_default()
    }

    /// Returns a view of the package whose contents cannot be read.
    #[must_use]
    pub fn dxp(&self) -> Dxp<'_> {
        self.layout.view(self.bytes())
    }

    /// Returns the files with their stamps, where these are known.
    pub(crate) fn stamped(&self) -> impl Iterator<Item = (Entry<'_>, Option<Stamp>)> {
        let stamps = self.rows.iter().map(|row| Some(row.stamp));
        self.dxp().entries().zip(stamps.chain(std::iter::repeat(None)))
    }

    /// Returns the number of a file.
    pub(crate) fn number(&self, entry: &Entry<'_>) -> u32 {
        self.rows.get(entry.index).map_or(u32::MAX, |row| row.number)
    }

    /// Returns the name of a file in the package's folder.
    pub(crate) fn name<'a>(&self, entry: &Entry<'a>) -> FileName<'a> {
        FileName::of(self.names, entry.path, self.number(entry))
    }

    /// Returns the integrity of the tarball that the package was made from, where it is known.
    pub(crate) fn integrity(&self) -> Option<&str> {
        self.dxp().integrity()
    }
}

/// Reads the tables, whose layout and length are returned, and the rows after them to the end.
fn read_tables_and_rows(reader: &mut Reader<'_>) -> Option<(Layout, usize, Arc<[Row]>)> {
    let tables = reader.blob()?;
    let layout = Layout::decode_tables(tables).ok()?;
    if dxp::tables_length(tables) != Some(tables.len() as u64) {
        return None;
    }
    let (rows, rest) = reader.rest().as_chunks::<{ Row::BYTES }>();
    if !rest.is_empty() || rows.len() != layout.view(tables).len() {
        return None;
    }
    let rows = rows.iter().map(|row| {
        let mut row = Reader::new(row);
        let (inode, mtime_ns) = (row.u64()?, i64::from_le_bytes(row.array()?));
        Some(Row { stamp: Stamp { inode, mtime_ns }, number: row.u32()? })
    });
    Some((layout, tables.len(), rows.collect::<Option<_>>()?))
}

/// Returns the number of files by the beginning of a record; `None` if this build does not read it.
/// Nothing else is checked.
pub(crate) fn file_count(record: &[u8]) -> Option<usize> {
    let tables_at = match FRAME.check_version(record) {
        Ok(()) => TABLES_AT,
        Err(_) => FORMER.check_version(record).map(|()| FORMER_TABLES_AT).ok()?,
    };
    dxp::file_count(record.get(tables_at..)?)
}

#[cfg(test)]
mod tests;
