//! The errors of commands, and their exit codes.

use std::process::ExitCode;

use dx_pkg_acquire::AcquireError;
use dx_pkg_compat::manifest::ManifestError;
use dx_pkg_compat::npmrc::ConfigError;
use dx_pkg_core::Coded;
use dx_pkg_inspect::InspectError;
use dx_pkg_install::InstallError;
use dx_pkg_install::scripts::ScriptError;
use dx_pkg_store::StoreError;

/// The number that shells add to the number of a signal that ended a command.
pub const BY_SIGNAL: i32 = 128;

/// A failed command.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The install failed, or something that it shares with other commands.
    #[error(transparent)]
    Install(#[from] InstallError),
    /// A question about the project cannot be answered.
    #[error(transparent)]
    Inspect(#[from] InspectError),
    /// What is installed is not what the project requires.
    #[error("{problems}")]
    Problems {
        /// What is wrong, one in a line.
        problems: String,
    },
    /// A command that needs names was given none.
    #[error("no package is named")]
    NothingNamed {
        /// The command.
        command: &'static str,
    },
    /// A package to remove or update is not given by its name alone.
    #[error("{argument:?} is not the name of a package")]
    NotAName {
        /// The command that was given it.
        command: &'static str,
        /// The argument.
        argument: String,
    },
    /// There is no project to run a script of.
    #[error("there is no package.json in {folder} or above")]
    NoProject {
        /// The folder in which the command was started.
        folder: String,
    },
    /// The project has no script of this name.
    #[error("{project} has no script {script:?}")]
    UnknownScript {
        /// The project with its version.
        project: String,
        /// The name.
        script: String,
        /// A script with a similar name.
        similar: Option<String>,
    },
    /// `dx dedupe` would change the lockfile.
    #[error("the lockfile has packages that dx dedupe would change")]
    NotDeduped,
    /// The store holds damaged packages.
    #[error("the store holds damaged packages")]
    StoreDamaged,
}

impl CommandError {
    /// Returns the captured output of the script that failed, unless it is empty.
    pub fn script_output(&self) -> Option<&str> {
        let Self::Install(InstallError::ScriptFailed(script)) = self else { return None };
        Some(script.output.as_str()).filter(|output| !output.trim().is_empty())
    }

    /// Returns the exit code: 128 and the signal's number for a command that was interrupted, else
    /// 1. A wrong command line ends with 2.
    pub fn exit_code(&self) -> ExitCode {
        let Self::Install(error) = self else { return ExitCode::from(1) };
        if !error.is_cancelled() {
            return ExitCode::from(1);
        }
        let signal = match dx_pkg_os::process::cancelled_by_signal() {
            0 => 2,
            signal => signal,
        };
        ExitCode::from(u8::try_from(BY_SIGNAL + signal).unwrap_or(u8::MAX))
    }
}

macro_rules! through_install {
    ($($error:ty),*) => {$(
        impl From<$error> for CommandError {
            fn from(error: $error) -> Self {
                Self::Install(error.into())
            }
        }
    )*};
}

through_install!(AcquireError, StoreError, ConfigError, ManifestError, ScriptError);

impl Coded for CommandError {
    fn code(&self) -> &'static str {
        match self {
            Self::Install(error) => error.code(),
            Self::Inspect(error) => error.code(),
            Self::Problems { .. } => "DX_TREE_PROBLEMS",
            Self::NothingNamed { .. } => "DX_NOTHING_NAMED",
            Self::NotAName { .. } => "DX_NOT_A_NAME",
            Self::NoProject { .. } => "DX_NO_MANIFEST",
            Self::UnknownScript { .. } => "DX_SCRIPT_UNKNOWN",
            Self::NotDeduped => "DX_NOT_DEDUPED",
            Self::StoreDamaged => "DX_STORE_DAMAGED",
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Install(error) => return error.hint(),
            Self::Inspect(error) => return error.hint(),
            Self::Problems { .. } => "`dx install` puts node_modules in order",
            Self::NothingNamed { command } => {
                return Some(format!("name packages, as in `dx {command} NAME`"));
            }
            Self::NotAName { command: "update", argument } => {
                return Some(format!(
                    "update takes names only and keeps to their ranges; `dx add {argument}` \
                     installs what is asked for"
                ));
            }
            Self::NotAName { .. } => {
                "give the name without a version, as it stands in package.json"
            }
            Self::NoProject { .. } => {
                "run dx in a project's folder, or write a package.json with {} in it"
            }
            Self::UnknownScript { similar: Some(other), .. } => {
                return Some(format!("did you mean {other:?}? `dx run` lists the scripts"));
            }
            Self::UnknownScript { .. } => "`dx run` lists the scripts",
            Self::NotDeduped => "run dx dedupe and commit the lockfile",
            Self::StoreDamaged => "dx store verify --fix repairs or removes them",
        };
        Some(hint.to_owned())
    }
}
