//! Tables of lists of numbers: the end of each list in cells (`u32`), then all cells (`u32`).

use std::hash::Hasher;

use hashbrown::HashTable;
use rustc_hash::FxHasher;

use super::{Writer, max_u32, part, u32_at, words};
use crate::FormatError;

/// Collects lists of numbers, each list stored once; list 0 is always the empty one.
#[derive(Debug)]
pub struct ListTableBuilder {
    /// The numbers of all lists, by their cells.
    known: HashTable<u32>,
    ends: Vec<u32>,
    cells: Vec<u32>,
}

impl Default for ListTableBuilder {
    fn default() -> Self {
        let mut builder = Self { known: HashTable::new(), ends: Vec::new(), cells: Vec::new() };
        builder.intern(&[]);
        builder
    }
}

impl ListTableBuilder {
    /// Returns the number of `list`, which is added if it is new.
    pub fn intern(&mut self, list: &[u32]) -> u32 {
        if list.is_empty() && !self.ends.is_empty() {
            return 0;
        }
        let hash = hash(list);
        if let Some(id) = self.known.find(hash, |id| part(&self.ends, &self.cells, *id) == list) {
            return *id;
        }
        let id = u32::try_from(self.ends.len()).unwrap_or(u32::MAX);
        self.cells.extend_from_slice(list);
        self.ends.push(u32::try_from(self.cells.len()).unwrap_or(u32::MAX));
        let Self { known, ends, cells } = self;
        known.insert_unique(hash, id, |id| self::hash(part(ends, cells, *id)));
        id
    }

    /// Returns how many lists and cells there are; `None` when there are more than 32 bits can
    /// count.
    #[must_use]
    pub fn counts(&self) -> Option<(u32, u32)> {
        Some((u32::try_from(self.ends.len()).ok()?, u32::try_from(self.cells.len()).ok()?))
    }

    /// Appends the table: the end of each list in cells (`u32`), then all cells (`u32`).
    pub fn write(&self, out: &mut Writer) {
        out.words(self.ends.iter().chain(&self.cells).copied());
    }
}

fn hash(list: &[u32]) -> u64 {
    let mut hasher = FxHasher::default();
    list.iter().for_each(|cell| hasher.write_u32(*cell));
    hasher.finish()
}

/// A list table, read in place.
#[derive(Debug, Clone, Copy)]
pub struct ListTable<'a> {
    ends: &'a [u8],
    cells: &'a [u8],
}

impl<'a> ListTable<'a> {
    /// Returns a table of sections that [`ListTable::validate`] has accepted before.
    #[must_use]
    pub fn new(ends: &'a [u8], cells: &'a [u8]) -> Self {
        Self { ends, cells }
    }

    /// Checks that list ends ascend, end with the cells, and that every cell is below `limit`.
    pub fn validate(self, format: &'static str, limit: u32) -> Result<(), FormatError> {
        let mut last = 0;
        let mut ordered = true;
        for end in words(self.ends) {
            ordered &= last <= end;
            last = end;
        }
        if !ordered || last as usize != self.cells.len() / 4 {
            return Err(FormatError::Corrupt {
                format,
                what: "the list offsets are not ascending",
            });
        }
        if max_u32(self.cells).is_some_and(|cell| cell >= limit) {
            return Err(FormatError::Corrupt {
                format,
                what: "a list refers to a string that is not there",
            });
        }
        Ok(())
    }

    /// Returns the list with this number; empty when there is none.
    #[inline]
    pub fn get(self, id: u32) -> &'a [u8] {
        let position = id as usize * 4;
        let start = if id == 0 { 0 } else { u32_at(self.ends, position - 4) };
        let end = u32_at(self.ends, position);
        self.cells.get(start as usize * 4..end as usize * 4).unwrap_or_default()
    }
}
