//! DXL: a lock compiled to a file that is read in place.
//!
//! All numbers are little-endian; the byte table is `docs/format/dxl.md`. Records are in the order
//! of [`locale_compare`](crate::locale_compare) (so the project is first and a folder precedes what
//! is inside it), and an index finds one by path in constant time. [`DxlView::open`] checks the
//! checksum and every offset once, without allocating; nothing read afterwards can fail.

use dx_pkg_format::wire::Frame;

mod digest;
mod encode;
mod names;
mod package;
mod packages;
mod splice;
mod view;

pub use digest::{set_source_digest, without_source_digest};
pub use encode::encode;
pub use names::NameIndex;
pub use package::{Package, Pairs, Texts};
pub use splice::splice;
pub use view::DxlView;

/// The first four bytes of a DXL file.
pub const SIGNATURE: [u8; 4] = *b"DXL\0";
/// The version of the format this build reads and writes.
pub const VERSION: u16 = 1;

/// The format's name in errors.
const FORMAT: &str = "DXL";

const FRAME: Frame = Frame { format: FORMAT, signature: SIGNATURE, version: VERSION };
const HEADER_SIZE: usize = 80;
const RECORD_SIZE: usize = 128;

type Record = [u8; RECORD_SIZE];

/// Byte offsets within the header.
mod header {
    pub(super) const LOCKFILE_VERSION: usize = 6;
    pub(super) const CHECKSUM: usize = 8;
    pub(super) const SOURCE_DIGEST: usize = 16;
    pub(super) const PACKAGES: usize = 48;
    pub(super) const STRINGS: usize = 52;
    pub(super) const STRING_BYTES: usize = 56;
    pub(super) const CELLS: usize = 60;
    pub(super) const SLOTS: usize = 64;
    pub(super) const NAME: usize = 68;
    pub(super) const PROJECT_VERSION: usize = 72;
}

/// Byte offsets within a record.
mod record {
    pub(super) const TEXTS: usize = 32;
    pub(super) const FLAGS: usize = 76;
    pub(super) const CELLS: usize = 80;
    pub(super) const COUNTS: usize = 84;
}

/// A record's texts, in order.
#[derive(Clone, Copy)]
enum Text {
    Path,
    ExplicitName,
    Name,
    Version,
    Resolved,
    Integrity,
    Deprecated,
    License,
    Engines,
    Funding,
    Workspaces,
}

const TEXT_COUNT: usize = 11;

/// A record's lists, in order.
#[derive(Clone, Copy)]
enum List {
    Bin,
    Os,
    Cpu,
    Libc,
    Dependencies,
    DevDependencies,
    OptionalDependencies,
    PeerDependencies,
    PeerDependenciesMeta,
    BundleDependencies,
    Extra,
}

const LIST_COUNT: usize = 11;

/// Whether the list at each place consists of pairs.
const LIST_IS_PAIRS: [bool; LIST_COUNT] =
    [true, false, false, false, true, true, true, true, true, false, true];

/// A record's flags.
mod flag {
    pub(super) const LINK: u32 = 1;
    pub(super) const DEV: u32 = 1 << 1;
    pub(super) const OPTIONAL: u32 = 1 << 2;
    pub(super) const DEV_OPTIONAL: u32 = 1 << 3;
    pub(super) const PEER: u32 = 1 << 4;
    pub(super) const IN_BUNDLE: u32 = 1 << 5;
    pub(super) const EXTRANEOUS: u32 = 1 << 6;
    pub(super) const HAS_INSTALL_SCRIPT: u32 = 1 << 7;
    pub(super) const HAS_SHRINKWRAP: u32 = 1 << 8;
    pub(super) const PRIVATE_COPY: u32 = 1 << 9;
    pub(super) const PATCHED: u32 = 1 << 10;
    pub(super) const ALL: u32 = (1 << 11) - 1;
}

/// Hashes a path for the index: multiply-rotate over 8-byte little-endian words, the last one
/// padded with zeros.
fn path_hash(path: &str) -> u32 {
    const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
    let (words, rest) = path.as_bytes().as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let hash = words.iter().chain([&last]).fold(path.len() as u64, |hash, word| {
        (hash.rotate_left(23) ^ u64::from_le_bytes(*word)).wrapping_mul(FACTOR)
    });
    (hash >> 32) as u32
}

#[cfg(test)]
mod tests;
