//! `-g`: adds, removes and updates globally installed packages.

use std::collections::BTreeMap;
use std::process::ExitCode;

use dx_pkg_install::additions::{Addition, SavePlace, edit_manifest};
use dx_pkg_install::importers::ImporterError;
use dx_pkg_install::project::nearest_manifest;
use dx_pkg_install::session::global::Global;
use dx_pkg_install::{Change, Environment, Events, InstallError, OpenProject, Options};
use dx_pkg_lock::Lock;

use super::carry::{carry_out, check_name, distinct};
use crate::error::CommandError;
use crate::options::TreeArguments;
use crate::report::Report;

/// Returns whether flags or variables ask for globally installed packages.
pub(super) fn is_asked(tree: &TreeArguments, environment: &Environment) -> bool {
    let flag = |key: &str| tree.flags.value(key);
    let variable = |name: &str| {
        let set =
            |(key, value): &&(String, String)| key.eq_ignore_ascii_case(name) && !value.is_empty();
        environment.variables.iter().find(set).map(|(_, value)| value.as_str())
    };
    match flag("global").or_else(|| variable("npm_config_global")) {
        Some(given) => given != "false",
        None => flag("location").or_else(|| variable("npm_config_location")) == Some("global"),
    }
}

/// Installs packages globally; without names the package in the current folder.
pub(super) fn add(
    tree: &TreeArguments,
    packages: &[String],
    environment: Environment,
    report: &Report,
) -> Result<ExitCode, CommandError> {
    let own = [".".to_owned()];
    let packages = if packages.is_empty() { own.as_slice() } else { packages };
    change(tree, packages, &[], environment, report)
}

/// Removes globally installed packages; without names that of the current folder.
pub(super) fn remove(
    tree: &TreeArguments,
    packages: &[String],
    environment: Environment,
    report: &Report,
) -> Result<ExitCode, CommandError> {
    packages.iter().try_for_each(|name| check_name("remove", name))?;
    if !packages.is_empty() {
        return change(tree, &[], packages, environment, report);
    }
    let manifest = nearest_manifest(&environment.folder);
    let Some(name) = manifest.and_then(|manifest| manifest.name) else {
        return Err(CommandError::NothingNamed { command: "remove --global" });
    };
    change(tree, &[], &[name], environment, report)
}

/// Updates globally installed packages to their latest versions.
pub(super) fn update(
    tree: &TreeArguments,
    names: &[String],
    environment: Environment,
    report: &Report,
) -> Result<ExitCode, CommandError> {
    let global = Global::find(&environment, tree.flags.settings())?;
    let installed = global.packages().into_iter().filter(|package| package.target.is_none());
    let is_meant = |name: &String| names.is_empty() || names.contains(name);
    let packages: Vec<String> = installed
        .filter(|package| is_meant(&package.name))
        .map(|package| format!("{}@*", package.name))
        .collect();
    if packages.is_empty() {
        report.line("Already up to date");
        return Ok(ExitCode::SUCCESS);
    }
    change(tree, &packages, &[], environment, report)
}

/// Adds and removes globally installed packages, with the links to their commands.
fn change(
    tree: &TreeArguments,
    packages: &[String],
    removed: &[String],
    environment: Environment,
    report: &Report,
) -> Result<ExitCode, CommandError> {
    refuse_contradictions(tree)?;
    let global = Global::find(&environment, tree.flags.settings())?;
    let mut open = OpenProject::open_global(environment, tree.session_options(), report)?;
    let texts = packages.iter().map(String::as_str);
    let additions = Addition::parse_all(texts, &open, "", SavePlace::default())?;
    let wanted = edit_manifest("{}\n", &additions, |addition| addition.raw.clone())?;
    open.project.set_manifest(&wanted)?;
    let added = distinct(additions.iter().map(|addition| addition.name.clone()));
    let before: Vec<(String, BTreeMap<String, String>)> =
        added.iter().chain(removed).map(|name| (name.clone(), global.commands(name))).collect();
    let known = global.packages();
    for name in removed.iter().filter(|name| known.iter().all(|one| one.name != **name)) {
        report.warning(&format!("{name} is not installed in {}", global.modules().display()));
    }
    let config = open.session.config();
    let (force, dry_run) = (config.force()?, config.dry_run()?);
    let makes_links = config.bin_links()?;
    let manifest = |_: &str, lock: &Lock| {
        if !force && makes_links {
            global.check_commands(lock, &added)?;
        }
        Ok(wanted.clone())
    };
    let change = Change {
        importers: vec![String::new()],
        explicit: added.clone(),
        removed: removed.to_vec(),
        manifest: &manifest,
        save: false,
    };
    let session = open.session.clone();
    let options = Options { change: Some(change), ..Options::default() };
    carry_out(tree, open, options, report)?;
    if dry_run {
        return Ok(ExitCode::SUCCESS);
    }
    global.remove_left(removed)?;
    if makes_links {
        global.link_commands(&before, &added, force)?;
        let has_commands = added.iter().any(|name| !global.commands(name).is_empty());
        if has_commands && !global.is_on_path(&session.environment) {
            report.note(&format!(
                "{} is not in PATH: add it there to run these commands by their names",
                global.bin().display()
            ));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Refuses flags that mean nothing for global packages and would be missed.
fn refuse_contradictions(tree: &TreeArguments) -> Result<(), CommandError> {
    let is_for_workspaces = tree.flags.value("workspace").is_some()
        || tree.flags.value("workspaces").is_some_and(|value| value == "true");
    if is_for_workspaces {
        return Err(InstallError::from(ImporterError::Global).into());
    }
    if tree.flags.sets("package-lock-only", "true") {
        return Err(InstallError::from(ImporterError::GlobalLockfile).into());
    }
    Ok(())
}
