//! `dx version`: the next version of a package.

use std::process::ExitCode;

use clap::Args;
use dx_pkg_author::members::Members;
use dx_pkg_author::node_text;
use dx_pkg_author::script::Scripts;
use dx_pkg_author::version::{self, versions};
use dx_pkg_install::session::configuration;
use dx_pkg_install::{Environment, OpenProject, Options, SessionOptions, install};
use serde_json::json;

use super::members::WorkspaceArguments;
use crate::error::CommandError;
use crate::flags::{SettingFlags, VersionSettings};
use crate::report::Report;

/// Give the package a new version, with a commit and a tag in git.
#[derive(Args, Debug)]
#[command(after_help = "Without a version, prints the versions of package, dx and Node.js.")]
pub struct VersionArguments {
    /// A version, or major, minor, patch, premajor, preminor, prepatch, prerelease, from-git.
    #[arg(value_name = "VERSION")]
    pub version: Option<String>,
    #[command(flatten)]
    pub members: WorkspaceArguments,
    #[command(flatten)]
    pub flags: SettingFlags<VersionSettings>,
}

impl VersionArguments {
    /// Sets the version, or prints versions.
    pub fn run(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        let members = self.members.find(&environment)?;
        let Some(requested) = &self.version else {
            let found = versions(&environment, &members);
            if report.wants_json() {
                report.pretty(&found);
            } else {
                report.text(&node_text::printed(&found));
            }
            return Ok(ExitCode::SUCCESS);
        };
        let flags = self.flags.settings();
        let (config, _) = configuration(&environment, &members.root, flags)?;
        let scripts = Scripts::new(&environment, &members.root, "version", &config, report)?;
        let mut changed = Vec::new();
        for (name, folder) in members.each() {
            if let Some(name) = name.filter(|_| !report.wants_json()) {
                report.text(name);
            }
            let done = version::set(folder, requested, &config, &scripts, report)?;
            if !report.wants_json() {
                report.text(&done.tag);
            }
            let tag = done.is_tagged.then_some(done.tag);
            changed.push(json!({ "name": done.name, "version": done.version, "tag": tag }));
        }
        if report.wants_json() {
            match (&members.chosen, changed.first()) {
                (None, Some(only)) => report.pretty(only),
                _ => report.pretty(&changed.into()),
            }
        }
        if members.chosen.is_some() && config.workspaces_update()? {
            self.update(environment, &members, report)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Brings `node_modules` up to date with workspaces that have other versions. The lockfile
    /// stays as it is unless `save` is given, so that several releases do not change it at once.
    fn update(
        &self,
        environment: Environment,
        members: &Members,
        report: &Report,
    ) -> Result<(), CommandError> {
        let mut flags = self.flags.settings().to_vec();
        if self.flags.value("save").is_none() {
            flags.push(("save".to_owned(), "false".to_owned()));
        }
        let environment = Environment { folder: members.root.clone(), ..environment };
        let options = SessionOptions { flags, ..SessionOptions::default() };
        let open = OpenProject::open(environment, options, report)?;
        let summary = install(open, &Options::default(), report)?;
        if !report.wants_json() {
            report.summary(&summary);
        }
        Ok(())
    }
}
