//! The errors of questions.

use std::path::PathBuf;

use dx_pkg_acquire::AcquireError;
use dx_pkg_compat::lockfile::LockfileError;
use dx_pkg_core::Coded;
use dx_pkg_fetch::FetchError;
use dx_pkg_install::InstallError;
use dx_pkg_resolve::ResolveError;

use crate::query_error::QueryError;

/// A question that cannot be answered.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// The project cannot be read.
    #[error(transparent)]
    Install(#[from] InstallError),
    /// The lockfile cannot be read.
    #[error("reading {}", path.display())]
    Lockfile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: LockfileError,
    },
    /// There is no lockfile.
    #[error("there is no package-lock.json in {folder}")]
    NoLockfile {
        /// The project's folder.
        folder: String,
    },
    /// Packages that require one another in turn, further than an install goes.
    #[error("packages require one another in turn more than {limit} times, {package} at last")]
    TooDeep {
        /// The package at which this was noticed.
        package: String,
        /// The limit.
        limit: usize,
    },
    /// A word that names no workspace of the project.
    #[error("{name} is no workspace of this project")]
    NoWorkspace {
        /// The word.
        name: String,
    },
    /// Workspaces are asked for, and the project has none.
    #[error("there are no workspaces in {folder}")]
    NoWorkspaces {
        /// The project's folder.
        folder: String,
    },
    /// A registry has no advisories to give.
    #[error("the registry gave no advisories")]
    AuditRefused {
        /// The failed request.
        source: Box<FetchError>,
    },
    /// A registry's advisories are not what they should be.
    #[error("the advisories of {registry} cannot be read: {why}")]
    AuditUnreadable {
        /// The registry.
        registry: String,
        /// What is wrong.
        why: String,
    },
    /// A registry does not answer a question about packages.
    #[error("asking the registry about packages")]
    RegistryRefused {
        /// The failed request.
        source: Box<FetchError>,
    },
    /// A registry's keys are not what they should be.
    #[error("the signing keys of {registry} cannot be read")]
    KeysUnreadable {
        /// The registry.
        registry: String,
    },
    /// A registry does not have an installed version.
    #[error("the registry has no {package}, which is installed")]
    NotPublished {
        /// The package with its version.
        package: String,
    },
    /// A signature is by a key that the registry does not show.
    #[error("{package} is signed with the key {key}, which the registry does not show")]
    NoKey {
        /// The package with its version.
        package: String,
        /// The key.
        key: String,
    },
    /// A signature is by a key that was out of date.
    #[error("{package} is signed with the key {key}, which was out of date by then")]
    OldKey {
        /// The package with its version.
        package: String,
        /// The key.
        key: String,
    },
    /// The project has no dependencies whose signatures could be checked.
    #[error("found no installed dependencies to audit")]
    NothingInstalled,
    /// No dependency came from a registry that signs.
    #[error("found no dependencies to audit that were installed from a registry with signing keys")]
    NothingSigned,
    /// A query that cannot be answered.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// What is installed is not what is required, so that no bill of materials can be made.
    #[error("{problems}")]
    SbomProblems {
        /// What is wrong, one in a line.
        problems: String,
    },
    /// A package is not funded.
    #[error("no valid funding method available for: {package}")]
    NoFunding {
        /// The package.
        package: String,
    },
    /// No package is what was asked for.
    #[error("no package matches {asked}")]
    NoMatch {
        /// The words of the question.
        asked: String,
    },
}

impl From<AcquireError> for InspectError {
    fn from(error: AcquireError) -> Self {
        Self::Install(error.into())
    }
}

impl From<ResolveError> for InspectError {
    fn from(error: ResolveError) -> Self {
        Self::Install(AcquireError::from(error).into())
    }
}

impl Coded for InspectError {
    fn code(&self) -> &'static str {
        match self {
            Self::Install(error) => error.code(),
            Self::Lockfile { source, .. } => source.code(),
            Self::NoLockfile { .. } => "DX_NO_LOCKFILE",
            Self::TooDeep { .. } => "DX_TREE_TOO_DEEP",
            Self::NoWorkspace { .. } | Self::NoWorkspaces { .. } => "DX_NO_WORKSPACE",
            Self::NoMatch { .. } => "DX_NO_MATCH",
            Self::Query(error) => error.code(),
            Self::NoFunding { .. } => "DX_NO_FUNDING",
            Self::SbomProblems { .. } => "DX_TREE_PROBLEMS",
            Self::AuditRefused { .. } | Self::AuditUnreadable { .. } => "DX_AUDIT_REFUSED",
            Self::RegistryRefused { source } => source.code(),
            Self::KeysUnreadable { .. } | Self::NoKey { .. } | Self::OldKey { .. } => {
                "DX_SIGNING_KEY"
            }
            Self::NotPublished { .. } => "DX_NO_MATCHING_VERSION",
            Self::NothingInstalled | Self::NothingSigned => "DX_NOTHING_SIGNED",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Install(error) => error.hint(),
            Self::Lockfile { source, .. } => source.hint(),
            Self::NoLockfile { .. } => Some("`dx install` writes it".to_owned()),
            Self::TooDeep { .. } => Some(
                "no install leaves such a tree: look at package-lock.json and node_modules, or \
                 remove them and run `dx install`"
                    .to_owned(),
            ),
            Self::NoWorkspace { .. } => {
                Some("give a workspace by its name or its folder".to_owned())
            }
            Self::NoWorkspaces { .. } => {
                Some("`workspaces` in package.json names their folders".to_owned())
            }
            Self::AuditRefused { .. } | Self::AuditUnreadable { .. } => Some(
                "nothing is known of vulnerabilities; --registry names a registry that has \
                 advisories"
                    .to_owned(),
            ),
            Self::RegistryRefused { source } => source.hint(),
            Self::KeysUnreadable { .. } | Self::NothingSigned => {
                Some("registries show their keys at -/npm/v1/keys".to_owned())
            }
            Self::NoKey { .. } | Self::OldKey { .. } => Some(
                "somebody may have changed what the registry serves: ask those who run it"
                    .to_owned(),
            ),
            Self::NotPublished { .. } => Some(
                "it was withdrawn, or came from elsewhere; `dx explain` tells what requires it"
                    .to_owned(),
            ),
            Self::NothingInstalled => Some("`dx install` installs them".to_owned()),
            Self::Query(error) => error.hint(),
            Self::SbomProblems { .. } => Some("`dx install` puts node_modules in order".to_owned()),
            Self::NoFunding { .. } => Some("`dx fund` lists who looks for funding".to_owned()),
            Self::NoMatch { .. } => Some("`dx ls --all` lists what is installed".to_owned()),
        }
    }
}
