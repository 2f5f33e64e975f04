//! What abbreviated packuments lack of packages and lockfiles have, for all packages whose own
//! manifests were read once: one file, so that an install without a lockfile opens no package for
//! it.
//!
//! DXN, `metadata/packages.dxn`. Little-endian:
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 4 | signature `DXN\0` |
//! | 4 | 2 | version, 1 |
//! | 6 | 2 | zero |
//! | 8 | 8 | XXH3-64 of all bytes from offset 16 |
//! | 16 | 4 | number of packages, P |
//! | 20 | 4 | number of strings, S |
//! | 24 | 4 | bytes of strings, B |
//! | 28 | 4 | zero |
//! | 32 | P × 48 | packages, below, ascending by id |
//! | … | S × 4 | end of each string, in bytes |
//! | … | B | strings, UTF-8 |
//!
//! A package:
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 32 | package id |
//! | 32 | 4 | license (string); all ones = none |
//! | 36 | 4 | `workspaces` as JSON text (string); all ones = none |
//! | 40 | 4 | 1: the license is JSON text of something else than a text; else 0 |
//! | 44 | 4 | when this was written, in days since 1970 |

use std::collections::BTreeMap;
use std::io::Write;
use std::time::{Duration, SystemTime};

use dx_pkg_core::PackageId;
use dx_pkg_format::FormatError;
use dx_pkg_format::wire::{self, Frame, Sections, StringTable, StringTableBuilder, Writer};
use dx_pkg_os::files::{FileLock, Map};

use crate::{Folder, Store, StoreError};

const FORMAT: &str = "DXN";
const FRAME: Frame = Frame { format: FORMAT, signature: *b"DXN\0", version: 1 };
const FILE: &str = "packages.dxn";
const HEADER: usize = 32;
const ROW: usize = 48;
const ABSENT: u32 = u32::MAX;
/// After so many days a package is forgotten when the file is written; it is read again if it is
/// still in use.
const KEPT_DAYS: u32 = 180;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Fields of a package's own manifest that abbreviated packuments lack.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PackageFields {
    /// The license.
    pub license: Option<PackageLicense>,
    /// `workspaces` as JSON text.
    pub workspaces: Option<String>,
}

/// `license` in a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PackageLicense {
    /// A text, or the `type` of an object.
    Text(String),
    /// The JSON text of anything else.
    Json(String),
}

/// The fields of many packages, read in place.
pub struct FieldTable(Option<Table<Map>>);

impl std::fmt::Debug for FieldTable {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let packages = self.0.as_ref().map_or(0, |table| table.rows().len());
        formatter.debug_struct("FieldTable").field("packages", &packages).finish()
    }
}

impl FieldTable {
    /// Returns the fields of a package; `None` where they are not known.
    #[must_use]
    pub fn get(&self, id: PackageId) -> Option<PackageFields> {
        let table = self.0.as_ref()?;
        let rows = table.rows();
        let at = rows.binary_search_by(|row| row.first_chunk::<32>().cmp(&Some(id.as_bytes())));
        Some(table.fields(rows.get(at.ok()?)?).0)
    }
}

impl Store {
    /// Returns the fields of packages that were recorded; none where the file is damaged.
    #[must_use]
    pub fn package_fields(&self) -> FieldTable {
        let read = || {
            let file = self.existing(Folder::Metadata)?.open_file(FILE).ok()?;
            Table::decode(Map::of(&file).ok()?).ok()
        };
        FieldTable(read())
    }

    /// Records the fields of packages, beside those that are recorded already.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn put_package_fields(
        &self,
        fields: Vec<(PackageId, PackageFields)>,
    ) -> Result<(), StoreError> {
        if fields.is_empty() {
            return Ok(());
        }
        self.dir(Folder::Locks)?;
        let path = self.folder(Folder::Metadata).join(FILE);
        let failed = |error| StoreError::io("writing", &path)(error);
        let lock = self.folder(Folder::Locks).join("package-fields");
        let _lock = FileLock::exclusive(&lock, || {}).map_err(failed)?;
        let today = today();
        let mut all = BTreeMap::new();
        if let Some(table) = self.package_fields().0 {
            let known = table.rows().iter().map(|row| (id_of(row), table.fields(row)));
            all.extend(known.filter(|(_, (_, day))| today.saturating_sub(*day) <= KEPT_DAYS));
        }
        all.extend(fields.into_iter().map(|(id, fields)| (id, (fields, today))));
        let bytes = encode(&all).map_err(std::io::Error::other).map_err(failed)?;
        self.write_file(Folder::Metadata, FILE, |file| file.write_all(&bytes))
    }
}

fn today() -> u32 {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u32::try_from(since_1970.as_secs() / DAY.as_secs()).unwrap_or(u32::MAX)
}

/// The file, read in place.
struct Table<B> {
    bytes: B,
    ends_at: usize,
    text_at: usize,
}

impl<B: AsRef<[u8]>> Table<B> {
    fn decode(bytes: B) -> Result<Self, FormatError> {
        let all = bytes.as_ref();
        FRAME.open(all)?;
        let mut sections = Sections::new(FORMAT, 0, all.len());
        sections.next(1, HEADER as u64)?;
        let count = |offset| wire::u32_at(all, offset);
        let strings = count(20);
        let rows = sections.next(count(16).into(), ROW as u64)?;
        let ends = sections.next(strings.into(), 4)?;
        let text = sections.next(count(24).into(), 1)?;
        sections.finish()?;
        let slice = |range: std::ops::Range<usize>| all.get(range).unwrap_or_default();
        StringTable::new(slice(ends.clone()), slice(text.clone())).validate(FORMAT)?;
        let table = Self { ends_at: ends.start, text_at: text.start, bytes };
        let is_known = |id| id == ABSENT || id < strings;
        let are_known =
            |row: &[u8; ROW]| [32, 36].into_iter().all(|at| is_known(wire::u32_at(row, at)));
        let corrupt = |what| Err(FormatError::Corrupt { format: FORMAT, what });
        if !table.rows().iter().all(are_known) {
            return corrupt("it refers to a string that is not there");
        }
        if rows.start != HEADER || !table.rows().is_sorted_by(|a, b| id_of(a) < id_of(b)) {
            return corrupt("the packages are not ascending");
        }
        Ok(table)
    }

    fn slice(&self, start: usize, end: usize) -> &[u8] {
        self.bytes.as_ref().get(start..end).unwrap_or_default()
    }

    fn rows(&self) -> &[[u8; ROW]] {
        self.slice(HEADER, self.ends_at).as_chunks().0
    }

    /// Returns the fields of a row, and the day they were written.
    fn fields(&self, row: &[u8; ROW]) -> (PackageFields, u32) {
        let end = self.bytes.as_ref().len();
        let ends = self.slice(self.ends_at, self.text_at);
        let strings = StringTable::new(ends, self.slice(self.text_at, end));
        let text = |at| match wire::u32_at(row, at) {
            ABSENT => None,
            id => Some(strings.get(id).to_owned()),
        };
        let license = match wire::u32_at(row, 40) {
            0 => PackageLicense::Text,
            _ => PackageLicense::Json,
        };
        let fields = PackageFields { license: text(32).map(license), workspaces: text(36) };
        (fields, wire::u32_at(row, 44))
    }
}

fn id_of(row: &[u8; ROW]) -> PackageId {
    PackageId::from_bytes(row.first_chunk().copied().unwrap_or_default())
}

fn encode(packages: &BTreeMap<PackageId, (PackageFields, u32)>) -> Result<Vec<u8>, FormatError> {
    let too_large = || FormatError::TooLarge { format: FORMAT, what: "packages" };
    let mut strings = StringTableBuilder::default();
    let mut rows = Writer::with_capacity(packages.len() * ROW);
    for (id, (PackageFields { license, workspaces }, day)) in packages {
        rows.bytes(id.as_bytes());
        let (text, is_json) = match license {
            None => (None, 0),
            Some(PackageLicense::Text(text)) => (Some(text), 0),
            Some(PackageLicense::Json(text)) => (Some(text), 1),
        };
        let [license, workspaces] = [text, workspaces.as_ref()]
            .map(|text| text.map_or(ABSENT, |text| strings.intern(text)));
        rows.words([license, workspaces, is_json, *day]);
    }
    let (string_count, string_bytes) = strings.counts().ok_or_else(too_large)?;
    let count = u32::try_from(packages.len()).map_err(|_| too_large())?;
    let size = rows.len() + string_count as usize * 4 + string_bytes as usize;
    let mut out = FRAME.begin(HEADER + size);
    out.words([count, string_count, string_bytes, 0]);
    out.bytes(rows.as_bytes());
    strings.write(&mut out);
    Ok(Frame::finish(out))
}

#[cfg(test)]
mod tests;
