//! The one crate that knows the operating system, in four modules: files, processes, memory,
//! terminals.
//!
//! All `unsafe` of the workspace is here. Functions return [`std::io::Error`]; callers know the
//! path and the purpose, and add both. The crate is written for Linux and runs there. The branches
//! for macOS and Windows follow those systems' documentation and have never been run.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

#[cfg(target_os = "linux")]
mod clock;
pub mod files;
pub mod memory;
pub mod process;
pub mod terminal;
