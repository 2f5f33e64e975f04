//! Tests of the tasks as programs.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

#[cfg(target_os = "linux")]
mod exec;
mod help;
#[cfg(unix)]
mod installer;
mod package;
