//! The encoder of DXL.

use dx_pkg_format::wire::{Frame, StringTableBuilder};

use super::{
    FRAME, HEADER_SIZE, LIST_COUNT, List, RECORD_SIZE, TEXT_COUNT, flag, header, path_hash, record,
};
use crate::{Lock, LockPackage, locale_compare};

/// Encodes `lock`, whose text has the BLAKE3 digest `source_digest`.
///
/// Entries are sorted in npm's order; of several with one path the first is found by path. A lock
/// with more items than 32 bits can count gives an empty file, which no reader accepts.
#[must_use]
pub fn encode(lock: &Lock, source_digest: [u8; 32]) -> Vec<u8> {
    let mut packages: Vec<&LockPackage> = lock.packages.iter().collect();
    packages.sort_by(|a, b| locale_compare(&a.path, &b.path).then_with(|| a.path.cmp(&b.path)));
    let mut encoder = Encoder::default();
    let name = encoder.text(lock.name.as_deref());
    let version = encoder.text(lock.version.as_deref());
    let records: Vec<[u8; RECORD_SIZE]> =
        packages.iter().map(|package| encoder.package(package)).collect();
    let paths: Vec<&str> = packages.iter().map(|package| package.path.as_str()).collect();
    let Some((ends, strings)) = encoder.strings.parts() else { return Vec::new() };
    let tables = Tables {
        records: &records,
        index: &path_index(&paths),
        cells: &encoder.cells,
        ends,
        strings,
    };
    tables.write(lock.format_version, source_digest, name, version)
}

/// The sections of a file, without its header.
pub(super) struct Tables<'t> {
    pub(super) records: &'t [[u8; RECORD_SIZE]],
    pub(super) index: &'t [u32],
    pub(super) cells: &'t [u32],
    pub(super) ends: &'t [u32],
    pub(super) strings: &'t [u8],
}

impl Tables<'_> {
    /// Returns the whole file, empty if there are more items than 32 bits can count. `name` and
    /// `version` are references to the project's.
    pub(super) fn write(
        &self,
        format_version: u8,
        source_digest: [u8; 32],
        name: u32,
        version: u32,
    ) -> Vec<u8> {
        let lengths = [
            self.records.len(),
            self.ends.len(),
            self.strings.len(),
            self.cells.len(),
            self.index.len(),
        ];
        let [Ok(packages), Ok(strings), Ok(string_bytes), Ok(cells), Ok(slots)] =
            lengths.map(u32::try_from)
        else {
            return Vec::new();
        };
        let words = self.index.len() + self.cells.len() + self.ends.len();
        let mut out = FRAME
            .begin(HEADER_SIZE + RECORD_SIZE * self.records.len() + 4 * words + self.strings.len())
            .into_bytes();
        out.resize(HEADER_SIZE, 0);
        put(&mut out, header::LOCKFILE_VERSION, &[format_version]);
        put(&mut out, header::SOURCE_DIGEST, &source_digest);
        for (offset, number) in [
            (header::PACKAGES, packages),
            (header::STRINGS, strings),
            (header::STRING_BYTES, string_bytes),
            (header::CELLS, cells),
            (header::SLOTS, slots),
            (header::NAME, name),
            (header::PROJECT_VERSION, version),
        ] {
            put(&mut out, offset, &number.to_le_bytes());
        }
        out.extend_from_slice(self.records.as_flattened());
        for words in [self.index, self.cells, self.ends] {
            out.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        }
        out.extend_from_slice(self.strings);
        Frame::write_checksum(&mut out);
        out
    }
}

/// Returns the hash index: open addressing, at most half full. A slot holds a package's position
/// plus one.
pub(super) fn path_index(paths: &[&str]) -> Vec<u32> {
    let slots = (paths.len() * 2).next_power_of_two();
    let mut index = vec![0_u32; slots];
    'packages: for (position, path) in paths.iter().enumerate() {
        let mut slot = path_hash(path) as usize & (slots - 1);
        while index[slot] != 0 {
            if paths[index[slot] as usize - 1] == *path {
                continue 'packages;
            }
            slot = (slot + 1) & (slots - 1);
        }
        index[slot] = position as u32 + 1;
    }
    index
}

#[derive(Default)]
struct Encoder {
    strings: StringTableBuilder,
    cells: Vec<u32>,
}

impl Encoder {
    /// Returns the reference of a text: 0 for none, else its number in the string table plus one.
    fn text(&mut self, text: Option<&str>) -> u32 {
        text.map_or(0, |text| self.strings.intern(text).saturating_add(1))
    }

    fn package(&mut self, package: &LockPackage) -> [u8; RECORD_SIZE] {
        let mut out = [0; RECORD_SIZE];
        put(&mut out, 0, &package_id(package).unwrap_or_default());
        for (field, text) in texts_of(package).into_iter().enumerate() {
            put(&mut out, record::TEXTS + 4 * field, &self.text(text).to_le_bytes());
        }
        put(&mut out, record::FLAGS, &flags(package).to_le_bytes());
        put(&mut out, record::CELLS, &(self.cells.len() as u32).to_le_bytes());
        let Self { strings, cells } = self;
        let cells = std::cell::RefCell::new(cells);
        let text = |text| cells.borrow_mut().push(strings.intern(text).saturating_add(1));
        let counts = lists_of(package, text, |number| cells.borrow_mut().push(number));
        for (list, count) in counts.into_iter().enumerate() {
            put(&mut out, record::COUNTS + 4 * list, &(count as u32).to_le_bytes());
        }
        out
    }
}

/// Returns a record's texts, in order.
pub(super) fn texts_of(package: &LockPackage) -> [Option<&str>; TEXT_COUNT] {
    [
        Some(&package.path),
        package.name.as_deref(),
        Some(package.package_name()),
        package.version.as_deref(),
        package.resolved.as_deref(),
        package.integrity.as_deref(),
        package.deprecated.as_deref(),
        package.license.as_deref(),
        package.engines.as_deref(),
        package.funding.as_deref(),
        package.workspaces.as_deref(),
    ]
}

/// Visits the cells of a package's lists, each a text or a number, in order; returns the number of
/// cells of each list.
pub(super) fn lists_of<'a>(
    package: &'a LockPackage,
    mut text: impl FnMut(&'a str),
    mut number: impl FnMut(u32),
) -> [usize; LIST_COUNT] {
    let mut counts = [0; LIST_COUNT];
    let mut pairs = |list: List, pairs: &'a [(String, String)]| {
        counts[list as usize] = 2 * pairs.len();
        pairs.iter().flat_map(|(key, value)| [key, value]).for_each(|part| text(part));
    };
    pairs(List::Bin, &package.bin);
    let mut texts = |list: List, texts: &'a [String]| {
        counts[list as usize] = texts.len();
        texts.iter().for_each(|part| text(part));
    };
    texts(List::Os, &package.os);
    texts(List::Cpu, &package.cpu);
    texts(List::Libc, &package.libc);
    let mut pairs = |list: List, pairs: &'a [(String, String)]| {
        counts[list as usize] = 2 * pairs.len();
        pairs.iter().flat_map(|(key, value)| [key, value]).for_each(|part| text(part));
    };
    pairs(List::Dependencies, &package.dependencies);
    pairs(List::DevDependencies, &package.dev_dependencies);
    pairs(List::OptionalDependencies, &package.optional_dependencies);
    pairs(List::PeerDependencies, &package.peer_dependencies);
    counts[List::PeerDependenciesMeta as usize] = 2 * package.peer_dependencies_meta.len();
    for (name, optional) in &package.peer_dependencies_meta {
        text(name);
        number(u32::from(*optional));
    }
    counts[List::BundleDependencies as usize] = package.bundle_dependencies.len();
    package.bundle_dependencies.iter().for_each(|name| text(name));
    let patch = package.patched.as_ref();
    counts[List::Extra as usize] = 2 * (package.extra.len() + usize::from(patch.is_some()));
    patch.into_iter().flat_map(|patch| [&patch.path, &patch.integrity]).for_each(|part| text(part));
    package.extra.iter().flat_map(|(key, value)| [key, value]).for_each(|part| text(part));
    counts
}

pub(super) fn package_id(package: &LockPackage) -> Option<[u8; 32]> {
    package.package_id().map(|id| *id.as_bytes())
}

pub(super) fn flags(package: &LockPackage) -> u32 {
    [
        (package.link, flag::LINK),
        (package.dev, flag::DEV),
        (package.optional, flag::OPTIONAL),
        (package.dev_optional, flag::DEV_OPTIONAL),
        (package.peer, flag::PEER),
        (package.in_bundle, flag::IN_BUNDLE),
        (package.extraneous, flag::EXTRANEOUS),
        (package.has_install_script, flag::HAS_INSTALL_SCRIPT),
        (package.has_shrinkwrap, flag::HAS_SHRINKWRAP),
        (package.private_copy, flag::PRIVATE_COPY),
        (package.patched.is_some(), flag::PATCHED),
    ]
    .into_iter()
    .filter_map(|(set, bit)| set.then_some(bit))
    .sum()
}

pub(super) fn put(out: &mut [u8], offset: usize, bytes: &[u8]) {
    out[offset..offset + bytes.len()].copy_from_slice(bytes);
}
