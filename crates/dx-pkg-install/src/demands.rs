//! What a project demands of dx and of this machine, and what it sets for other package managers:
//! checked before anything else is done, and never passed over in silence.

mod engines;
mod foreign;

use std::path::Path;

use dx_pkg_acquire::files::{parse_manifest, read_text};
use dx_pkg_compat::manifest::{AllowScripts, Manifest};
use dx_pkg_compat::npmrc::Config;
use dx_pkg_core::Coded;

use crate::node::Node;
use crate::project::{Project, see};
use crate::session::configuration;
use crate::{Environment, Events, InstallError, Session, approvals, state};

pub(crate) use foreign::check_jsr;

/// Checks a project that was opened. Warnings go to the listener.
///
/// # Errors
/// A demand that is not met, or pins of versions that dx does not read.
pub(crate) fn check(
    session: &Session,
    project: &mut Project,
    events: &dyn Events,
) -> Result<(), InstallError> {
    project.manifest.override_rules()?;
    foreign::check(session, project, events)?;
    report_script_rules(session, project, events)?;
    if let Some(malformed) = project.manifest.malformed_package_manager() {
        events.warning(&malformed);
    }
    let dev_engines = project.manifest.dev_engines.as_ref();
    let asks_for_node = dev_engines.is_some_and(|engines| engines.get("runtime").is_some());
    if asks_for_node {
        watch_node(session, project);
    }
    let node = if asks_for_node { session.node() } else { None };
    engines::check_dev_engines(&project.manifest, node, session.config().force()?, events)?;
    if session.config().force()? {
        return Ok(());
    }
    engines::check_platform(project)?;
    if session.config().engine_strict()? && engines::are_named(project) {
        watch_node(session, project);
        engines::refuse(session, project)?;
    }
    Ok(())
}

/// Adds the warnings about the `engines` of the project and its workspaces.
pub(crate) fn add_engine_warnings(
    session: &Session,
    project: &Project,
    warnings: &mut Vec<String>,
) -> Result<(), InstallError> {
    if session.config().force()? || !engines::are_named(project) {
        return Ok(());
    }
    for unmet in engines::unmet(session, project)? {
        let warning = unmet.to_string();
        // A cached result may have it already.
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }
    Ok(())
}

/// Reads the settings and finds Node.js for a command that runs the scripts of a package, once
/// `devEngines` of the project in `root` has been checked; `manifest` is that of the package in
/// `folder`.
///
/// # Errors
/// A setting that cannot be used, or a demand that is not met, unless `force` makes it a warning.
pub fn prepare(
    environment: &Environment,
    root: &Path,
    (folder, manifest): (&Path, &Manifest),
    flags: &[(String, String)],
    events: &dyn Events,
) -> Result<(Config, Option<Node>), InstallError> {
    let (config, _) = configuration(environment, root, flags)?;
    for warning in config.script_warnings() {
        let hint = warning.hint().map(|hint| format!(": {hint}")).unwrap_or_default();
        events.warning(&format!("{warning}{hint}"));
    }
    let (node, force) = (Node::find(environment), config.force()?);
    let path = root.join("package.json");
    if folder == root {
        engines::check_dev_engines(manifest, node.as_ref(), force, events)?;
    } else if let Some(text) = read_text(&path)? {
        let project = parse_manifest(&path, &text)?;
        engines::check_dev_engines(&project, node.as_ref(), force, events)?;
    }
    Ok((config, node))
}

/// Makes the program that was asked for its version part of the project's state: with another one
/// the demand has to be checked again.
fn watch_node(session: &Session, project: &mut Project) {
    if let Some(node) = session.node() {
        project.seen.push(see(&node.path));
    }
}

/// Reports which package manager dx takes the place of, once for a project: where nothing tells
/// that dx or npm has installed it before, on this machine or another.
pub(crate) fn report_manager(project: &Project, events: &dyn Events) {
    if let Some(manager) = project.manifest.other_manager()
        && project.lockfile_text().is_none()
        && !project.root.join(state::PATH).exists()
    {
        events.note(&format!("package.json asks for {manager}; dx takes its place"));
    }
}

/// Reports rules about scripts that count for nothing.
fn report_script_rules(
    session: &Session,
    project: &mut Project,
    events: &dyn Events,
) -> Result<(), InstallError> {
    let mut configured = AllowScripts::default();
    session.config().allow_scripts()?.iter().for_each(|key| configured.add(key, true));
    for (place, ignored) in [
        ("allowScripts in package.json", &project.manifest.allow_scripts_ignored),
        ("the setting allow-scripts", &configured.ignored),
    ] {
        for reason in ignored {
            events.warning(&format!("{place} is not used: {reason}"));
        }
    }
    let read = approvals::approvals(project)?;
    approvals::watch(project, &read);
    for reason in &read.ignored {
        events.warning(&format!("an approval of scripts is not used: {reason}"));
    }
    for contradiction in read.contradictions(&project.manifest) {
        events.warning(&contradiction);
    }
    Ok(())
}
