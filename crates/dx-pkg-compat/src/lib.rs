//! Everything npm: manifests, .npmrc, packuments, tarballs, lockfiles, the HTTP registry.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod command_words;
pub mod foreign_bytes;
pub mod glob;
pub mod homes;
pub mod hosted;
pub mod json_size;
pub mod known;
pub mod lockfile;
pub mod manifest;
pub mod npm_registry;
pub mod npmrc;
pub mod packlist;
pub mod packument;
pub mod patch;
pub mod provenance;
mod surrogates;
pub mod tarball;
