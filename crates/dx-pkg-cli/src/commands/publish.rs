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
    pub fn run(&self, environment: &Environment, report: &Report) -> Result<ExitCode, CommandError> {
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
            is_staged: false,
        };
        let mut published: Vec<Published> = Vec::new();
        let is_meant = self.package.as_deref().is_none_or(|word| word == ".");
        match &members.chosen {
            Some(chosen) if is_meant => {
                for member in in_order(chosen) {
                    match publication.run(&member.folder.display().to_string(), true) {
                        Ok(one) => {
                            self.tell(&one, report);
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
                self.tell(&one, report);
                published.push(one);
            }
        }
        if report.wants_json() {
            let entry = |one: &Published| (one.tarball.name.clone(), one.tarball.json());
            let all: Map<String, Value> = published.iter().map(entry).collect();
            report.pretty(&all.into());
        }
        Ok(ExitCode::SUCCESS)
    }

    fn tell(&self, published: &Published, report: &Report) {
        if !report.wants_json() {
            let Tarball { name, version, .. } = &published.tarball;
            report.line(&format!("+ {name}@{version}"));
        }
    }
}
