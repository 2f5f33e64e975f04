//! The arguments that name workspaces.

use clap::Args;
use dx_pkg_author::members::{Members, Selection};
use dx_pkg_install::Environment;

use crate::error::CommandError;

/// The workspaces that a command is about.
#[derive(Args, Debug, Clone, Default)]
pub struct WorkspaceArguments {
    /// Do it for this workspace, given by name or folder; may be repeated.
    #[arg(long, short, value_name = "WORKSPACE")]
    pub workspace: Vec<String>,
    /// Do it for every workspace.
    #[arg(long, alias = "ws", overrides_with = "no_workspaces")]
    pub workspaces: bool,
    /// Do it for the project itself, also in the folder of a workspace.
    #[arg(long)]
    pub no_workspaces: bool,
    /// Do it for the project itself, too.
    #[arg(long, alias = "iwr")]
    pub include_workspace_root: bool,
}

impl WorkspaceArguments {
    /// Finds the packages that are meant.
    pub fn find(&self, environment: &Environment) -> Result<Members, CommandError> {
        let selection = Selection {
            names: self.workspace.clone(),
            all: self.workspaces,
            none: self.no_workspaces,
            with_root: self.include_workspace_root,
        };
        Ok(Members::find(environment, &selection)?)
    }
}
