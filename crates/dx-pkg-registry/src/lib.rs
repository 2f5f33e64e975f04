//! Package registries, whatever protocol they speak: the trait [`Source`] and what it is asked and
//! answers.
//!
//! npm's HTTP registry (in `dx-pkg-compat`) is the implementation of today.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod dxrp;
mod error;
mod packument;
mod source;
mod tarball;

pub use error::{SourceError, SourceErrorKind};
pub use packument::{
    Lifetime, PackumentAnswer, PackumentForm, PackumentRequest, PackumentSink, Validator,
};
pub use source::{Pending, PlanRequest, Source};
pub use tarball::{Streaming, Tarball, TarballRequest, TarballSink, Verified};
