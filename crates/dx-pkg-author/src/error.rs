//! The errors of authors' commands.

mod publish;
mod refusal;
mod version;

use std::path::PathBuf;

use dx_pkg_acquire::AcquireError;
use dx_pkg_compat::manifest::ManifestError;
use dx_pkg_compat::npmrc::ConfigError;
use dx_pkg_compat::packlist::PackError;
use dx_pkg_compat::tarball::TarballError;
use dx_pkg_core::{Coded, IntegrityMismatch};
use dx_pkg_fetch::FetchError;
use dx_pkg_install::InstallError;
use dx_pkg_install::scripts::ScriptError;

use crate::json_path::PathError;

pub use publish::PublishError;
pub use refusal::{Refusal, RefusalKind};
pub use version::VersionError;

/// An authors' command that fails.
#[derive(Debug, thiserror::Error)]
pub enum AuthorError {
    /// The project cannot be read, or something else that installs do fails too.
    #[error(transparent)]
    Install(#[from] InstallError),
    /// There is no manifest.
    #[error("there is no package.json in {folder}")]
    NoManifest {
        /// The folder.
        folder: String,
    },
    /// The file is no manifest.
    #[error("reading {}", path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: ManifestError,
    },
    /// A field of a manifest that npm refuses.
    #[error("{}: {problem}", path.display())]
    Field {
        /// The file.
        path: PathBuf,
        /// What is wrong with which field.
        problem: String,
    },
    /// A word that names no workspace of the project.
    #[error("{name} is no workspace of this project")]
    NoWorkspace {
        /// The word.
        name: String,
    },
    /// The project has no workspaces.
    #[error("there are no workspaces in {folder}")]
    NoWorkspaces {
        /// The project's folder.
        folder: String,
    },
    /// Words that the command does not understand.
    #[error("{message}")]
    Usage {
        /// What is wrong with them.
        message: String,
        /// How to write it.
        usage: &'static str,
    },
    /// A path into a manifest that cannot be followed.
    #[error(transparent)]
    Path(#[from] PathError),
    /// A version that cannot be set.
    #[error(transparent)]
    Version(#[from] VersionError),
    /// A package that has no name or no version.
    #[error("the package in {folder} needs a name and a version")]
    Unnamed {
        /// The folder.
        folder: String,
    },
    /// The package cannot be packed.
    #[error("packing {package}")]
    Pack {
        /// The package.
        package: String,
        /// The reason.
        source: PackError,
    },
    /// A tarball that cannot be read.
    #[error("reading the tarball of {package}")]
    Tarball {
        /// The package.
        package: String,
        /// The reason.
        source: TarballError,
    },
    /// A tarball that is not the one that the registry's metadata describes.
    #[error("the tarball of {package} is not the one that was published")]
    Integrity {
        /// The package.
        package: String,
        /// The digests.
        #[source]
        mismatch: Box<IntegrityMismatch>,
    },
    /// What a registry refuses.
    #[error(transparent)]
    Refused(#[from] Box<Refusal>),
    /// A request failed.
    #[error(transparent)]
    Fetch(#[from] Box<FetchError>),
    /// An address that cannot be used.
    #[error("{address:?} is no address")]
    Address {
        /// The address.
        address: String,
    },
    /// Nobody has logged in.
    #[error("nobody has logged in to {registry} in time")]
    NoLogin {
        /// The registry.
        registry: String,
    },
    /// The token that a registry gave is none that a `.npmrc` can hold.
    #[error("{registry} gave a token with characters that no token has; it was not saved")]
    BadToken {
        /// The registry.
        registry: String,
    },
    /// There are no credentials for the registry.
    #[error("there are no credentials for {registry}")]
    NoCredentials {
        /// The registry.
        registry: String,
    },
    /// What the package or the registry says against a publication.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// No version of a package is what was asked for.
    #[error("{name} has no version {wanted}")]
    NoVersion {
        /// The package.
        name: String,
        /// The version, range or tag.
        wanted: String,
    },
    /// A package of a kind that the command cannot work with.
    #[error("{spec} is no folder, no tarball, no repository and no package of a registry")]
    Source {
        /// The words.
        spec: String,
    },
    /// A script of the package failed.
    #[error("script {event} of {package} failed with {ending}")]
    Script {
        /// The package.
        package: String,
        /// The script.
        event: String,
        /// Its exit code or signal, in words.
        ending: String,
        /// The exit code of the command.
        code: u8,
    },
}

macro_rules! through_install {
    ($($error:ty),*) => {$(
        impl From<$error> for AuthorError {
            fn from(error: $error) -> Self {
                Self::Install(error.into())
            }
        }
    )*};
}

through_install!(AcquireError, ConfigError, ScriptError);

impl AuthorError {
    /// Returns the exit code that a failed script asks for.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if let Self::Script { code, .. } = self { *code } else { 1 }
    }
}

impl Coded for AuthorError {
    fn code(&self) -> &'static str {
        match self {
            Self::Install(error) => error.code(),
            Self::NoManifest { .. } => "DX_NO_MANIFEST",
            Self::Manifest { source, .. } => source.code(),
            Self::Field { .. } => "DX_BAD_FIELD",
            Self::NoWorkspace { .. } | Self::NoWorkspaces { .. } => "DX_NO_WORKSPACE",
            Self::Usage { .. } => "DX_USAGE",
            Self::Path(_) => "DX_BAD_PATH",
            Self::Version(error) => error.code(),
            Self::Unnamed { .. } => "DX_NO_NAME",
            Self::Pack { source, .. } => source.code(),
            Self::Tarball { source, .. } => source.code(),
            Self::Integrity { .. } => "DX_INTEGRITY_MISMATCH",
            Self::Refused(refusal) => refusal.code(),
            Self::Fetch(error) => error.code(),
            Self::Address { .. } => "DX_BAD_ADDRESS",
            Self::NoLogin { .. } | Self::NoCredentials { .. } => "DX_NOT_LOGGED_IN",
            Self::BadToken { .. } => "DX_BAD_TOKEN",
            Self::Publish(error) => error.code(),
            Self::NoVersion { .. } => "DX_NO_MATCHING_VERSION",
            Self::Source { .. } => "DX_UNSUPPORTED_SOURCE",
            Self::Script { .. } => "DX_SCRIPT_FAILED",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Install(error) => error.hint(),
            Self::NoManifest { .. } => Some("`dx init` writes one".to_owned()),
            Self::Manifest { source, .. } => source.hint(),
            Self::NoWorkspace { .. } => {
                Some("give a workspace by its name or its folder".to_owned())
            }
            Self::NoWorkspaces { .. } => {
                Some("`workspaces` in package.json names their folders".to_owned())
            }
            Self::Usage { usage, .. } => Some((*usage).to_owned()),
            Self::Path(PathError::NotAnObject { .. } | PathError::MemberOfList { .. }) => {
                Some("--force puts another value in its place".to_owned())
            }
            Self::Version(error) => error.hint(),
            Self::Unnamed { .. } => {
                Some("`dx pkg set name=NAME version=1.0.0` sets them".to_owned())
            }
            Self::Pack { source, .. } => source.hint(),
            Self::Tarball { source, .. } => source.hint(),
            Self::Refused(refusal) => refusal.hint(),
            Self::Fetch(error) => error.hint(),
            Self::NoLogin { .. } | Self::NoCredentials { .. } => Some(
                "`dx login` logs in; a token can also stand in .npmrc: //host/:_authToken=TOKEN"
                    .to_owned(),
            ),
            Self::BadToken { .. } => Some(
                "make a token on the registry's web site, and save it with `dx config set \
                 //host/:_authToken=TOKEN`"
                    .to_owned(),
            ),
            Self::Publish(error) => error.hint(),
            Self::NoVersion { name, .. } => {
                Some(format!("`dx view {name} versions` lists those that there are"))
            }
            Self::Source { .. } => Some(
                "give the folder of a package, or fetch the tarball and give its path".to_owned(),
            ),
            Self::Field { .. }
            | Self::Path(_)
            | Self::Address { .. }
            | Self::Integrity { .. }
            | Self::Script { .. } => None,
        }
    }
}
