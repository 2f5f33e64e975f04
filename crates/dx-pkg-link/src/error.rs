//! What can go wrong while linking.

use std::io;
use std::path::{Path, PathBuf};

use dx_pkg_core::Coded;

/// Why a tree could not be put in place.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// A placement's path is not one a package may lie at.
    #[error("refused to install at `{path}`: {reason}")]
    UnsafePath {
        /// The placement's path, or the name of an extra file.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A link's target is not one a project may link to.
    #[error("refused to link `{path}` to `{target}`: {reason}")]
    UnsafeTarget {
        /// The link.
        path: String,
        /// Where it would lead.
        target: String,
        /// What is wrong with that.
        reason: &'static str,
    },
    /// Two placements have one path.
    #[error("two packages are to be installed at `{path}`")]
    Duplicate {
        /// The path.
        path: String,
    },
    /// A placement would be written through a link.
    #[error("refused to install at `{path}`: `{link}` is a link")]
    BelowLink {
        /// The placement.
        path: String,
        /// The link above it.
        link: String,
    },
    /// The store lacks a package of the tree.
    #[error("could not install `{path}`: package {id} is not in the store")]
    MissingPackage {
        /// One path the package was to be installed at.
        path: String,
        /// The package's identity.
        id: String,
    },
    /// The store could not deliver a package.
    #[error("could not read package {id} from the store")]
    Store {
        /// The package's identity.
        id: String,
        /// The store's reason.
        #[source]
        source: dx_pkg_store::StoreError,
    },
    /// A file of a package in the store could not be decoded.
    #[error("could not read `{file}` of package {id} from the store")]
    Corrupt {
        /// The package's identity.
        id: String,
        /// The file, relative to the package.
        file: String,
        /// What is wrong with it.
        #[source]
        source: dx_pkg_format::dxp::DxpError,
    },
    /// `package-import-method` asks for something the file systems cannot do.
    #[error(
        "package-import-method is `{method}`, but the store and `{path}` cannot share files that way"
    )]
    MethodUnsupported {
        /// The setting's value.
        method: &'static str,
        /// Where the file was to be.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// The caller asked for an end.
    #[error("building the tree was cancelled")]
    Cancelled,
    /// The system refused an operation.
    #[error("could not {doing} `{path}`")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
}

impl LinkError {
    pub(crate) fn io(
        doing: &'static str,
        path: impl AsRef<Path>,
    ) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, path: path.as_ref().to_owned(), source }
    }
}

impl Coded for LinkError {
    fn code(&self) -> &'static str {
        match self {
            Self::UnsafePath { .. } => "DX_UNSAFE_PATH",
            Self::UnsafeTarget { .. } => "DX_UNSAFE_LINK_TARGET",
            Self::Duplicate { .. } => "DX_DUPLICATE_PATH",
            Self::BelowLink { .. } => "DX_PATH_BELOW_LINK",
            Self::MissingPackage { .. } => "DX_PACKAGE_NOT_STORED",
            Self::Store { source, .. } => source.code(),
            Self::Corrupt { .. } => "DX_PACKAGE_CORRUPT",
            Self::MethodUnsupported { .. } => "DX_IMPORT_METHOD_UNSUPPORTED",
            Self::Cancelled => "DX_CANCELLED",
            Self::Io { .. } => "DX_LINK_IO",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::UnsafePath { .. } | Self::Duplicate { .. } | Self::BelowLink { .. } => {
                Some("the lockfile was damaged or tampered with: restore it, or delete it to resolve anew".into())
            }
            Self::UnsafeTarget { .. } => {
                Some("if the folder is meant, name it in package.json as a `file:` dependency".into())
            }
            Self::MissingPackage { .. } => Some("run `dx install` again to download it".into()),
            Self::Corrupt { .. } => Some("run `dx store verify --fix`".into()),
            Self::Store { source, .. } => source.hint(),
            Self::MethodUnsupported { .. } => {
                Some("set package-import-method=auto, or keep the store on the project's file system".into())
            }
            Self::Cancelled => None,
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::StorageFull => Some("free some disk space and run the command again".into()),
                io::ErrorKind::PermissionDenied => Some("check who owns the project and node_modules".into()),
                _ => None,
            },
        }
    }
}
