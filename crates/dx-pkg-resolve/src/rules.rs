//! The rules by which a project changes what packages require, beside its overrides.

pub use crate::exceptions::{AllowedPeer, Exceptions};
pub use crate::extensions::{Extension, Joining};
pub use crate::pins::{Meaning, Pin, Pins, Which};
pub use crate::several::Single;
