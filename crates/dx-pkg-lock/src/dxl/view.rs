//! The decoder of DXL: it checks a file and reads it in place.

use dx_pkg_format::FormatError;
use dx_pkg_format::wire::{Sections, Strings, array_at, max_u32, u32_at, words};

use super::{
    FORMAT, FRAME, HEADER_SIZE, LIST_IS_PAIRS, List, RECORD_SIZE, Record, Text, flag, header,
    record,
};

/// A checked DXL file, read in place.
#[derive(Clone, Copy)]
pub struct DxlView<'a> {
    pub(super) header: &'a [u8],
    pub(super) records: &'a [Record],
    pub(super) index: &'a [u8],
    pub(super) cells: &'a [u8],
    /// The end of each string.
    pub(super) ends: &'a [u8],
    pub(super) strings: &'a str,
}

impl<'a> DxlView<'a> {
    /// Decodes a file in place.
    ///
    /// # Errors
    /// When the bytes are not a whole, undamaged file of this version. A file made with bad intent
    /// can have the same contents as such a lockfile: paths are checked where they are used.
    pub fn open(bytes: &'a [u8]) -> Result<Self, FormatError> {
        let view = Self::reopen(bytes)?;
        FRAME.check_checksum(bytes, "contents")?;
        view.validate()?;
        Ok(view)
    }

    /// Decodes a file again that [`open`](Self::open) has decoded, or that this process has made:
    /// its contents are not checked once more. Of others, texts and lists may be missing.
    ///
    /// # Errors
    /// The bytes are not a file of this version with tables of these sizes.
    pub fn reopen(bytes: &'a [u8]) -> Result<Self, FormatError> {
        FRAME.check_version(bytes)?;
        let mut sections = Sections::new(FORMAT, 0, bytes.len());
        let mut section = |count: u32, size: usize| sections.next(u64::from(count), size as u64);
        let head = &bytes[section(1, HEADER_SIZE)?];
        let count = |offset| u32_at(head, offset);
        let records = section(count(header::PACKAGES), RECORD_SIZE)?;
        let index = section(count(header::SLOTS), 4)?;
        let cells = section(count(header::CELLS), 4)?;
        let ends = section(count(header::STRINGS), 4)?;
        let text = section(count(header::STRING_BYTES), 1)?;
        sections.finish()?;
        Ok(Self {
            header: head,
            records: bytes[records].as_chunks().0,
            index: &bytes[index],
            cells: &bytes[cells],
            ends: &bytes[ends],
            strings: std::str::from_utf8(&bytes[text])
                .map_err(|_| corrupt("a string is not UTF-8"))?,
        })
    }

    fn validate(&self) -> Result<(), FormatError> {
        let refuse = |bad: bool, what| if bad { Err(corrupt(what)) } else { Ok(()) };
        refuse(!words(self.ends).is_sorted(), "the string offsets are not ascending")?;
        refuse(
            !words(self.ends).all(|end| self.strings.is_char_boundary(end as usize)),
            "a string is out of bounds or cut within a character",
        )?;
        let strings = u32_at(self.header, header::STRINGS);
        let out_of_table = |text: u32| text > strings;
        refuse(
            out_of_table(u32_at(self.header, header::NAME))
                || out_of_table(u32_at(self.header, header::PROJECT_VERSION)),
            "the header refers to a string that is not there",
        )?;
        refuse(
            max_u32(self.cells).is_some_and(out_of_table),
            "a list refers to a string that is not there",
        )?;
        let slots = self.index.len() / 4;
        refuse(!slots.is_power_of_two(), "the index's size is not a power of two")?;
        refuse(
            max_u32(self.index).is_some_and(|slot| slot as usize > self.records.len()),
            "the index refers to a package that is not there",
        )?;
        let cells = self.cells.len() as u64 / 4;
        for record in self.records {
            let mut texts = words(&record[record::TEXTS..record::FLAGS]);
            refuse(texts.any(out_of_table), "a package refers to a string that is not there")?;
            refuse(
                text_number(record, Text::Path) == 0 || text_number(record, Text::Name) == 0,
                "a package has no path or no name",
            )?;
            refuse(u32_at(record, record::FLAGS) & !flag::ALL != 0, "a package has unknown flags")?;
            let mut end = u64::from(u32_at(record, record::CELLS));
            for (count, pairs) in words(&record[record::COUNTS..]).zip(LIST_IS_PAIRS) {
                end += u64::from(count);
                refuse(pairs && count % 2 != 0, "a list of pairs ends within a pair")?;
            }
            refuse(end > cells, "a package's lists are out of bounds")?;
            let is_patched = u32_at(record, record::FLAGS) & flag::PATCHED != 0;
            let others = u32_at(record, record::COUNTS + 4 * List::Extra as usize);
            refuse(is_patched && others < 2, "a patched package has no patch")?;
        }
        Ok(())
    }

    /// Returns the BLAKE3 of the lockfile's text that was compiled.
    #[must_use]
    pub fn source_digest(&self) -> [u8; 32] {
        array_at(self.header, header::SOURCE_DIGEST).unwrap_or_default()
    }

    /// Returns the project's name as the lockfile gives it.
    #[must_use]
    pub fn name(&self) -> Option<&'a str> {
        self.text(u32_at(self.header, header::NAME))
    }

    /// Returns the project's version as the lockfile gives it.
    #[must_use]
    pub fn version(&self) -> Option<&'a str> {
        self.text(u32_at(self.header, header::PROJECT_VERSION))
    }

    /// Returns the `lockfileVersion` that was read.
    #[must_use]
    pub fn format_version(&self) -> u8 {
        self.header.get(header::LOCKFILE_VERSION).copied().unwrap_or(0)
    }

    /// Returns the text with this reference; `None` for 0.
    #[inline]
    pub(super) fn text(&self, number: u32) -> Option<&'a str> {
        let end = 4 * number.checked_sub(1)? as usize;
        let start = if end == 0 { 0 } else { u32_at(self.ends, end - 4) };
        Some(self.strings.get(start as usize..u32_at(self.ends, end) as usize).unwrap_or_default())
    }
}

impl<'a> Strings<'a> for DxlView<'a> {
    #[inline]
    fn string(self, reference: u32) -> &'a str {
        self.text(reference).unwrap_or_default()
    }
}

fn corrupt(what: &'static str) -> FormatError {
    FormatError::Corrupt { format: FORMAT, what }
}

/// Returns the reference of one of a record's texts.
#[inline]
pub(super) fn text_number(record: &Record, text: Text) -> u32 {
    u32_at(record, record::TEXTS + 4 * text as usize)
}
