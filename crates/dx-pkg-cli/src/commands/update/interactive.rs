//! `dx update --interactive`: the updates that somebody chooses at a terminal.

use dx_pkg_inspect::outdated::{Newer, OutdatedOptions, outdated};
use dx_pkg_inspect::{Source, View};
use dx_pkg_install::upkeep::updates;
use dx_pkg_install::{Environment, Session};

use super::UpdateArguments;
use super::picker::{Picker, Row, Step, has_terminal, pick};
use crate::commands::list::{MemberArguments, draws_in_unicode};
use crate::error::CommandError;
use crate::report::Report;

/// What somebody chose.
pub(super) struct Chosen {
    /// The names of packages that are updated within the ranges.
    pub within: Vec<String>,
    /// The folders of importers, with the names that they get the latest version of.
    pub latest: Vec<(String, Vec<String>)>,
}

/// Asks which packages are updated. `None` if nothing is chosen, or nothing could be.
pub(super) fn choose(
    arguments: &UpdateArguments,
    environment: &Environment,
    report: &Report,
) -> Result<Option<Chosen>, CommandError> {
    let reason = match () {
        () if report.wants_json() => Some("--json is given"),
        () if !has_terminal() => Some("there is no terminal"),
        () => None,
    };
    if let Some(reason) = reason {
        return Err(CommandError::NotInteractive { reason: reason.to_owned() });
    }
    let found = candidates(arguments, environment)?;
    if found.is_empty() {
        report.line("No direct dependency has a newer version");
        return Ok(None);
    }
    let mut picker = picker(&found, arguments.latest);
    picker.is_unicode = draws_in_unicode(environment);
    let step = pick(&mut picker).map_err(|error| CommandError::NotInteractive {
        reason: format!("the terminal cannot be used: {error}"),
    })?;
    let rows = found.iter().zip(&picker.rows);
    let chosen: Vec<(&Newer, &Row)> = rows.filter(|(_, row)| row.is_chosen).collect();
    match step {
        Step::Interrupt => return Err(dx_pkg_acquire::AcquireError::Cancelled.into()),
        Step::Accept if !chosen.is_empty() => {}
        Step::Accept | Step::Leave | Step::Stay => {
            report.line("Nothing is chosen, nothing changed");
            return Ok(None);
        }
    }
    let mut all = Chosen { within: Vec::new(), latest: Vec::new() };
    for (newer, row) in chosen {
        if newer.wanted == row.choices[usize::from(row.is_second)] {
            all.within.push(newer.name.clone());
            continue;
        }
        match all.latest.iter_mut().find(|(importer, _)| *importer == newer.importer) {
            Some((_, names)) => names.push(newer.name.clone()),
            None => all.latest.push((newer.importer.clone(), vec![newer.name.clone()])),
        }
    }
    Ok(Some(all))
}

/// Returns the direct dependencies that have newer versions: those that are named, or all.
fn candidates(
    arguments: &UpdateArguments,
    environment: &Environment,
) -> Result<Vec<Newer>, CommandError> {
    let members = MemberArguments::given(&arguments.tree.flags);
    let view = View::read(environment, Source::Installed, &members.workspace, false)?;
    let options = OutdatedOptions {
        with_root: members.include_workspace_root,
        without_workspaces: members.no_workspaces,
        ..OutdatedOptions::default()
    };
    let session = arguments.tree.session_options();
    let session = Session::open(environment.clone(), &view.root, session)?;
    let mut found = outdated(&view, &session, &options)?.newer();
    let direct = found.iter().map(|newer| newer.name.as_str());
    let named = updates::matching(direct, &arguments.packages);
    found.retain(|newer| arguments.packages.is_empty() || named.contains(&newer.name));
    Ok(found)
}

/// Returns the list that is shown.
fn picker(found: &[Newer], is_latest: bool) -> Picker {
    let has_workspaces = found.iter().any(|newer| !newer.importer.is_empty());
    let mut heads = vec!["Package", "Current", "Update to", "Latest", "Kind"];
    if has_workspaces {
        heads.push("Workspace");
    }
    let row = |newer: &Newer| {
        let current = newer.current.clone().unwrap_or_else(|| "missing".to_owned());
        let kind = match newer.section {
            "devDependencies" => "dev",
            "optionalDependencies" => "optional",
            "peerDependencies" => "peer",
            _ => "",
        };
        let mut cells = vec![newer.name.clone(), current, newer.latest.clone(), kind.to_owned()];
        if has_workspaces {
            cells.push(newer.importer.clone());
        }
        // Where the requirement allows nothing newer, it can only be raised.
        let is_at_end = newer.current.as_ref() == Some(&newer.wanted);
        let choices = match (newer.can_raise, is_at_end) {
            (false, _) => [&newer.wanted, &newer.wanted],
            (true, true) => [&newer.latest, &newer.latest],
            (true, false) => [&newer.wanted, &newer.latest],
        };
        Row { cells, choices: choices.map(Clone::clone), is_second: is_latest, is_chosen: false }
    };
    let mut picker = Picker::new("Choose packages to update".to_owned(), heads, 2);
    picker.rows = found.iter().map(row).collect();
    picker
}
