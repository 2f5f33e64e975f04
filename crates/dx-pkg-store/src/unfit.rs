//! Why a folder is not used as a store.

use std::fmt;

use dx_pkg_os::files;

/// Why a folder is not used as a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// It is a link, or no folder.
    NoFolder,
    /// It belongs to another user.
    Foreign {
        /// That user.
        owner: u32,
    },
    /// Others may write to it, and that cannot be changed.
    Shared,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFolder => f.write_str("it is a link, or no folder"),
            Self::Foreign { owner } => {
                let user = files::user();
                write!(f, "it belongs to user {owner}, and dx runs as user {user}")
            }
            Self::Shared => f.write_str("other users may write to it"),
        }
    }
}
