//! Answers questions about a project: what is installed, why, and what there is newer. Nothing is
//! changed.
//!
//! [`View`] is a project with the graph of what is in its `node_modules`; [`mod@list`],
//! [`mod@explain`] and [`mod@outdated`] are what `dx ls`, `dx explain` and `dx outdated` say of it,
//! in npm's forms. Only the last asks registries.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod asked;
pub mod audit;
mod drawing;
mod error;
pub mod explain;
pub mod fund;
mod installed;
pub mod licenses;
pub mod list;
mod manifests;
pub mod outdated;
pub mod query;
pub mod sbom;
pub mod scope;
mod view;

pub use error::InspectError;
pub use view::{Source, View, text_setting};
