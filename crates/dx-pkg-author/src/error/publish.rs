//! The reasons why a package is not published.

use std::path::PathBuf;

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
    /// The dist-tag has characters that do not stand for themselves in an address.
    #[error("the tag {tag:?} has other characters than letters, digits and -_.!~*'()")]
    TagCharacters {
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
    /// Nothing says where the build comes from.
    #[error("the build cannot be signed: {why}")]
    NoProvenance {
        /// What is missing.
        why: String,
    },
    /// A statement about a build would tell of a package that not everybody may see.
    #[error("{name} is new or not public, and a statement about its build would be")]
    NotPublic {
        /// The package.
        name: String,
    },
    /// Whoever signs does not answer as they should.
    #[error("the build was not signed: {problem}")]
    NotSigned {
        /// What is wrong.
        problem: String,
    },
    /// A statement from elsewhere is not about the package, or its signature does not hold.
    #[error("the provenance in {}: {problem}", file.display())]
    ProvenanceFile {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A statement is both given and to be made.
    #[error("--provenance and --provenance-file contradict each other")]
    Provenances,
}

impl Coded for PublishError {
    fn code(&self) -> &'static str {
        match self {
            Self::Private { .. } => "DX_PRIVATE",
            Self::Extensions => "DX_BAD_PACKAGE_EXTENSIONS",
            Self::Tag { .. }
            | Self::TagCharacters { .. }
            | Self::Prerelease { .. }
            | Self::Older { .. } => "DX_TAG_NEEDED",
            Self::Published { .. } => "DX_PUBLISHED",
            Self::Unscoped { .. } => "DX_UNSCOPED",
            Self::Version { .. } => "DX_INVALID_VERSION",
            Self::NoProvenance { .. } => "DX_PROVENANCE_UNAVAILABLE",
            Self::NotPublic { .. } => "DX_PROVENANCE_NOT_PUBLIC",
            Self::NotSigned { .. } => "DX_PROVENANCE_NOT_SIGNED",
            Self::ProvenanceFile { .. } => "DX_PROVENANCE_FILE",
            Self::Provenances => "DX_USAGE",
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Private { .. } => "`dx pkg delete private` makes it public",
            Self::Extensions => "`dx pkg delete packageExtensions` removes it",
            Self::Tag { .. } | Self::TagCharacters { .. } => "give a word, such as --tag=next",
            Self::Prerelease { .. } | Self::Older { .. } => {
                "give another tag, such as --tag=next, or --tag=latest if that is meant"
            }
            Self::Published { .. } => "`dx version patch` gives it the next version",
            Self::Unscoped { .. } => "give it a name with a scope, or --access=public",
            Self::Version { .. } => "`dx pkg set version=1.0.0` sets one",
            Self::NoProvenance { .. } => {
                "publish from GitHub Actions with `permissions: { id-token: write }`, or from \
                 GitLab CI with `id_tokens: { SIGSTORE_ID_TOKEN: { aud: sigstore } }`, or with \
                 --provenance=false"
            }
            Self::NotPublic { .. } => "give --access=public if everybody may know of it",
            Self::NotSigned { .. } => "try again, or publish with --provenance=false",
            Self::ProvenanceFile { .. } => "make the statement of exactly this tarball",
            Self::Provenances => "leave one of them out",
        };
        Some(hint.to_owned())
    }
}
