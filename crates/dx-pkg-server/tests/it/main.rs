//! Tests of the binary `dx-registry`: over HTTP, with the testkit's registry as its upstream.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod accounts;
mod audits;
mod bad_input;
mod collecting;
mod commands;
mod concurrent;
mod dxrp;
mod hosted;
mod incidents;
mod issuer;
mod moving;
mod packaging;
mod pages;
mod people;
mod policy;
mod proxied;
mod server;
mod sharing;
mod test_command;
mod tls;
mod trusted;
