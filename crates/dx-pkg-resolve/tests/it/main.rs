//! Resolution from outside: scenarios by name, properties of random projects, and npm's own answers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]

mod oracle;
