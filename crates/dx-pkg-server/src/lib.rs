//! A registry server that speaks npm's protocol: the home of private packages, and a cache of other
//! registries.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
