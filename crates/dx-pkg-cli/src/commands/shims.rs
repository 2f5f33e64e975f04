//! `dx shims`: links by which dx is called as npm, npx, pnpm, pnpx and yarn.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use dx_pkg_compat::command_words::Face;
use dx_pkg_install::{Environment, InstallError};
use dx_pkg_run::shims;
use serde_json::json;

use crate::error::CommandError;
use crate::report::Report;

/// Let dx answer to npm, npx, pnpm, pnpx and yarn.
///
/// Makes links to dx with these names in a folder. Called by one of them, dx takes that tool's
/// commands and flags. The folder has to come first on the PATH; the output says how.
#[derive(Args, Debug)]
pub struct ShimsArguments {
    /// The folder, by default one of dx's own.
    #[arg(value_name = "FOLDER")]
    pub into: Option<PathBuf>,
    /// Only this tool: npm, npx, pnpm, pnpx or yarn; may be repeated.
    #[arg(long, value_name = "TOOL", value_delimiter = ',')]
    #[arg(value_parser = ["npm", "npx", "pnpm", "pnpx", "yarn"], hide_possible_values = true)]
    pub tool: Vec<String>,
    /// Remove the links.
    #[arg(long)]
    pub remove: bool,
}

impl ShimsArguments {
    /// Makes or removes the links.
    pub fn run(
        &self,
        environment: &Environment,
        report: &Report,
    ) -> Result<ExitCode, CommandError> {
        let folder = match &self.into {
            Some(folder) => environment.folder.join(folder),
            None => shims::default_folder(environment).ok_or(InstallError::NoHome)?,
        };
        let is_meant =
            |face: &Face| self.tool.is_empty() || self.tool.iter().any(|it| it == face.name());
        let tools: Vec<Face> = Face::ALL.into_iter().filter(is_meant).collect();
        let dx = &environment.executable;
        let changed = match self.remove {
            true => shims::remove(&folder, dx, &tools)?,
            false => shims::make(&folder, dx, &tools)?,
        };
        let names: Vec<String> = changed.iter().map(|path| name_of(path)).collect();
        let shown = folder.display();
        let is_first = first_on_path(environment, &folder);
        let what = match (self.remove, names.is_empty()) {
            (true, true) => format!("There are no links in {shown}."),
            (true, false) => format!("Removed {} from {shown}.", names.join(", ")),
            (false, true) => format!("All links are in {shown} already."),
            (false, false) => format!("Made {} in {shown}.", names.join(", ")),
        };
        let text =
            if self.remove || is_first { what } else { format!("{what}\n{}", advice(&folder)) };
        let fields = json!({
            "folder": folder,
            "made": if self.remove { vec![] } else { names.clone() },
            "removed": if self.remove { names } else { vec![] },
            "onPath": is_first,
        });
        report.result(&text, &fields);
        Ok(ExitCode::SUCCESS)
    }
}

fn name_of(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// Returns whether the `npm` that a shell finds is the one in a folder.
fn first_on_path(environment: &Environment, folder: &Path) -> bool {
    let path = environment.variable("PATH").unwrap_or_default();
    let has_one = |folder: &PathBuf| Face::ALL.iter().any(|face| folder.join(face.name()).exists());
    std::env::split_paths(path).find(has_one).is_some_and(|first| first == folder)
}

/// Returns the lines that put a folder first on the `PATH`.
fn advice(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "Put the folder first on the PATH:\n  \
           bash, zsh:   export PATH=\"{folder}:$PATH\"\n  \
           fish:        fish_add_path --prepend {folder}\n  \
           Dockerfile:  ENV PATH=\"{folder}:$PATH\"\n\
         `dx shims --remove` takes the links away again."
    )
}
