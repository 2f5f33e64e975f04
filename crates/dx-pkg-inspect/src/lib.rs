//! Answers questions about a project: what is installed, why, and what there is newer. Nothing is
//! changed.
//!
//! [`View`] is a project with the graph of what is in its `node_modules`. Each module answers one
//! question in the form of npm's command of that name ([`mod@list`], [`mod@explain`],
//! [`mod@outdated`], [`mod@audit`], [`mod@fund`], [`mod@query`], [`mod@sbom`]), or of pnpm's
//! ([`mod@licenses`]). Registries are asked by `outdated` and `audit`, and for parts of `query` and
//! `fund`.

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
mod outline;
pub mod query;
mod query_error;
pub mod sbom;
pub mod scope;
mod view;
mod whole;

pub use error::InspectError;
pub use view::{Source, View, text_setting};
