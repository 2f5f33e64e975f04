//! `dx install-scripts`, `dx approve-scripts` and `dx deny-scripts`: decisions about install
//! scripts; `dx approve-builds` and `dx ignored-builds`, as pnpm calls them.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use dx_pkg_install::decisions::{self, Decided, Decision, Pending, Subjects};
use dx_pkg_install::rebuild::{UpkeepError, rebuild};
use dx_pkg_install::{Environment, Events as _, InstallError, OpenProject, SessionOptions};
use serde_json::{Value, json};

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
        let is_given = (self.pin.no_allow_scripts_pin.then_some(false)).or(self.pin.allow_scripts_pin);
        let pinned = is_given.map_or_else(|| open.session.config().allow_scripts_pin(), Ok)?;
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

/// Lists the packages that wait for a decision.
pub fn list(environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
    let pending = decisions::pending(&open(environment, report)?)?;
    if report.wants_json() {
        report.pretty(&json!({ "allowScripts": pending_json(&pending) }));
        return Ok(ExitCode::SUCCESS);
    }
    if pending.is_empty() {
        report.line("No packages with unreviewed install scripts.");
        return Ok(ExitCode::SUCCESS);
    }
    let number = match pending.len() {
        1 => "1 package has".to_owned(),
        more => format!("{more} packages have"),
    };
    let mut lines = vec![format!(
        "{number} install scripts blocked because they are not covered by allowScripts:"
    )];
    lines.extend(pending.iter().map(|one| format!("  {} ({})", label(one), scripts(one))));
    lines.push(String::new());
    lines.push(
        "Run `dx install-scripts approve <pkg>` to allow, or `dx install-scripts deny <pkg>` to deny."
            .to_owned(),
    );
    report.line(&lines.join("\n"));
    Ok(ExitCode::SUCCESS)
}

/// Decides, and prints the entries that changed.
fn decide(
    open: OpenProject,
    decision: Decision,
    subjects: Subjects<'_>,
    report: &Report,
) -> Result<ExitCode, CommandError> {
    let Decided { packages, warnings } = decisions::decide(open, decision, subjects)?;
    warnings.iter().for_each(|warning| report.warning(warning));
    if report.wants_json() {
        let groups = packages.iter().map(|(name, changes)| {
            let changes = changes.iter();
            let changes = changes.map(|one| json!({ "key": one.key, "change": one.change }));
            json!({ "name": name, "changes": changes.collect::<Vec<_>>() })
        });
        report.pretty(&json!({ "allowScripts": groups.collect::<Vec<_>>() }));
        return Ok(ExitCode::SUCCESS);
    }
    let (done, verb) = match decision {
        Decision::Approve { .. } => ("Approved", "approve"),
        Decision::Deny => ("Denied", "deny"),
    };
    let mut lines = Vec::new();
    for (name, changes) in packages.iter().filter(|(_, changes)| !changes.is_empty()) {
        lines.push(format!("{done} {name}:"));
        lines.extend(changes.iter().map(|one| format!("  {} {}", one.change, one.key)));
    }
    if lines.is_empty() {
        lines.push(match subjects {
            Subjects::Pending if packages.is_empty() => {
                "No packages with unreviewed install scripts.".to_owned()
            }
            _ => format!("Nothing to {verb}; allowScripts unchanged."),
        });
    }
    report.line(&lines.join("\n"));
    Ok(ExitCode::SUCCESS)
}

/// Removes entries that are for nothing, and prints them.
fn prune(
    environment: Environment,
    dry_run: bool,
    report: &Report,
) -> Result<ExitCode, CommandError> {
    let open = OpenProject::open(environment, SessionOptions::default(), report)?;
    let removed = decisions::prune(open, dry_run)?;
    let reason = |is_installed: bool| if is_installed { "no-scripts" } else { "not-installed" };
    if report.wants_json() {
        let removed = removed.iter().map(|entry| {
            json!({ "key": entry.key, "value": entry.value, "reason": reason(entry.is_installed) })
        });
        let removed: Vec<Value> = removed.collect();
        report.pretty(&json!({ "allowScripts": { "removed": removed, "dryRun": dry_run } }));
        return Ok(ExitCode::SUCCESS);
    }
    if removed.is_empty() {
        report.line("No unused allowScripts entries.");
        return Ok(ExitCode::SUCCESS);
    }
    let entries = if removed.len() == 1 { "entry" } else { "entries" };
    let done = if dry_run { "Would remove" } else { "Removed" };
    let mut lines = vec![format!("{done} {} unused allowScripts {entries}:", removed.len())];
    lines.extend(removed.iter().map(|entry| {
        let reason =
            if entry.is_installed { "no install scripts" } else { "package not installed" };
        format!("  {} ({reason})", entry.key)
    }));
    report.line(&lines.join("\n"));
    Ok(ExitCode::SUCCESS)
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

/// Returns npm's form of the packages that wait, those of one name together.
fn pending_json(pending: &[Pending]) -> Vec<Value> {
    let mut names: Vec<&str> = Vec::new();
    for one in pending {
        if !names.contains(&one.name.as_str()) {
            names.push(&one.name);
        }
    }
    let group = |name: &str| {
        let own = pending.iter().filter(|one| one.name == name);
        let changes = own.map(|one| json!({ "key": label(one), "change": "pending" }));
        json!({ "name": name, "changes": changes.collect::<Vec<_>>() })
    };
    names.into_iter().map(group).collect()
}

fn label(one: &Pending) -> String {
    match &one.version {
        Some(version) => format!("{}@{version}", one.name),
        None => one.name.clone(),
    }
}

fn scripts(one: &Pending) -> String {
    let scripts = one.scripts.iter().map(|(event, script)| format!("{event}: {script}"));
    scripts.collect::<Vec<_>>().join("; ")
}

fn question(one: &Pending) -> String {
    format!("Let {} run its install scripts ({})?", label(one), scripts(one))
}
