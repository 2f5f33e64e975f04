//! The errors of archives, with their codes and hints.

use std::io;

use dx_pkg_core::{Coded, PackageId};
use dx_pkg_format::FormatError;

use crate::StoreError;

/// An archive that cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// The file is no archive, or one of another version.
    #[error("this is no archive of packages that this dx can read: {source}")]
    Unknown {
        /// The difference.
        source: FormatError,
    },
    /// The archive is damaged or cut off.
    #[error("the archive is damaged: {what}")]
    Damaged {
        /// The damage, as a clause.
        what: String,
    },
    /// The archive holds what no export writes.
    #[error("the archive is refused: {what}")]
    Refused {
        /// The reason, as a clause.
        what: String,
    },
    /// A package of the store is damaged, or was removed meanwhile.
    #[error("the package {id} cannot be exported: {what}")]
    Unsound {
        /// The package.
        id: PackageId,
        /// The reason, as a clause.
        what: String,
    },
    /// The archive's own bytes cannot be read or written.
    #[error("{doing} the archive: {source}")]
    Io {
        /// Reading or writing.
        doing: &'static str,
        /// The system's error.
        source: io::Error,
    },
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The command was cancelled.
    #[error("cancelled")]
    Cancelled,
}

impl ArchiveError {
    pub(super) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged { what: what.into() }
    }

    pub(super) fn refused(what: impl Into<String>) -> Self {
        Self::Refused { what: what.into() }
    }

    /// Wraps the reason why the head of a package is not accepted.
    pub(super) fn of_head(source: FormatError) -> Self {
        match source {
            FormatError::UnsafePath { path, .. } => {
                Self::refused(format!("the path {path:?} could lead out of its package"))
            }
            FormatError::TooLarge { what, .. } => {
                Self::refused(format!("there are too many {what}"))
            }
            FormatError::Corrupt { what, .. } => Self::damaged(what),
            other => Self::damaged(other.to_string()),
        }
    }
}

impl Coded for ArchiveError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "DX_ARCHIVE_UNKNOWN",
            Self::Damaged { .. } => "DX_ARCHIVE_DAMAGED",
            Self::Refused { .. } => "DX_ARCHIVE_REFUSED",
            Self::Unsound { .. } => "DX_STORE_DAMAGED",
            Self::Io { .. } => "DX_ARCHIVE_IO",
            Self::Store(error) => error.code(),
            Self::Cancelled => "DX_CANCELLED",
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Unknown { source: FormatError::Version { found, supported, .. } }
                if found > supported =>
            {
                "a newer dx wrote it: use that version, or make the archive again with this one"
            }
            Self::Unknown { .. } => "give a file that `dx store export` has written",
            Self::Damaged { .. } => {
                "make it again with `dx store export`; the packages before the damage were \
                 imported, each of them whole"
            }
            Self::Refused { .. } => {
                "import only archives that you made yourself; the packages before this one were \
                 imported, each of them whole"
            }
            Self::Unsound { .. } => {
                "run `dx store verify --fix`, then `dx install`, and export again"
            }
            Self::Io { .. } | Self::Cancelled => return None,
            Self::Store(error) => return error.hint(),
        };
        Some(hint.to_owned())
    }
}
