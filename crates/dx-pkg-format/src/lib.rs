//! DXP package files, binary packuments, chains over packages and the wire primitives they share; no I/O.
//!
//! [`dxp`] holds one package's files, [`packument`] what resolution needs of one packument, [`chain`] which packages
//! are likely to follow which, and [`wire`] the cursor, tables and checksum all are made of. Every decoder checks all bounds once and never panics;
//! the byte tables are in `docs/format/`.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod chain;
pub mod dxp;
mod error;
pub mod packument;
pub mod wire;

pub use error::FormatError;
