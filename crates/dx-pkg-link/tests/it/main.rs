//! Whole trees in real folders: what Node.js finds in them, what changes, what survives.
// They look at inodes, modes and signals.
#![cfg(unix)]
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod ahead;
mod change;
mod commands;
mod crash;
mod fresh;
mod import;
mod mount;
mod prepared;
mod property;
mod scripts;
mod world;
