//! Reading one version of a packument in place.

use dx_pkg_core::Version;

use super::layout::Parts;
use super::{ABSENT, ABSENT_32, LISTS, NUMBERS, STRINGS, VersionIndex, some_unless};
use crate::wire::{self, StringTable};

pub(super) const FLAG_INSTALL_SCRIPT: u32 = 1;
pub(super) const FLAG_SHRINKWRAP: u32 = 2;
pub(super) const FLAG_BUNDLES_ALL: u32 = 4;

/// The columns of a version's row of strings, in order.
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

/// The columns of a version's row of lists, in order.
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
        Pairs { cells: self.cells(column), strings: self.parts.strings() }
    }

    fn texts(self, column: List) -> Texts<'a> {
        Texts { cells: self.cells(column), strings: self.parts.strings() }
    }

    fn flag(self, flag: u32) -> bool {
        self.half(44) & flag != 0
    }

    /// This version's position in the packument.
    #[must_use]
    pub fn index(self) -> VersionIndex {
        VersionIndex(self.index)
    }

    /// The version as the registry writes it.
    #[must_use]
    pub fn version_str(self) -> &'a str {
        self.text(Text::Version)
    }

    /// Major, minor and patch: ordered as versions are, prereleases aside.
    #[must_use]
    pub fn numbers(self) -> (u64, u64, u64) {
        (self.number(0), self.number(1), self.number(2))
    }

    /// The prerelease identifiers joined by dots, without the hyphen; empty for a release.
    #[must_use]
    pub fn prerelease(self) -> &'a str {
        self.text(Text::Prerelease)
    }

    /// Whether there are prerelease identifiers.
    #[must_use]
    pub fn is_prerelease(self) -> bool {
        let offset = self.parts.layout.strings_at
            + self.index as usize * STRINGS
            + Text::Prerelease as usize * 4;
        wire::u32_at(self.parts.bytes, offset) != 0
    }

    /// The parsed version; nothing is allocated for a release.
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

    /// The deprecation message; `None` when the version is not deprecated.
    #[must_use]
    pub fn deprecated(self) -> Option<&'a str> {
        self.text_unless_empty(Text::Deprecated)
    }

    /// When the version was published, in milliseconds since 1970; only full packuments say.
    #[must_use]
    pub fn published(self) -> Option<u64> {
        some_unless(self.number(3), ABSENT)
    }

    /// The URL of the tarball; empty when the registry gives none.
    #[must_use]
    pub fn tarball(self) -> &'a str {
        self.text(Text::Tarball)
    }

    /// The integrity in SRI form; a bare shasum appears as `sha1-…`.
    #[must_use]
    pub fn integrity(self) -> Option<&'a str> {
        self.text_unless_empty(Text::Integrity)
    }

    /// The size of all files unpacked, in bytes.
    #[must_use]
    pub fn unpacked_size(self) -> Option<u64> {
        some_unless(self.number(4), ABSENT)
    }

    /// How many files the package has.
    #[must_use]
    pub fn file_count(self) -> Option<u64> {
        some_unless(self.half(40), ABSENT_32).map(u64::from)
    }

    /// `dependencies`: (name, spec) in the manifest's order.
    #[must_use]
    pub fn dependencies(self) -> Pairs<'a> {
        self.pairs(List::Dependencies)
    }

    /// `optionalDependencies`: (name, spec) in the manifest's order.
    #[must_use]
    pub fn optional_dependencies(self) -> Pairs<'a> {
        self.pairs(List::Optional)
    }

    /// `peerDependencies`: (name, spec) in the manifest's order.
    #[must_use]
    pub fn peer_dependencies(self) -> Pairs<'a> {
        self.pairs(List::Peer)
    }

    /// `peerDependenciesMeta`: (name, optional) in the manifest's order.
    pub fn peer_meta(self) -> impl ExactSizeIterator<Item = (&'a str, bool)> + Clone {
        self.pairs(List::PeerMeta).map(|(name, optional)| (name, !optional.is_empty()))
    }

    /// Whether `peerDependenciesMeta` marks this peer optional.
    #[must_use]
    pub fn peer_optional(self, name: &str) -> bool {
        self.peer_meta().any(|(peer, optional)| optional && peer == name)
    }

    /// The names of bundled dependencies; see [`VersionView::bundles_all`].
    #[must_use]
    pub fn bundled(self) -> Texts<'a> {
        self.texts(List::Bundled)
    }

    /// Whether all dependencies are bundled, written as `bundleDependencies: true`.
    #[must_use]
    pub fn bundles_all(self) -> bool {
        self.flag(FLAG_BUNDLES_ALL)
    }

    /// `engines`: (engine, range) in the manifest's order.
    #[must_use]
    pub fn engines(self) -> Pairs<'a> {
        self.pairs(List::Engines)
    }

    /// `engines.node`, found without looking through the engines.
    #[must_use]
    pub fn engines_node(self) -> Option<&'a str> {
        self.text_unless_empty(Text::EnginesNode)
    }

    /// `os` as node names operating systems, `!` for a negation.
    #[must_use]
    pub fn os(self) -> Texts<'a> {
        self.texts(List::Os)
    }

    /// `cpu` as node names architectures, `!` for a negation.
    #[must_use]
    pub fn cpu(self) -> Texts<'a> {
        self.texts(List::Cpu)
    }

    /// `libc`: `glibc`, `musl`, or their negations.
    #[must_use]
    pub fn libc(self) -> Texts<'a> {
        self.texts(List::Libc)
    }

    /// The executables: (name, path within the package), normalised by the encoder.
    #[must_use]
    pub fn bins(self) -> Pairs<'a> {
        self.pairs(List::Bins)
    }

    /// Whether the package has a script that runs at installation.
    #[must_use]
    pub fn has_install_script(self) -> bool {
        self.flag(FLAG_INSTALL_SCRIPT)
    }

    /// Whether the package ships an `npm-shrinkwrap.json`.
    #[must_use]
    pub fn has_shrinkwrap(self) -> bool {
        self.flag(FLAG_SHRINKWRAP)
    }

    /// The license as the manifest states it.
    #[must_use]
    pub fn license(self) -> Option<&'a str> {
        self.text_unless_empty(Text::License)
    }

    /// `funding` as JSON text.
    #[must_use]
    pub fn funding_json(self) -> Option<&'a str> {
        self.text_unless_empty(Text::Funding)
    }
}

impl std::fmt::Debug for VersionView<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("VersionView").field(&self.version_str()).finish()
    }
}

/// Pairs of strings in their manifest's order.
#[derive(Debug, Clone, Copy)]
pub struct Pairs<'a> {
    cells: &'a [u8],
    strings: StringTable<'a>,
}

impl<'a> Pairs<'a> {
    /// The value that belongs to `name`.
    #[must_use]
    pub fn value_of(mut self, name: &str) -> Option<&'a str> {
        self.find(|(key, _)| *key == name).map(|(_, value)| value)
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let (pair, rest) = self.cells.split_at_checked(8)?;
        self.cells = rest;
        Some((self.strings.get(wire::u32_at(pair, 0)), self.strings.get(wire::u32_at(pair, 4))))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let pairs = self.cells.len() / 8;
        (pairs, Some(pairs))
    }
}

impl ExactSizeIterator for Pairs<'_> {}

/// Strings in their manifest's order.
#[derive(Debug, Clone, Copy)]
pub struct Texts<'a> {
    cells: &'a [u8],
    strings: StringTable<'a>,
}

impl<'a> Iterator for Texts<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<Self::Item> {
        let (cell, rest) = self.cells.split_at_checked(4)?;
        self.cells = rest;
        Some(self.strings.get(wire::u32_at(cell, 0)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let texts = self.cells.len() / 4;
        (texts, Some(texts))
    }
}

impl ExactSizeIterator for Texts<'_> {}
