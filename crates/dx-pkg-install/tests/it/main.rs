//! Installs and scripts as a caller of the library sees them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod embedding;
mod scripts;
