//! The lock model and its DXL binary form; no I/O.
//!
//! [`Lock`] is a lockfile as npm has it: one entry for each path below the project. [`dxl`] is its
//! compiled form, read in place.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod collation;
pub mod dxl;
mod model;

pub use collation::locale_compare;
pub use model::{
    ALTERATIONS, Bundled, Lock, LockIndex, LockPackage, Overridden, Patched, name_of_path,
};
