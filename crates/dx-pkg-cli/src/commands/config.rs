//! `dx config`, `dx get`, `dx set`: npm's settings and dx's own, and the files that hold them.

mod fix;
mod places;
mod show;
mod write;

use std::process::{Command, ExitCode};

use clap::{Args, Subcommand, ValueEnum};
use dx_pkg_acquire::AcquireError;
use dx_pkg_compat::npmrc::definitions::GivenWords;
use dx_pkg_install::Environment;

pub use places::Settings;

use crate::error::{CommandError, SettingsError};
use crate::report::Report;

/// Show and change settings.
#[derive(Args, Debug)]
#[command(arg_required_else_help = true)]
#[command(after_help = "\
Settings are npm's and dx's own; docs/settings.md lists them. Any setting may be given as a
flag: `dx config get tag --tag=next`.")]
pub struct ConfigArguments {
    #[command(subcommand)]
    pub action: ConfigAction,
    #[command(flatten)]
    pub place: PlaceArguments,
}

/// The file that is changed, and how much is shown.
#[derive(Args, Debug, Clone, Default)]
pub struct PlaceArguments {
    /// Change this file: yours, the project's or the machine's.
    #[arg(long, short = 'L', value_name = "PLACE", global = true, default_value = "user")]
    pub location: Location,
    /// The same as --location=global.
    #[arg(long, short, global = true)]
    pub global: bool,
    /// The settings that were given as flags.
    #[arg(skip)]
    pub given: GivenWords,
}

/// A file of settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Location {
    #[default]
    User,
    Project,
    Global,
}

#[derive(Subcommand, Debug)]
pub enum ConfigAction {
    /// Print the values of settings; all that are set without one.
    Get(GetArguments),
    /// Set settings: KEY=VALUE, or KEY VALUE.
    Set(SetArguments),
    /// Remove settings from the file.
    #[command(visible_aliases = ["rm", "del"])]
    Delete {
        /// Settings.
        #[arg(value_name = "KEY", required = true)]
        keys: Vec<String>,
    },
    /// List what is set, by the file that sets it.
    #[command(visible_alias = "ls")]
    List {
        /// List the defaults, too.
        #[arg(long, short)]
        long: bool,
        /// List each setting that dx uses with the place that its value comes from.
        #[arg(long)]
        sources: bool,
    },
    /// Open the file in an editor.
    Edit {
        /// Open it with this program.
        #[arg(long, value_name = "PROGRAM")]
        editor: Option<String>,
    },
    /// Mend credentials that belong to no registry.
    Fix,
    #[command(external_subcommand)]
    Other(Vec<String>),
}

/// The settings that are asked for.
#[derive(Args, Debug, Clone)]
pub struct GetArguments {
    /// Settings.
    #[arg(value_name = "KEY")]
    pub keys: Vec<String>,
}

/// The settings that are set.
#[derive(Args, Debug, Clone)]
pub struct SetArguments {
    /// Settings with their values; an empty value removes one.
    #[arg(value_name = "KEY=VALUE", required = true)]
    pub pairs: Vec<String>,
}

/// Print values of settings.
#[derive(Args, Debug)]
pub struct GetCommand {
    #[command(flatten)]
    pub get: GetArguments,
    #[command(flatten)]
    pub place: PlaceArguments,
}

/// Set settings.
#[derive(Args, Debug)]
pub struct SetCommand {
    #[command(flatten)]
    pub set: SetArguments,
    #[command(flatten)]
    pub place: PlaceArguments,
}

impl ConfigArguments {
    /// Shows or changes settings.
    pub fn run(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        let settings = Settings::read(&environment, &self.place.given)?;
        match &self.action {
            ConfigAction::Get(get) => show::get(&settings, &get.keys, report)?,
            ConfigAction::Set(set) => write::set(&settings, &set.pairs, report)?,
            ConfigAction::Delete { keys } => write::delete(&settings, keys)?,
            ConfigAction::List { sources: true, .. } => show::sources(&settings, report)?,
            ConfigAction::List { .. } => show::list(&settings, report),
            ConfigAction::Edit { .. } => edit(&settings)?,
            ConfigAction::Fix => fix::fix(&settings, report)?,
            ConfigAction::Other(words) => {
                let word = words.first().cloned().unwrap_or_default();
                return Err(SettingsError::Action { word }.into());
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl GetCommand {
    /// Shows settings.
    pub fn run(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        let settings = Settings::read(&environment, &self.place.given)?;
        show::get(&settings, &self.get.keys, report)?;
        Ok(ExitCode::SUCCESS)
    }
}

impl SetCommand {
    /// Changes settings.
    pub fn run(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        let settings = Settings::read(&environment, &self.place.given)?;
        write::set(&settings, &self.set.pairs, report)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Opens the file in the user's editor. A project's own file names none, as it would be run.
fn edit(settings: &Settings<'_>) -> Result<(), CommandError> {
    let path = settings.target()?;
    write::create(settings, &path)?;
    let places = settings.listing.layers.iter().rev().filter(|layer| layer.name != "project");
    let mut editors = places.flat_map(|layer| &layer.values).filter(|(key, _)| key == "editor");
    let editor = editors.find_map(|(_, value)| value.as_str()).unwrap_or("vi").to_owned();
    let mut words = editor.split_whitespace();
    let ended = Command::new(words.next().unwrap_or("vi")).args(words).arg(&path).status();
    match ended {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(SettingsError::Editor { editor, ended: status.to_string() }.into()),
        Err(error) => Err(AcquireError::io(format!("starting the editor {editor}"), error).into()),
    }
}
