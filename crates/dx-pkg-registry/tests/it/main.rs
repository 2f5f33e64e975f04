//! The trait `Source`, implemented in memory: a source needs neither HTTP nor npm's formats.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod memory;
mod plan;
mod tarballs;
