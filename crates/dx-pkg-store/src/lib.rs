//! Content-addressed store of packages, metadata and compiled locks.
//!
//! Everything here can be made again, so nothing is waited for to reach the device; checksums and digests tell
//! what a loss of power damaged. Every entry is made in `tmp/` and renamed to its name: a process killed at any
//! instruction leaves the old state or the new one, and at worst garbage in `tmp/`. The layout on disk is drawn
//! at [`Folder`].
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod compiled;
mod error;
mod expanded;
mod incoming;
mod insert;
mod layout;
mod license;
mod metadata;
mod package;
mod pending;
mod prepared;
mod prune;
mod resolution;
mod store;
mod tarball;
mod trash;
mod verify;

pub use error::StoreError;
pub use expanded::Altered;
pub use incoming::{Incoming, Keeping};
pub use layout::Folder;
pub use metadata::{CachedPackument, Form, MetadataRecord};
pub use package::{Package, PackageTables};
pub use pending::PendingNote;
pub use prepared::{PrepareJob, PreparedEntry, PreparedKey, PreparedTree};
pub use prune::{PruneLimits, Pruned, Usage};
pub use store::Store;
pub use tarball::IncomingTarball;
pub use verify::{Damage, VerifyReport};
