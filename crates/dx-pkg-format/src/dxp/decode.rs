//! The decoder of DXP files: it checks header and tables.

use super::{
    Codec, Dxp, FIRST_VERSION, FORMAT, FRAME, FileMode, HEADER, LZ4_RATIO, ROW, is_safe_path,
};
use crate::FormatError;
use crate::wire::{self, Frame, Sections};

/// The sections of checked bytes: a view of the same bytes then needs no further check.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    pub(super) version: u16,
    pub(super) files: usize,
    pub(super) slots: usize,
    pub(super) integrity_length: usize,
    pub(super) index_at: usize,
    pub(super) strings_at: usize,
}

impl Layout {
    /// Checks header and tables of a whole file; see [`super::decode()`].
    ///
    /// # Errors
    /// When the signature or version does not match, the bytes are truncated or damaged, or a path
    /// is unsafe.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        Self::check(bytes, true)
    }

    /// Checks header and tables of a file that may end after them: enough to list the files but not
    /// to read them. [`super::tables_length`] is the length needed.
    ///
    /// # Errors
    /// As [`Self::decode`].
    pub fn decode_tables(bytes: &[u8]) -> Result<Self, FormatError> {
        Self::check(bytes, false)
    }

    fn check(bytes: &[u8], whole: bool) -> Result<Self, FormatError> {
        let version = wire::u16_at(bytes, 4);
        let first = version == FIRST_VERSION;
        let frame = if first { Frame { version, ..FRAME } } else { FRAME };
        frame.check_version(bytes)?;
        let length = wire::u64_at(bytes, 40);
        let payload = wire::u64_at(bytes, 32);
        let mut sections = Sections::new(FORMAT, 0, bytes.len());
        sections.next(1, HEADER as u64)?;
        let (files, slots) = (wire::u32_at(bytes, 16), wire::u32_at(bytes, 20));
        let rows = sections.next(files.into(), ROW as u64)?;
        let index = sections.next(slots.into(), 4)?;
        let strings = sections.next(wire::u32_at(bytes, 24).into(), 1)?;
        let padding = payload
            .checked_sub(sections.position())
            .ok_or(corrupt("the payload begins in the tables"))?;
        let padding = sections.next(1, padding)?;
        if whole && length != bytes.len() as u64 {
            return Err(FormatError::Truncated {
                format: FORMAT,
                needed: length,
                available: bytes.len() as u64,
            });
        }
        FRAME.check_reserved(bytes)?;
        FRAME.check_checksum(bytes.get(..padding.end).unwrap_or_default(), "tables")?;
        let layout = Self {
            version,
            files: files as usize,
            slots: slots as usize,
            integrity_length: wire::u32_at(bytes, 28) as usize,
            index_at: index.start,
            strings_at: strings.start,
        };
        let text = bytes.get(strings).unwrap_or_default();
        let text = std::str::from_utf8(text).map_err(|_| corrupt("a path is not UTF-8"))?;
        if !text.is_char_boundary(layout.integrity_length) {
            return Err(corrupt("the integrity is longer than the strings"));
        }
        if !slots.is_power_of_two() || slots <= files {
            return Err(corrupt("the index has no free slot"));
        }
        if wire::max_u32(bytes.get(index).unwrap_or_default()).is_some_and(|number| number > files)
        {
            return Err(corrupt("the index names a file that is not there"));
        }
        let rows = bytes.get(rows).unwrap_or_default();
        validate_rows(rows, version, text, padding.end as u64..length)?;
        Ok(layout)
    }

    /// Returns the package in `bytes`, which must be those that were checked; others give wrong
    /// results but no panic.
    #[must_use]
    pub fn view(self, bytes: &[u8]) -> Dxp<'_> {
        Dxp { bytes, layout: self }
    }
}

fn validate_rows(
    rows: &[u8],
    version: u16,
    text: &str,
    payload: std::ops::Range<u64>,
) -> Result<(), FormatError> {
    let mut previous = "";
    for row in rows.chunks_exact(ROW) {
        let start = wire::u32_at(row, 0) as usize;
        let end = start.saturating_add(wire::u32_at(row, 4) as usize);
        let path = text.get(start..end).ok_or(corrupt("a path lies outside the strings"))?;
        if path <= previous {
            return Err(corrupt("the paths are not ascending"));
        }
        if !is_safe_path(path) {
            return Err(FormatError::UnsafePath { doing: "reading", path: path.to_owned() });
        }
        previous = path;
        let (size, stored) = (wire::u64_at(row, 16), wire::u64_at(row, 24));
        let [flags, codec, reserved @ ..] = wire::array_at::<8>(row, 8).unwrap_or_default();
        let size_fits = match codec {
            codec if codec == Codec::Stored as u8 => size == stored,
            codec if codec == Codec::Lz4 as u8 => size <= stored.saturating_mul(LZ4_RATIO),
            _ => return Err(corrupt("a file has an unknown codec")),
        };
        if !size_fits || FileMode::of_flags(flags, version).is_none() || reserved != [0; 6] {
            return Err(corrupt("a file has impossible attributes"));
        }
        let offset = wire::u64_at(row, 32);
        let end = offset.checked_add(stored).ok_or(corrupt("a file lies outside the payload"))?;
        if offset < payload.start || end > payload.end {
            return Err(corrupt("a file lies outside the payload"));
        }
    }
    Ok(())
}

fn corrupt(what: &'static str) -> FormatError {
    FormatError::Corrupt { format: FORMAT, what }
}
