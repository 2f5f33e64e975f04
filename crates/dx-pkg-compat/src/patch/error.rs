//! Errors of a patch.

use dx_pkg_core::Coded;

/// The reason why a patch was not applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatchError {
    /// The text is no patch, or a damaged one.
    #[error("it is no unified diff: {reason}")]
    Syntax {
        /// The mistake, with its place.
        reason: String,
    },
    /// The context of a hunk is not in the file.
    #[error("hunk {number} (line {line}) does not fit into {path}")]
    Hunk {
        /// The file.
        path: String,
        /// The number of the hunk, from 1.
        number: usize,
        /// The line at which it was made.
        line: usize,
    },
    /// A file to be changed is not in the package.
    #[error("{path} is not in the package")]
    Missing {
        /// The file.
        path: String,
    },
    /// A file to be added is in the package already.
    #[error("{path} is added, but the package has it already")]
    Exists {
        /// The file.
        path: String,
    },
    /// A file is no text.
    #[error("the change to {path} is binary, and only changes to texts can be applied")]
    Binary {
        /// The file.
        path: String,
    },
    /// A file would become what no package contains.
    #[error("{path} would become {kind}")]
    Kind {
        /// The file.
        path: String,
        /// The kind of file.
        kind: &'static str,
    },
    /// A path leads out of the package.
    #[error("the path {path:?} is refused: {reason}")]
    UnsafePath {
        /// The path.
        path: String,
        /// The rule that it breaks.
        reason: String,
    },
    /// The patched files cannot be in one folder.
    #[error("{reason}")]
    Collision {
        /// The files.
        reason: String,
    },
}

impl Coded for PatchError {
    fn code(&self) -> &'static str {
        "DX_PATCH_FAILED"
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Hunk { .. } | Self::Missing { .. } | Self::Exists { .. } => {
                "make the patch anew for this version of the package, or remove its entry from \
                 patchedDependencies"
            }
            _ => {
                "make the patch anew, with git diff or npm patch, or remove its entry from \
                 patchedDependencies"
            }
        };
        Some(hint.to_owned())
    }
}
