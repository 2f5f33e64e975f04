//! Tables of strings: the end offset of each string (`u32`), then all bytes.

use std::hash::Hasher;

use hashbrown::HashTable;
use rustc_hash::FxHasher;

use super::{Strings, Writer, part, u32_at, words};
use crate::FormatError;

/// Collects strings and numbers them; number 0 is always the empty string.
#[derive(Debug)]
pub struct StringTableBuilder {
    /// The numbers of the strings interned, by their bytes.
    known: HashTable<u32>,
    ends: Vec<u32>,
    bytes: Vec<u8>,
    overflow: bool,
}

impl Default for StringTableBuilder {
    fn default() -> Self {
        let mut builder =
            Self { known: HashTable::new(), ends: Vec::new(), bytes: Vec::new(), overflow: false };
        builder.intern("");
        builder
    }
}

impl StringTableBuilder {
    /// Returns the number of `text`, which is added if it is new.
    pub fn intern(&mut self, text: &str) -> u32 {
        let hash = hash(text.as_bytes());
        let is_equal = |id: &u32| part(&self.ends, &self.bytes, *id) == text.as_bytes();
        if let Some(id) = self.known.find(hash, is_equal) {
            return *id;
        }
        let id = self.push(text);
        let Self { known, ends, bytes, .. } = self;
        known.insert_unique(hash, id, |id| self::hash(part(ends, bytes, *id)));
        id
    }

    /// Adds `text` without looking for an equal one: for strings that rarely repeat.
    pub fn push(&mut self, text: &str) -> u32 {
        if text.is_empty() && !self.ends.is_empty() {
            return 0;
        }
        let id = u32::try_from(self.ends.len()).unwrap_or(u32::MAX);
        self.bytes.extend_from_slice(text.as_bytes());
        match u32::try_from(self.bytes.len()) {
            Ok(end) if id < u32::MAX => self.ends.push(end),
            _ => self.overflow = true,
        }
        id
    }

    /// Returns the bytes of the string with this number; none when there is no such string.
    pub(crate) fn get(&self, id: u32) -> &[u8] {
        part(&self.ends, &self.bytes, id)
    }

    /// Returns how many strings there are, and how many bytes; `None` when there are more than 32
    /// bits can count.
    #[must_use]
    pub fn counts(&self) -> Option<(u32, u32)> {
        if self.overflow {
            return None;
        }
        Some((u32::try_from(self.ends.len()).ok()?, u32::try_from(self.bytes.len()).ok()?))
    }

    /// Returns the end offset of each string and the bytes of all; `None` when there are more than
    /// 32 bits can count.
    #[must_use]
    pub fn parts(&self) -> Option<(&[u32], &[u8])> {
        (!self.overflow).then_some((&self.ends, &self.bytes))
    }

    /// Appends the table: the end offset of each string (`u32`), then all bytes.
    pub fn write(&self, out: &mut Writer) {
        out.words(self.ends.iter().copied());
        out.bytes(&self.bytes);
    }
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(bytes);
    hasher.finish()
}

/// A string table, read in place: the end offset of each string, then all bytes.
#[derive(Debug, Clone, Copy)]
pub struct StringTable<'a> {
    ends: &'a [u8],
    bytes: &'a [u8],
}

impl<'a> StringTable<'a> {
    /// Returns a table of sections that [`StringTable::validate`] has accepted before.
    #[must_use]
    pub fn new(ends: &'a [u8], bytes: &'a [u8]) -> Self {
        Self { ends, bytes }
    }

    /// Checks every offset and that every string is UTF-8.
    pub fn validate(self, format: &'static str) -> Result<(), FormatError> {
        let corrupt = |what| FormatError::Corrupt { format, what };
        let mut last = 0;
        let mut ordered = true;
        for end in words(self.ends) {
            ordered &= last <= end;
            last = end;
        }
        if !ordered || last as usize != self.bytes.len() {
            return Err(corrupt("the string offsets are not ascending"));
        }
        if self.bytes.is_ascii() {
            return Ok(());
        }
        let text = std::str::from_utf8(self.bytes).map_err(|_| corrupt("a string is not UTF-8"))?;
        if words(self.ends).all(|end| text.is_char_boundary(end as usize)) {
            Ok(())
        } else {
            Err(corrupt("a string is not UTF-8"))
        }
    }

    /// Returns the string with this number; empty when there is none.
    #[inline]
    #[must_use]
    pub fn get(self, id: u32) -> &'a str {
        let position = id as usize * 4;
        let start = if id == 0 { 0 } else { u32_at(self.ends, position - 4) };
        let end = u32_at(self.ends, position);
        let bytes = self.bytes.get(start as usize..end as usize).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }
}

impl<'a> Strings<'a> for StringTable<'a> {
    #[inline]
    fn string(self, reference: u32) -> &'a str {
        self.get(reference)
    }
}
