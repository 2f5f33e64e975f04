//! Archives: packages of this store in one compressed file, for another store.
//!
//! An archive is written and read from front to back in bounded memory: of contents, at most one
//! file of a package is in memory on the way out, and a few MiB on the way in. Its format is that
//! of [`dx_pkg_format::archive`]. Packages come in the order in which they are added; those that
//! are alike should be adjacent, as the compressor looks back 16 MiB.

mod counted;
mod error;
mod export;
mod import;
mod pieces;
mod stream;

pub use error::ArchiveError;
pub use export::{Exported, Exporter};
pub use import::Imported;

/// The most bytes of contents for each byte of an archive, beyond [`RATIO_FLOOR`].
const MOST_RATIO: u64 = 1000;
/// The number of bytes of contents up to which no ratio is too high.
const RATIO_FLOOR: u64 = if cfg!(test) { 16 << 20 } else { 256 << 20 };

/// Returns whether an archive of `compressed` bytes has suspiciously many bytes of contents.
fn is_bomb(compressed: u64, contents: u64) -> bool {
    contents > RATIO_FLOOR.saturating_add(compressed.saturating_mul(MOST_RATIO))
}

#[cfg(test)]
mod tests;
