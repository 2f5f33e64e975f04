//! DXP package files, binary packuments and the wire primitives they share; no I/O.
//!
//! [`dxp`] holds one package's files, [`packument`] what resolution needs of one packument, and [`wire`] the
//! cursor, tables and checksum both are made of. Every decoder checks all bounds once and never panics;
//! the byte tables are in `docs/format/`.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod dxp;
mod error;
pub mod packument;
pub mod wire;

pub use error::FormatError;
