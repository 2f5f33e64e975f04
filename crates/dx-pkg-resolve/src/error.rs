//! The errors of a resolution, with their codes, messages and hints.

use std::sync::Arc;

use dx_pkg_core::{Coded, CodedError, SpecError};
use thiserror::Error;

use crate::explain::{Conflict, THE_PROJECT};
use crate::explanation::{Ending, Explanation};
use crate::several::SeveralVersions;

/// The failure of a [`crate::Provider`] to load a package.
#[derive(Clone, Debug, Error)]
#[error("{message}")]
pub struct ProviderError {
    /// Stable code of the underlying error.
    pub code: &'static str,
    /// The message for the user.
    pub message: String,
    /// The suggestion for the user.
    pub hint: Option<String>,
    /// The underlying error itself, for what its message does not say.
    pub underlying: Option<Arc<dyn CodedError>>,
}

impl ProviderError {
    /// Returns an error without a suggestion.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None, underlying: None }
    }
}

/// The reason why a resolution failed.
#[derive(Clone, Debug, Error)]
pub enum ResolveError {
    /// A package that is not optional could not be loaded.
    #[error("{}", not_loaded(.name, .spec, .required_by, .source))]
    Load {
        /// The dependency's name.
        name: String,
        /// The requirement as written.
        spec: String,
        /// The dependent.
        required_by: String,
        /// The provider's error.
        source: ProviderError,
    },
    /// No published version satisfies a requirement.
    #[error("no version of {name} matches {spec:?}, required by {required_by}{}", why_none(.choice, .too_new.as_deref(), *.lacks_time))]
    NoVersion {
        /// The package's name.
        name: String,
        /// The requirement as written.
        spec: String,
        /// The dependent.
        required_by: String,
        /// The tags or versions to choose from, in words; empty where there are none.
        choice: String,
        /// The version that would match if it were not too new.
        too_new: Option<String>,
        /// Whether it is only taken for too new, as the registry tells no time for it.
        lacks_time: bool,
    },
    /// A requirement cannot be parsed.
    #[error(
        "{required_by} asks for {name}@{spec:?}, which is not a version, range, tag, alias, path or URL: {reason}"
    )]
    BadSpec {
        /// The dependency's name.
        name: String,
        /// The requirement as written.
        spec: String,
        /// The dependent.
        required_by: String,
        /// The parser's error.
        reason: String,
    },
    /// A requirement has a protocol of another package manager.
    #[error("{required_by} requires {name}: {reason}")]
    ForeignProtocol {
        /// The dependency's name.
        name: String,
        /// The dependent.
        required_by: String,
        /// Whether that is the project or a workspace.
        is_own: bool,
        /// The parser's error.
        reason: SpecError,
    },
    /// Peer requirements contradict each other and `strict-peer-deps` is set.
    #[error("peer dependencies conflict: {}", first_of(.0))]
    PeerConflict(Vec<Conflict>),
    /// Peer requirements contradict each other, no versions agree within the project's ranges, and
    /// `strict-peer-deps` is set.
    #[error("{}", unsolved(.explanations, .text))]
    Unsolved {
        /// The peer requirements that are not met.
        conflicts: Vec<Conflict>,
        /// The reasons.
        explanations: Vec<Explanation>,
        /// The reasons in words, with the places of requirements; where it is empty they are told
        /// without.
        text: String,
    },
    /// An override contradicts a direct dependency.
    #[error("the override for {name} contradicts the project's own dependency {name}@{spec}")]
    Override {
        /// The dependency's name.
        name: String,
        /// The project's own requirement.
        spec: String,
    },
    /// An override refers to a dependency that the project does not have.
    #[error("the override {reference:?} refers to a package that is not a direct dependency")]
    OverrideReference {
        /// The reference as written, beginning with `$`.
        reference: String,
    },
    /// There are more packages than may be loaded, a longer chain of them, or more in their
    /// manifests.
    #[error("{excess}, as {required_by} requires {name}")]
    TooManyPackages {
        /// The limit that was passed, as a sentence.
        excess: String,
        /// The package that is one too many.
        name: String,
        /// Its dependent.
        required_by: String,
    },
    /// Packages displace each other endlessly.
    #[error(
        "the dependencies do not settle: placing what {package} needs keeps displacing what others need"
    )]
    Endless {
        /// The package processed last, as `name@version`.
        package: String,
    },
    /// The lockfile does not meet a requirement, and may not be changed.
    #[error(
        "the lockfile has no {name} that satisfies {spec:?}, which {required_by} asks for{}",
        if *.is_optional { " as an optional dependency" } else { "" }
    )]
    Frozen {
        /// The dependency's name.
        name: String,
        /// The requirement as written.
        spec: String,
        /// The dependent.
        required_by: String,
        /// Whether the dependency is optional and the lockfile lacks it.
        is_optional: bool,
    },
    /// A rule of the project's `packageExtensions` cannot be applied.
    #[error("packageExtensions: {reason}")]
    Extension {
        /// The rule and the reason.
        reason: String,
    },
    /// The lockfile was written under other rules that alter manifests, and may not be changed.
    #[error("the lockfile was written with another {what} than the project has now")]
    FrozenExtensions {
        /// The field or file with the rules.
        what: &'static str,
    },
    /// There are several versions of a package of which there is to be one.
    #[error("{}", .0.in_words())]
    SingleVersion(Box<SeveralVersions>),
    /// The lockfile has a link but no entry for its target.
    #[error("the lockfile has a link at {path:?} but no entry for its target {target:?}")]
    LockLink {
        /// The link's path.
        path: String,
        /// The target's path.
        target: String,
    },
}

impl ResolveError {
    /// Returns the same where what the project requires is what a command asks for.
    #[must_use]
    pub fn of_command(mut self) -> Self {
        if let Self::Load { required_by, .. }
        | Self::NoVersion { required_by, .. }
        | Self::BadSpec { required_by, .. }
        | Self::ForeignProtocol { required_by, .. }
        | Self::TooManyPackages { required_by, .. } = &mut self
            && required_by == THE_PROJECT
        {
            "the command".clone_into(required_by);
        }
        self
    }

    /// Returns whether nothing could be loaded for this requirement.
    pub(crate) fn is_about(&self, wanted: &str, range: &str) -> bool {
        match self {
            Self::Load { name, spec, .. } | Self::NoVersion { name, spec, .. } => {
                name == wanted && spec == range
            }
            _ => false,
        }
    }
}

fn first_of(conflicts: &[Conflict]) -> String {
    let first = conflicts.first().map(ToString::to_string).unwrap_or_default();
    match conflicts.len().saturating_sub(1) {
        0 => first,
        more => format!("{first}; and {more} more"),
    }
}

fn unsolved(explanations: &[Explanation], text: &str) -> String {
    if !text.is_empty() {
        return text.to_owned();
    }
    let lines = explanations.iter().flat_map(|one| one.lines(Ending::Refused, &|_, _| None));
    lines.collect::<Vec<_>>().join("\n")
}

fn not_loaded(name: &str, spec: &str, required_by: &str, source: &ProviderError) -> String {
    match source.code {
        "DX_PACKAGE_NOT_FOUND" => format!("{source}, required by {required_by}"),
        _ => format!("cannot load {name}@{spec}, required by {required_by}: {source}"),
    }
}

fn why_none(choice: &str, too_new: Option<&str>, lacks_time: bool) -> String {
    match too_new {
        Some(version) if lacks_time => {
            format!(": the registry does not tell when {version} was published")
        }
        Some(version) => format!(": {version} was published too recently"),
        None => choice.to_owned(),
    }
}

impl Coded for ResolveError {
    fn code(&self) -> &'static str {
        match self {
            ResolveError::Load { source, .. } => source.code,
            ResolveError::NoVersion { .. } => "DX_NO_MATCHING_VERSION",
            ResolveError::BadSpec { .. } => "DX_BAD_SPEC",
            ResolveError::ForeignProtocol { reason, .. } => reason.code(),
            ResolveError::PeerConflict(_) | ResolveError::Unsolved { .. } => "DX_PEER_CONFLICT",
            ResolveError::Override { .. } => "DX_OVERRIDE_CONFLICT",
            ResolveError::OverrideReference { .. } => "DX_OVERRIDE_REFERENCE",
            ResolveError::TooManyPackages { .. } => "DX_TOO_MANY_PACKAGES",
            ResolveError::Endless { .. } => "DX_ENDLESS_RESOLUTION",
            ResolveError::Frozen { .. } | ResolveError::FrozenExtensions { .. } => {
                "DX_LOCKFILE_OUT_OF_DATE"
            }
            ResolveError::Extension { .. } => "DX_BAD_PACKAGE_EXTENSIONS",
            ResolveError::SingleVersion(_) => "DX_SINGLE_VERSION",
            ResolveError::LockLink { .. } => "DX_LOCK_MISSING_TARGET",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            ResolveError::Load { source, .. } => return source.hint.clone(),
            ResolveError::NoVersion { name, lacks_time: true, .. } => {
                format!(
                    "let the package through with min-release-age-exclude[]={name}, or all versions without a time \
                     with min-release-age-ignore-missing-time=true, in your own .npmrc"
                )
            }
            ResolveError::NoVersion { name, too_new: Some(_), .. } => {
                format!(
                    "choose an older version, or let this one through with min-release-age-exclude[]={name} in .npmrc"
                )
            }
            ResolveError::NoVersion { name, .. } => {
                format!("change the requirement, or check that {name} is published in the configured registry")
            }
            ResolveError::BadSpec { .. } => "correct the requirement in the package.json that asks for it".into(),
            ResolveError::ForeignProtocol { is_own: true, reason, .. } => return reason.hint(),
            ResolveError::ForeignProtocol { name, required_by, .. } => {
                format!("{required_by} was published by mistake like that: write what it means for {name} into overrides")
            }
            ResolveError::PeerConflict(_) | ResolveError::Unsolved { .. } => {
                "change one of the versions, or install without --strict-peer-deps to go on with a warning".into()
            }
            ResolveError::Override { .. } => {
                "give both the same version, or write the override as \"$name\" to follow the dependency".into()
            }
            ResolveError::OverrideReference { .. } => "add the package to dependencies, or write a version".into(),
            ResolveError::TooManyPackages { required_by, .. } => {
                format!("find out why {required_by} is needed; if this is right, allow more with max-packages in your .npmrc")
            }
            ResolveError::Endless { package } => {
                format!("choose versions of {package} and its peers that agree, for example with an override")
            }
            ResolveError::Frozen { is_optional: true, .. } => {
                "run dx install to add it; a lockfile that was written beside the node_modules of another system can lack optional packages".into()
            }
            ResolveError::Extension { .. } => {
                "narrow or remove the rule; packageExtensions adds what a package lacks, and \
                 overrides changes versions that it asks for"
                    .into()
            }
            ResolveError::FrozenExtensions { what: ".npm-extension" } => {
                "restore the file as it was, or install with npm, which runs it".into()
            }
            ResolveError::Frozen { .. } | ResolveError::FrozenExtensions { .. } => "run dx install to bring the lockfile up to date".into(),
            ResolveError::SingleVersion(several) => several.hint(),
            ResolveError::LockLink { .. } => "remove the lockfile and install again to rebuild it".into(),
        })
    }
}
