//! Tests with real repositories and the real git program.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod hardening;
mod listing;
mod repositories;
