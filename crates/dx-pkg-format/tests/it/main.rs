//! The formats' public interface: golden files and properties.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod chain;
mod dxp;
mod golden;
mod packument;
mod wire;
