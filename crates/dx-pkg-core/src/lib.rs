//! The value types of npm's world: names, versions, ranges, specs, integrities, platforms and error
//! codes.
//!
//! No I/O, no clock, no environment. The parts of a spec are in [`spec`], and what is said
//! of an error in [`coded`].

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod buffer;
pub mod coded;
mod hex;
pub mod integrity;
mod name;
mod package_id;
mod platform;
mod range;
pub mod spec;
pub mod text;
mod version;

pub use coded::{Coded, CodedError};
pub use integrity::{Integrity, IntegrityMismatch};
pub use name::{NameError, PackageName};
pub use package_id::PackageId;
pub use platform::Platform;
pub use range::{Range, RangeError};
pub use spec::{Spec, SpecError};
pub use version::{Identifier, Version, VersionError};
