//! What the decisions about install scripts print: npm's text and JSON.

use std::process::ExitCode;

use dx_pkg_install::upkeep::decisions::{self, Decided, Decision, Pending, Subjects};
use dx_pkg_install::{Environment, Events as _, OpenProject, SessionOptions};
use serde_json::{Value, json};

use super::open;
use crate::error::CommandError;
use crate::report::Report;

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
        "Run `dx install-scripts approve <pkg>` to allow, or `dx install-scripts deny <pkg>` to \
         deny."
            .to_owned(),
    );
    report.line(&lines.join("\n"));
    Ok(ExitCode::SUCCESS)
}

/// Decides, and prints the entries that changed.
pub(super) fn decide(
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
pub(super) fn prune(
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

pub(super) fn question(one: &Pending) -> String {
    format!("Let {} run its install scripts ({})?", label(one), scripts(one))
}
