//! Answers questions about a project: what is installed, and why. Nothing is changed, and neither
//! the store nor the network is opened.
//!
//! [`View`] is a project with the graph of what is in its `node_modules`; [`list`] and [`explain`]
//! are what `dx ls` and `dx explain` say of it, in npm's forms.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod error;
pub mod explain;
mod installed;
pub mod list;
mod view;

pub use error::InspectError;
pub use view::{Source, View};
