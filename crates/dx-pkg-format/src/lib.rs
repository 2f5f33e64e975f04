//! dx's binary formats: DXP package files, archives of packages, binary packuments, chains of
//! packages, and what they have in common; no I/O.
//!
//! [`dxp`] holds the files of one package, [`archive`] many packages on their way to another
//! store, [`packument`] the fields of one packument that resolution reads, and [`chain`] the
//! packages that are likely to follow others in a resolution.
//! [`wire`] has the cursors, tables and checksum that all formats use. Every decoder checks all
//! bounds once and never panics; the byte tables are in `docs/format/`.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod archive;
pub mod chain;
pub mod dxp;
pub mod dxrp;
mod error;
pub mod packument;
pub mod wire;

pub use error::FormatError;
