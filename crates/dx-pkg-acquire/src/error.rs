//! Why a project cannot be resolved or a package cannot be had.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dx_pkg_compat::npmrc::ConfigError;
use dx_pkg_compat::patch::PatchError;
use dx_pkg_compat::tarball::TarballError;
use dx_pkg_core::coded::{message_with_causes, system_hint};
use dx_pkg_core::integrity::IntegrityError;
use dx_pkg_core::{Coded, CodedError, NameError, PackageName, SpecError, VersionError};
use dx_pkg_format::FormatError;
use dx_pkg_registry::{SourceError, SourceErrorKind};
use dx_pkg_resolve::{ProviderError, ResolveError};
use dx_pkg_store::StoreError;

/// A failure to resolve a project or to acquire a package.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum AcquireError {
    /// The command was interrupted.
    #[error("the command was interrupted")]
    Cancelled,
    /// Neither settings nor the build name a registry.
    #[error("no registry is configured")]
    NoRegistry,
    /// Something is needed from the network, which `--offline` forbids.
    #[error("{what} is not in {place}, and --offline forbids to fetch it")]
    Offline {
        /// The package, or the package with its version.
        what: String,
        /// The place where it was looked for.
        place: &'static str,
    },
    /// A request to a registry failed.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The registry answered that an unknown packument has not changed.
    #[error("the registry says that the packument of {name} has not changed, but none was known")]
    UnknownPackument {
        /// The package.
        name: PackageName,
    },
    /// A packument in binary form is damaged.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// A tarball cannot be unpacked.
    #[error("the tarball of {name}: {source}")]
    Tarball {
        /// The package.
        name: PackageName,
        /// What is wrong with it.
        source: Arc<TarballError>,
    },
    /// Packages do not come by DXRP, and must not come otherwise.
    #[error(transparent)]
    Dxrp(Arc<dyn CodedError>),
    /// A thread that unpacks tarballs panicked.
    #[error("unpacking a tarball panicked")]
    Panicked,
    /// The store failed.
    #[error(transparent)]
    Store(Arc<StoreError>),
    /// A setting cannot be used.
    #[error(transparent)]
    Config(Arc<ConfigError>),
    /// The integrity of a lockfile entry cannot be read.
    #[error("the lockfile's entry {entry:?}: {source}")]
    BadIntegrity {
        /// The path of the entry.
        entry: String,
        /// What is wrong with it.
        source: IntegrityError,
    },
    /// A package's name is not allowed.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A requirement cannot be read.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// A version cannot be read.
    #[error(transparent)]
    Version(#[from] VersionError),
    /// A requirement names a kind of source that dx does not support.
    #[error("{name}@{spec:?}: dx does not take packages from such a place")]
    UnsupportedSource {
        /// The name of the dependency.
        name: String,
        /// The requirement as written.
        spec: String,
    },
    /// A lockfile entry names a place that dx cannot take packages from.
    #[error("{package} comes from {place}, where dx cannot take packages from yet")]
    UnsupportedOrigin {
        /// The package with its version.
        package: String,
        /// The entry's `resolved`, without secrets.
        place: String,
    },
    /// A lockfile entry names a place outside the registries that no requirement names.
    #[error(
        "the lockfile's entry {entry} takes {package} from {place}, but it is required from a registry"
    )]
    OriginNotRequired {
        /// The entry's path.
        entry: String,
        /// The package with its version.
        package: String,
        /// The entry's `resolved`, without secrets.
        place: String,
    },
    /// The tarball on this machine that a lockfile entry names cannot be used.
    #[error("{package} comes from {place}: {source}")]
    LocalTarball {
        /// The package with its version.
        package: String,
        /// The entry's `resolved`.
        place: String,
        /// The reason.
        source: Box<AcquireError>,
    },
    /// A patch cannot be applied to a package.
    #[error("{file}, the patch for {package}: {source}")]
    Patch {
        /// The package with its version.
        package: String,
        /// The patch file, relative to the project.
        file: String,
        /// The reason.
        source: Arc<PatchError>,
    },
    /// A package is too large to be patched in memory.
    #[error("{package} has more than {} MiB, too much to be patched", limit >> 20)]
    PatchTooLarge {
        /// The package with its version.
        package: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// A patch file is not the one that the lockfile names.
    #[error("{file} is not the patch for {package} that the lockfile names")]
    OtherPatch {
        /// The package with its version.
        package: String,
        /// The patch file, relative to the project.
        file: String,
    },
    /// The lockfile names a patch file outside the project.
    #[error("the lockfile names the patch file {file:?}, which is outside the project")]
    PatchOutside {
        /// The file.
        file: String,
    },
    /// A setting forbids to take a package from where it is.
    #[error("{package} comes from {place}, which {setting}={value} forbids")]
    SourceNotAllowed {
        /// The package, with its version where that is known.
        package: String,
        /// The address, file or folder, without secrets.
        place: String,
        /// The setting.
        setting: &'static str,
        /// Its value.
        value: &'static str,
    },
    /// Nothing vouches for the bytes of a package.
    #[error(
        "neither the lockfile nor the registry has a usable digest of {package}, so its files \
         cannot be verified"
    )]
    NoDigest {
        /// The package with its version.
        package: String,
    },
    /// A tarball has no manifest.
    #[error("{package}: its tarball has no package.json")]
    NoManifest {
        /// The requirement.
        package: String,
    },
    /// The contents of a package cannot be used.
    #[error("{package}: {source}")]
    InPackage {
        /// The requirement.
        package: String,
        /// What is wrong with it.
        source: Arc<dyn CodedError>,
    },
    /// A commit is packed to other contents than before.
    #[error(
        "{package}: what is packed of its commit is not what it was when it was installed first"
    )]
    OtherContents {
        /// The package with its version.
        package: String,
    },
    /// A package that was put into the store is no longer there.
    #[error("{package} was removed from the store while it was used")]
    NotStored {
        /// The requirement.
        package: String,
    },
    /// A requirement names a folder that does not exist.
    #[error("{name}@{spec:?}: there is no folder {}", folder.display())]
    NoFolder {
        /// The name of the dependency.
        name: String,
        /// The requirement as written.
        spec: String,
        /// The folder.
        folder: PathBuf,
    },
    /// A file is not text.
    #[error("{} is not UTF-8 text", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
    },
    /// The contents of a file cannot be used.
    #[error("{}: {source}", path.display())]
    InFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Arc<dyn CodedError>,
    },
    /// The file system refused an operation.
    #[error("{doing}: {source}")]
    Io {
        /// The operation and the file.
        doing: String,
        /// The system's error.
        source: Arc<io::Error>,
    },
    /// The requirements have no solution.
    #[error(transparent)]
    Resolve(Box<ResolveError>),
}

impl AcquireError {
    /// Wraps an error of the file system; `doing` names the operation and the file.
    pub fn io(doing: impl Into<String>, source: io::Error) -> Self {
        Self::Io { doing: doing.into(), source: Arc::new(source) }
    }

    /// Wraps an error in the contents of the file at `path`.
    pub fn in_file(path: &Path, source: impl CodedError) -> Self {
        Self::InFile { path: path.to_owned(), source: Arc::new(source) }
    }

    /// Returns whether a source answered that it does not have what was requested.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Source(error) if error.kind() == SourceErrorKind::NotFound)
    }

    /// Returns whether the package was refused for where it comes from, before anything was
    /// requested.
    #[must_use]
    pub fn is_refused_source(&self) -> bool {
        matches!(
            self,
            Self::UnsupportedOrigin { .. }
                | Self::SourceNotAllowed { .. }
                | Self::OriginNotRequired { .. }
        )
    }

    /// Returns whether this machine or the project's patch is at fault rather than the package:
    /// without it an optional package is not left out.
    #[must_use]
    pub fn is_of_this_machine(&self) -> bool {
        matches!(
            self,
            Self::Store(_)
                | Self::Dxrp(_)
                | Self::Panicked
                | Self::Patch { .. }
                | Self::PatchTooLarge { .. }
                | Self::OtherPatch { .. }
                | Self::PatchOutside { .. }
        )
    }

    /// Returns the error in the form that the resolver passes on.
    #[must_use]
    pub fn into_provider_error(self) -> ProviderError {
        let (code, message, hint) = (self.code(), message_with_causes(&self), self.hint());
        ProviderError { code, message, hint, underlying: Some(Arc::new(self)) }
    }
}

impl From<StoreError> for AcquireError {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

impl From<ConfigError> for AcquireError {
    fn from(error: ConfigError) -> Self {
        Self::Config(Arc::new(error))
    }
}

impl From<ResolveError> for AcquireError {
    fn from(error: ResolveError) -> Self {
        Self::Resolve(Box::new(error))
    }
}

impl Coded for AcquireError {
    fn code(&self) -> &'static str {
        match self {
            Self::Cancelled => "DX_CANCELLED",
            Self::NoRegistry => "DX_NO_REGISTRY",
            Self::Offline { .. } => "DX_OFFLINE",
            Self::Source(error) => error.code(),
            Self::Dxrp(error) => error.code(),
            Self::UnknownPackument { .. } => "DX_BAD_PACKUMENT",
            Self::Format(error) => error.code(),
            Self::Tarball { source, .. } => source.code(),
            Self::Panicked => "DX_INTERNAL",
            Self::Store(error) => error.code(),
            Self::Config(error) => error.code(),
            Self::BadIntegrity { source, .. } => source.code(),
            Self::Name(error) => error.code(),
            Self::Spec(error) => error.code(),
            Self::Version(error) => error.code(),
            Self::UnsupportedSource { .. } => "DX_UNSUPPORTED_SOURCE",
            Self::UnsupportedOrigin { .. } => "DX_UNSUPPORTED_SOURCE",
            Self::OriginNotRequired { .. } => "DX_LOCK_ORIGIN",
            Self::LocalTarball { source, .. } => source.code(),
            Self::SourceNotAllowed { .. } => "DX_SOURCE_NOT_ALLOWED",
            Self::Patch { source, .. } => source.code(),
            Self::PatchTooLarge { .. } => "DX_PATCH_FAILED",
            Self::OtherPatch { .. } => "DX_LOCKFILE_OUT_OF_DATE",
            Self::PatchOutside { .. } => "DX_BAD_PATCHED_DEPENDENCIES",
            Self::NoDigest { .. } => "DX_NO_INTEGRITY",
            Self::NoManifest { .. } => "DX_NO_MANIFEST",
            Self::InPackage { source, .. } => source.code(),
            Self::OtherContents { .. } => "DX_GIT_OTHER_CONTENTS",
            Self::NotStored { .. } => "DX_PACKAGE_NOT_STORED",
            Self::NoFolder { .. } => "DX_NO_FOLDER",
            Self::NotText { .. } => "DX_NOT_TEXT",
            Self::InFile { source, .. } => source.code(),
            Self::Io { .. } => "DX_IO",
            Self::Resolve(error) => error.code(),
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Cancelled => "run it again; what was fetched is kept",
            Self::NoRegistry => "write registry=<address> into .npmrc",
            Self::Offline { .. } => "run the command once without --offline",
            Self::UnsupportedSource { .. } | Self::UnsupportedOrigin { .. } => {
                "use a version from the registry"
            }
            Self::LocalTarball { source, .. } => match &**source {
                Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                    "correct the path, which is relative to the package.json that names it, or put \
                     the file there"
                }
                source => return source.hint(),
            },
            Self::OriginNotRequired { .. } => {
                "remove the entry from the lockfile and run dx install; if the package is to come \
                 from there, write that into package.json"
            }
            Self::SourceNotAllowed { setting, value, .. } => {
                return Some(how_to_allow(setting, value));
            }
            Self::Patch { source, .. } => return source.hint(),
            Self::PatchTooLarge { .. } => {
                "remove its entry from patchedDependencies, or patch a package that it requires"
            }
            Self::OtherPatch { .. } => {
                "run dx install to bring the lockfile up to date, or restore the patch file"
            }
            Self::PatchOutside { .. } => {
                "no package manager writes such an entry: find out who changed the lockfile before \
                 installing from it"
            }
            Self::NoDigest { .. } => {
                "registries give an integrity or a shasum for every version: ask whoever runs \
                 yours to repair it. To install what comes now unverified and record its digest in \
                 the lockfile, use --allow-missing-integrity"
            }
            Self::NoManifest { .. } => {
                "a package is an archive of one folder with a package.json, as npm pack makes it"
            }
            Self::InPackage { source, .. } => return source.hint(),
            Self::OtherContents { .. } => {
                "remove node_modules and run dx install; if it happens again, another version of \
                 dx packs this package otherwise, or its submodules are not what they were"
            }
            Self::NotStored { .. } => "run the command again",
            Self::NoFolder { .. } => "correct the path in package.json",
            Self::NotText { .. } => "save it as UTF-8",
            Self::Io { source, .. } => return system_hint(source).map(str::to_owned),
            Self::UnknownPackument { .. } | Self::Panicked => return None,
            Self::Source(error) => return error.hint(),
            Self::Dxrp(error) => return error.hint(),
            Self::Format(error) => return error.hint(),
            Self::Tarball { source, .. } => return source.hint(),
            Self::Store(error) => return error.hint(),
            Self::Config(error) => return error.hint(),
            Self::BadIntegrity { source, .. } => return source.hint(),
            Self::Name(error) => return error.hint(),
            Self::Spec(error) => return error.hint(),
            Self::Version(error) => return error.hint(),
            Self::InFile { source, .. } => return source.hint(),
            Self::Resolve(error) => return error.hint(),
        };
        Some(hint.to_owned())
    }
}

/// Returns what to do about a source that `setting` forbids with `value`.
fn how_to_allow(setting: &str, value: &str) -> String {
    let root = if value == "root" {
        String::new()
    } else {
        format!("{setting}=root (what the project requires itself) or ")
    };
    let set = format!(
        "if you trust it, set {root}{setting}=all in the .npmrc of your home folder, or as a flag, \
         --{setting}=all"
    );
    if setting == "allow-remote" {
        return format!(
            "{set}; if your registry offers its tarballs there, name that host in \
             replace-registry-host"
        );
    }
    set
}
