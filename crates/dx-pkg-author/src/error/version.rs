//! The reasons why a version is not set.

use dx_pkg_core::Coded;

/// The ways to name the next version, for messages.
const USAGE: &str = "dx version [major | minor | patch | premajor | preminor | prepatch | \
                         prerelease | from-git | VERSION]";

/// A version that cannot be set.
#[derive(Debug, thiserror::Error)]
pub enum VersionError {
    /// A word that is neither a version nor a kind of change, or a version that cannot be changed.
    #[error("{requested:?} is no version, and no change of {current:?}")]
    Invalid {
        /// The word.
        requested: String,
        /// The version that the package has.
        current: String,
    },
    /// The version is the one that the package has.
    #[error("the version is not changed: it is {version} already")]
    Same {
        /// The version.
        version: String,
    },
    /// The last tag of the repository is no version.
    #[error("the tag {tag:?} is no version")]
    Tag {
        /// The tag.
        tag: String,
    },
    /// There are changes that are not committed.
    #[error("the git repository is not clean: there are changes that are not committed")]
    NotClean,
    /// git refuses.
    #[error("git {command} failed: {message}")]
    Git {
        /// What git was to do.
        command: String,
        /// What it said.
        message: String,
    },
}

impl Coded for VersionError {
    fn code(&self) -> &'static str {
        match self {
            Self::Invalid { .. } | Self::Tag { .. } => "DX_INVALID_VERSION",
            Self::Same { .. } => "DX_SAME_VERSION",
            Self::NotClean => "DX_GIT_NOT_CLEAN",
            Self::Git { .. } => "DX_GIT_REFUSED",
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Invalid { .. } => return Some(USAGE.to_owned()),
            Self::Same { .. } => "--allow-same-version accepts it",
            Self::Tag { .. } => "give the version itself",
            Self::NotClean => "commit them, or go on with --force",
            Self::Git { .. } => return None,
        };
        Some(hint.to_owned())
    }
}
