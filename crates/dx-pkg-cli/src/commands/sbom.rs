//! `dx sbom`: a bill of materials.

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use dx_pkg_acquire::clock::now_ms;
use dx_pkg_inspect::sbom::{SbomFormat, SbomOptions, sbom};
use dx_pkg_inspect::scope::{Scope, omitted};
use dx_pkg_inspect::{Source, View, text_setting};
use dx_pkg_install::{Environment, Session};

use super::list::MemberArguments;
use crate::error::CommandError;
use crate::flags::{ExportSettings, SettingFlags};
use crate::report::Report;

/// Print a bill of materials of what is installed.
#[derive(Args, Debug)]
pub struct SbomArguments {
    /// The form of the document.
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub sbom_format: Option<Format>,
    /// What the project is.
    #[arg(long, value_enum, value_name = "TYPE")]
    pub sbom_type: Option<Kind>,
    /// List what the lockfile has, without looking at node_modules.
    #[arg(long, alias = "lockfile-only")]
    pub package_lock_only: bool,
    #[command(flatten)]
    pub members: MemberArguments,
    #[command(flatten)]
    pub flags: SettingFlags<ExportSettings>,
}

/// The form of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    #[value(name = "cyclonedx")]
    CycloneDx,
    Spdx,
}

/// What the project is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    Library,
    Application,
    Framework,
}

impl SbomArguments {
    /// Prints the document.
    pub fn run(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        let source = if self.package_lock_only { Source::Locked } else { Source::Installed };
        let words = &self.members.workspace;
        let mut view = View::read_whole(&environment, source, words, false)?;
        self.members.select(&mut view)?;
        let session = Session::open(environment, &view.root, self.flags.session_options())?;
        let set = || Format::from_str(&text_setting(&session, "sbom-format")?, true).ok();
        let Some(format) = self.sbom_format.or_else(set) else {
            return Err(CommandError::NoSbomFormat);
        };
        let set = || Kind::from_str(&text_setting(&session, "sbom-type")?, true).ok();
        let kind = match self.sbom_type.or_else(set).unwrap_or(Kind::Library) {
            Kind::Library => "library",
            Kind::Application => "application",
            Kind::Framework => "framework",
        };
        let options = SbomOptions {
            format: match format {
                Format::CycloneDx => SbomFormat::CycloneDx,
                Format::Spdx => SbomFormat::Spdx,
            },
            kind: kind.to_owned(),
            scope: Scope {
                omitted: omitted(&session)?,
                with_root: self.members.include_workspace_root,
                without_workspaces: self.members.no_workspaces,
            },
            time: now_ms(),
        };
        report.pretty_text(sbom(&view, &session, &options)?);
        Ok(ExitCode::SUCCESS)
    }
}
