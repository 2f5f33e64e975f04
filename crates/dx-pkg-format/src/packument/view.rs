//! One version of a packument, read in place.

use std::collections::HashSet;

use dx_pkg_core::Version;

use super::layout::Parts;
use super::{ABSENT, ABSENT_32, LISTS, NUMBERS, STRINGS, VersionIndex, some_unless};
use crate::wire::{self, StringTable};

/// Strings in their manifest's order.
pub type Texts<'a> = wire::Texts<'a, StringTable<'a>>;
/// Pairs of strings in their manifest's order.
pub type Pairs<'a> = wire::Pairs<'a, StringTable<'a>>;

/// What an item of a list takes beside its text, in bytes.
const ENTRY_WEIGHT: usize = 64;

pub(super) const FLAG_INSTALL_SCRIPT: u32 = 1;
pub(super) const FLAG_SHRINKWRAP: u32 = 2;
pub(super) const FLAG_BUNDLES_ALL: u32 = 4;

/// The strings of a version, in order.
#[derive(Debug, Clone, Copy)]
enum Text {
    Version,
    Prerelease,
    Deprecated,
    EnginesNode,
    Tarball,
    Integrity,
    License,
    Funding,
}

/// The lists of a version, in order.
#[derive(Debug, Clone, Copy)]
enum List {
    Dependencies,
    Optional,
    Peer,
    PeerMeta,
    Bundled,
    Engines,
    Os,
    Cpu,
    Libc,
    Bins,
    Extra,
}

/// One version of a packument, read in place.
#[derive(Clone, Copy)]
pub struct VersionView<'a> {
    parts: Parts<'a>,
    index: u32,
}

impl<'a> VersionView<'a> {
    pub(super) fn new(parts: Parts<'a>, index: u32) -> Self {
        Self { parts, index }
    }

    fn number(self, column: usize) -> u64 {
        wire::u64_at(self.parts.bytes, super::HEADER + self.index as usize * NUMBERS + column * 8)
    }

    fn half(self, offset: usize) -> u32 {
        wire::u32_at(self.parts.bytes, super::HEADER + self.index as usize * NUMBERS + offset)
    }

    fn text(self, column: Text) -> &'a str {
        let offset =
            self.parts.layout.strings_at + self.index as usize * STRINGS + column as usize * 4;
        self.parts.strings().get(wire::u32_at(self.parts.bytes, offset))
    }

    fn text_unless_empty(self, column: Text) -> Option<&'a str> {
        some_unless(self.text(column), "")
    }

    fn cells(self, column: List) -> &'a [u8] {
        let offset = self.parts.layout.lists_at + self.index as usize * LISTS + column as usize * 4;
        self.parts.lists().get(wire::u32_at(self.parts.bytes, offset))
    }

    fn pairs(self, column: List) -> Pairs<'a> {
        Pairs::new(self.cells(column), self.parts.strings())
    }

    fn texts(self, column: List) -> Texts<'a> {
        Texts::new(self.cells(column), self.parts.strings())
    }

    fn flag(self, flag: u32) -> bool {
        self.half(44) & flag != 0
    }

    /// This version's position in the packument.
    #[must_use]
    pub fn index(self) -> VersionIndex {
        VersionIndex(self.index)
    }

    /// Returns the version as the registry writes it.
    #[must_use]
    pub fn version_str(self) -> &'a str {
        self.text(Text::Version)
    }

    /// Returns major, minor and patch, which order versions apart from prereleases.
    #[must_use]
    pub fn numbers(self) -> (u64, u64, u64) {
        (self.number(0), self.number(1), self.number(2))
    }

    /// Returns the prerelease identifiers joined by dots, without the hyphen; empty for a release.
    #[must_use]
    pub fn prerelease(self) -> &'a str {
        self.text(Text::Prerelease)
    }

    /// Returns whether there are prerelease identifiers.
    #[must_use]
    pub fn is_prerelease(self) -> bool {
        let offset = self.parts.layout.strings_at
            + self.index as usize * STRINGS
            + Text::Prerelease as usize * 4;
        wire::u32_at(self.parts.bytes, offset) != 0
    }

    /// Returns the parsed version; nothing is allocated for a release.
    #[must_use]
    pub fn version(self) -> Version {
        let (major, minor, patch) = self.numbers();
        if self.is_prerelease() {
            let text = self.version_str();
            if let Ok(version) = Version::parse(text).or_else(|_| Version::parse_loose(text)) {
                return version;
            }
        }
        Version::new(major, minor, patch)
    }

    /// Returns the deprecation message; `None` when the version is not deprecated.
    #[must_use]
    pub fn deprecated(self) -> Option<&'a str> {
        self.text_unless_empty(Text::Deprecated)
    }

    /// Returns the time of publication, in milliseconds since 1970, which only full packuments
    /// have.
    #[must_use]
    pub fn published(self) -> Option<u64> {
        some_unless(self.number(3), ABSENT)
    }

    /// Returns the URL of the tarball; empty if the registry gives none.
    #[must_use]
    pub fn tarball(self) -> &'a str {
        self.text(Text::Tarball)
    }

    /// Returns the integrity in SRI form; a bare shasum appears as `sha1-…`.
    #[must_use]
    pub fn integrity(self) -> Option<&'a str> {
        self.text_unless_empty(Text::Integrity)
    }

    /// Returns the size of all files unpacked, in bytes.
    #[must_use]
    pub fn unpacked_size(self) -> Option<u64> {
        some_unless(self.number(4), ABSENT)
    }

    /// Returns the number of files.
    #[must_use]
    pub fn file_count(self) -> Option<u64> {
        some_unless(self.half(40), ABSENT_32).map(u64::from)
    }

    /// Returns `dependencies`: (name, spec) in the manifest's order.
    #[must_use]
    pub fn dependencies(self) -> Pairs<'a> {
        self.pairs(List::Dependencies)
    }

    /// Returns `optionalDependencies`: (name, spec) in the manifest's order.
    #[must_use]
    pub fn optional_dependencies(self) -> Pairs<'a> {
        self.pairs(List::Optional)
    }

    /// Returns `peerDependencies`: (name, spec) in the manifest's order.
    #[must_use]
    pub fn peer_dependencies(self) -> Pairs<'a> {
        self.pairs(List::Peer)
    }

    /// Returns `peerDependenciesMeta`: (name, optional) in the manifest's order.
    pub fn peer_meta(self) -> impl ExactSizeIterator<Item = (&'a str, bool)> + Clone {
        self.pairs(List::PeerMeta).map(|(name, optional)| (name, !optional.is_empty()))
    }

    /// Returns whether `peerDependenciesMeta` marks this peer optional.
    #[must_use]
    pub fn peer_optional(self, name: &str) -> bool {
        self.peer_meta().any(|(peer, optional)| optional && peer == name)
    }

    /// Returns what tells whether `peerDependenciesMeta` marks a peer optional, for many questions.
    pub fn optional_peers(self) -> impl Fn(&str) -> bool + use<'a> {
        let marked = self.peer_meta().filter_map(|(peer, is_optional)| is_optional.then_some(peer));
        let marked: HashSet<&'a str> = marked.collect();
        move |name| marked.contains(name)
    }

    /// Returns the names of bundled dependencies; see [`VersionView::bundles_all`].
    #[must_use]
    pub fn bundled(self) -> Texts<'a> {
        self.texts(List::Bundled)
    }

    /// Returns whether all dependencies are bundled, written as `bundleDependencies: true`.
    #[must_use]
    pub fn bundles_all(self) -> bool {
        self.flag(FLAG_BUNDLES_ALL)
    }

    /// Returns `engines`: (engine, range) in the manifest's order.
    #[must_use]
    pub fn engines(self) -> Pairs<'a> {
        self.pairs(List::Engines)
    }

    /// Returns `engines.node`, without searching the engines.
    #[must_use]
    pub fn engines_node(self) -> Option<&'a str> {
        self.text_unless_empty(Text::EnginesNode)
    }

    /// Returns `os` as node names operating systems, `!` for a negation.
    #[must_use]
    pub fn os(self) -> Texts<'a> {
        self.texts(List::Os)
    }

    /// Returns `cpu` as node names architectures, `!` for a negation.
    #[must_use]
    pub fn cpu(self) -> Texts<'a> {
        self.texts(List::Cpu)
    }

    /// Returns `libc`: `glibc`, `musl`, or their negations.
    #[must_use]
    pub fn libc(self) -> Texts<'a> {
        self.texts(List::Libc)
    }

    /// Returns the executables: (name, path within the package), normalised by the encoder.
    #[must_use]
    pub fn bins(self) -> Pairs<'a> {
        self.pairs(List::Bins)
    }

    /// Returns whether the package has a script that runs at installation.
    #[must_use]
    pub fn has_install_script(self) -> bool {
        self.flag(FLAG_INSTALL_SCRIPT)
    }

    /// Returns whether the package ships an `npm-shrinkwrap.json`.
    #[must_use]
    pub fn has_shrinkwrap(self) -> bool {
        self.flag(FLAG_SHRINKWRAP)
    }

    /// Returns the license as written in the manifest.
    #[must_use]
    pub fn license(self) -> Option<&'a str> {
        self.text_unless_empty(Text::License)
    }

    /// Returns `funding` as JSON text.
    #[must_use]
    pub fn funding_json(self) -> Option<&'a str> {
        self.text_unless_empty(Text::Funding)
    }

    /// Returns about how much memory the fields take, in bytes.
    #[must_use]
    pub fn weight(self) -> usize {
        let texts = [Text::Version, Text::Deprecated, Text::Tarball, Text::Integrity];
        let own = texts.map(|column| self.text(column).len()).iter().sum::<usize>()
            + self.text(Text::License).len()
            + self.text(Text::Funding).len();
        let pairs = [List::Dependencies, List::Optional, List::Peer, List::Engines, List::Bins];
        let in_pairs = pairs.into_iter().chain([List::PeerMeta, List::Extra]).flat_map(|column| {
            self.pairs(column).map(|(name, value)| ENTRY_WEIGHT + name.len() + value.len())
        });
        let texts = [List::Bundled, List::Os, List::Cpu, List::Libc];
        let in_texts = texts
            .into_iter()
            .flat_map(|column| self.texts(column).map(|text| ENTRY_WEIGHT + text.len()));
        own + in_pairs.sum::<usize>() + in_texts.sum::<usize>()
    }

    /// Returns (key, value as JSON text) of what a lockfile records and no other field can hold.
    #[must_use]
    pub fn extra(self) -> Pairs<'a> {
        self.pairs(List::Extra)
    }
}

impl std::fmt::Debug for VersionView<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("VersionView").field(&self.version_str()).finish()
    }
}
