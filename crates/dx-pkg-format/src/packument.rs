//! DXM: the fields of a packument that resolution reads, mapped and read in place.
//!
//! Versions ascend by semver precedence, so comparing their positions compares them, and choosing
//! one parses nothing. Each different string and list is stored once. Decoding checks the checksum,
//! every offset and every reference once; accessors then cannot fail. Little-endian throughout:
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 4 | signature `DXM\0` |
//! | 4 | 2 | format version, 2 |
//! | 6 | 2 | zero |
//! | 8 | 8 | XXH3-64 of all bytes from offset 16 |
//! | 16 | 8 | modified, ms since 1970; all ones = unknown |
//! | 24 | 4 | name (string number) |
//! | 28 | 4 | number of versions, V |
//! | 32 | 4 | number of dist-tags, T |
//! | 36 | 4 | number of lists, L |
//! | 40 | 4 | number of list cells, C |
//! | 44 | 4 | number of strings, S |
//! | 48 | 4 | bytes of strings, B |
//! | 52 | 12 | zero |
//! | 64 | V × 48 | numbers of each version, below |
//! | … | V × 32 | strings of each version, below |
//! | … | V × 44 | lists of each version, below |
//! | … | T × 12 | tag (string), its version (string), version index or all ones |
//! | … | L × 4 | end of each list, in cells |
//! | … | C × 4 | cells: string numbers; lists of pairs alternate name and value |
//! | … | S × 4 | end of each string, in bytes |
//! | … | B | strings, UTF-8 |
//!
//! - Numbers: major, minor, patch, published, unpacked size (`u64`), file count, flags (`u32`).
//! - Strings: version, prerelease, deprecated, engines.node, tarball, integrity, license, funding.
//! - Lists: dependencies, optional, peer, peer meta, bundled, engines, os, cpu, libc, bins, extra.
//!
//! String 0 and list 0 are empty. Flags: 1 install script, 2 shrinkwrap, 4 bundles all
//! dependencies.

mod encode;
mod layout;
mod view;

use std::sync::Arc;

use dx_pkg_core::Version;

use crate::FormatError;
use crate::wire::{self, Frame};
use layout::{Layout, Parts};

pub use encode::{Encoder, PackumentData, Repeated, VersionData};
pub use view::{Pairs, Texts, VersionView};

/// The first four bytes of a DXM file.
pub const SIGNATURE: [u8; 4] = *b"DXM\0";
/// The version of the format this build reads and writes.
pub const VERSION: u16 = 2;

/// The reason why a binary packument cannot be read or written.
pub type PackumentError = FormatError;

/// The two forms in which registries serve packuments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Form {
    /// The fields that installing needs.
    #[default]
    Abbreviated,
    /// Everything, publication times included.
    Full,
}

/// The bytes of a packument: a buffer or a mapping.
pub type SharedBytes = Arc<dyn AsRef<[u8]> + Send + Sync>;

const FORMAT: &str = "DXM";
const FRAME: Frame = Frame { format: FORMAT, signature: SIGNATURE, version: VERSION };
const HEADER: usize = 64;
const NUMBERS: usize = 48;
const STRINGS: usize = 32;
const LISTS: usize = 44;
const TAG: usize = 12;
const ABSENT: u64 = u64::MAX;
const ABSENT_32: u32 = u32::MAX;

/// The position of a version among the ascending versions of its packument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VersionIndex(pub u32);

/// A decoded packument; cloning shares the bytes.
#[derive(Clone)]
pub struct Packument {
    bytes: SharedBytes,
    layout: Arc<Layout>,
}

impl Packument {
    /// Decodes a packument in place.
    ///
    /// # Errors
    /// When the signature or version does not match, or the bytes are truncated or damaged.
    pub fn decode(bytes: SharedBytes) -> Result<Self, PackumentError> {
        let layout = Layout::decode((*bytes).as_ref())?;
        Ok(Self { bytes, layout: Arc::new(layout) })
    }

    fn parts(&self) -> Parts<'_> {
        Parts { bytes: (*self.bytes).as_ref(), layout: &self.layout }
    }

    /// Returns the encoded bytes, as given to [`Packument::decode`].
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        (*self.bytes).as_ref()
    }

    /// Returns the encoded bytes, shared.
    #[must_use]
    pub fn shared_bytes(&self) -> SharedBytes {
        Arc::clone(&self.bytes)
    }

    /// Returns the checksum that the bytes contain. Packuments of one package with equal checksums
    /// are equal, unless somebody made them so on purpose.
    #[must_use]
    pub fn checksum(&self) -> u64 {
        wire::u64_at(self.parts().bytes, 8)
    }

    /// Returns the package's name as the registry spells it.
    #[must_use]
    pub fn name(&self) -> &str {
        let parts = self.parts();
        parts.strings().get(wire::u32_at(parts.bytes, 24))
    }

    /// Returns when the registry last changed the packument, in milliseconds since 1970.
    #[must_use]
    pub fn modified(&self) -> Option<u64> {
        some_unless(wire::u64_at(self.parts().bytes, 16), ABSENT)
    }

    /// Returns the dist-tags in the packument's order: (tag, version). The version need not exist.
    pub fn dist_tags(&self) -> impl ExactSizeIterator<Item = (&str, &str)> + Clone {
        let parts = self.parts();
        parts.tag_rows().map(move |row| {
            let strings = parts.strings();
            (strings.get(wire::u32_at(row, 0)), strings.get(wire::u32_at(row, 4)))
        })
    }

    /// Returns the version of a dist-tag; `None` if there is no such tag or no such version.
    #[must_use]
    pub fn tag(&self, tag: &str) -> Option<VersionIndex> {
        let parts = self.parts();
        let row = parts.tag_rows().find(|row| parts.strings().get(wire::u32_at(row, 0)) == tag)?;
        some_unless(wire::u32_at(row, 8), ABSENT_32).map(VersionIndex)
    }

    /// Returns whether any version has its time of publication, which only full packuments have.
    #[must_use]
    pub fn has_times(&self) -> bool {
        self.versions().any(|version| version.published().is_some())
    }

    /// Returns the number of versions.
    #[must_use]
    pub fn len(&self) -> usize {
        self.layout.versions as usize
    }

    /// Returns whether there are no versions, as after all of them were unpublished.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.layout.versions == 0
    }

    /// Returns all versions, ascending by semver, those of equal precedence by their text.
    pub fn versions(
        &self,
    ) -> impl ExactSizeIterator<Item = VersionView<'_>> + DoubleEndedIterator + Clone {
        let parts = self.parts();
        (0..self.layout.versions).map(move |index| VersionView::new(parts, index))
    }

    /// Returns the version at `index`; an index of another packument may give an empty one.
    #[must_use]
    pub fn version(&self, index: VersionIndex) -> VersionView<'_> {
        VersionView::new(self.parts(), index.0)
    }

    /// Returns the version equal to `version` apart from build metadata; the last if there are
    /// several.
    #[must_use]
    pub fn find(&self, version: &Version) -> Option<VersionIndex> {
        let parts = self.parts();
        let numbers = (version.major(), version.minor(), version.patch());
        let mut low = 0;
        let mut high = self.layout.versions;
        while low < high {
            let middle = low + (high - low) / 2;
            let view = VersionView::new(parts, middle);
            let not_after = match view.numbers().cmp(&numbers) {
                std::cmp::Ordering::Less => true,
                std::cmp::Ordering::Greater => false,
                std::cmp::Ordering::Equal if !view.is_prerelease() => !version.is_prerelease(),
                std::cmp::Ordering::Equal => !version.is_prerelease() || view.version() <= *version,
            };
            if not_after {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let index = low.checked_sub(1)?;
        (VersionView::new(parts, index).version() == *version).then_some(VersionIndex(index))
    }

    /// Returns the version written exactly as `version`.
    #[must_use]
    pub fn find_str(&self, version: &str) -> Option<VersionIndex> {
        if let Ok(parsed) = Version::parse(version) {
            let last = self.find(&parsed)?;
            let equal = (0..=last.0)
                .rev()
                .map(VersionIndex)
                .take_while(|&index| self.version(index).version() == parsed);
            return equal.clone().find(|&index| self.version(index).version_str() == version);
        }
        let position = self.versions().position(|view| view.version_str() == version)?;
        u32::try_from(position).ok().map(VersionIndex)
    }
}

impl std::fmt::Debug for Packument {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Packument")
            .field("name", &self.name())
            .field("versions", &self.len())
            .finish()
    }
}

fn some_unless<T: PartialEq>(value: T, absent: T) -> Option<T> {
    (value != absent).then_some(value)
}

#[cfg(test)]
mod tests;
