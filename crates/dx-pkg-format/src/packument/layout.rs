//! The decoder of binary packuments: it checks the bytes and finds the sections.

use super::{ABSENT_32, FORMAT, FRAME, HEADER, LISTS, NUMBERS, STRINGS, TAG};
use crate::FormatError;
use crate::wire::{self, ListTable, Sections, StringTable};

/// Where each section begins; each ends where the next begins.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) versions: u32,
    pub(super) strings_at: usize,
    pub(super) lists_at: usize,
    pub(super) tags_at: usize,
    pub(super) list_ends_at: usize,
    pub(super) cells_at: usize,
    pub(super) string_ends_at: usize,
    pub(super) text_at: usize,
    pub(super) end: usize,
}

/// The bytes and layout of one packument, borrowed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) layout: &'a Layout,
}

impl Layout {
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        FRAME.check_version(bytes)?;
        FRAME.check_reserved(bytes)?;
        let mut sections = Sections::new(FORMAT, 0, bytes.len());
        sections.next(1, HEADER as u64)?;
        let count = |offset| u64::from(wire::u32_at(bytes, offset));
        let (versions, tags, strings) = (count(28), count(32), wire::u32_at(bytes, 44));
        let numbers = sections.next(versions, NUMBERS as u64)?;
        let string_rows = sections.next(versions, STRINGS as u64)?;
        let list_rows = sections.next(versions, LISTS as u64)?;
        let tag_rows = sections.next(tags, TAG as u64)?;
        let list_ends = sections.next(count(36), 4)?;
        let cells = sections.next(count(40), 4)?;
        let string_ends = sections.next(strings.into(), 4)?;
        let text = sections.next(count(48), 1)?;
        sections.finish()?;
        debug_assert_eq!(numbers.start, HEADER);
        FRAME.check_checksum(bytes, "contents")?;
        let layout = Self {
            versions: wire::u32_at(bytes, 28),
            strings_at: string_rows.start,
            lists_at: list_rows.start,
            tags_at: tag_rows.start,
            list_ends_at: list_ends.start,
            cells_at: cells.start,
            string_ends_at: string_ends.start,
            text_at: text.start,
            end: text.end,
        };
        Parts { bytes, layout: &layout }.validate(strings)?;
        Ok(layout)
    }
}

impl<'a> Parts<'a> {
    fn slice(self, start: usize, end: usize) -> &'a [u8] {
        self.bytes.get(start..end).unwrap_or_default()
    }

    pub(super) fn strings(self) -> StringTable<'a> {
        let layout = self.layout;
        StringTable::new(
            self.slice(layout.string_ends_at, layout.text_at),
            self.slice(layout.text_at, layout.end),
        )
    }

    pub(super) fn lists(self) -> ListTable<'a> {
        let layout = self.layout;
        ListTable::new(
            self.slice(layout.list_ends_at, layout.cells_at),
            self.slice(layout.cells_at, layout.string_ends_at),
        )
    }

    pub(super) fn tag_rows(self) -> impl ExactSizeIterator<Item = &'a [u8]> + Clone {
        self.slice(self.layout.tags_at, self.layout.list_ends_at).chunks_exact(TAG)
    }

    fn validate(self, strings: u32) -> Result<(), FormatError> {
        let corrupt = |what| Err(FormatError::Corrupt { format: FORMAT, what });
        let layout = self.layout;
        let lists = ((layout.cells_at - layout.list_ends_at) / 4) as u32;
        if strings == 0 || lists == 0 {
            return corrupt("the empty string or list is missing");
        }
        self.strings().validate(FORMAT)?;
        self.lists().validate(FORMAT, strings)?;
        if wire::u32_at(self.bytes, 24) >= strings
            || wire::max_u32(self.slice(layout.strings_at, layout.lists_at))
                .is_some_and(|id| id >= strings)
        {
            return corrupt("it refers to a string that is not there");
        }
        if wire::max_u32(self.slice(layout.lists_at, layout.tags_at)).is_some_and(|id| id >= lists)
        {
            return corrupt("it refers to a list that is not there");
        }
        for row in self.tag_rows() {
            let index = wire::u32_at(row, 8);
            let known = index == ABSENT_32 || index < layout.versions;
            if !known || wire::u32_at(row, 0) >= strings || wire::u32_at(row, 4) >= strings {
                return corrupt("a dist-tag refers to something that is not there");
            }
        }
        Ok(())
    }
}
