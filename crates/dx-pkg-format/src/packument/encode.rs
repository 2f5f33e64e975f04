//! Writing a binary packument.

use std::borrow::Cow;

use dx_pkg_core::Version;

use super::view::{FLAG_BUNDLES_ALL, FLAG_INSTALL_SCRIPT, FLAG_SHRINKWRAP};
use super::{ABSENT, ABSENT_32, CHECKED_FROM, FORMAT, HEADER, LISTS, NUMBERS, SIGNATURE, STRINGS, TAG, VERSION};
use crate::FormatError;
use crate::wire::{self, ListTableBuilder, StringTableBuilder};

type Text<'a> = Cow<'a, str>;

/// What is kept of a packument.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PackumentData<'a> {
    /// The package's name.
    pub name: Text<'a>,
    /// When it was last changed, in milliseconds since 1970.
    pub modified: Option<u64>,
    /// (tag, version) in the packument's order.
    pub dist_tags: Vec<(Text<'a>, Text<'a>)>,
    /// The versions in any order.
    pub versions: Vec<VersionData<'a>>,
}

/// What is kept of one version's manifest; lists are in the manifest's order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VersionData<'a> {
    /// The version as the registry writes it.
    pub version: Text<'a>,
    /// The deprecation message; empty when not deprecated.
    pub deprecated: Text<'a>,
    /// When it was published, in milliseconds since 1970.
    pub published: Option<u64>,
    /// The URL of the tarball.
    pub tarball: Text<'a>,
    /// The integrity in SRI form, a bare shasum as `sha1-…`.
    pub integrity: Option<Text<'a>>,
    /// The size of all files unpacked, in bytes.
    pub unpacked_size: Option<u64>,
    /// How many files there are.
    pub file_count: Option<u64>,
    /// `dependencies`.
    pub dependencies: Vec<(Text<'a>, Text<'a>)>,
    /// `optionalDependencies`.
    pub optional_dependencies: Vec<(Text<'a>, Text<'a>)>,
    /// `peerDependencies`.
    pub peer_dependencies: Vec<(Text<'a>, Text<'a>)>,
    /// `peerDependenciesMeta`: (name, optional).
    pub peer_meta: Vec<(Text<'a>, bool)>,
    /// The names of bundled dependencies.
    pub bundled: Vec<Text<'a>>,
    /// Whether all dependencies are bundled.
    pub bundles_all: bool,
    /// `engines`.
    pub engines: Vec<(Text<'a>, Text<'a>)>,
    /// `os`.
    pub os: Vec<Text<'a>>,
    /// `cpu`.
    pub cpu: Vec<Text<'a>>,
    /// `libc`.
    pub libc: Vec<Text<'a>>,
    /// (name, path) of each executable, already normalised.
    pub bins: Vec<(Text<'a>, Text<'a>)>,
    /// Whether a script runs at installation.
    pub has_install_script: bool,
    /// Whether an `npm-shrinkwrap.json` is shipped.
    pub has_shrinkwrap: bool,
    /// The license.
    pub license: Option<Text<'a>>,
    /// `funding` as JSON text.
    pub funding_json: Option<Text<'a>>,
}

impl PackumentData<'_> {
    /// The DXM bytes of this packument.
    ///
    /// Versions that are not semver, even loosely, are left out, as are repetitions of a version: no range can
    /// choose them.
    ///
    /// # Errors
    /// When there are more strings or list cells than 32 bits can count.
    pub fn encode(&self) -> Result<Vec<u8>, FormatError> {
        let versions = sorted(&self.versions);
        let prereleases: Vec<String> = versions.iter().map(|(version, _)| prerelease_text(version)).collect();
        let mut tables = Tables::default();
        let name = tables.strings.intern(&self.name);
        let mut strings = Vec::with_capacity(versions.len() * STRINGS);
        let mut lists = Vec::with_capacity(versions.len() * LISTS);
        for ((_, data), prerelease) in versions.iter().zip(&prereleases) {
            for id in tables.strings_of(data, prerelease) {
                strings.extend_from_slice(&id.to_le_bytes());
            }
            for id in tables.lists_of(data) {
                lists.extend_from_slice(&id.to_le_bytes());
            }
        }
        let mut tags = Vec::with_capacity(self.dist_tags.len() * TAG);
        for (tag, version) in &self.dist_tags {
            let index = versions.iter().position(|(_, data)| data.version == *version);
            let index = index.and_then(|index| u32::try_from(index).ok()).unwrap_or(ABSENT_32);
            for word in [tables.strings.intern(tag), tables.strings.intern(version), index] {
                tags.extend_from_slice(&word.to_le_bytes());
            }
        }
        let too_large = |what| FormatError::TooLarge { format: FORMAT, what };
        let (string_count, string_bytes) = tables.strings.counts().ok_or(too_large("strings"))?;
        let (list_count, cell_count) = tables.lists.counts().ok_or(too_large("dependencies"))?;
        let version_count = u32::try_from(versions.len()).map_err(|_| too_large("versions"))?;
        let tag_count = u32::try_from(self.dist_tags.len()).map_err(|_| too_large("dist-tags"))?;

        let tables_size = (string_count as usize + list_count as usize + cell_count as usize) * 4;
        let rows_size = versions.len() * (NUMBERS + STRINGS + LISTS) + tags.len();
        let mut out = Vec::with_capacity(HEADER + rows_size + tables_size + string_bytes as usize);
        out.extend_from_slice(&SIGNATURE);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&[0; 10]);
        out.extend_from_slice(&self.modified.unwrap_or(ABSENT).to_le_bytes());
        for word in [name, version_count, tag_count, list_count, cell_count, string_count, string_bytes] {
            out.extend_from_slice(&word.to_le_bytes());
        }
        out.resize(HEADER, 0);
        for (version, data) in &versions {
            write_numbers(&mut out, version, data);
        }
        out.extend_from_slice(&strings);
        out.extend_from_slice(&lists);
        out.extend_from_slice(&tags);
        tables.lists.write(&mut out);
        tables.strings.write(&mut out);
        let checksum = wire::checksum(out.get(CHECKED_FROM..).unwrap_or_default());
        if let Some(field) = out.get_mut(8..16) {
            field.copy_from_slice(&checksum.to_le_bytes());
        }
        Ok(out)
    }
}

fn sorted<'a, 'd>(versions: &'d [VersionData<'a>]) -> Vec<(Version, &'d VersionData<'a>)> {
    let parse = |text: &str| Version::parse(text).or_else(|_| Version::parse_loose(text)).ok();
    let mut sorted: Vec<_> = versions.iter().filter_map(|data| Some((parse(&data.version)?, data))).collect();
    sorted.sort_by(|(a, a_data), (b, b_data)| a.cmp(b).then_with(|| a_data.version.cmp(&b_data.version)));
    sorted.dedup_by(|(_, later), (_, earlier)| later.version == earlier.version);
    sorted
}

fn prerelease_text(version: &Version) -> String {
    let identifiers: Vec<String> = version.prerelease().iter().map(ToString::to_string).collect();
    identifiers.join(".")
}

fn write_numbers(out: &mut Vec<u8>, version: &Version, data: &VersionData<'_>) {
    let numbers = [
        version.major(),
        version.minor(),
        version.patch(),
        data.published.unwrap_or(ABSENT),
        data.unpacked_size.unwrap_or(ABSENT),
    ];
    for number in numbers {
        out.extend_from_slice(&number.to_le_bytes());
    }
    let file_count = data.file_count.and_then(|count| u32::try_from(count).ok()).unwrap_or(ABSENT_32);
    let flags = [
        (data.has_install_script, FLAG_INSTALL_SCRIPT),
        (data.has_shrinkwrap, FLAG_SHRINKWRAP),
        (data.bundles_all, FLAG_BUNDLES_ALL),
    ];
    let flags = flags.iter().filter(|(set, _)| *set).fold(0, |flags, (_, flag)| flags | flag);
    out.extend_from_slice(&file_count.to_le_bytes());
    out.extend_from_slice(&flags.to_le_bytes());
}

#[derive(Default)]
struct Tables<'d> {
    strings: StringTableBuilder<'d>,
    lists: ListTableBuilder,
    cells: Vec<u32>,
}

impl<'d> Tables<'d> {
    fn strings_of(&mut self, data: &'d VersionData<'_>, prerelease: &'d str) -> [u32; 8] {
        let engines_node = data.engines.iter().find(|(engine, _)| engine == "node").map_or("", |(_, range)| range);
        let strings = &mut self.strings;
        [
            strings.intern(&data.version),
            strings.intern(prerelease),
            strings.intern(&data.deprecated),
            strings.intern(engines_node),
            strings.push(&data.tarball),
            strings.push(data.integrity.as_deref().unwrap_or_default()),
            strings.intern(data.license.as_deref().unwrap_or_default()),
            strings.intern(data.funding_json.as_deref().unwrap_or_default()),
        ]
    }

    fn lists_of(&mut self, data: &'d VersionData<'_>) -> [u32; 10] {
        [
            self.pairs(&data.dependencies),
            self.pairs(&data.optional_dependencies),
            self.pairs(&data.peer_dependencies),
            self.list(
                data.peer_meta.iter().flat_map(|(name, optional)| [&**name, if *optional { "optional" } else { "" }]),
            ),
            self.list(data.bundled.iter().map(|name| &**name)),
            self.pairs(&data.engines),
            self.list(data.os.iter().map(|name| &**name)),
            self.list(data.cpu.iter().map(|name| &**name)),
            self.list(data.libc.iter().map(|name| &**name)),
            self.pairs(&data.bins),
        ]
    }

    fn pairs(&mut self, pairs: &'d [(Text<'_>, Text<'_>)]) -> u32 {
        self.list(pairs.iter().flat_map(|(name, value)| [&**name, &**value]))
    }

    fn list(&mut self, texts: impl Iterator<Item = &'d str>) -> u32 {
        self.cells.clear();
        for text in texts {
            let id = self.strings.intern(text);
            self.cells.push(id);
        }
        self.lists.intern(&self.cells)
    }
}
