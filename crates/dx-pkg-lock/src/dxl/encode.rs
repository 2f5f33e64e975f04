//! Writing DXL.

use dx_pkg_core::{Integrity, PackageId};
use dx_pkg_format::wire::StringTableBuilder;

use super::{
    CHECKED_FROM, CHECKSUM_OFFSET, HEADER_SIZE, LIST_COUNT, List, RECORD_SIZE, SIGNATURE, TEXT_COUNT, VERSION,
    checksum, flag, header, path_hash, record,
};
use crate::{Lock, LockPackage, locale_compare};

/// Compiles `lock`, whose text has the BLAKE3 digest `source_digest`.
///
/// Entries are put in npm's order; of several with one path the first is found by path. A lock beyond the format's
/// 32-bit counts gives an empty file, which no reader accepts.
#[must_use]
pub fn encode(lock: &Lock, source_digest: [u8; 32]) -> Vec<u8> {
    let mut packages: Vec<&LockPackage> = lock.packages.iter().collect();
    packages.sort_by(|a, b| locale_compare(&a.path, &b.path).then_with(|| a.path.cmp(&b.path)));
    let mut encoder = Encoder::default();
    let name = encoder.text(lock.name.as_deref());
    let version = encoder.text(lock.version.as_deref());
    let records: Vec<[u8; RECORD_SIZE]> = packages.iter().map(|package| encoder.package(package)).collect();
    let index = path_index(&packages);
    let (Some((strings, string_bytes)), Ok(cells), Ok(count)) =
        (encoder.strings.counts(), u32::try_from(encoder.cells.len()), u32::try_from(records.len()))
    else {
        return Vec::new();
    };

    let mut out = vec![0; HEADER_SIZE];
    out.reserve(
        records.len() * RECORD_SIZE
            + 4 * (index.len() + encoder.cells.len() + strings as usize)
            + string_bytes as usize,
    );
    put(&mut out, 0, &SIGNATURE);
    put(&mut out, header::VERSION, &VERSION.to_le_bytes());
    put(&mut out, header::LOCKFILE_VERSION, &[lock.format_version]);
    put(&mut out, header::SOURCE_DIGEST, &source_digest);
    for (offset, number) in [
        (header::PACKAGES, count),
        (header::STRINGS, strings),
        (header::STRING_BYTES, string_bytes),
        (header::CELLS, cells),
        (header::SLOTS, index.len() as u32),
        (header::NAME, name),
        (header::PROJECT_VERSION, version),
    ] {
        put(&mut out, offset, &number.to_le_bytes());
    }
    out.extend_from_slice(records.as_flattened());
    for word in index.iter().chain(&encoder.cells) {
        out.extend_from_slice(&word.to_le_bytes());
    }
    encoder.strings.write(&mut out);
    let sum = checksum(&out[CHECKED_FROM..]);
    put(&mut out, CHECKSUM_OFFSET, &sum.to_le_bytes());
    out
}

/// Open addressing at most half full; a slot holds a package's position plus one.
fn path_index(packages: &[&LockPackage]) -> Vec<u32> {
    let slots = (packages.len() * 2).next_power_of_two();
    let mut index = vec![0_u32; slots];
    'packages: for (position, package) in packages.iter().enumerate() {
        let mut slot = path_hash(&package.path) as usize & (slots - 1);
        while index[slot] != 0 {
            if packages[index[slot] as usize - 1].path == package.path {
                continue 'packages;
            }
            slot = (slot + 1) & (slots - 1);
        }
        index[slot] = position as u32 + 1;
    }
    index
}

#[derive(Default)]
struct Encoder<'a> {
    strings: StringTableBuilder<'a>,
    cells: Vec<u32>,
}

impl<'a> Encoder<'a> {
    /// What a text is referred to by: 0 for none, else its number in the string table plus one.
    fn text(&mut self, text: Option<&'a str>) -> u32 {
        text.map_or(0, |text| self.strings.intern(text).saturating_add(1))
    }

    fn package(&mut self, package: &'a LockPackage) -> [u8; RECORD_SIZE] {
        let mut out = [0; RECORD_SIZE];
        put(&mut out, 0, &package_id(package).unwrap_or_default());
        let texts: [Option<&str>; TEXT_COUNT] = [
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
        ];
        for (field, text) in texts.into_iter().enumerate() {
            put(&mut out, record::TEXTS + 4 * field, &self.text(text).to_le_bytes());
        }
        put(&mut out, record::FLAGS, &flags(package).to_le_bytes());
        put(&mut out, record::CELLS, &(self.cells.len() as u32).to_le_bytes());
        for (list, count) in self.lists(package).into_iter().enumerate() {
            put(&mut out, record::COUNTS + 4 * list, &(count as u32).to_le_bytes());
        }
        out
    }

    /// Appends the package's lists and returns how many cells each takes.
    fn lists(&mut self, package: &'a LockPackage) -> [usize; LIST_COUNT] {
        let mut counts = [0; LIST_COUNT];
        for (list, pairs) in [
            (List::Bin, &package.bin),
            (List::Dependencies, &package.dependencies),
            (List::DevDependencies, &package.dev_dependencies),
            (List::OptionalDependencies, &package.optional_dependencies),
            (List::PeerDependencies, &package.peer_dependencies),
            (List::Extra, &package.extra),
        ] {
            counts[list as usize] = 2 * pairs.len();
        }
        for (list, texts) in [
            (List::Os, &package.os),
            (List::Cpu, &package.cpu),
            (List::Libc, &package.libc),
            (List::BundleDependencies, &package.bundle_dependencies),
        ] {
            counts[list as usize] = texts.len();
        }
        counts[List::PeerDependenciesMeta as usize] = 2 * package.peer_dependencies_meta.len();

        self.pairs(&package.bin);
        self.texts(&package.os);
        self.texts(&package.cpu);
        self.texts(&package.libc);
        self.pairs(&package.dependencies);
        self.pairs(&package.dev_dependencies);
        self.pairs(&package.optional_dependencies);
        self.pairs(&package.peer_dependencies);
        for (name, optional) in &package.peer_dependencies_meta {
            let name = self.text(Some(name));
            self.cells.extend([name, u32::from(*optional)]);
        }
        self.texts(&package.bundle_dependencies);
        self.pairs(&package.extra);
        counts
    }

    fn pairs(&mut self, pairs: &'a [(String, String)]) {
        for (key, value) in pairs {
            let pair = [self.text(Some(key)), self.text(Some(value))];
            self.cells.extend(pair);
        }
    }

    fn texts(&mut self, texts: &'a [String]) {
        for text in texts {
            let text = self.text(Some(text));
            self.cells.push(text);
        }
    }
}

fn package_id(package: &LockPackage) -> Option<[u8; 32]> {
    let integrity = Integrity::parse(package.integrity.as_deref()?).ok()?;
    Some(*PackageId::from_integrity(&integrity).as_bytes())
}

fn flags(package: &LockPackage) -> u32 {
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
    ]
    .into_iter()
    .filter_map(|(set, bit)| set.then_some(bit))
    .sum()
}

fn put(out: &mut [u8], offset: usize, bytes: &[u8]) {
    out[offset..offset + bytes.len()].copy_from_slice(bytes);
}
