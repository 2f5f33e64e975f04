//! The value types of npm's world: names, versions, ranges, specs, integrities, platforms and error
//! codes.
//!
//! No I/O, no clock, no environment. The parts of a spec are in [`spec`].

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod coded;
mod integrity;
mod name;
mod package_id;
mod platform;
mod range;
pub mod spec;
mod version;

pub use coded::Coded;
pub use integrity::{Checker, Hash, HashAlgorithm, Integrity, IntegrityError, IntegrityMismatch};
pub use name::{NameError, PackageName};
pub use package_id::PackageId;
pub use platform::Platform;
pub use range::{Range, RangeError};
pub use spec::{Spec, SpecError};
pub use version::{Identifier, Version, VersionError};
