//! `dx pack`: the tarball of a package.

use std::process::ExitCode;

use clap::Args;
use dx_pkg_author::members::Members;
use dx_pkg_author::script::Scripts;
use dx_pkg_author::source::{self, Source};
use dx_pkg_author::{AuthorError, Tarball, pack};
use dx_pkg_install::session::configuration;
use dx_pkg_install::{Environment, Events, Session, SessionOptions};
use serde_json::{Map, Value};

use super::members::WorkspaceArguments;
use crate::error::CommandError;
use crate::flags::{PackSettings, SettingFlags};
use crate::report::Report;

/// Make the tarball that would be published.
#[derive(Args, Debug)]
pub struct PackArguments {
    /// Folders, tarballs, or packages of a registry; by default the project.
    #[arg(value_name = "PACKAGE")]
    pub packages: Vec<String>,
    #[command(flatten)]
    pub members: WorkspaceArguments,
    #[command(flatten)]
    pub flags: SettingFlags<PackSettings>,
}

impl PackArguments {
    /// Packs, writes the tarballs, and prints what is in them.
    pub fn run(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        let members = self.members.find(&environment)?;
        let flags = self.flags.settings();
        let (config, _) = configuration(&environment, &members.root, flags)?;
        let scripts = Scripts::new(&environment, &members.root, "pack", &config, report)?;
        let sources = self.sources(&environment, &members, report)?;
        for source in &sources {
            if let Source::Folder(folder) = source {
                pack::identity(folder)?;
            }
        }
        let destination = environment.folder.join(config.pack_destination()?);
        let is_dry = config.dry_run()?;
        let mut packed: Vec<Tarball> = Vec::new();
        for source in sources {
            let (tarball, folder) = match source {
                Source::Folder(folder) => {
                    (pack::folder(&folder, &members, &scripts, report)?, Some(folder))
                }
                Source::Tarball(tarball) => (*tarball, None),
            };
            if !is_dry {
                pack::write(&tarball, &destination)?;
            }
            if let Some(folder) = folder {
                scripts.run(&folder, "postpack", &[])?;
            }
            packed.push(tarball);
        }
        if report.wants_json() {
            let all: Map<String, Value> =
                packed.iter().map(|tarball| (tarball.name.clone(), tarball.json())).collect();
            report.pretty(&all.into());
            return Ok(ExitCode::SUCCESS);
        }
        for tarball in &packed {
            report.detail(&tarball.text());
            report.text(&tarball.file_name());
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Finds what is to be packed.
    fn sources(
        &self,
        environment: &Environment,
        members: &Members,
        report: &Report,
    ) -> Result<Vec<Source>, CommandError> {
        let open = || session(environment, members, self.flags.settings());
        let find = |word: &String| source::find(word, &environment.folder, &open, report);
        let Some(chosen) = &members.chosen else {
            if self.packages.is_empty() {
                return Ok(vec![Source::Folder(members.root.clone())]);
            }
            return Ok(self.packages.iter().map(find).collect::<Result<_, _>>()?);
        };
        let is_meant = self.packages.is_empty() || self.packages.iter().any(|word| word == ".");
        if !is_meant {
            report.warning("workspaces are passed over, as packages are named");
            return Ok(self.packages.iter().map(find).collect::<Result<_, _>>()?);
        }
        let mut found: Vec<Source> =
            chosen.iter().map(|member| Source::Folder(member.folder.clone())).collect();
        for word in self.packages.iter().filter(|word| *word != ".") {
            found.push(find(word)?);
        }
        Ok(found)
    }
}

/// Opens a session for packages of a registry.
pub(super) fn session(
    environment: &Environment,
    members: &Members,
    flags: &[(String, String)],
) -> Result<Session, AuthorError> {
    let options = SessionOptions { flags: flags.to_vec(), ..SessionOptions::default() };
    Ok(Session::open(environment.clone(), &members.root, options)?)
}
