//! Errors of the commands that look after what is installed.

use dx_pkg_core::Coded;

/// A command that cannot be carried out on what is installed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpkeepError {
    /// An argument of `dx rebuild` is of another kind.
    #[error("{argument:?} names no installed packages")]
    RebuildArgument {
        /// The argument as written.
        argument: String,
    },
    /// Arguments name packages that are not installed.
    #[error("no installed packages match: {}", unknown.join(", "))]
    NotInstalled {
        /// The arguments as written.
        unknown: Vec<String>,
    },
}

impl Coded for UpkeepError {
    fn code(&self) -> &'static str {
        match self {
            Self::RebuildArgument { .. } => "DX_REBUILD_ARGUMENT",
            Self::NotInstalled { .. } => "DX_NOT_INSTALLED",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::RebuildArgument { .. } => {
                "give a name, a name with a version or range, or a package's folder".into()
            }
            Self::NotInstalled { .. } => {
                "`dx ls --all` lists what is installed, `dx install-scripts ls` what waits for a \
                 decision"
                    .into()
            }
        })
    }
}
