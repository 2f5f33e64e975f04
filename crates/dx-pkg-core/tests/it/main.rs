//! The public interface of dx-pkg-core: properties, and comparisons with npm's packages.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod properties;
mod semver;
mod specs;
