//! The errors of running scripts and commands.

use dx_pkg_acquire::AcquireError;
use dx_pkg_compat::manifest::ManifestError;
use dx_pkg_compat::npmrc::ConfigError;
use dx_pkg_core::spec::SpecError;
use dx_pkg_core::{Coded, NameError};
use dx_pkg_install::InstallError;
use dx_pkg_install::scripts::ScriptError;

/// A script or command that cannot be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The project cannot be read, or a package not be installed.
    #[error(transparent)]
    Install(#[from] InstallError),
    /// There is no project to run a script of.
    #[error("there is no package.json in {folder} or above")]
    NoProject {
        /// The folder in which the command was started.
        folder: String,
    },
    /// The package has no script of this name.
    #[error("{package} has no script {script:?}")]
    UnknownScript {
        /// The package with its version.
        package: String,
        /// The name.
        script: String,
        /// A script with a similar name.
        similar: Option<String>,
        /// The workspace, if it was one of several packages.
        workspace: Option<String>,
    },
    /// A script of one of several packages failed.
    #[error("the script {script:?} of {package} in {folder} ended with {code}")]
    Failed {
        /// The package with its version.
        package: String,
        /// Its folder.
        folder: String,
        /// The script.
        script: String,
        /// Its exit code.
        code: i32,
    },
    /// A pattern for the names of scripts cannot be read.
    #[error("cannot read {pattern} as a pattern for scripts: {reason}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// The reason.
        reason: String,
    },
    /// Words name no workspace of the project.
    #[error("no workspaces found{}", named(words))]
    NoWorkspaces {
        /// The words, none where all were meant.
        words: Vec<String>,
    },
    /// Workspaces are both named and left out.
    #[error("--no-workspaces and --workspace contradict each other")]
    WorkspacesContradict,
    /// A command line is given both as a whole and in words.
    #[error("--call takes the whole command: {word:?} cannot be given beside it")]
    CallWithWords {
        /// The first word.
        word: String,
    },
    /// Nothing says which package to install.
    #[error("dx dlx needs a package: dx dlx PACKAGE [ARGUMENT]...")]
    NoCommand,
    /// It is not clear which command of a package is meant.
    #[error("could not determine which command of {package} to run: {}", in_words(commands))]
    NoCommandOf {
        /// The package.
        package: String,
        /// The names of its commands.
        commands: Vec<String>,
    },
    /// Packages are not installed, and must not be.
    #[error("canceled: {} not installed, and --no forbids to install it", are(packages))]
    Refused {
        /// The packages.
        packages: Vec<String>,
    },
    /// The user does not want packages to be installed.
    #[error("canceled: {} not installed", are(packages))]
    Declined {
        /// The packages.
        packages: Vec<String>,
    },
    /// The words name no initializer.
    #[error("{word:?} names no package that sets up a project")]
    UnknownInitializer {
        /// The word.
        word: String,
    },
    /// Something else has the name of a link.
    #[error("{path} is there already, and is no link to dx")]
    ShimOccupied {
        /// The file.
        path: String,
    },
    /// A store has an entry that is not dx's.
    #[error("{path} is not dx's, and lies in its store: nothing was removed")]
    NotOnlyDxs {
        /// The entry.
        path: String,
    },
    /// Nobody has agreed to remove what dx keeps.
    #[error("nothing was removed: nobody has agreed to it")]
    NotAgreed,
    /// A value for a new package.json is not valid.
    #[error("{key} cannot be {value:?}: {reason}")]
    Field {
        /// The field.
        key: &'static str,
        /// The value.
        value: String,
        /// The reason.
        reason: &'static str,
    },
}

/// Returns what is said of a package's commands.
fn in_words(commands: &[String]) -> String {
    match commands {
        [] => "it has none".to_owned(),
        _ => format!("it has {}", commands.join(", ")),
    }
}

fn named(words: &[String]) -> String {
    if words.is_empty() {
        String::new()
    } else {
        format!(": --workspace={}", words.join(" --workspace="))
    }
}

fn are(packages: &[String]) -> String {
    let verb = if packages.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", packages.join(", "))
}

macro_rules! through_install {
    ($($error:ty),*) => {$(
        impl From<$error> for RunError {
            fn from(error: $error) -> Self {
                Self::Install(error.into())
            }
        }
    )*};
}

through_install!(AcquireError, ConfigError, ManifestError, ScriptError, SpecError, NameError);

impl Coded for RunError {
    fn code(&self) -> &'static str {
        match self {
            Self::Install(error) => error.code(),
            Self::NoProject { .. } => "DX_NO_MANIFEST",
            Self::UnknownScript { .. } => "DX_SCRIPT_UNKNOWN",
            Self::Failed { .. } => "DX_SCRIPT_ENDED",
            Self::Pattern { .. } => "DX_SCRIPT_PATTERN",
            Self::NoWorkspaces { .. } => "DX_NO_WORKSPACE",
            Self::WorkspacesContradict => "DX_WORKSPACES_CONTRADICT",
            Self::CallWithWords { .. } => "DX_CALL_WITH_WORDS",
            Self::NoCommand => "DX_NO_COMMAND",
            Self::NoCommandOf { .. } => "DX_NO_COMMAND_OF",
            Self::Refused { .. } | Self::Declined { .. } => "DX_NOT_WANTED",
            Self::UnknownInitializer { .. } => "DX_INITIALIZER_UNKNOWN",
            Self::ShimOccupied { .. } => "DX_SHIM_OCCUPIED",
            Self::NotOnlyDxs { .. } => "DX_UNINSTALL_FOREIGN",
            Self::NotAgreed => "DX_UNINSTALL_NOT_AGREED",
            Self::Field { .. } => "DX_INIT_FIELD",
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Install(error) => return error.hint(),
            Self::NoProject { .. } => {
                "run dx in a project's folder, or `dx init` to set one up here"
            }
            Self::UnknownScript { similar, workspace, .. } => {
                let of = workspace.as_ref().map(|name| format!(" -w {name}")).unwrap_or_default();
                let similar = similar.as_ref().map(|other| format!("did you mean {other:?}? "));
                let similar = similar.unwrap_or_default();
                return Some(format!("{similar}`dx run{of}` lists the scripts"));
            }
            Self::Failed { .. } => return None,
            Self::Pattern { .. } => {
                "write build:* for names of two parts, build:** for any, or /expression/"
            }
            Self::NoWorkspaces { words } if words.is_empty() => {
                "list the folders of workspaces in package.json: \"workspaces\": [\"packages/*\"]"
            }
            Self::NoWorkspaces { .. } => {
                "give a workspace by its name, by its folder, or by the folder that it lies in"
            }
            Self::WorkspacesContradict => "leave one of them out",
            Self::CallWithWords { .. } => "put the words into the argument of --call, in quotes",
            Self::NoCommand => "`dx dlx --help` shows the forms",
            Self::NoCommandOf { package, commands } => {
                let command = commands.first()?;
                return Some(format!("name one: dx exec --package={package} -- {command}"));
            }
            Self::Refused { .. } => "leave --no out, or install the package with dx add",
            Self::Declined { .. } => "answer with y, or give --yes, to install and run it",
            Self::UnknownInitializer { .. } => {
                "give a name (`dx create vite`), a scope (`@scope`) or a repository \
                 (`user/repository`), or run any package with `dx dlx`"
            }
            Self::ShimOccupied { .. } => "name another folder: dx shims FOLDER",
            Self::NotOnlyDxs { .. } => "move it elsewhere, or remove the store by hand",
            Self::NotAgreed => "answer with y, or give --yes; --dry-run shows what would go",
            Self::Field { .. } => return None,
        };
        Some(hint.to_owned())
    }
}
