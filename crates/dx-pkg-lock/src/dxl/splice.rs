//! The encoder of a lock that differs in a few entries from one that is compiled already.
//!
//! The result is the file that [`encode`](super::encode()) would write. Entries that stay are not
//! decoded: their texts are carried over by reference, and only new texts are hashed.

use dx_pkg_format::wire::{u32_at, words};
use rustc_hash::FxHashMap;

use super::encode::{Tables, flags, lists_of, package_id, path_index, put, texts_of};
use super::{
    DxlView, HEADER_SIZE, LIST_COUNT, List, RECORD_SIZE, Record, TEXT_COUNT, flag, header, record,
};
use crate::{LockPackage, locale_compare};

/// Encodes the lock of `view` without the entries at the paths `removed`, and with the entries
/// `changed`, which replace entries at the same path. `changed` is in npm's order; `source_digest`
/// is the digest of the lock's new text.
#[must_use]
pub fn splice(
    view: &DxlView<'_>,
    removed: &[&str],
    changed: &[LockPackage],
    source_digest: [u8; 32],
) -> Vec<u8> {
    let entries = merge(view, removed, changed);
    let mut texts = Texts::new(view, changed);
    let name = texts.carry(u32_at(view.header, header::NAME));
    let version = texts.carry(u32_at(view.header, header::PROJECT_VERSION));
    let mut records = Vec::with_capacity(entries.len());
    let mut cells = Vec::with_capacity(view.cells.len() / 4 + 64);
    for entry in &entries {
        records.push(match entry {
            Entry::Kept(record, _) => carried(view, record, &mut texts, &mut cells),
            Entry::Changed(package) => fresh(package, &mut texts, &mut cells),
        });
    }
    let paths: Vec<&str> = entries.iter().map(Entry::path).collect();
    let Texts { ends, bytes, .. } = texts;
    let tables = Tables {
        records: &records,
        index: &path_index(&paths),
        cells: &cells,
        ends: &ends,
        strings: &bytes,
    };
    tables.write(view.format_version(), source_digest, name, version)
}

enum Entry<'a> {
    Kept(&'a Record, &'a str),
    Changed(&'a LockPackage),
}

impl Entry<'_> {
    fn path(&self) -> &str {
        match self {
            Entry::Kept(_, path) => path,
            Entry::Changed(package) => &package.path,
        }
    }
}

/// Returns the entries of the result, in order.
fn merge<'a>(view: &DxlView<'a>, removed: &[&str], changed: &'a [LockPackage]) -> Vec<Entry<'a>> {
    let mut entries = Vec::with_capacity(view.len() + changed.len());
    let mut new = changed.iter().peekable();
    for (record, package) in view.records.iter().zip(view.packages()) {
        let path = package.path();
        let is_before = |other: &&LockPackage| {
            locale_compare(&other.path, path).then_with(|| other.path.as_str().cmp(path)).is_lt()
        };
        while let Some(package) = new.next_if(is_before) {
            entries.push(Entry::Changed(package));
        }
        if let Some(package) = new.next_if(|other| other.path == path) {
            entries.push(Entry::Changed(package));
        } else if !removed.contains(&path) {
            entries.push(Entry::Kept(record, path));
        }
    }
    entries.extend(new.map(Entry::Changed));
    entries
}

/// The string table of the result.
struct Texts<'a> {
    view: DxlView<'a>,
    /// The new reference of each old one; 0 until it has one.
    carried: Vec<u32>,
    /// The old references of texts that changed entries have too.
    known: FxHashMap<&'a str, u32>,
    /// The new references of new texts.
    new: FxHashMap<&'a str, u32>,
    ends: Vec<u32>,
    bytes: Vec<u8>,
}

impl<'a> Texts<'a> {
    fn new(view: &DxlView<'a>, changed: &'a [LockPackage]) -> Self {
        let strings = view.ends.len() / 4;
        let mut texts = Texts {
            view: *view,
            carried: vec![0; strings + 1],
            known: shared(view, changed),
            new: FxHashMap::default(),
            ends: Vec::with_capacity(strings + 64),
            bytes: Vec::with_capacity(view.strings.len() + 4096),
        };
        // The first string is the empty one.
        texts.add("");
        texts.new.insert("", 1);
        if let Some(place) = texts.carried.get_mut(1).filter(|_| view.text(1) == Some("")) {
            *place = 1;
        }
        texts
    }

    fn add(&mut self, text: &str) -> u32 {
        self.bytes.extend_from_slice(text.as_bytes());
        self.ends.push(self.bytes.len() as u32);
        self.ends.len() as u32
    }

    /// Returns the new reference of the text with the reference `old`.
    fn carry(&mut self, old: u32) -> u32 {
        let known = self.carried.get(old as usize).copied().unwrap_or(0);
        if known != 0 || old == 0 {
            return known;
        }
        let reference = self.add(self.view.text(old).unwrap_or_default());
        if let Some(place) = self.carried.get_mut(old as usize) {
            *place = reference;
        }
        reference
    }

    /// Returns the new reference of `text`.
    fn intern(&mut self, text: &'a str) -> u32 {
        if let Some(old) = self.known.get(text) {
            return self.carry(*old);
        }
        if let Some(known) = self.new.get(text) {
            return *known;
        }
        let reference = self.add(text);
        self.new.insert(text, reference);
        reference
    }
}

/// Returns the texts of `changed` that `view` has too, with their references.
fn shared<'a>(view: &DxlView<'a>, changed: &'a [LockPackage]) -> FxHashMap<&'a str, u32> {
    let mut wanted: FxHashMap<&str, u32> = FxHashMap::default();
    for package in changed {
        wanted.extend(texts_of(package).into_iter().flatten().map(|text| (text, 0)));
        lists_of(package, |text| wanted.extend([(text, 0)]), |_| {});
    }
    // A filter by length and last byte, which rules out most texts.
    let mut seen = [0_u64; 256];
    let mark = |text: &str| (text.len() & 255, text.as_bytes().last().map_or(0, |last| last & 63));
    for text in wanted.keys() {
        let (length, last) = mark(text);
        seen[length] |= 1 << last;
    }
    let mut start = 0;
    for (position, end) in words(view.ends).enumerate() {
        let text = view.strings.get(start..end as usize).unwrap_or_default();
        start = end as usize;
        let (length, last) = mark(text);
        if seen[length] & (1 << last) != 0
            && let Some(reference) = wanted.get_mut(text)
        {
            *reference = position as u32 + 1;
        }
    }
    wanted.retain(|text, reference| *reference != 0 && !text.is_empty());
    wanted
}

/// Returns the record of an entry that stays.
fn carried(
    view: &DxlView<'_>,
    old: &Record,
    texts: &mut Texts<'_>,
    cells: &mut Vec<u32>,
) -> [u8; RECORD_SIZE] {
    let mut out = *old;
    for field in 0..TEXT_COUNT {
        let at = record::TEXTS + 4 * field;
        put(&mut out, at, &texts.carry(u32_at(old, at)).to_le_bytes());
    }
    put(&mut out, record::CELLS, &(cells.len() as u32).to_le_bytes());
    let mut start = u32_at(old, record::CELLS) as usize;
    for (list, count) in words(&old[record::COUNTS..]).take(LIST_COUNT).enumerate() {
        let end = start + count as usize;
        let own = words(view.cells.get(4 * start..4 * end).unwrap_or_default());
        if list == List::PeerDependenciesMeta as usize {
            // Every second cell is a number.
            cells.extend(
                own.enumerate()
                    .map(|(at, cell)| if at % 2 == 0 { texts.carry(cell) } else { cell }),
            );
        } else {
            cells.extend(own.map(|cell| texts.carry(cell)));
        }
        start = end;
    }
    out
}

/// Returns the record of an entry that is new.
fn fresh<'a>(
    package: &'a LockPackage,
    texts: &mut Texts<'a>,
    cells: &mut Vec<u32>,
) -> [u8; RECORD_SIZE] {
    let mut out = [0; RECORD_SIZE];
    put(&mut out, 0, &package_id(package).unwrap_or_default());
    for (field, text) in texts_of(package).into_iter().enumerate() {
        let reference = text.map_or(0, |text| texts.intern(text));
        put(&mut out, record::TEXTS + 4 * field, &reference.to_le_bytes());
    }
    put(&mut out, record::FLAGS, &(flags(package) & flag::ALL).to_le_bytes());
    put(&mut out, record::CELLS, &(cells.len() as u32).to_le_bytes());
    let all = std::cell::RefCell::new((texts, cells));
    let text = |text| {
        let (texts, cells) = &mut *all.borrow_mut();
        cells.push(texts.intern(text));
    };
    let counts = lists_of(package, text, |number| all.borrow_mut().1.push(number));
    for (list, count) in counts.into_iter().enumerate() {
        put(&mut out, record::COUNTS + 4 * list, &(count as u32).to_le_bytes());
    }
    out
}

/// The header's size is part of the layout that both writers share.
const _: () = assert!(HEADER_SIZE == 80);

#[cfg(test)]
mod tests;
