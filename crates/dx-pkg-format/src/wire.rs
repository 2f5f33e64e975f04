//! The parts that dx's binary formats share: cursors, the frame with its checksum, sections, tables
//! of strings and lists.
//!
//! Numbers are little-endian and need no alignment. Nothing here panics on any input: a read out of
//! bounds is an error while decoding, and zero or the empty string afterwards, which happens only
//! when a mapped file is changed while it is read.
//!
//! Small files are read and written field by field, with [`Reader`] and [`Writer`]. Large ones are
//! checked once, with [`Sections`], and then read in place.

mod frame;
mod lists;
mod reader;
mod strings;
mod texts;
mod writer;

use std::ops::Range;

use crate::FormatError;

pub use frame::Frame;
pub use lists::{ListTable, ListTableBuilder};
pub use reader::Reader;
pub use strings::{StringTable, StringTableBuilder};
pub use texts::{Pairs, Strings, Texts};
pub use writer::Writer;

/// Returns the [`u16`] at `offset`, or 0 when out of bounds.
#[inline]
#[must_use]
pub fn u16_at(bytes: &[u8], offset: usize) -> u16 {
    array_at(bytes, offset).map_or(0, u16::from_le_bytes)
}

/// Returns the [`u32`] at `offset`, or 0 when out of bounds.
#[inline]
#[must_use]
pub fn u32_at(bytes: &[u8], offset: usize) -> u32 {
    array_at(bytes, offset).map_or(0, u32::from_le_bytes)
}

/// Returns the [`u64`] at `offset`, or 0 when out of bounds.
#[inline]
#[must_use]
pub fn u64_at(bytes: &[u8], offset: usize) -> u64 {
    array_at(bytes, offset).map_or(0, u64::from_le_bytes)
}

/// Returns the `N` bytes at `offset`, or `None` when out of bounds.
#[inline]
#[must_use]
pub fn array_at<const N: usize>(bytes: &[u8], offset: usize) -> Option<[u8; N]> {
    bytes.get(offset..)?.first_chunk().copied()
}

/// Returns the XXH3-64 of `bytes`, which detects damage and proves nothing about the origin.
#[must_use]
pub fn checksum(bytes: &[u8]) -> u64 {
    twox_hash::XxHash3_64::oneshot(bytes)
}

/// Checks that `bytes` begin with a format's signature and, at offset 4, the version that this
/// build reads.
///
/// # Errors
/// When either is another's, or there are too few bytes.
pub fn check_format(
    bytes: &[u8],
    format: &'static str,
    signature: [u8; 4],
    supported: u16,
) -> Result<(), FormatError> {
    Frame { format, signature, version: supported }.check_version(bytes)
}

/// Returns the largest of consecutive little-endian [`u32`]s; `None` when there are none. Trailing
/// bytes are ignored.
#[must_use]
pub fn max_u32(bytes: &[u8]) -> Option<u32> {
    words(bytes).max()
}

/// Returns consecutive little-endian [`u32`]s; trailing bytes are ignored.
pub fn words(
    bytes: &[u8],
) -> impl ExactSizeIterator<Item = u32> + DoubleEndedIterator + Clone + '_ {
    bytes.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word))
}

/// Returns the items of the entry with this number, where entries follow each other and `ends` has
/// the end of each; empty if there is no such entry.
fn part<'i, T>(ends: &[u32], items: &'i [T], id: u32) -> &'i [T] {
    let id = id as usize;
    let end = |id: usize| ends.get(id).map_or(0, |end| *end as usize);
    items.get(id.checked_sub(1).map_or(0, end)..end(id)).unwrap_or_default()
}

/// Calculates the byte ranges of consecutive sections of a file and checks that they fit.
#[derive(Debug, Clone)]
pub struct Sections {
    format: &'static str,
    position: u64,
    available: u64,
}

impl Sections {
    /// Starts at `start`, in a file of `available` bytes.
    #[must_use]
    pub fn new(format: &'static str, start: usize, available: usize) -> Self {
        Self { format, position: start as u64, available: available as u64 }
    }

    /// Returns the byte range of the next section: `count` items of `size` bytes each.
    pub fn next(&mut self, count: u64, size: u64) -> Result<Range<usize>, FormatError> {
        let truncated = |needed| FormatError::Truncated {
            format: self.format,
            needed,
            available: self.available,
        };
        let end = count
            .checked_mul(size)
            .and_then(|bytes| self.position.checked_add(bytes))
            .ok_or_else(|| truncated(u64::MAX))?;
        if end > self.available {
            return Err(truncated(end));
        }
        // Both ends are at most `available`, which came from a `usize`.
        let range = self.position as usize..end as usize;
        self.position = end;
        Ok(range)
    }

    /// Returns where the next section begins.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Checks that the last section ends where the file ends.
    pub fn finish(self) -> Result<(), FormatError> {
        if self.position == self.available {
            Ok(())
        } else {
            Err(FormatError::Corrupt { format: self.format, what: "bytes follow the last section" })
        }
    }
}

#[cfg(test)]
mod tests;
