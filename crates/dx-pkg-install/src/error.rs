//! Why an install failed.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dx_pkg_acquire::AcquireError;
use dx_pkg_compat::homes::HomeError;
use dx_pkg_compat::manifest::ManifestError;
use dx_pkg_compat::npmrc::ConfigError;
use dx_pkg_core::{Coded, CodedError};
use dx_pkg_link::LinkError;
use dx_pkg_resolve::ProviderError;
use dx_pkg_store::StoreError;
use dx_pkg_store::archive::ArchiveError;

use crate::unsupported::advice;

mod alteration;
mod demand;
mod importers;
mod upkeep;

pub use alteration::AlterationError;
pub use demand::DemandError;
pub use importers::ImporterError;
pub use upkeep::UpkeepError;

/// A failed install.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// The project cannot be resolved, or a package cannot be had.
    #[error(transparent)]
    Acquire(#[from] AcquireError),
    /// The tree cannot be put in place.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// A script cannot be started.
    #[error(transparent)]
    Script(#[from] ScriptError),
    /// The project asks for what dx or this machine is not.
    #[error(transparent)]
    Demand(#[from] DemandError),
    /// A patch or program of the project cannot be carried out.
    #[error(transparent)]
    Alteration(#[from] AlterationError),
    /// The command cannot be for the importers that are named.
    #[error(transparent)]
    Importers(#[from] ImporterError),
    /// A command cannot be carried out on what is installed.
    #[error(transparent)]
    Upkeep(#[from] UpkeepError),
    /// A file of the project that is to be written is a link that leads out of the project.
    #[error(
        "`{}` is a link to `{}`, which is not in the project: nothing is written there",
        path.display(),
        target.display()
    )]
    LinkedFile {
        /// The link.
        path: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
    /// An archive cannot be written or read.
    #[error(transparent)]
    Archive(ArchiveError),
    /// An archive was to have packages that the store lacks.
    #[error("the store does not have {packages}, which the lockfile needs")]
    NotStored {
        /// The packages with their versions, the first of them by name.
        packages: String,
    },
    /// A manifest cannot be read or changed.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// An argument names a source that is not supported.
    #[error("{argument:?} names no package that can be added")]
    UnsupportedArgument {
        /// The argument as written.
        argument: String,
    },
    /// A package outside the registries has no name.
    #[error("{argument}: the package there has no name")]
    Nameless {
        /// The argument, without secrets.
        argument: String,
    },
    /// A folder holds no package.
    #[error("{} is not a folder with a package.json", folder.display())]
    NoPackage {
        /// The folder.
        folder: PathBuf,
    },
    /// There is no home folder to keep the store in.
    #[error("there is no home folder to keep the store in")]
    NoHome,
    /// There is no project where the command was started.
    #[error("there is no package.json in {} or above", folder.display())]
    NoManifest {
        /// The folder.
        folder: PathBuf,
    },
    /// A pattern of `workspaces` stands for too many others.
    #[error("the workspaces pattern {pattern:?} stands for more than 10000 patterns")]
    WorkspacePattern {
        /// The pattern.
        pattern: String,
    },
    /// Two workspaces have the same name.
    #[error("two workspaces are called {name:?}: {} and {}", folders[0], folders[1])]
    SameWorkspaceName {
        /// Their name.
        name: String,
        /// Their folders, relative to the project.
        folders: [String; 2],
    },
    /// A link leads a workspace out of the project.
    #[error("the workspace {workspace} is a link out of the project, to {}", place.display())]
    WorkspaceLeavesProject {
        /// The workspace's folder, relative to the project.
        workspace: String,
        /// Where it leads.
        place: PathBuf,
    },
    /// A lockfile links to a folder outside of the project that no manifest requires.
    #[error(
        "{lockfile} links {path} to {target}, outside of the project, which no package.json asks for"
    )]
    LockLeavesProject {
        /// The lockfile's name.
        lockfile: &'static str,
        /// The path of the entry.
        path: String,
        /// The folder that it leads to.
        target: String,
    },
    /// The project has a lockfile of another package manager.
    #[error("this project is locked by {lockfile}, which dx cannot read yet")]
    ForeignLockfile {
        /// The file's name.
        lockfile: &'static str,
    },
    /// A file, protocol or pin of another package manager cannot be used.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// A frozen install has no lockfile.
    #[error("there is no lockfile in {}", root.display())]
    NoLockfile {
        /// The project's folder.
        root: PathBuf,
    },
    /// A setting changes the result in a way that dx does not carry out.
    #[error("{key}={value} (set in {origin}) is not supported")]
    UnsupportedSetting {
        /// The setting.
        key: String,
        /// Its value.
        value: String,
        /// Where it is set.
        origin: String,
    },
    /// An environment variable has a value of another kind.
    #[error("{name}={value} is not a number of trees")]
    BadTreeCount {
        /// The variable.
        name: &'static str,
        /// Its value.
        value: String,
    },
    /// An environment variable is neither yes nor no.
    #[error("{name}={value} is neither 0 nor 1")]
    BadSwitch {
        /// The variable.
        name: &'static str,
        /// Its value.
        value: String,
    },
    /// A package cannot run on this machine.
    #[error("{package} does not run here: it requires {wants} (current: {current})")]
    UnsupportedPlatform {
        /// The package with its version.
        package: String,
        /// The platform or engine it requires.
        wants: String,
        /// This platform, or the engine's version.
        current: String,
    },
    /// A lockfile entry has no integrity.
    #[error(
        "the lockfile's entry {entry:?} is a package {kind}{}{resolved}{} and has no integrity, so its files cannot be verified",
        if .resolved.is_empty() { "" } else { " (" },
        if .resolved.is_empty() { "" } else { ")" }
    )]
    NoIntegrity {
        /// The path of the entry.
        entry: String,
        /// The kind of its source.
        kind: &'static str,
        /// Its `resolved`, without secrets.
        resolved: String,
    },
    /// The project has not decided about the scripts of packages.
    #[error("no decision for the install scripts of {}, and strict-allow-scripts is set", packages.join(", "))]
    ScriptsUndecided {
        /// The packages with their versions.
        packages: Vec<String>,
        /// The member of `package.json` that allows them.
        allowing: String,
    },
    /// No way led to a tree; the last one always does.
    #[error("the install was worked out but not carried out")]
    NotCommitted,
    /// A script ended badly.
    #[error("{0}")]
    ScriptFailed(Box<FailedScript>),
}

impl InstallError {
    /// Wraps an error of the file system; `doing` names the operation and the file.
    pub fn io(doing: impl Into<String>, error: io::Error) -> Self {
        Self::Acquire(AcquireError::io(doing, error))
    }

    /// Wraps an error in the contents of the file at `path`.
    pub fn in_file(path: &Path, error: impl CodedError) -> Self {
        Self::Acquire(AcquireError::in_file(path, error))
    }

    /// Returns whether the command was cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Acquire(AcquireError::Cancelled) | Self::Link(LinkError::Cancelled))
    }

    /// Returns the script that ended badly: one of this install's, or one of those that build a
    /// package of a git repository, in an install of their own.
    #[must_use]
    pub fn failed_script(&self) -> Option<&FailedScript> {
        let mut next: Option<&(dyn Error + 'static)> = Some(self);
        while let Some(error) = next {
            let of_provider = error.downcast_ref::<ProviderError>();
            let shared = of_provider
                .and_then(|error| error.underlying.as_ref())
                .or_else(|| error.downcast_ref::<Arc<dyn CodedError>>());
            let error = shared.map_or(error, |shared| &**shared as &(dyn Error + 'static));
            if let Some(Self::ScriptFailed(script)) = error.downcast_ref() {
                return Some(script);
            }
            next = error.source();
        }
        None
    }
}

impl From<StoreError> for InstallError {
    fn from(error: StoreError) -> Self {
        Self::Acquire(error.into())
    }
}

impl From<ArchiveError> for InstallError {
    fn from(error: ArchiveError) -> Self {
        match error {
            ArchiveError::Cancelled => Self::Acquire(AcquireError::Cancelled),
            ArchiveError::Store(error) => error.into(),
            other => Self::Archive(other),
        }
    }
}

impl From<ConfigError> for InstallError {
    fn from(error: ConfigError) -> Self {
        Self::Acquire(AcquireError::Config(Arc::new(error)))
    }
}

macro_rules! through_acquire {
    ($($error:ty),*) => {$(
        impl From<$error> for InstallError {
            fn from(error: $error) -> Self {
                Self::Acquire(error.into())
            }
        }
    )*};
}

through_acquire!(
    dx_pkg_core::NameError,
    dx_pkg_core::SpecError,
    dx_pkg_core::VersionError,
    dx_pkg_format::FormatError
);

impl Coded for InstallError {
    fn code(&self) -> &'static str {
        match self {
            Self::Acquire(error) => error.code(),
            Self::Link(error) => error.code(),
            Self::Script(error) => error.code(),
            Self::Manifest(error) => error.code(),
            Self::Archive(error) => error.code(),
            Self::LinkedFile { .. } => "DX_LINKED_FILE",
            Self::NotStored { .. } => "DX_EXPORT_INCOMPLETE",
            Self::Demand(error) => error.code(),
            Self::Alteration(error) => error.code(),
            Self::Importers(error) => error.code(),
            Self::Upkeep(error) => error.code(),
            Self::UnsupportedArgument { .. } => "DX_UNSUPPORTED_SOURCE",
            Self::Nameless { .. } => "DX_NO_NAME",
            Self::NoPackage { .. } => "DX_NO_FOLDER",
            Self::NoHome => "DX_NO_HOME",
            Self::NotCommitted => "DX_INTERNAL",
            Self::NoManifest { .. } => "DX_NO_MANIFEST",
            Self::WorkspacePattern { .. } => "DX_WORKSPACE_PATTERN",
            Self::SameWorkspaceName { .. } => "DX_SAME_WORKSPACE_NAME",
            Self::WorkspaceLeavesProject { .. } => "DX_WORKSPACE_OUTSIDE",
            Self::LockLeavesProject { .. } => "DX_LOCK_LEAVES_PROJECT",
            Self::Home(error) => error.code(),
            Self::ForeignLockfile { .. } => "DX_FOREIGN_LOCKFILE",
            Self::NoLockfile { .. } => "DX_NO_LOCKFILE",
            Self::UnsupportedSetting { .. } => "DX_UNSUPPORTED_SETTING",
            Self::BadTreeCount { .. } | Self::BadSwitch { .. } => "DX_CONFIG_INVALID",
            Self::UnsupportedPlatform { .. } => "DX_UNSUPPORTED_PLATFORM",
            Self::NoIntegrity { .. } => "DX_NO_INTEGRITY",
            Self::ScriptsUndecided { .. } => "DX_SCRIPTS_UNDECIDED",
            Self::ScriptFailed(_) => "DX_SCRIPT_FAILED",
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Acquire(error) => return error.hint(),
            Self::Home(error) => return error.hint(),
            Self::Link(error) => return error.hint(),
            Self::Script(error) => return error.hint(),
            Self::Manifest(error) => return error.hint(),
            Self::Archive(error) => return error.hint(),
            Self::LinkedFile { .. } => {
                "remove the link, or put a copy of the file in its place; a link to a file in the project is followed"
            }
            Self::NotStored { .. } => {
                "run dx ci first, which fetches them; if you install without some kinds of dependencies, give the same --omit here"
            }
            Self::Demand(error) => return error.hint(),
            Self::Alteration(error) => return error.hint(),
            Self::Importers(error) => return error.hint(),
            Self::Upkeep(error) => return error.hint(),
            Self::NotCommitted | Self::NoPackage { .. } => return None,
            Self::UnsupportedArgument { .. } => {
                "name a package of the registry, a folder, a tarball or a git repository"
            }
            Self::Nameless { argument } => {
                return Some(format!("choose one, as in dx add NAME@{argument}"));
            }
            Self::NoHome => "set DX_STORE to a folder",
            Self::NoManifest { .. } => {
                "run dx in a project's folder, or add a package with dx add, which makes a package.json"
            }
            Self::WorkspacePattern { .. } => "write fewer braces, or * and ** in their place",
            Self::SameWorkspaceName { .. } => {
                "give one of them another name in its package.json, or exclude its folder in workspaces with !"
            }
            Self::WorkspaceLeavesProject { .. } => {
                "if the folder there is meant, write its path in workspaces, such as \"../other\""
            }
            Self::LockLeavesProject { .. } => {
                "if you did not write that, somebody may have tampered with the lockfile; remove the entry and run dx install"
            }
            Self::ForeignLockfile { lockfile } => {
                return Some(format!(
                    "to start over with a package-lock.json, move {lockfile} away and run the command again"
                ));
            }
            Self::NoLockfile { .. } => "run dx install once to write it",
            Self::UnsupportedSetting { key, .. } => advice(key),
            Self::BadTreeCount { .. } => "set it to 0, 1 or more",
            Self::BadSwitch { .. } => "set it to 0 or 1, or unset it",
            Self::UnsupportedPlatform { .. } => {
                "remove the dependency, make it an optional one, or use --force"
            }
            Self::NoIntegrity { resolved, .. } if resolved.is_empty() => {
                "remove the entry from the lockfile and run dx install"
            }
            Self::NoIntegrity { .. } => {
                "run dx install, which records the digest of what comes now; or, to install it \
                 unverified, use --allow-missing-integrity"
            }
            Self::ScriptsUndecided { allowing, .. } => {
                return Some(format!(
                    "add {allowing} to package.json, with false for those that must not run"
                ));
            }
            Self::ScriptFailed(script) if script.lacks_gyp => {
                "no node-gyp was found: install npm beside Node.js, which brings it, or run dx add -D node-gyp"
            }
            Self::ScriptFailed(_) => {
                "correct what the script needs, or install with --ignore-scripts"
            }
        };
        Some(hint.to_owned())
    }
}

/// A script that ended badly.
#[derive(Debug)]
pub struct FailedScript {
    /// The event, such as `postinstall`.
    pub event: String,
    /// The name of the package, with its version.
    pub package: String,
    /// Its folder, relative to the project; `None` for the project itself.
    pub folder: Option<String>,
    /// How the script ended, in words.
    pub ended: String,
    /// The script's text.
    pub script: String,
    /// Whether it needs a `node-gyp`, and there is none.
    pub lacks_gyp: bool,
    /// Its output, if it was captured.
    pub output: String,
}

impl fmt::Display for FailedScript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FailedScript { event, package, folder, ended, script, .. } = self;
        write!(f, "the script {event:?} of {package} ")?;
        if let Some(folder) = folder {
            write!(f, "in {folder} ")?;
        }
        write!(f, "{ended}: {script}")
    }
}

/// A script that could not be started.
#[derive(Debug, thiserror::Error)]
#[error("could not start `{shell}` for the script `{script}` in `{folder}`")]
pub struct ScriptError {
    /// The shell.
    pub shell: PathBuf,
    /// The script's text.
    pub script: String,
    /// Where it was to run.
    pub folder: PathBuf,
    /// The system's answer.
    #[source]
    pub source: io::Error,
}

impl Coded for ScriptError {
    fn code(&self) -> &'static str {
        "DX_SCRIPT_START"
    }

    fn hint(&self) -> Option<String> {
        Some("check that the folder and the shell of `script-shell` exist".into())
    }
}
