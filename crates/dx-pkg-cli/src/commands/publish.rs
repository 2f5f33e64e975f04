//! `dx publish`: a package sent to a registry.

use std::process::ExitCode;

use clap::Args;
use dx_pkg_author::publish::{Publication, PublishError, Published, in_order};
use dx_pkg_author::{AuthorError, Tarball};
use dx_pkg_install::{Environment, Events};
use serde_json::{Map, Value};

use super::members::WorkspaceArguments;
use crate::error::CommandError;
use crate::flags::{PublishSettings, SettingFlags};
use crate::report::Report;

/// Publish a package to a registry.
#[derive(Args, Debug)]
pub struct PublishArguments {
    /// A folder, a tarball, or a package of a registry; by default the project.
    #[arg(value_name = "PACKAGE")]
    pub package: Option<String>,
    #[command(flatten)]
    pub members: WorkspaceArguments,
    #[command(flatten)]
    pub flags: SettingFlags<PublishSettings>,
}

impl PublishArguments {
    /// Publishes the package, or every workspace that is meant.
    pub fn run(
        &self,
        environment: &Environment,
        report: &Report,
    ) -> Result<ExitCode, CommandError> {
        self.send(environment, report, false)
    }

    /// Stages the package, or every workspace that is meant.
    pub fn stage(
        &self,
        environment: &Environment,
        report: &Report,
    ) -> Result<ExitCode, CommandError> {
        self.send(environment, report, true)
    }

    fn send(
        &self,
        environment: &Environment,
        report: &Report,
        is_staged: bool,
    ) -> Result<ExitCode, CommandError> {
        let members = self.members.find(environment)?;
        let flags = self.flags.settings().to_vec();
        let shows = |tarball: &Tarball| {
            if !report.wants_json() {
                report.detail(&tarball.text());
            }
        };
        let publication = Publication {
            environment,
            members: &members,
            flags: &flags,
            told: report,
            shows: &shows,
            is_staged,
        };
        let mut published: Vec<Published> = Vec::new();
        let is_meant = self.package.as_deref().is_none_or(|word| word == ".");
        match &members.chosen {
            Some(chosen) if is_meant => {
                for member in in_order(chosen) {
                    match publication.run(&member.folder.display().to_string(), true) {
                        Ok(one) => {
                            tell(&one, report, is_staged);
                            published.push(one);
                        }
                        Err(AuthorError::Publish(PublishError::Private { name })) => {
                            report.warning(&format!("{name} is private, and is not published"));
                        }
                        Err(error) => return Err(error.into()),
                    }
                }
            }
            chosen => {
                if chosen.is_some() {
                    report.warning("workspaces are passed over, as a package is named");
                }
                let root = members.root.display().to_string();
                let word = self.package.as_deref().filter(|word| *word != ".").unwrap_or(&root);
                let one = publication.run(word, false)?;
                tell(&one, report, is_staged);
                published.push(one);
            }
        }
        if report.wants_json() {
            let entry = |one: &Published| {
                let mut json = one.tarball.json();
                if let Some(stage) = &one.stage {
                    json["stageId"] = stage.as_str().into();
                }
                (one.tarball.name.clone(), json)
            };
            let all: Map<String, Value> = published.iter().map(entry).collect();
            report.pretty(&all.into());
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn tell(published: &Published, report: &Report, is_staged: bool) {
    if !report.wants_json() {
        report.line(&line(&published.tarball, published.stage.as_deref(), is_staged));
    }
}

/// Returns the line about a publication.
fn line(tarball: &Tarball, stage: Option<&str>, is_staged: bool) -> String {
    let label = format!("+ {}@{}", tarball.name, tarball.version);
    match (is_staged, stage) {
        (false, _) => label,
        (true, Some(id)) => format!("{label} (staged with id {id})"),
        (true, None) => format!("{label} (staged)"),
    }
}
