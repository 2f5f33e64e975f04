//! The errors of the store, with their codes and hints.

use std::io;
use std::path::{Path, PathBuf};

use dx_pkg_core::coded::system_hint;
use dx_pkg_core::{Coded, PackageId};
use dx_pkg_format::FormatError;

use crate::unfit::Unfit;

/// An error of the store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The store is on a read-only file system.
    #[error("{doing} `{}`: the file system is read-only", path.display())]
    ReadOnly {
        /// The operation that failed.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
    },
    /// This user may not write to the store.
    #[error("{doing} `{}`: permission denied", path.display())]
    Forbidden {
        /// The operation that failed.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
    },
    /// The device is full, or the user's quota is used up.
    #[error("{doing} `{}`: no space is left on the device", path.display())]
    Full {
        /// The operation that failed.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
    },
    /// Another failure of the file system.
    #[error("{doing} `{}`: {source}", path.display())]
    Io {
        /// The operation that failed.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A package in the store is damaged.
    #[error("opening the package `{}`: {source}", path.display())]
    Damaged {
        /// The DXP file.
        path: PathBuf,
        /// The damage.
        source: FormatError,
    },
    /// A folder is not used as a store, as others decide what is in it.
    #[error("the store `{}` is not used: {why}", path.display())]
    NotUsed {
        /// The folder.
        path: PathBuf,
        /// The reason.
        why: Unfit,
    },
    /// The store has other bytes than those that are asked for, under the same id.
    #[error("integrity check failed: the store has {stored} where {expected} is expected")]
    OtherBytes {
        /// The integrity of what is stored.
        stored: Box<str>,
        /// The integrity that was asked for.
        expected: Box<str>,
    },
    /// A package's files cannot be stored.
    #[error("storing the package {id}: {source}")]
    Unstorable {
        /// The package.
        id: PackageId,
        /// The reason.
        source: FormatError,
    },
}

impl StoreError {
    pub(crate) fn io(
        doing: &'static str,
        path: impl AsRef<Path>,
    ) -> impl FnOnce(io::Error) -> Self {
        move |source| {
            let path = path.as_ref().to_owned();
            match source.kind() {
                io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly { doing, path },
                io::ErrorKind::PermissionDenied => Self::Forbidden { doing, path },
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    Self::Full { doing, path }
                }
                _ => Self::Io { doing, path, source },
            }
        }
    }
}

impl Coded for StoreError {
    fn code(&self) -> &'static str {
        match self {
            Self::ReadOnly { .. } => "DX_STORE_READ_ONLY",
            Self::Forbidden { .. } => "DX_STORE_FORBIDDEN",
            Self::Full { .. } => "DX_STORE_FULL",
            Self::Io { .. } => "DX_STORE_IO",
            Self::Damaged { .. } => "DX_STORE_DAMAGED",
            Self::NotUsed { .. } => "DX_STORE_NOT_USED",
            Self::OtherBytes { .. } => "DX_INTEGRITY_MISMATCH",
            Self::Unstorable { .. } => "DX_STORE_UNSTORABLE",
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::ReadOnly { .. } => {
                "choose a store that can be written to with `DX_STORE=<folder>`"
            }
            Self::Forbidden { .. } => {
                "give your user write access to the store, or choose another with \
                 `DX_STORE=<folder>`"
            }
            Self::Full { .. } => {
                "free some space (`dx store prune` removes unused packages), or move the store with \
                 `DX_STORE=<folder>`"
            }
            Self::Damaged { .. } => {
                "run `dx store verify --fix`: it removes what is damaged, and it is fetched again"
            }
            Self::NotUsed { why: Unfit::NoFolder, .. } => {
                "remove it, or name a folder of your own with `DX_STORE=<folder>`"
            }
            Self::NotUsed { .. } => {
                "whoever can write to a store decides what is installed from it: name a folder of \
                 your own with `DX_STORE=<folder>`, or run dx as the user it belongs to"
            }
            Self::OtherBytes { .. } => {
                "the lockfile or the registry's answer was altered: compare it with what was \
                 published or locked before you install"
            }
            Self::Io { source, .. } => return system_hint(source).map(str::to_owned),
            Self::Unstorable { source, .. } => return source.hint(),
        };
        Some(hint.to_owned())
    }
}

#[cfg(test)]
mod tests;
