//! `dx view`: what a registry knows of a package.

mod colours;

use std::process::ExitCode;

use clap::Args;
use dx_pkg_author::questions::QuestionError;
use dx_pkg_author::questions::view::{Viewed, name_of_project, view};
use dx_pkg_core::coded::{Coded, hint_of, message_with_causes};
use dx_pkg_install::project::find_root;
use dx_pkg_install::{Environment, Events, Session};
use serde_json::{Map, Value, json};

use super::list::draws_in_unicode;
use super::members::WorkspaceArguments;
use crate::error::CommandError;
use crate::flags::{QuestionSettings, SettingFlags};
use crate::report::Report;

/// What npm ends with where a file is missing.
const NO_FILE: u8 = 254;

/// Show what the registry knows of a package.
#[derive(Args, Debug)]
#[command(after_help = "\
Fields are members of the packument or of the version: version, dist-tags, time[1.0.0],
maintainers[0].name, dependencies. Without a field, an overview is printed.")]
pub struct ViewArguments {
    /// The package, with a version, range or tag behind @; the project's own without one.
    #[arg(value_name = "PACKAGE")]
    pub package: Option<String>,
    /// Print only these fields.
    #[arg(value_name = "FIELD")]
    pub fields: Vec<String>,
    #[command(flatten)]
    pub members: WorkspaceArguments,
    #[command(flatten)]
    pub flags: SettingFlags<QuestionSettings>,
}

impl ViewArguments {
    /// Asks the registry and prints the answer.
    pub fn run(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        match self.view(environment, report) {
            Err(CommandError::Question(error)) if report.wants_json() => {
                report.pretty(&json!({ "error": npm_error(&error) }));
                let is_file = error.npm_code() == "ENOENT";
                Ok(ExitCode::from(if is_file { NO_FILE } else { 1 }))
            }
            outcome => outcome,
        }
    }

    fn view(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        let package = self.package.as_deref().unwrap_or(".");
        let is_local = package == "." || package.starts_with(".@");
        let unicode = draws_in_unicode(&environment);
        let root = find_root(&environment.folder).folder;
        let members = if is_local { self.members.find(&environment)?.chosen } else { None };
        if !is_local && (!self.members.workspace.is_empty() || self.members.workspaces) {
            report.warning("workspaces have no effect where a package is named");
        }
        let session = Session::open(environment, &root, self.flags.session_options())?;
        let Some(members) = members else {
            let spec = match is_local {
                true => name_of_project(&root)? + &package[1..],
                false => package.to_owned(),
            };
            let viewed = view(&session, &spec, &self.fields)?;
            print(&viewed, unicode, report)?;
            return Ok(ExitCode::SUCCESS);
        };
        let (mut all, mut failed) = (Map::new(), Map::new());
        for member in members {
            if !self.fields.is_empty() && !report.wants_json() {
                report.text(&format!("{}:", member.name));
            }
            let spec = format!("{}{}", member.name, &package[1..]);
            match view(&session, &spec, &self.fields) {
                Ok(viewed) if report.wants_json() => {
                    all.extend(viewed.json()?.map(|json| (member.name, json)));
                }
                Ok(viewed) => print(&viewed, unicode, report)?,
                Err(error) if error.is_missing() => {
                    if !report.wants_json() {
                        report.error(&CommandError::Question(error));
                        failed.insert(member.name, Value::Null);
                        continue;
                    }
                    failed.insert(member.name, npm_error(&error));
                }
                Err(error) => return Err(error.into()),
            }
        }
        let has_failed = !failed.is_empty();
        if report.wants_json() {
            all.extend(has_failed.then(|| ("error".to_owned(), failed.into())));
            report.pretty(&all.into());
        }
        Ok(ExitCode::from(u8::from(has_failed)))
    }
}

fn print(viewed: &Viewed, unicode: bool, report: &Report) -> Result<(), QuestionError> {
    if report.wants_json() {
        if let Some(json) = viewed.json()? {
            report.pretty(&json);
        }
    } else {
        let text = viewed.text(unicode)?;
        match viewed.is_overview() {
            true => report.coloured(&text, colours::coloured),
            false => report.text(&text),
        }
    }
    Ok(())
}

/// Returns an error in the form that npm's JSON has, by npm's code.
fn npm_error(error: &QuestionError) -> Value {
    json!({
        "code": error.npm_code(),
        "summary": message_with_causes(error),
        "detail": hint_of(error).unwrap_or_default(),
        "dxCode": error.code(),
    })
}
