//! `dx root`, `dx prefix` and `dx bin`: where packages and commands are.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use dx_pkg_install::Environment;
use serde_json::json;

use super::config::{PlaceArguments, Settings};
use crate::error::CommandError;
use crate::report::Report;

/// A folder of a project, or of global packages.
#[derive(Args, Debug)]
pub struct FolderArguments {
    /// Print the folder of global packages.
    #[arg(long, short)]
    pub global: bool,
    #[command(flatten)]
    pub place: LocationArgument,
}

/// npm's other way to ask for global packages.
#[derive(Args, Debug)]
pub struct LocationArgument {
    /// With "global", the same as --global.
    #[arg(long, value_name = "PLACE", hide = true)]
    pub location: Option<String>,
}

/// Which folder is printed.
#[derive(Clone, Copy, Debug)]
pub enum Folder {
    /// That of the project, or the prefix of global packages.
    Prefix,
    /// That of packages.
    Root,
    /// That of commands.
    Bin,
}

impl FolderArguments {
    /// Prints a folder.
    pub fn run(
        &self,
        folder: Folder,
        environment: Environment,
        report: &Report,
    ) -> Result<ExitCode, CommandError> {
        let place = PlaceArguments::default();
        let settings = Settings::read(&environment, &place.given)?;
        let is_global = self.global || self.place.location.as_deref() == Some("global");
        let path: PathBuf = match (folder, is_global) {
            (Folder::Prefix, false) => settings.root.clone(),
            (Folder::Root, false) => settings.root.join("node_modules"),
            (Folder::Bin, false) => settings.root.join("node_modules/.bin"),
            (Folder::Prefix, true) => settings.prefix(),
            (Folder::Root, true) if cfg!(windows) => settings.prefix().join("node_modules"),
            (Folder::Root, true) => settings.prefix().join("lib/node_modules"),
            (Folder::Bin, true) if cfg!(windows) => settings.prefix(),
            (Folder::Bin, true) => settings.prefix().join("bin"),
        };
        let path = path.display().to_string();
        if report.wants_json() {
            report.result(&path, &json!({ "path": path }));
        } else {
            report.plain_result(&path);
        }
        Ok(ExitCode::SUCCESS)
    }
}
