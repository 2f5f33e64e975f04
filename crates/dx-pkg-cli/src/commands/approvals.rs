//! `dx install-scripts`, `dx approve-scripts` and `dx deny-scripts`: decisions about install
//! scripts; `dx approve-builds` and `dx ignored-builds`, as pnpm calls them.

mod printed;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use dx_pkg_install::upkeep::decisions::{self, Decision, Pending, Subjects};
use dx_pkg_install::upkeep::{UpkeepError, rebuild::rebuild};
use dx_pkg_install::{Environment, InstallError, OpenProject, SessionOptions};

pub use self::printed::list;

use self::printed::{decide, prune, question};
use crate::error::CommandError;
use crate::report::Report;

/// Approve install scripts of packages, in allowScripts of package.json.
#[derive(Args, Debug)]
pub struct ApproveArguments {
    /// Names of installed packages, or names with a version or range.
    #[arg(value_name = "PACKAGE", required_unless_present_any = ["all", "allow_scripts_pending"])]
    pub packages: Vec<String>,
    /// Approve all packages that wait for a decision.
    #[arg(long, short, conflicts_with = "packages")]
    pub all: bool,
    /// List the packages that wait for a decision.
    #[arg(long, conflicts_with_all = ["packages", "all"])]
    pub allow_scripts_pending: bool,
    /// Known to npm, which refuses it too.
    #[arg(long, short, hide = true)]
    pub global: bool,
    #[command(flatten)]
    pub pin: PinArguments,
}

/// Whether versions are approved, or whole packages.
#[derive(Args, Debug, Default)]
pub struct PinArguments {
    /// Approve the installed versions only (the default).
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(value_name = "true|false", overrides_with = "no_allow_scripts_pin")]
    pub allow_scripts_pin: Option<bool>,
    /// Approve the packages in all versions.
    #[arg(long, overrides_with = "allow_scripts_pin")]
    pub no_allow_scripts_pin: bool,
}

/// Deny install scripts of packages, in allowScripts of package.json.
#[derive(Args, Debug)]
pub struct DenyArguments {
    /// Names of installed packages, or names with a version or range.
    #[arg(value_name = "PACKAGE", required_unless_present = "all")]
    pub packages: Vec<String>,
    /// Deny all packages that wait for a decision.
    #[arg(long, short, conflicts_with = "packages")]
    pub all: bool,
    /// Known to npm, which refuses it too.
    #[arg(long, short, hide = true)]
    pub global: bool,
}

/// Manage decisions about install scripts.
#[derive(Args, Debug)]
pub struct InstallScriptsArguments {
    #[command(subcommand)]
    pub command: InstallScriptsCommand,
}

#[derive(Subcommand, Debug)]
pub enum InstallScriptsCommand {
    /// Approve the scripts of packages.
    Approve(ApproveArguments),
    /// Deny the scripts of packages.
    Deny(DenyArguments),
    /// List the packages whose scripts wait for a decision.
    #[command(visible_alias = "list")]
    Ls,
    /// Remove the entries of allowScripts that no installed package with scripts needs.
    Prune {
        /// Print what would be removed, and change nothing.
        #[arg(long)]
        dry_run: bool,
    },
}

/// Approve install scripts one by one, and run those that were approved.
#[derive(Args, Debug)]
pub struct ApproveBuildsArguments {
    /// Names of packages to approve, with ! in front to deny them; without, each is asked about.
    #[arg(value_name = "PACKAGE")]
    pub packages: Vec<String>,
    /// Approve all packages that wait for a decision.
    #[arg(long, short, conflicts_with = "packages")]
    pub all: bool,
}

impl ApproveArguments {
    /// Approves scripts, or lists what can be approved.
    pub fn run(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        refuse_global(self.global, "dx approve-scripts")?;
        if self.allow_scripts_pending {
            return list(environment, report);
        }
        let open = open(environment, report)?;
        let PinArguments { allow_scripts_pin, no_allow_scripts_pin } = self.pin;
        let given = if no_allow_scripts_pin { Some(false) } else { allow_scripts_pin };
        let pinned = given.map_or_else(|| open.session.config().allow_scripts_pin(), Ok)?;
        decide(open, Decision::Approve { pinned }, subjects(self.all, &self.packages), report)
    }
}

impl DenyArguments {
    /// Denies scripts.
    pub fn run(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        refuse_global(self.global, "dx deny-scripts")?;
        let open = open(environment, report)?;
        decide(open, Decision::Deny, subjects(self.all, &self.packages), report)
    }
}

impl InstallScriptsArguments {
    /// Decides about scripts, or shows the decisions.
    pub fn run(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        match &self.command {
            InstallScriptsCommand::Approve(arguments) => arguments.run(environment, report),
            InstallScriptsCommand::Deny(arguments) => arguments.run(environment, report),
            InstallScriptsCommand::Ls => list(environment, report),
            InstallScriptsCommand::Prune { dry_run } => prune(environment, *dry_run, report),
        }
    }
}

impl ApproveBuildsArguments {
    /// Approves and denies scripts, and runs those that were approved.
    pub fn run(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        let denied = self.packages.iter().filter_map(|name| name.strip_prefix('!'));
        let denied: Vec<String> = denied.map(str::to_owned).collect();
        let approved = self.packages.iter().filter(|name| !name.starts_with('!'));
        let mut approved: Vec<String> = approved.cloned().collect();
        if self.packages.is_empty() {
            let pending = decisions::pending(&open(environment.clone(), report)?)?;
            if pending.is_empty() {
                return list(environment, report);
            }
            let yes = |one: &&Pending| self.all || report.asks(&question(one));
            approved = pending.iter().filter(yes).map(|one| one.name.clone()).collect();
            if approved.is_empty() {
                return list(environment, report);
            }
        }
        if !denied.is_empty() {
            let open = open(environment.clone(), report)?;
            decide(open, Decision::Deny, Subjects::Named(&denied), report)?;
        }
        if !approved.is_empty() {
            let open = open(environment.clone(), report)?;
            let decision = Decision::Approve { pinned: open.session.config().allow_scripts_pin()? };
            decide(open, decision, Subjects::Named(&approved), report)?;
            rebuild(self::open(environment, report)?, &approved, report)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn open(environment: Environment, report: &Report) -> Result<OpenProject, CommandError> {
    Ok(OpenProject::open_or_new(environment, SessionOptions::default(), report)?)
}

fn refuse_global(global: bool, command: &'static str) -> Result<(), CommandError> {
    match global {
        true => Err(InstallError::from(UpkeepError::NotGlobal { command }).into()),
        false => Ok(()),
    }
}

fn subjects(all: bool, packages: &[String]) -> Subjects<'_> {
    if all { Subjects::Pending } else { Subjects::Named(packages) }
}
