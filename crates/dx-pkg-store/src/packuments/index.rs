//! DXI: the index of a registry's packuments, which lie one after the other in a few packs.
//! Little-endian:
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 4 | signature `DXI\0` |
//! | 4 | 2 | version, 1 |
//! | 6 | 2 | zero |
//! | 8 | 8 | XXH3-64 of all bytes from offset 16 |
//! | 16 | 4 | number of packs, P |
//! | 20 | 4 | number of entries, E |
//! | 24 | 4 | number of strings, S |
//! | 28 | 4 | bytes of strings, B |
//! | 32 | P × 4 | name of each pack (string number) |
//! | … | E × 80 | entries, below, ascending by name, then form |
//! | … | S × 4 | end of each string, in bytes |
//! | … | B | strings, UTF-8 |
//!
//! An entry, with the DXM bytes' place in their pack:
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 4 | name of the package (string) |
//! | 4 | 4 | form: 0 abbreviated, 1 full |
//! | 8 | 4 | pack, from 0 |
//! | 12 | 4 | `ETag` (string); all ones = none |
//! | 16 | 4 | `Last-Modified` (string); all ones = none |
//! | 20 | 4 | zero |
//! | 24 | 8 | offset of the DXM bytes |
//! | 32 | 8 | length of the DXM bytes |
//! | 40 | 8 | the checksum that the DXM bytes contain |
//! | 48 | 8 | confirmed by the registry, ms since 1970 |
//! | 56 | 8 | fresh until, ms since 1970 |
//! | 64 | 8 | usable during revalidation until, ms since 1970 |
//! | 72 | 8 | digest of the credential it was confirmed for; 0 without one |

use dx_pkg_format::FormatError;
use dx_pkg_format::wire::{self, Frame, Sections, StringTable, StringTableBuilder, Writer};

use super::answer::Answer;
use dx_pkg_format::packument::Form;

const FORMAT: &str = "DXI";
const FRAME: Frame = Frame { format: FORMAT, signature: *b"DXI\0", version: 1 };
const HEADER: usize = 32;
const ENTRY: usize = 80;
const ABSENT: u32 = u32::MAX;

/// A packument of the cache: which one it is, where its bytes are, what the registry said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry<'a> {
    pub(crate) name: &'a str,
    pub(crate) form: Form,
    pub(crate) place: Place,
    /// The checksum that its bytes contain.
    pub(crate) checksum: u64,
    pub(crate) answer: Answer<&'a str>,
}

/// A part of a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) pack: usize,
    pub(crate) offset: u64,
    pub(crate) length: u64,
}

/// An index, read in place.
#[derive(Debug)]
pub(crate) struct Index<B> {
    bytes: B,
    entries_at: usize,
    ends_at: usize,
    text_at: usize,
}

impl<B: AsRef<[u8]>> Index<B> {
    /// Decodes an index.
    ///
    /// # Errors
    /// When signature or version is another's, or the bytes are truncated or damaged.
    pub(crate) fn decode(bytes: B) -> Result<Self, FormatError> {
        let all = bytes.as_ref();
        FRAME.open(all)?;
        let mut sections = Sections::new(FORMAT, 0, all.len());
        sections.next(1, HEADER as u64)?;
        let count = |offset| wire::u32_at(all, offset);
        let (packs, strings) = (count(16), count(24));
        let pack_names = sections.next(packs.into(), 4)?;
        let rows = sections.next(count(20).into(), ENTRY as u64)?;
        let ends = sections.next(strings.into(), 4)?;
        let text = sections.next(count(28).into(), 1)?;
        sections.finish()?;
        let corrupt = |what| Err(FormatError::Corrupt { format: FORMAT, what });
        let slice = |range: std::ops::Range<usize>| all.get(range).unwrap_or_default();
        StringTable::new(slice(ends.clone()), slice(text.clone())).validate(FORMAT)?;
        let is_string = |id| id < strings;
        let are_known = slice(rows.clone()).chunks_exact(ENTRY).all(|row| {
            is_string(wire::u32_at(row, 0))
                && wire::u32_at(row, 4) <= 1
                && wire::u32_at(row, 8) < packs
                && [12, 16].into_iter().all(|at| {
                    let id = wire::u32_at(row, at);
                    id == ABSENT || is_string(id)
                })
        });
        if !are_known || !wire::words(slice(pack_names)).all(is_string) {
            return corrupt("it refers to something that is not there");
        }
        let (entries_at, ends_at, text_at) = (rows.start, ends.start, text.start);
        let index = Self { bytes, entries_at, ends_at, text_at };
        if !index.entries().is_sorted_by(|a, b| a.key() < b.key()) {
            return corrupt("the entries are not ascending");
        }
        Ok(index)
    }

    fn slice(&self, start: usize, end: usize) -> &[u8] {
        self.bytes.as_ref().get(start..end).unwrap_or_default()
    }

    fn strings(&self) -> StringTable<'_> {
        let end = self.bytes.as_ref().len();
        StringTable::new(self.slice(self.ends_at, self.text_at), self.slice(self.text_at, end))
    }

    /// Returns the names of the packs.
    pub(crate) fn packs(&self) -> impl ExactSizeIterator<Item = &str> {
        let strings = self.strings();
        wire::words(self.slice(HEADER, self.entries_at)).map(move |id| strings.get(id))
    }

    fn rows(&self) -> &[[u8; ENTRY]] {
        self.slice(self.entries_at, self.ends_at).as_chunks().0
    }

    /// Returns all entries, ascending by name and form.
    pub(crate) fn entries(&self) -> impl ExactSizeIterator<Item = Entry<'_>> {
        let strings = self.strings();
        self.rows().iter().map(move |row| entry(row, strings))
    }

    /// Returns the entry of a packument.
    pub(crate) fn find(&self, name: &str, form: Form) -> Option<Entry<'_>> {
        let (rows, strings) = (self.rows(), self.strings());
        let key = |row: &[u8; ENTRY]| (strings.get(wire::u32_at(row, 0)), form_of(row));
        let at = rows.binary_search_by(|row| key(row).cmp(&(name, form)));
        Some(entry(rows.get(at.ok()?)?, strings))
    }
}

fn entry<'a>(row: &[u8; ENTRY], strings: StringTable<'a>) -> Entry<'a> {
    let number = |at| wire::u64_at(row, at);
    let text = |at| match wire::u32_at(row, at) {
        ABSENT => None,
        id => Some(strings.get(id)),
    };
    Entry {
        name: strings.get(wire::u32_at(row, 0)),
        form: form_of(row),
        place: Place {
            pack: wire::u32_at(row, 8) as usize,
            offset: number(24),
            length: number(32),
        },
        checksum: number(40),
        answer: Answer {
            etag: text(12),
            last_modified: text(16),
            fetched_ms: number(48),
            fresh_until_ms: number(56),
            stale_until_ms: number(64),
            credential: number(72),
        },
    }
}

impl<'a> Entry<'a> {
    /// Returns what entries are sorted by.
    fn key(&self) -> (&'a str, Form) {
        (self.name, self.form)
    }
}

fn form_of(row: &[u8; ENTRY]) -> Form {
    if wire::u32_at(row, 4) == 0 { Form::Abbreviated } else { Form::Full }
}

fn number_of(form: Form) -> u32 {
    u32::from(form == Form::Full)
}

/// Encodes an index of entries that ascend by name and form.
///
/// # Errors
/// When there are more strings than 32 bits can count.
pub(crate) fn encode(packs: &[&str], entries: &[Entry<'_>]) -> Result<Vec<u8>, FormatError> {
    let too_large = || FormatError::TooLarge { format: FORMAT, what: "packuments" };
    let mut strings = StringTableBuilder::default();
    let packs: Vec<u32> = packs.iter().map(|pack| strings.intern(pack)).collect();
    let mut rows = Writer::with_capacity(entries.len() * ENTRY);
    for Entry { name, form, place, checksum, answer } in entries {
        let mut text = |text: Option<&str>| text.map_or(ABSENT, |text| strings.intern(text));
        let (etag, last_modified) = (text(answer.etag), text(answer.last_modified));
        let pack = u32::try_from(place.pack).map_err(|_| too_large())?;
        rows.words([strings.intern(name), number_of(*form), pack, etag, last_modified, 0]);
        let times = [answer.fetched_ms, answer.fresh_until_ms, answer.stale_until_ms];
        let place = [place.offset, place.length, *checksum];
        place.into_iter().chain(times).chain([answer.credential]).for_each(|it| rows.u64(it));
    }
    let (string_count, string_bytes) = strings.counts().ok_or_else(too_large)?;
    let counts = [packs.len(), entries.len()].map(|count| u32::try_from(count).ok());
    let [Some(pack_count), Some(entry_count)] = counts else { return Err(too_large()) };
    let size = packs.len() * 4 + rows.len() + string_count as usize * 4 + string_bytes as usize;
    let mut out = FRAME.begin(HEADER + size);
    out.words([pack_count, entry_count, string_count, string_bytes]);
    out.words(packs);
    out.bytes(rows.as_bytes());
    strings.write(&mut out);
    Ok(Frame::finish(out))
}

#[cfg(test)]
mod tests;
