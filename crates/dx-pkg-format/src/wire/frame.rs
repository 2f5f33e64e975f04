//! The beginning that files of every format here share. Little-endian:
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 4 | signature |
//! | 4 | 2 | format version |
//! | 6 | 2 | zero |
//! | 8 | 8 | XXH3-64 of all bytes from offset 16 |

use super::{Reader, Writer, checksum, u16_at, u64_at};
use crate::FormatError;

/// The signature and version of a format, and how its files begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// The format's name in errors.
    pub format: &'static str,
    /// The first four bytes of a file.
    pub signature: [u8; 4],
    /// The version of the format this build reads and writes.
    pub version: u16,
}

impl Frame {
    /// The length of the beginning in bytes; the checksum covers everything from here on.
    pub const SIZE: usize = 16;

    /// Returns a writer that has written the beginning, with room for `capacity` bytes after it.
    /// [`Self::finish`] fills in the checksum.
    #[must_use]
    pub fn begin(&self, capacity: usize) -> Writer {
        let mut out = Writer::with_capacity(Self::SIZE + capacity);
        out.bytes(&self.signature);
        out.bytes(&self.version.to_le_bytes());
        out.zeros_to(Self::SIZE);
        out
    }

    /// Returns the bytes of a file that was begun by [`Self::begin`], with their checksum.
    #[must_use]
    pub fn finish(writer: Writer) -> Vec<u8> {
        let mut bytes = writer.into_bytes();
        Self::write_checksum(&mut bytes);
        bytes
    }

    /// Fills in the checksum of `bytes`, which are the beginning and everything the checksum
    /// covers.
    pub fn write_checksum(bytes: &mut [u8]) {
        let checksum = checksum(bytes.get(Self::SIZE..).unwrap_or_default());
        if let Some(field) = bytes.get_mut(8..Self::SIZE) {
            field.copy_from_slice(&checksum.to_le_bytes());
        }
    }

    /// Checks the signature and the version.
    ///
    /// # Errors
    /// When either is another format's, or there are too few bytes.
    pub fn check_version(&self, bytes: &[u8]) -> Result<(), FormatError> {
        let Self { format, signature, version: supported } = *self;
        if !bytes.starts_with(&signature) {
            return Err(FormatError::Signature { format });
        }
        match u16_at(bytes, 4) {
            found if found == supported => Ok(()),
            found => Err(FormatError::Version { format, found, supported }),
        }
    }

    /// Checks that the reserved field is zero.
    ///
    /// # Errors
    /// When it is not.
    pub(crate) fn check_reserved(&self, bytes: &[u8]) -> Result<(), FormatError> {
        match u16_at(bytes, 6) {
            0 => Ok(()),
            _ => Err(FormatError::Corrupt {
                format: self.format,
                what: "a reserved field is not zero",
            }),
        }
    }

    /// Compares the checksum with `bytes`, which are the beginning and everything the checksum
    /// covers; `part` names them in the error.
    ///
    /// # Errors
    /// When they differ.
    pub fn check_checksum(&self, bytes: &[u8], part: &'static str) -> Result<(), FormatError> {
        if checksum(bytes.get(Self::SIZE..).unwrap_or_default()) == u64_at(bytes, 8) {
            Ok(())
        } else {
            Err(FormatError::Checksum { format: self.format, part })
        }
    }

    /// Checks signature, version and checksum of a whole file; the reader begins after them.
    ///
    /// # Errors
    /// When the signature or version is another's, or the bytes are truncated or damaged.
    pub fn open<'a>(&self, bytes: &'a [u8]) -> Result<Reader<'a>, FormatError> {
        self.check_version(bytes)?;
        self.check_reserved(bytes)?;
        self.check_checksum(bytes, "contents")?;
        Ok(Reader::new(bytes.get(Self::SIZE..).unwrap_or_default()))
    }
}
