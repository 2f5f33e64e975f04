//! `dx pkg`: reading and changing members of package.json.

use std::process::ExitCode;

use clap::Args;
use dx_pkg_author::{AuthorError, PackageFile, pkg};
use dx_pkg_install::{Environment, Events};
use serde_json::{Map, Value};

use super::members::WorkspaceArguments;
use crate::error::CommandError;
use crate::report::Report;

/// Read and change members of package.json.
#[derive(Args, Debug)]
#[command(after_help = "\
A KEY is a path: scripts.test, contributors[0].name, exports[./x], keywords[] for a new item.
  dx pkg get [KEY...]          print members; all without a KEY
  dx pkg set KEY=VALUE...      set members; with --json, a VALUE is JSON
  dx pkg delete KEY...         remove members
  dx pkg fix                   correct what would be corrected when publishing")]
pub struct PkgArguments {
    /// get, set, delete or fix.
    #[arg(value_name = "ACTION")]
    pub action: Option<String>,
    /// The members, with values for set.
    #[arg(value_name = "KEY")]
    pub words: Vec<String>,
    /// Put a value also where it replaces one of another kind.
    #[arg(long, short)]
    pub force: bool,
    #[command(flatten)]
    pub members: WorkspaceArguments,
}

impl PkgArguments {
    /// Carries the action out, in each package that is meant.
    pub fn run(
        &self,
        environment: &Environment,
        report: &Report,
    ) -> Result<ExitCode, CommandError> {
        let members = self.members.find(environment)?;
        let mut all = Map::new();
        for (name, folder) in members.each() {
            let file = || PackageFile::to_change(folder);
            match self.action.as_deref() {
                Some("get") => {
                    let found = pkg::get(&PackageFile::read(folder)?, &self.words)?;
                    match (report.wants_json(), name) {
                        (true, None) => report.pretty(&found.json()),
                        (true, Some(name)) => {
                            all.insert(name.to_owned(), found.json());
                        }
                        (false, name) => report.text(&found.text(name)),
                    }
                }
                Some("set") => pkg::set(&file()?, &self.words, report.wants_json(), self.force)?,
                Some("delete") => pkg::delete(&file()?, &self.words)?,
                Some("fix") => {
                    pkg::fix(&file()?)?.iter().for_each(|change| report.note(change));
                }
                other => {
                    let message = match other {
                        Some(action) => format!("dx pkg has no action {action:?}"),
                        None => "dx pkg needs an action".to_owned(),
                    };
                    return Err(AuthorError::Usage { message, usage: pkg::USAGE }.into());
                }
            }
        }
        if !all.is_empty() {
            report.pretty(&Value::Object(all));
        }
        Ok(ExitCode::SUCCESS)
    }
}
