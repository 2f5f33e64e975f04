//! Lockfiles as package managers write them, to and from [`dx_pkg_lock::Lock`].
//!
//! Reading refuses any path that could lead a write out of its folder; nothing here touches the
//! disk.

mod json;
pub mod npm;

use dx_pkg_core::Coded;

/// The reason for refusing a lockfile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LockfileError {
    /// The text is not JSON.
    #[error("reading the lockfile: line {line}, column {column} is not valid JSON: {reason}")]
    Syntax {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// The parser's message.
        reason: String,
    },
    /// A merge left its markers in the text.
    #[error(
        "reading the lockfile: line {line} is a merge conflict marker; both sides of the merge are still in it"
    )]
    Conflict {
        /// The line of the first marker, from 1.
        line: usize,
    },
    /// There is more in it than in any honest one.
    #[error("reading the lockfile: it has more than {limit} {what}")]
    TooLarge {
        /// The limit that was passed.
        limit: usize,
        /// What is counted.
        what: &'static str,
    },
    /// The lockfile is of a version that dx does not know.
    #[error("reading the lockfile: its lockfileVersion is {found}, dx reads 1 to 4")]
    Version {
        /// The version as written.
        found: String,
    },
    /// A value is not of the kind its key needs.
    #[error("reading the lockfile: line {line}: `{key}` of {entry} {reason}")]
    Value {
        /// The line, from 1.
        line: usize,
        /// The entry's path, quoted, or `the lockfile`.
        entry: String,
        /// The key.
        key: String,
        /// The mistake.
        reason: &'static str,
    },
    /// An entry is at, or links to, a path that no package manager writes.
    #[error(
        "reading the lockfile: line {line}: {path:?} is refused as the place of a package: {rule}"
    )]
    Path {
        /// The line, from 1.
        line: usize,
        /// The path as written.
        path: String,
        /// The rule it breaks.
        rule: &'static str,
    },
}

impl Coded for LockfileError {
    fn code(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "DX_LOCKFILE_SYNTAX",
            Self::Conflict { .. } => "DX_LOCKFILE_CONFLICT",
            Self::TooLarge { .. } => "DX_LOCKFILE_TOO_LARGE",
            Self::Version { .. } => "DX_LOCKFILE_VERSION",
            Self::Value { .. } => "DX_LOCKFILE_VALUE",
            Self::Path { .. } => "DX_LOCKFILE_PATH",
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Conflict { .. } => {
                "resolve the conflict in package.json, take either side's lockfile (`git checkout --ours package-lock.json`), then install again"
            }
            Self::Version { .. } => {
                "a newer npm may have written it: update dx, or install with that npm"
            }
            Self::TooLarge { .. } => {
                "no project has that many packages: find out who changed the lockfile before installing from it"
            }
            Self::Path { .. } => {
                "no package manager writes such an entry: find out who changed the lockfile before installing from it"
            }
            Self::Syntax { .. } | Self::Value { .. } => {
                "restore the lockfile from version control, or remove it to resolve anew"
            }
        };
        Some(hint.to_owned())
    }
}
