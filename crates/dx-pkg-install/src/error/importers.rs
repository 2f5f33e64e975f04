//! Importers that a command cannot be for.

use dx_pkg_core::Coded;

/// The settings name no importer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImporterError {
    /// No workspace has such a name or folder.
    #[error("no workspace is called or lies in {names}", names = .named.join(", "))]
    Unknown {
        /// The names and folders that were given.
        named: Vec<String>,
        /// The workspaces of the project.
        known: Vec<String>,
    },
    /// The project has no workspaces.
    #[error("this project has no workspaces")]
    None,
    /// Workspaces are named and turned off.
    #[error("--workspace={workspace} and --no-workspaces contradict each other")]
    TurnedOff {
        /// The workspace that is named.
        workspace: String,
    },
    /// Workspaces are named for globally installed packages.
    #[error("--global and workspaces do not go together")]
    Global,
    /// Global packages have no lockfile.
    #[error("there is no lockfile for globally installed packages")]
    GlobalLockfile,
}

impl Coded for ImporterError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown { .. } | Self::None => "DX_NO_WORKSPACE",
            Self::TurnedOff { .. } | Self::Global => "DX_WORKSPACE_CONFLICT",
            Self::GlobalLockfile => "DX_GLOBAL_LOCKFILE",
        }
    }

    fn hint(&self) -> Option<String> {
        /// The number of workspaces that are listed.
        const LISTED: usize = 12;
        Some(match self {
            Self::Unknown { known, .. } if known.is_empty() => {
                return Self::None.hint();
            }
            Self::Unknown { known, .. } => {
                let more = if known.len() > LISTED { ", …" } else { "" };
                let known = known.iter().take(LISTED).cloned().collect::<Vec<_>>();
                format!("the project's workspaces are {}{more}", known.join(", "))
            }
            Self::None => {
                "name their folders in \"workspaces\" of package.json, as in [\"packages/*\"]"
                    .to_owned()
            }
            Self::TurnedOff { .. } => "leave one of them out".to_owned(),
            Self::Global => {
                "leave one of them out; global packages belong to no project".to_owned()
            }
            Self::GlobalLockfile => {
                "leave --package-lock-only out, or run the command in a project".to_owned()
            }
        })
    }
}
