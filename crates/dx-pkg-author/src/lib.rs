//! What authors of packages need: packing and publishing, versions, accounts, and questions to a
//! registry.
//!
//! Nothing here touches `node_modules`.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod questions;
