//! The rules by which a project changes what packages require, beside its overrides.

pub use crate::exceptions::{AllowedPeer, Exceptions};
pub use crate::extensions::{Extension, Joining};
