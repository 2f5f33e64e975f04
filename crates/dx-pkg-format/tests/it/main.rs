//! The formats' public interface: golden files and properties.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod archive;
mod chain;
mod dxp;
mod dxrp;
mod golden;
mod packument;
mod wire;
