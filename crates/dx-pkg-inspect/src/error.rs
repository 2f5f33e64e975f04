//! The errors of questions.

use std::path::PathBuf;

use dx_pkg_acquire::AcquireError;
use dx_pkg_compat::lockfile::LockfileError;
use dx_pkg_core::Coded;
use dx_pkg_install::InstallError;
use dx_pkg_resolve::ResolveError;

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
    /// A word that names no workspace of the project.
    #[error("{name} is no workspace of this project")]
    NoWorkspace {
        /// The word.
        name: String,
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
            Self::NoWorkspace { .. } => "DX_NO_WORKSPACE",
            Self::NoMatch { .. } => "DX_NO_MATCH",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Install(error) => error.hint(),
            Self::Lockfile { source, .. } => source.hint(),
            Self::NoLockfile { .. } => Some("`dx install` writes it".to_owned()),
            Self::NoWorkspace { .. } => {
                Some("give a workspace by its name or its folder".to_owned())
            }
            Self::NoMatch { .. } => Some("`dx ls --all` lists what is installed".to_owned()),
        }
    }
}
