//! `dx licenses`: the licences of what is installed.

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use dx_pkg_inspect::licenses::{LicenseOptions, licenses};
use dx_pkg_inspect::list::Omitted;
use dx_pkg_inspect::scope::Scope;
use dx_pkg_inspect::{Source, View};
use dx_pkg_install::Environment;

use super::list::{KindArguments, MemberArguments};
use crate::error::CommandError;
use crate::report::Report;

/// List the licences of installed packages.
#[derive(Args, Debug)]
pub struct LicensesArguments {
    /// For pnpm compatibility: the list is the only thing there is.
    #[arg(value_enum, value_name = "ls", hide_possible_values = true)]
    pub word: Option<Word>,
    /// Also print author, description and home page.
    #[arg(long, short)]
    pub long: bool,
    /// Leave out what only development needs.
    #[arg(long, short = 'P', alias = "production")]
    pub prod: bool,
    /// List only what only development needs.
    #[arg(long, short = 'D', conflicts_with = "prod")]
    pub dev: bool,
    /// Leave out what is optional.
    #[arg(long)]
    pub no_optional: bool,
    /// List only what is optional.
    #[arg(long, short = 'O', conflicts_with = "no_optional")]
    pub optional: bool,
    #[command(flatten)]
    pub kinds: KindArguments,
    #[command(flatten)]
    pub members: MemberArguments,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Word {
    #[value(alias = "list")]
    Ls,
}

impl LicensesArguments {
    /// Lists licences.
    pub fn run(
        &self,
        environment: &Environment,
        report: &Report,
    ) -> Result<ExitCode, CommandError> {
        let words = &self.members.workspace;
        let view = View::read(environment, Source::Installed, words, false)?;
        let mut omitted = self.kinds.omitted(environment, self.prod);
        omitted.extend(self.no_optional.then_some(Omitted::Optional));
        let options = LicenseOptions {
            scope: Scope {
                omitted,
                with_root: self.members.include_workspace_root,
                without_workspaces: self.members.no_workspaces,
            },
            only_dev: self.dev,
            only_optional: self.optional,
        };
        let found = licenses(&view, &options)?;
        if report.wants_json() {
            report.pretty(&found.json());
        } else {
            report.text(&found.table(self.long));
        }
        Ok(ExitCode::SUCCESS)
    }
}
