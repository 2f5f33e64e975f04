//! Errors of packing.

use std::io;
use std::path::{Path, PathBuf};

use dx_pkg_core::Coded;

/// The reason why a folder cannot be packed.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// A file or folder cannot be read.
    #[error("cannot pack {}: {error}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The error of the system.
        error: io::Error,
    },
    /// A pattern of an ignore file or of `files` is too long or stands for too many.
    #[error(
        "cannot pack {}: the pattern {pattern:?} is too long or stands for too many others",
        path.display()
    )]
    Pattern {
        /// The file that has it.
        path: PathBuf,
        /// The pattern, at most its beginning.
        pattern: String,
    },
    /// The name of a file or folder is not Unicode.
    #[error("cannot pack {}: its name is not Unicode text, as names in packages are", path.display())]
    NotUnicode {
        /// The file or folder.
        path: PathBuf,
    },
    /// A bundled dependency is a link to something that is not this package.
    #[error(
        "cannot pack the bundled dependency {name}: it is a link to {}, which is outside of the \
         package and has no package of this name",
        folder.display()
    )]
    BundledOutside {
        /// The dependency.
        name: String,
        /// What the link leads to.
        folder: PathBuf,
    },
    /// There are more files and folders than a package may have.
    #[error(
        "cannot pack {}: it has more files and folders than a package may have",
        path.display()
    )]
    TooManyEntries {
        /// The folder.
        path: PathBuf,
    },
    /// The tarball would be larger than a package may be.
    #[error(
        "cannot pack {}: its files have more than {limit} bytes, the most that a package may have",
        path.display()
    )]
    TooLarge {
        /// The folder.
        path: PathBuf,
        /// The limit in bytes.
        limit: u64,
    },
    /// A file changed while it was packed.
    #[error("cannot pack {}: it changed meanwhile", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// The tarball cannot be written.
    #[error("cannot write the tarball: {0}")]
    Write(io::Error),
}

impl PackError {
    pub(super) fn io(path: &Path, error: io::Error) -> Self {
        Self::Io { path: path.to_owned(), error }
    }

    pub(super) fn pattern(path: &Path, pattern: &str) -> Self {
        const SHOWN: usize = 100;
        let pattern = pattern.chars().take(SHOWN).collect();
        Self::Pattern { path: path.to_owned(), pattern }
    }
}

impl Coded for PackError {
    fn code(&self) -> &'static str {
        match self {
            Self::TooManyEntries { .. } | Self::TooLarge { .. } => "DX_PACK_TOO_LARGE",
            Self::Io { .. }
            | Self::Pattern { .. }
            | Self::NotUnicode { .. }
            | Self::BundledOutside { .. }
            | Self::Changed { .. }
            | Self::Write(_) => "DX_PACK_FAILED",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::TooManyEntries { .. } => Some(
                "exclude what does not belong to the package, with `files` in its package.json or \
                 in a .npmignore file"
                    .to_owned(),
            ),
            Self::TooLarge { .. } => Some(
                "exclude what does not belong to the package, or allow more with max-package-size"
                    .to_owned(),
            ),
            Self::NotUnicode { .. } => Some(
                "rename it, or exclude it in a .npmignore file: `?` stands for any letter"
                    .to_owned(),
            ),
            Self::BundledOutside { .. } => {
                Some("`dx ci` installs what package.json and the lockfile name".to_owned())
            }
            _ => None,
        }
    }
}
