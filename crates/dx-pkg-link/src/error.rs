//! The errors of linking, with their codes and hints.

use std::io;
use std::path::{Path, PathBuf};

use dx_pkg_core::Coded;
use dx_pkg_core::coded::system_hint;

/// An error of linking.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// A placement has an invalid path.
    #[error("refused to install at `{path}`: {reason}")]
    UnsafePath {
        /// The placement's path, or the name of an extra file.
        path: String,
        /// The reason.
        reason: &'static str,
    },
    /// A link has an invalid target.
    #[error("refused to link `{path}` to `{target}`: {reason}")]
    UnsafeTarget {
        /// The link.
        path: String,
        /// Its target.
        target: String,
        /// The reason.
        reason: &'static str,
    },
    /// Two placements have the same path.
    #[error("two packages are to be installed at `{path}`")]
    Duplicate {
        /// The path.
        path: String,
    },
    /// A placement is below a link.
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
        /// A path of the package in the tree.
        path: String,
        /// The package's identity.
        id: String,
    },
    /// The store has other bytes under the id of a package of the tree.
    #[error("could not install `{path}`")]
    OtherBytes {
        /// A path of the package in the tree.
        path: String,
        /// The store's error.
        #[source]
        source: dx_pkg_store::StoreError,
    },
    /// The store could not read a package.
    #[error("could not read package {id} from the store")]
    Store {
        /// The package's identity.
        id: String,
        /// The store's error.
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
        /// The damage.
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
        /// The place of the file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// The caller cancelled the run.
    #[error("building the tree was cancelled")]
    Cancelled,
    /// The system refused an operation.
    #[error("could not {doing} `{path}`")]
    Io {
        /// The operation that failed.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
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
            Self::Store { source, .. } | Self::OtherBytes { source, .. } => source.code(),
            Self::Corrupt { .. } => "DX_PACKAGE_CORRUPT",
            Self::MethodUnsupported { .. } => "DX_IMPORT_METHOD_UNSUPPORTED",
            Self::Cancelled => "DX_CANCELLED",
            Self::Io { .. } => "DX_LINK_IO",
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::UnsafePath { .. } | Self::Duplicate { .. } | Self::BelowLink { .. } => {
                "the lockfile was damaged or tampered with: restore it, or delete it to resolve \
                 anew"
            }
            Self::UnsafeTarget { .. } => {
                "if the folder is meant, name it in package.json as a `file:` dependency"
            }
            Self::MissingPackage { .. } => "run `dx install` again to download it",
            Self::Corrupt { .. } => "run `dx store verify --fix`",
            Self::Store { source, .. } | Self::OtherBytes { source, .. } => return source.hint(),
            Self::MethodUnsupported { .. } => {
                "set package-import-method=auto, or keep the store on the project's file system"
            }
            Self::Io { source, .. } => return system_hint(source).map(str::to_owned),
            Self::Cancelled => return None,
        };
        Some(hint.to_owned())
    }
}
