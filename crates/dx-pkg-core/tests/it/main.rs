//! The public interface of dx-pkg-core, judged from outside.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod properties;
mod semver;
mod specs;
