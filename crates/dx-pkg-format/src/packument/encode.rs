//! The encoder of binary packuments.

use std::borrow::Cow;

use dx_pkg_core::Version;

use super::view::{FLAG_BUNDLES_ALL, FLAG_INSTALL_SCRIPT, FLAG_SHRINKWRAP};
use super::{ABSENT, ABSENT_32, FORMAT, FRAME, HEADER, LISTS, NUMBERS, STRINGS, TAG};
use crate::FormatError;
use crate::wire::{Frame, ListTableBuilder, StringTableBuilder, Writer};

type Text<'a> = Cow<'a, str>;

/// A packument to encode.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PackumentData<'a> {
    /// The package's name.
    pub name: Text<'a>,
    /// The time of the last change, in milliseconds since 1970.
    pub modified: Option<u64>,
    /// The dist-tags, (tag, version), in the packument's order.
    pub dist_tags: Vec<(Text<'a>, Text<'a>)>,
    /// The versions in any order.
    pub versions: Vec<VersionData<'a>>,
}

/// The manifest of a version to encode; lists are in the manifest's order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VersionData<'a> {
    /// The version as the registry writes it.
    pub version: Text<'a>,
    /// The deprecation message; empty if not deprecated.
    pub deprecated: Text<'a>,
    /// The time of publication, in milliseconds since 1970.
    pub published: Option<u64>,
    /// The URL of the tarball.
    pub tarball: Text<'a>,
    /// The integrity in SRI form, a bare shasum as `sha1-…`.
    pub integrity: Option<Text<'a>>,
    /// The size of all files unpacked, in bytes.
    pub unpacked_size: Option<u64>,
    /// The number of files.
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
    /// (key, value as JSON text) of what a lockfile records and no other field can hold: members
    /// that resolution does not read, and those of another type than theirs.
    pub extra: Vec<(Text<'a>, Text<'a>)>,
}

impl PackumentData<'_> {
    /// Encodes the packument as DXM.
    ///
    /// Versions that are not semver, even loosely, and repetitions of a version are left out: no
    /// range can choose them.
    ///
    /// # Errors
    /// When there are more strings or list cells than 32 bits can count.
    pub fn encode(&self) -> Result<Vec<u8>, FormatError> {
        // Sorted first, so that the numbers of strings do not depend on the order given.
        let mut versions: Vec<_> =
            self.versions.iter().filter_map(|data| Some((parse(&data.version)?, data))).collect();
        versions.sort_by(|(a, a_data), (b, b_data)| {
            a.cmp(b).then_with(|| a_data.version.cmp(&b_data.version))
        });
        let mut encoder = Encoder::new(&self.name);
        versions.iter().for_each(|(_, data)| encoder.push(data));
        encoder.finish(self.modified, &self.dist_tags, |_| None)
    }
}

/// Encodes a packument version by version, in any order.
#[derive(Debug)]
pub struct Encoder {
    strings: StringTableBuilder,
    lists: ListTableBuilder,
    cells: Vec<u32>,
    name: u32,
    rows: Vec<Row>,
    /// The strings and lists of the version added last.
    last: Option<(VersionStrings, VersionLists)>,
}

type VersionStrings = [u32; STRINGS / 4];
type VersionLists = [u32; LISTS / 4];

/// The parts of a manifest that are those of the version added before, which need not be looked up
/// again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Repeated {
    /// Dependencies, optional and bundled ones.
    pub dependencies: bool,
    /// Peer dependencies and whether they are optional.
    pub peers: bool,
    /// The engines.
    pub engines: bool,
    /// Operating systems, processors and C libraries.
    pub platform: bool,
    /// The executables.
    pub bins: bool,
    /// Deprecation message, license and funding.
    pub texts: bool,
}

/// The fields of a version that have a fixed size.
#[derive(Debug)]
struct Row {
    version: Version,
    published: Option<u64>,
    unpacked_size: Option<u64>,
    file_count: Option<u64>,
    flags: u32,
    strings: VersionStrings,
    lists: VersionLists,
}

impl Encoder {
    /// Returns an encoder of a packument without versions, of the package `name`.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let mut strings = StringTableBuilder::default();
        let name = strings.intern(name);
        Self {
            strings,
            lists: ListTableBuilder::default(),
            cells: Vec::new(),
            name,
            rows: Vec::new(),
            last: None,
        }
    }

    /// Adds a version, unless it is not semver, even loosely; of repetitions the first is kept.
    pub fn push(&mut self, data: &VersionData<'_>) {
        self.push_repeating(data, Repeated::default());
    }

    /// Adds a version as [`Self::push`] does, `repeated` parts of which are those of the version
    /// that this was called for before.
    pub fn push_repeating(&mut self, data: &VersionData<'_>, repeated: Repeated) {
        let last = self.last.take();
        let Some(version) = parse(&data.version) else { return };
        // After a version that was not added there is nothing to repeat.
        let repeated = if last.is_some() { repeated } else { Repeated::default() };
        let (strings, lists) = last.unwrap_or_default();
        let strings = self.strings_of(data, &version, strings, repeated);
        let lists = self.lists_of(data, lists, repeated);
        self.last = Some((strings, lists));
        let flags = [
            (data.has_install_script, FLAG_INSTALL_SCRIPT),
            (data.has_shrinkwrap, FLAG_SHRINKWRAP),
            (data.bundles_all, FLAG_BUNDLES_ALL),
        ];
        let row = Row {
            published: data.published,
            unpacked_size: data.unpacked_size,
            file_count: data.file_count,
            flags: flags.iter().filter(|(set, _)| *set).fold(0, |flags, (_, flag)| flags | flag),
            strings,
            lists,
            version,
        };
        self.rows.push(row);
    }

    /// Encodes the packument as DXM; `published` returns the time of a version that was added
    /// without one, by its text.
    ///
    /// # Errors
    /// When there are more strings or list cells than 32 bits can count.
    pub fn finish(
        mut self,
        modified: Option<u64>,
        dist_tags: &[(Text<'_>, Text<'_>)],
        published: impl Fn(&[u8]) -> Option<u64>,
    ) -> Result<Vec<u8>, FormatError> {
        let mut rows = std::mem::take(&mut self.rows);
        let text = |row: &Row| self.strings.get(row.strings[0]);
        rows.sort_by(|a, b| a.version.cmp(&b.version).then_with(|| text(a).cmp(text(b))));
        rows.dedup_by(|later, earlier| later.strings[0] == earlier.strings[0]);
        for row in rows.iter_mut().filter(|row| row.published.is_none()) {
            row.published = published(self.strings.get(row.strings[0]));
        }
        let mut tags = Writer::with_capacity(dist_tags.len() * TAG);
        for (tag, version) in dist_tags {
            let (tag, version) = (self.strings.intern(tag), self.strings.intern(version));
            let index = rows.iter().position(|row| row.strings[0] == version);
            let index = index.and_then(|index| u32::try_from(index).ok()).unwrap_or(ABSENT_32);
            tags.words([tag, version, index]);
        }
        let too_large = |what| FormatError::TooLarge { format: FORMAT, what };
        let (string_count, string_bytes) = self.strings.counts().ok_or(too_large("strings"))?;
        let (list_count, cell_count) = self.lists.counts().ok_or(too_large("dependencies"))?;
        let version_count = u32::try_from(rows.len()).map_err(|_| too_large("versions"))?;
        let tag_count = u32::try_from(dist_tags.len()).map_err(|_| too_large("dist-tags"))?;

        let tables_size = (string_count as usize + list_count as usize + cell_count as usize) * 4;
        let rows_size = rows.len() * (NUMBERS + STRINGS + LISTS) + tags.len();
        let mut out = FRAME.begin(HEADER + rows_size + tables_size + string_bytes as usize);
        out.u64(modified.unwrap_or(ABSENT));
        out.words([
            self.name,
            version_count,
            tag_count,
            list_count,
            cell_count,
            string_count,
            string_bytes,
        ]);
        out.zeros_to(HEADER);
        rows.iter().for_each(|row| row.write_numbers(&mut out));
        out.words(rows.iter().flat_map(|row| row.strings));
        out.words(rows.iter().flat_map(|row| row.lists));
        out.bytes(tags.as_bytes());
        self.lists.write(&mut out);
        self.strings.write(&mut out);
        Ok(Frame::finish(out))
    }

    fn strings_of(
        &mut self,
        data: &VersionData<'_>,
        version: &Version,
        last: VersionStrings,
        repeated: Repeated,
    ) -> VersionStrings {
        let strings = &mut self.strings;
        let [_, _, mut deprecated, mut engines_node, _, _, mut license, mut funding] = last;
        // In the order of the fields: strings are numbered as they come.
        let text = strings.intern(&data.version);
        let prerelease =
            if version.is_prerelease() { strings.intern(&prerelease_text(version)) } else { 0 };
        if !repeated.texts {
            deprecated = strings.intern(&data.deprecated);
        }
        if !repeated.engines {
            let node = data.engines.iter().find(|(engine, _)| engine == "node");
            engines_node = strings.intern(node.map_or("", |(_, range)| range));
        }
        let tarball = strings.push(&data.tarball);
        let integrity = strings.push(data.integrity.as_deref().unwrap_or_default());
        if !repeated.texts {
            license = strings.intern(data.license.as_deref().unwrap_or_default());
            funding = strings.intern(data.funding_json.as_deref().unwrap_or_default());
        }
        [text, prerelease, deprecated, engines_node, tarball, integrity, license, funding]
    }

    fn lists_of(
        &mut self,
        data: &VersionData<'_>,
        last: VersionLists,
        repeated: Repeated,
    ) -> VersionLists {
        let [mut dependencies, mut optional, mut peers, mut peer_meta, mut bundled, ..] = last;
        let [.., mut engines, mut os, mut cpu, mut libc, mut bins, _] = last;
        if !repeated.dependencies {
            dependencies = self.pairs(&data.dependencies);
            optional = self.pairs(&data.optional_dependencies);
        }
        if !repeated.peers {
            peers = self.pairs(&data.peer_dependencies);
            peer_meta =
                self.list(data.peer_meta.iter().flat_map(|(name, optional)| {
                    [&**name, if *optional { "optional" } else { "" }]
                }));
        }
        if !repeated.dependencies {
            bundled = self.list(data.bundled.iter().map(|name| &**name));
        }
        if !repeated.engines {
            engines = self.pairs(&data.engines);
        }
        if !repeated.platform {
            os = self.list(data.os.iter().map(|name| &**name));
            cpu = self.list(data.cpu.iter().map(|name| &**name));
            libc = self.list(data.libc.iter().map(|name| &**name));
        }
        if !repeated.bins {
            bins = self.pairs(&data.bins);
        }
        let extra = self.pairs(&data.extra);
        [dependencies, optional, peers, peer_meta, bundled, engines, os, cpu, libc, bins, extra]
    }

    fn pairs(&mut self, pairs: &[(Text<'_>, Text<'_>)]) -> u32 {
        self.list(pairs.iter().flat_map(|(name, value)| [&**name, &**value]))
    }

    fn list<'t>(&mut self, texts: impl Iterator<Item = &'t str>) -> u32 {
        self.cells.clear();
        for text in texts {
            let id = self.strings.intern(text);
            self.cells.push(id);
        }
        self.lists.intern(&self.cells)
    }
}

impl Row {
    fn write_numbers(&self, out: &mut Writer) {
        for number in [
            self.version.major(),
            self.version.minor(),
            self.version.patch(),
            self.published.unwrap_or(ABSENT),
            self.unpacked_size.unwrap_or(ABSENT),
        ] {
            out.u64(number);
        }
        let file_count =
            self.file_count.and_then(|count| u32::try_from(count).ok()).unwrap_or(ABSENT_32);
        out.words([file_count, self.flags]);
    }
}

fn parse(text: &str) -> Option<Version> {
    Version::parse(text).or_else(|_| Version::parse_loose(text)).ok()
}

fn prerelease_text(version: &Version) -> String {
    let identifiers: Vec<String> = version.prerelease().iter().map(ToString::to_string).collect();
    identifiers.join(".")
}
