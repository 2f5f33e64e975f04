//! What can be wrong with a `package.json`.

use dx_pkg_core::Coded;

/// Why a `package.json` cannot be used; the caller knows and adds the file's path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// The text is not JSON.
    #[error("package.json is not valid JSON at line {line}, column {column}: {reason}")]
    Syntax {
        /// Line of the mistake, from 1.
        line: usize,
        /// Column of the mistake in bytes, from 1; 0 at the start of a line.
        column: usize,
        /// What the parser expected.
        reason: String,
    },
    /// Two sides of a merge are still in the text.
    #[error("package.json holds merge-conflict markers from line {line} on")]
    MergeConflict {
        /// Line of the first marker, from 1.
        line: usize,
    },
    /// The text is JSON but no object.
    #[error("package.json must hold an object, but it holds {found}")]
    NotAnObject {
        /// What is there instead.
        found: &'static str,
    },
    /// A dependency's value is no string.
    #[error(
        "package.json gives {found} for {name:?} in {section}, where a version or a source must stand"
    )]
    DependencyNotText {
        /// The section as it is spelt in the file.
        section: &'static str,
        /// The dependency's name.
        name: String,
        /// What is there instead.
        found: &'static str,
    },
    /// `workspaces` is neither a list nor an object with `packages`.
    #[error("package.json gives {found} for workspaces, where a list of patterns must stand")]
    Workspaces {
        /// What is there instead.
        found: &'static str,
    },
}

impl Coded for ManifestError {
    fn code(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "DX_MANIFEST_SYNTAX",
            Self::MergeConflict { .. } => "DX_MANIFEST_CONFLICT",
            Self::NotAnObject { .. } => "DX_MANIFEST_NOT_OBJECT",
            Self::DependencyNotText { .. } => "DX_MANIFEST_DEPENDENCY",
            Self::Workspaces { .. } => "DX_MANIFEST_WORKSPACES",
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Syntax { .. } => {
                "correct the text at that place; JSON has no comments and no comma after a last entry"
            }
            Self::MergeConflict { .. } => "keep one side of each conflict and delete the markers",
            Self::NotAnObject { .. } => "the smallest valid package.json is {}",
            Self::DependencyNotText { .. } => {
                "write a string such as \"^1.2.3\", or remove the entry"
            }
            Self::Workspaces { .. } => {
                "write \"workspaces\": [\"packages/*\"] or {\"packages\": [\"packages/*\"]}"
            }
        };
        Some(hint.to_owned())
    }
}
