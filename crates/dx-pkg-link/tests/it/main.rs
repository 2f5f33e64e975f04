//! Whole trees in real folders, as Node.js sees them.
// The tests use inodes, modes and signals.
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
mod within;
mod world;
