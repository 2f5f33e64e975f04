//! Turns a planned tree into `node_modules` with its commands.
//!
//! A tree is built beside its place and renamed into it. If the tree in place is known, only the
//! difference is applied. Nothing here resolves, fetches or reads npm's formats.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod ahead;
mod bins;
mod build;
mod change;
mod error;
mod import;
mod materialise;
mod mend;
mod options;
mod packages;
mod parallel;
mod place;
mod prepared;
mod put_back;
mod relink;
mod repairs;
mod report;
mod retired;
mod run;
mod staging;
mod survey;
mod tree;

pub use ahead::Built;
pub use error::LinkError;
pub use import::{ImportMethod, start_problem};
pub use materialise::{materialise, materialise_difference};
pub use mend::mend;
pub use options::LinkOptions;
pub use prepared::place_prepared;
pub use repairs::{Look, Repairs};
pub use report::{ChangedPaths, LinkReport, NoProgress, Progress};
pub use retired::Retired;
pub use survey::survey;
pub use tree::{Placement, PlacementSource, Tree};
