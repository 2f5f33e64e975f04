//! DXP: the files of one package in one file, mapped and read in place.
//!
//! A file is found by its path through a hash index, and its bytes are a slice of the mapping.
//! Decoding checks header and tables once; contents are hashed only by [`Dxp::read_verified`] and
//! [`Dxp::verify`]. Little-endian throughout:
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 4 | signature `DXP\0` |
//! | 4 | 2 | format version, 2 |
//! | 6 | 2 | zero |
//! | 8 | 8 | XXH3-64 of the bytes from offset 16 to the payload |
//! | 16 | 4 | number of files, F |
//! | 20 | 4 | number of index slots, H: a power of two above F |
//! | 24 | 4 | bytes of strings, B |
//! | 28 | 4 | length of the source integrity |
//! | 32 | 8 | payload offset |
//! | 40 | 8 | length of the whole file |
//! | 48 | 32 | content root |
//! | 80 | 16 | zero |
//! | 96 | F × 72 | file table, ascending by path |
//! | … | H × 4 | hash index: file number + 1, or 0 for a free slot |
//! | … | B | strings: the source integrity in SRI form, then paths, UTF-8 |
//! | … | | zeros up to the payload, which holds the contents in the order of the table |
//!
//! One row of the file table:
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 4 | path offset in the strings |
//! | 4 | 4 | path length |
//! | 8 | 1 | who may execute the file: 1 = its owner, 2 = its group, 4 = others |
//! | 9 | 1 | codec: 0 = stored, 1 = LZ4 block |
//! | 10 | 6 | zero |
//! | 16 | 8 | size of the contents |
//! | 24 | 8 | stored size |
//! | 32 | 8 | offset of the stored bytes in the file |
//! | 40 | 32 | BLAKE3 of the contents |
//!
//! The slot of a path is the low bits of its XXH3-64, the next free one when taken. Stored contents
//! of 64 KiB or more begin at a multiple of 4096, so that file systems with reflinks can share
//! their blocks. The content root is the BLAKE3 over, for each file in the table's order: path
//! length (`u32`), path, mode (`u32`, 0o644 with the bits to execute), BLAKE3 of the contents. It
//! does not depend on compression.
//!
//! Version 1 is read as well. There the flags are 0 for the mode 0644 or 1 for 0755.

mod decode;
mod encode;
mod mode;
mod provisional;
mod verify;

use std::borrow::Cow;

use crate::FormatError;
use crate::wire::{self, Frame};

pub use decode::Layout;
pub use encode::{DigestedFile, Encoding, complete_tables, encode, tables_of};
pub use mode::FileMode;
pub use provisional::{DigestSecret, ProvisionalDigest};
pub use verify::{content_root_of, digest_of};

/// The first four bytes of a DXP file.
pub const SIGNATURE: [u8; 4] = *b"DXP\0";
/// The version of the format this build writes.
pub const VERSION: u16 = 2;
/// The version without the bits to execute of group and others, which this build reads as well.
const FIRST_VERSION: u16 = 1;

/// The reason why a DXP file cannot be read or written.
pub type DxpError = FormatError;

const FORMAT: &str = "DXP";
const FRAME: Frame = Frame { format: FORMAT, signature: SIGNATURE, version: VERSION };
/// The length of the header in bytes.
pub const HEADER: usize = 96;
const ROOT_AT: usize = 48;
const ROW: usize = 72;
/// The offset of the digest in a row.
const DIGEST_AT: usize = 40;
/// The size from which on stored contents are aligned, in bytes.
const ALIGN_FROM: u64 = 64 * 1024;
const ALIGNMENT: u64 = 4096;
/// The highest ratio at which LZ4 can expand.
const LZ4_RATIO: u64 = 255;

/// A file to encode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileEntry<'a> {
    /// The path within the package, `/` between segments.
    pub path: &'a str,
    /// The permissions.
    pub mode: FileMode,
    /// The contents.
    pub data: &'a [u8],
}

/// The way in which the encoder stores contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// As they are.
    #[default]
    Stored,
    /// As an LZ4 block, where that saves a tenth or more.
    Lz4,
}

/// The way in which a file's contents are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Codec {
    Stored = 0,
    Lz4 = 1,
}

/// One file of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Its position in the table.
    pub index: usize,
    /// The path within the package.
    pub path: &'a str,
    /// The permissions.
    pub mode: FileMode,
    /// The size of the contents in bytes.
    pub size: u64,
    /// BLAKE3 of the contents.
    pub digest: [u8; 32],
    codec: Codec,
    offset: u64,
    stored_size: u64,
}

impl Entry<'_> {
    /// Returns where the contents are in the DXP file, when they are stored as they are.
    #[must_use]
    pub fn stored_at(&self) -> Option<u64> {
        (self.codec == Codec::Stored).then_some(self.offset)
    }
}

/// A package read in place.
#[derive(Debug, Clone, Copy)]
pub struct Dxp<'a> {
    bytes: &'a [u8],
    layout: Layout,
}

/// Decodes a package in place: header and tables are checked, contents are not hashed.
///
/// # Errors
/// When the signature or version does not match, the bytes are truncated or damaged, or a path is
/// unsafe.
pub fn decode(bytes: &[u8]) -> Result<Dxp<'_>, DxpError> {
    Ok(Layout::decode(bytes)?.view(bytes))
}

/// Returns the number of files by a package's `header`; `None` if this build does not read it.
///
/// Nothing else is checked: the number is an estimate of what reading the package costs.
#[must_use]
pub fn file_count(header: &[u8]) -> Option<usize> {
    let known = header.starts_with(&SIGNATURE)
        && header.len() >= HEADER
        && [FIRST_VERSION, VERSION].contains(&wire::u16_at(header, 4));
    known.then(|| wire::u32_at(header, 16) as usize)
}

/// Returns the length of header and tables in bytes, by a package's `header`; `None` if this build
/// does not read it. Nothing else is checked.
#[must_use]
pub fn tables_length(header: &[u8]) -> Option<u64> {
    file_count(header).map(|_| wire::u64_at(header, 32))
}

impl<'a> Dxp<'a> {
    /// Returns the number of files.
    #[must_use]
    pub fn len(&self) -> usize {
        self.layout.files
    }

    /// Returns whether there are no files.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.layout.files == 0
    }

    /// Returns the files, ascending by path.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = Entry<'a>> + Clone + use<'a> {
        let dxp = *self;
        (0..self.layout.files).map(move |index| dxp.entry(index))
    }

    /// Returns the file at `path`.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<Entry<'a>> {
        let mask = self.layout.slots.checked_sub(1)?;
        let first = wire::checksum(path.as_bytes()) as usize;
        for probe in 0..self.layout.slots {
            let slot = first.wrapping_add(probe) & mask;
            let number = wire::u32_at(self.bytes, self.layout.index_at + slot * 4) as usize;
            let index = number.checked_sub(1)?;
            if self.path(index) == path {
                return Some(self.entry(index));
            }
        }
        None
    }

    /// Returns the contents of a file of this package, without hashing them; in place if they are
    /// stored as they are.
    ///
    /// # Errors
    /// When compressed contents do not expand to their size.
    pub fn read(&self, entry: &Entry<'_>) -> Result<Cow<'a, [u8]>, DxpError> {
        let start = usize::try_from(entry.offset).unwrap_or(usize::MAX);
        let end = usize::try_from(entry.stored_size).unwrap_or(usize::MAX).saturating_add(start);
        let damaged = || FormatError::Content { path: entry.path.to_owned() };
        let stored = self.bytes.get(start..end).ok_or_else(damaged)?;
        match entry.codec {
            Codec::Stored => Ok(Cow::Borrowed(stored)),
            Codec::Lz4 => {
                let size = usize::try_from(entry.size).map_err(|_| damaged())?;
                // A byte of LZ4 stands for 255 at most.
                if size / 255 > stored.len() {
                    return Err(damaged());
                }
                let mut contents = vec![0; size];
                match lz4_flex::block::decompress_into(stored, &mut contents) {
                    Ok(written) if written == size => Ok(Cow::Owned(contents)),
                    _ => Err(damaged()),
                }
            }
        }
    }

    /// Returns the contents of a file whose digest matches.
    ///
    /// # Errors
    /// When they differ.
    pub fn read_verified(&self, entry: &Entry<'_>) -> Result<Cow<'a, [u8]>, DxpError> {
        let contents = self.read(entry)?;
        if *blake3::hash(&contents).as_bytes() == entry.digest {
            Ok(contents)
        } else {
            Err(FormatError::Content { path: entry.path.to_owned() })
        }
    }

    /// Returns the BLAKE3 over the sorted paths, modes and digests, which does not depend on how
    /// contents are stored.
    #[must_use]
    pub fn content_root(&self) -> [u8; 32] {
        wire::array_at(self.bytes, ROOT_AT).unwrap_or_default()
    }

    /// Returns the integrity of the tarball that the package was made from, in SRI form.
    #[must_use]
    pub fn integrity(&self) -> Option<&'a str> {
        let text = self.text(0, self.layout.integrity_length);
        (!text.is_empty()).then_some(text)
    }

    fn path(&self, index: usize) -> &'a str {
        let row = HEADER + index * ROW;
        self.text(
            wire::u32_at(self.bytes, row) as usize,
            wire::u32_at(self.bytes, row + 4) as usize,
        )
    }

    fn text(&self, offset: usize, length: usize) -> &'a str {
        let start = self.layout.strings_at + offset;
        std::str::from_utf8(self.bytes.get(start..start + length).unwrap_or_default())
            .unwrap_or_default()
    }

    fn entry(&self, index: usize) -> Entry<'a> {
        let row = HEADER + index * ROW;
        let [flags, codec] = wire::array_at(self.bytes, row + 8).unwrap_or_default();
        Entry {
            index,
            path: self.path(index),
            mode: FileMode::of_flags(flags, self.layout.version).unwrap_or_default(),
            codec: if codec == Codec::Lz4 as u8 { Codec::Lz4 } else { Codec::Stored },
            size: wire::u64_at(self.bytes, row + 16),
            stored_size: wire::u64_at(self.bytes, row + 24),
            offset: wire::u64_at(self.bytes, row + 32),
            digest: wire::array_at(self.bytes, row + DIGEST_AT).unwrap_or_default(),
        }
    }
}

/// Returns whether `path` stays below the folder it is joined to, on any system.
#[must_use]
pub fn is_safe_path(path: &str) -> bool {
    let safe = |segment: &str| !matches!(segment, "" | "." | "..");
    let drive = matches!(path.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic());
    let stream = cfg!(windows) && path.contains(':');
    !drive
        && !stream
        && !path.bytes().any(|byte| matches!(byte, 0 | b'\\'))
        && path.split('/').all(safe)
}

#[cfg(test)]
mod tests;
