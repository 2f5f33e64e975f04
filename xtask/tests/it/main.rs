//! Tests of the tasks as programs.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

#[cfg(target_os = "linux")]
mod exec;
mod help;
#[cfg(unix)]
mod installer;
mod package;
