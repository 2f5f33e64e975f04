//! `dx outdated`: which requirements have newer versions.

use std::process::ExitCode;

use clap::Args;
use dx_pkg_acquire::Cancel;
use dx_pkg_inspect::outdated::{OutdatedOptions, outdated};
use dx_pkg_inspect::{Source, View};
use dx_pkg_install::{Environment, Session, SessionOptions};

use super::list::{KindArguments, MemberArguments};
use crate::error::CommandError;
use crate::flags::{PeerSettings, SettingFlags};
use crate::report::Report;

/// List packages with newer versions.
#[derive(Args, Debug)]
#[command(after_help = "Ends with 1 if there is a newer version.")]
pub struct OutdatedArguments {
    /// Names of packages, whoever requires them.
    #[arg(value_name = "PACKAGE")]
    pub packages: Vec<String>,
    /// Look at the requirements of all packages, not only the project's own.
    #[arg(long, short)]
    pub all: bool,
    /// Also print the section, the home page and the dependent's folder.
    #[arg(long, short)]
    pub long: bool,
    /// Print a line with : between its parts.
    #[arg(long, short)]
    pub parseable: bool,
    /// Look at globally installed packages.
    #[arg(long, short)]
    pub global: bool,
    /// Only list what package.json allows an update to.
    #[arg(long)]
    pub compatible: bool,
    /// List what dependencies need, without devDependencies.
    #[arg(long, alias = "production")]
    pub prod: bool,
    #[command(flatten)]
    pub kinds: KindArguments,
    #[command(flatten)]
    pub members: MemberArguments,
    #[command(flatten)]
    pub flags: SettingFlags<PeerSettings>,
}

impl OutdatedArguments {
    /// Asks registries for newer versions.
    pub fn run(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        dx_pkg_os::process::install_signal_handlers();
        let words = &self.members.workspace;
        let view = match self.global {
            true => View::read_global(&environment, self.flags.settings())?,
            false => View::read(&environment, Source::Installed, words, false)?,
        };
        let mut view = view.kept();
        self.members.select(&mut view)?;
        let options = OutdatedOptions {
            names: self.packages.clone(),
            all: self.all,
            omitted: self.kinds.omitted(&environment, self.prod),
            with_root: self.members.include_workspace_root,
            without_workspaces: self.members.no_workspaces,
            long: self.long,
            compatible: self.compatible,
        };
        let session = SessionOptions {
            flags: self.flags.settings().to_vec(),
            cancel: Cancel::from_flag(dx_pkg_os::process::cancellation_flag()),
            ..SessionOptions::default()
        };
        let session = Session::open(environment, &view.root, session)?;
        let found = outdated(&view, &session, &options)?;
        if report.wants_json() {
            report.pretty(&found.json());
        } else if self.parseable {
            report.text(&found.parseable());
        } else if !found.is_empty() {
            report.text(&found.table());
        }
        Ok(ExitCode::from(u8::from(!found.is_empty())))
    }
}
