//! What authors of packages need: packing and publishing, versions, accounts, and questions to a
//! registry.
//!
//! Nothing here touches `node_modules`.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod account;
pub mod diff;
mod error;
pub mod json_path;
pub mod members;
pub mod node_text;
pub mod normalise;
pub mod pack;
mod package_file;
pub mod pkg;
pub mod publish;
pub mod questions;
pub mod registry;
pub mod script;
pub mod source;
mod tarball;
pub mod version;

pub use error::AuthorError;
pub use package_file::PackageFile;
pub use tarball::Tarball;
