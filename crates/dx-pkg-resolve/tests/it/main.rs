//! Resolution from outside: scenarios by name, properties of random projects, and npm's own answers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod change;
mod choice;
mod folders;
mod lockfile;
mod optional;
mod oracle;
mod peers;
mod placement;
mod properties;
mod world;
