//! The reasons why a package is not published.

use dx_pkg_core::Coded;

/// A publication that cannot be.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The package is private.
    #[error("{name} is marked as private")]
    Private {
        /// The package.
        name: String,
    },
    /// The package says what counts in a project's own manifest only.
    #[error("packageExtensions counts in the project that installs only, and is not published")]
    Extensions,
    /// The dist-tag could be a version.
    #[error("the tag {tag:?} could be a range of versions")]
    Tag {
        /// The tag.
        tag: String,
    },
    /// A prerelease would become the latest version.
    #[error("{version} is a prerelease, and would get the tag \"latest\"")]
    Prerelease {
        /// The version.
        version: String,
    },
    /// The version is there.
    #[error("{name}@{version} is published already")]
    Published {
        /// The package.
        name: String,
        /// The version.
        version: String,
    },
    /// An older version would become the latest one.
    #[error("{name}@{highest} is newer than {version}, which would get the tag \"latest\"")]
    Older {
        /// The package.
        name: String,
        /// The version.
        version: String,
        /// The newest version.
        highest: String,
    },
    /// A package without a scope cannot be restricted.
    #[error("{name} has no scope, so it cannot be restricted")]
    Unscoped {
        /// The package.
        name: String,
    },
    /// A version that is none.
    #[error("{version:?} is no version")]
    Version {
        /// The text.
        version: String,
    },
    /// What the user wants and dx does not do.
    #[error("dx does not write provenance yet")]
    Provenance,
}

impl Coded for PublishError {
    fn code(&self) -> &'static str {
        match self {
            Self::Private { .. } => "DX_PRIVATE",
            Self::Extensions => "DX_BAD_PACKAGE_EXTENSIONS",
            Self::Tag { .. } | Self::Prerelease { .. } | Self::Older { .. } => "DX_TAG_NEEDED",
            Self::Published { .. } => "DX_PUBLISHED",
            Self::Unscoped { .. } => "DX_UNSCOPED",
            Self::Version { .. } => "DX_INVALID_VERSION",
            Self::Provenance => "DX_UNSUPPORTED_SETTING",
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Private { .. } => "`dx pkg delete private` makes it public",
            Self::Extensions => "`dx pkg delete packageExtensions` removes it",
            Self::Tag { .. } => "give a word, such as --tag=next",
            Self::Prerelease { .. } | Self::Older { .. } => {
                "give another tag, such as --tag=next, or --tag=latest if that is meant"
            }
            Self::Published { .. } => "`dx version patch` gives it the next version",
            Self::Unscoped { .. } => "give it a name with a scope, or --access=public",
            Self::Version { .. } => "`dx pkg set version=1.0.0` sets one",
            Self::Provenance => "publish without it: --provenance=false, or with npm",
        };
        Some(hint.to_owned())
    }
}
