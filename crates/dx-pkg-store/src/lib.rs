//! Content-addressed store of packages, metadata, compiled locks and prepared trees.
//!
//! Everything here can be derived or fetched again, so no write waits for the device. Checksums and
//! digests detect damage after a loss of power. Every entry is created in `tmp/` and renamed: a
//! process killed at any instruction leaves the old state or the new one, and at worst garbage in
//! `tmp/`. The layout on disk is drawn at [`Folder`].
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod altered;
pub mod archive;
mod compiled;
mod deferred;
mod digested;
mod error;
pub mod expanded;
mod expected;
pub mod fields;
mod files;
mod git;
mod held;
mod incoming;
mod insert;
mod jobs;
mod key;
mod layout;
mod license;
mod marks;
mod matching;
pub mod metadata;
mod owner;
mod package;
mod package_tree;
mod packuments;
mod pending;
pub mod preparation;
mod prepared;
pub mod prune;
mod resolution;
mod seal;
mod sealed;
mod secret;
mod store;
mod store_mode;
mod tables;
mod takeover;
mod tarball;
mod trash;
mod unfit;
pub mod verify;
mod written;

pub use deferred::PendingRecord;
pub use error::StoreError;
pub use files::PackageFiles;
pub use incoming::Incoming;
pub use jobs::PrepareJob;
pub use key::StoreKey;
pub use layout::Folder;
pub use package::Package;
pub use store::Store;
pub use store_mode::{Arrival, StoreMode};
pub use tables::PackageTables;
pub use tarball::IncomingTarball;
