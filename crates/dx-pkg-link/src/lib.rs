//! Turns a planned tree into `node_modules`, its bins, and the order and environment of lifecycle scripts.
//!
//! A tree is either built beside its place and renamed into it, or, when the tree that is in place is
//! known, changed by the difference only. Nothing here resolves, fetches or reads npm's formats.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod ahead;
mod bins;
mod build;
mod change;
mod error;
mod import;
mod materialise;
mod mend;
mod packages;
mod parallel;
mod prepared;
pub mod scripts;
mod staging;
mod tree;

pub use ahead::{Arrival, Built, build_ahead};
pub use error::LinkError;
pub use import::ImportMethod;
pub use materialise::{
    LinkOptions, LinkReport, NoProgress, Progress, materialise, materialise_difference,
};
pub use mend::mend;
pub use prepared::place_prepared;
pub use tree::{Placement, PlacementSource, Tree};
