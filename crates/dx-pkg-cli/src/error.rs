//! The errors of commands, and their exit codes.

mod settings;

use std::process::ExitCode;

use dx_pkg_acquire::AcquireError;
use dx_pkg_author::AuthorError;
use dx_pkg_author::questions::QuestionError;
use dx_pkg_compat::manifest::ManifestError;
use dx_pkg_compat::npmrc::ConfigError;
use dx_pkg_core::Coded;
use dx_pkg_inspect::InspectError;
use dx_pkg_install::InstallError;
use dx_pkg_install::scripts::ScriptError;
use dx_pkg_install::summary::count;
use dx_pkg_install::upkeep::verifying::Difference;
use dx_pkg_run::RunError;
use dx_pkg_store::StoreError;

pub use settings::SettingsError;

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
    /// A question to a registry cannot be answered.
    #[error(transparent)]
    Question(#[from] QuestionError),
    /// A setting cannot be shown or changed.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A package is not installed here.
    #[error("{package} is not installed here")]
    NotInstalled {
        /// The package.
        package: String,
    },
    /// Removing everything has to be asked for.
    #[error("dx cache clean removes everything that no project shares from the store")]
    NeedsForce,
    /// Nothing was installed under this key.
    #[error("dx exec and dx dlx have installed nothing under the key {key}")]
    NoSuchKey {
        /// The key.
        key: String,
    },
    /// Checks have failed.
    #[error("{failures} of the checks failed")]
    Unhealthy {
        /// Their number.
        failures: usize,
    },
    /// There is no error of this code.
    #[error("no error has the code {code}")]
    UnknownCode {
        /// The code.
        code: String,
    },
    /// Nothing in the help is what was looked for.
    #[error("nothing in the help matches {words}")]
    NothingInHelp {
        /// The words.
        words: String,
    },
    /// A program did not open an address.
    #[error("{program} did not open {address}")]
    NotOpened {
        /// The program.
        program: String,
        /// The address.
        address: String,
    },
    /// An authors' command failed.
    #[error(transparent)]
    Author(#[from] AuthorError),
    /// A script or command cannot be run.
    #[error(transparent)]
    Run(RunError),
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
    /// Nobody can choose the packages of `dx update --interactive`.
    #[error("cannot ask which packages to update: {reason}")]
    NotInteractive {
        /// The reason.
        reason: String,
    },
    /// The words of `dx patch` say nothing that it can do.
    #[error(
        "dx patch takes a package, or one of add, commit, update, ls and rm with what it is for"
    )]
    PatchUsage,
    /// `dx sbom` without a format.
    #[error("which form of a bill of materials?")]
    NoSbomFormat,
    /// A number that is to be above zero and is not.
    #[error("--which takes a number from 1 on")]
    NotANumber,
    /// `dx audit fix` without a lockfile.
    #[error("dx audit fix changes the lockfile, and package-lock is false")]
    NoLockToFix,
    /// `dx dedupe` would change the lockfile.
    #[error("the lockfile has packages that dx dedupe would change")]
    NotDeduped,
    /// The store holds damaged packages.
    #[error("the store holds damaged packages")]
    StoreDamaged,
    /// The store has other contents of packages than their tarballs.
    #[error(
        "the tarball of {} has the content root {}, but the store has {}{}",
        first.package,
        first.in_tarball,
        first.in_store,
        and_others(*others)
    )]
    ContentsDiffer {
        /// The first of them.
        first: Difference,
        /// How many others there are.
        others: usize,
    },
}

fn and_others(others: usize) -> String {
    match others {
        0 => String::new(),
        others => format!(", and {} differ too", count(others as u64, "other package")),
    }
}

impl CommandError {
    /// Returns the captured output of the script that failed, unless it is empty.
    pub fn script_output(&self) -> Option<&str> {
        let Self::Install(error) = self else { return None };
        let script = error.failed_script()?;
        Some(script.output.as_str()).filter(|output| !output.trim().is_empty())
    }

    /// Returns the exit code: 128 and the signal's number for a command that was interrupted, else
    /// 1. A wrong command line ends with 2.
    pub fn exit_code(&self) -> ExitCode {
        if matches!(self, Self::NothingNamed { .. }) {
            return ExitCode::from(2);
        }
        let error = match self {
            Self::Install(error) | Self::Author(AuthorError::Install(error)) => error,
            Self::Author(error) => return ExitCode::from(error.exit_code()),
            _ => return ExitCode::from(1),
        };
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

impl From<RunError> for CommandError {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Install(error) => Self::Install(error),
            other => Self::Run(other),
        }
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
            Self::Question(error) => error.code(),
            Self::Settings(error) => error.code(),
            Self::NotInstalled { .. } => "DX_NOT_INSTALLED",
            Self::NeedsForce => "DX_NEEDS_FORCE",
            Self::NoSuchKey { .. } => "DX_NO_SUCH_KEY",
            Self::Unhealthy { .. } => "DX_UNHEALTHY",
            Self::UnknownCode { .. } => "DX_UNKNOWN_CODE",
            Self::NothingInHelp { .. } => "DX_NOTHING_IN_HELP",
            Self::NotOpened { .. } => "DX_NOT_OPENED",
            Self::Author(error) => error.code(),
            Self::Run(error) => error.code(),
            Self::Problems { .. } => "DX_TREE_PROBLEMS",
            Self::NothingNamed { .. } => "DX_NOTHING_NAMED",
            Self::NotAName { .. } => "DX_NOT_A_NAME",
            Self::NotInteractive { .. } => "DX_NOT_INTERACTIVE",
            Self::PatchUsage => "DX_PATCH_USAGE",
            Self::NoLockToFix => "DX_NO_LOCKFILE",
            Self::NoSbomFormat => "DX_NO_SBOM_FORMAT",
            Self::NotANumber => "DX_NOT_A_NUMBER",
            Self::NotDeduped => "DX_NOT_DEDUPED",
            Self::StoreDamaged => "DX_STORE_DAMAGED",
            Self::ContentsDiffer { .. } => "DX_CONTENTS_DIFFER",
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Install(error) => return error.hint(),
            Self::Inspect(error) => return error.hint(),
            Self::Question(error) => return error.hint(),
            Self::Settings(error) => return error.hint(),
            Self::NotInstalled { .. } => "`dx ls --all` lists what is installed",
            Self::NeedsForce => {
                "write --force if you mean it; dx store prune removes what was not used for long"
            }
            Self::NoSuchKey { .. } => "`dx cache npx ls` lists the keys",
            Self::Unhealthy { .. } => "above, each says what to do",
            Self::UnknownCode { .. } => "the code stands in brackets behind the error's message",
            Self::NothingInHelp { .. } => "`dx --help` lists the commands",
            Self::NotOpened { .. } => "--no-browser prints the address",
            Self::Author(error) => return error.hint(),
            Self::Run(error) => return error.hint(),
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
            Self::NotInteractive { .. } => {
                "name the packages, as in `dx update NAME`; `dx outdated` lists what there is"
            }
            Self::PatchUsage => {
                "write dx patch <package>, then dx patch commit <folder>; or dx patch update \
                 <package>, dx patch ls, dx patch rm <package>"
            }
            Self::NoSbomFormat => "give --sbom-format=cyclonedx or --sbom-format=spdx",
            Self::NotANumber => "`dx fund PACKAGE` lists the pages with their numbers",
            Self::NoLockToFix => "set package-lock to true, or update packages by their names",
            Self::NotDeduped => "run dx dedupe and commit the lockfile",
            Self::StoreDamaged => "dx store verify --fix repairs or removes them",
            Self::ContentsDiffer { .. } => {
                "do not run what is installed; tell whoever runs the registry, and install with \
                 --dxrp=off into another store (DX_STORE)"
            }
        };
        Some(hint.to_owned())
    }
}
