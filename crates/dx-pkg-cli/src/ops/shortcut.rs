//! The shortest way to a tree: an install that was worked out before, and a tree that is ready.

use dx_pkg_link::scripts::{ROOT_EVENTS_AFTER, ROOT_EVENTS_BEFORE, TREE_EVENTS};
use dx_pkg_link::{LinkOptions, LinkReport, place_prepared};
use dx_pkg_lock::LockPackage;
use dx_pkg_store::PreparedKey;

use crate::failure::Failure;
use crate::metadata::Basis;
use crate::ops::install::Work;
use crate::ops::installed::Said;
use crate::ops::{finish, installed, lifecycle, prepared};
use crate::plan::Plan;
use crate::project::Project;
use crate::remembered::{Inputs, Remembered};
use crate::report::Summary;
use crate::session::Session;
use crate::surroundings::Surroundings;

/// What [`take`] did.
pub struct Taken {
    /// What the user is told.
    pub summary: Summary,
    /// What is left to be removed.
    pub done: LinkReport,
}

/// Installs by renaming, where what is to be installed is known, a tree is ready and no `node_modules` is in the way.
/// With `frozen` only where the lockfile stays as it is. `settings` is the digest of settings for the state.
pub fn take(
    surroundings: &Surroundings,
    work: &mut Work,
    inputs: Inputs,
    frozen: bool,
    settings: [u8; 32],
) -> Result<Option<Taken>, Failure> {
    let Work { session, project, .. } = work;
    let Some(file) = session.store.resolution(inputs.key()) else { return Ok(None) };
    let Some(remembered) = Remembered::decode(&file) else { return Ok(None) };
    if frozen && remembered.lockfile.is_some()
        || !may_be_short(session, project)?
        || !is_empty(project)
    {
        return Ok(None);
    }
    if !remembered.holds(&session.store) {
        return Ok(None);
    }
    let Some(prepared) = session.store.take_prepared_tree(remembered.prepared) else {
        return Ok(None);
    };
    // Their contents came with the tree.
    let state = [installed::RECORD, installed::HIDDEN].map(|name| (name.to_owned(), Vec::new()));
    let options = LinkOptions {
        keep_foreign: true,
        links_outside: true,
        extra_files: &state,
        ..LinkOptions::default()
    };
    let importers: Vec<&str> = remembered.importers.iter().map(String::as_str).collect();
    let placed =
        place_prepared(&project.root, &session.store, prepared.path(), &importers, &options)?;
    drop(prepared);
    let Some(done) = placed else { return Ok(None) };
    if let Some(text) = remembered.lockfile {
        finish::write(project, project.lockfile, text, finish::durability(session, false))?;
    }
    let node = crate::ops::materials::node_version(surroundings, session)?;
    // What was told of conflicts is what the first install came upon; the next may tell it otherwise.
    let settled = remembered.settled && remembered.conflicts.is_empty();
    let said = Said { warnings: remembered.warnings.clone(), ..Said::default() };
    let settled =
        settled.then(|| installed::settled(&project.root, node.as_ref(), &said)).flatten();
    installed::note_state(session, project, std::iter::empty(), settings, settled)?;
    Ok(Some(Taken { summary: remembered.summary(), done }))
}

/// Whether the way round scripts, folders elsewhere and unusual settings is allowed at all.
pub fn may_be_short(session: &Session, project: &Project) -> Result<bool, Failure> {
    let config = &session.config;
    let mut events =
        ROOT_EVENTS_BEFORE.iter().chain(TREE_EVENTS.iter()).chain(ROOT_EVENTS_AFTER.iter());
    let has_scripts = events.any(|event| project.manifest.script(event).is_some())
        || project.root.join("binding.gyp").exists()
        || project.workspaces.iter().any(|(_, manifest)| lifecycle::runs_when_linked(manifest));
    Ok((config.ignore_scripts()? || !has_scripts)
        && config.package_lock()?
        && !config.package_lock_only()?
        && !config.prefer_online()?
        && finish::import_method(session)? == dx_pkg_link::ImportMethod::Auto)
}

/// Whether no `node_modules` is in the way.
fn is_empty(project: &Project) -> bool {
    let folders = project.workspaces.iter().map(|(folder, _)| folder.as_str()).chain([""]);
    folders
        .into_iter()
        .all(|folder| project.root.join(folder).join("node_modules").symlink_metadata().is_err())
}

/// What an install came to.
pub struct Installed<'i> {
    /// The prepared of its tree.
    pub prepared: PreparedKey,
    /// How many packages and links the tree has.
    pub placed: usize,
    /// What the user is told.
    pub summary: &'i Summary,
    /// Whether a change can be told from itself.
    pub settled: bool,
}

/// Keeps what this install came to for the next of the same kind: as one of the project as it is now, and, where
/// `asked` says what it was worked out from, as one of the project as it was.
pub fn remember(
    session: &Session,
    project: &Project,
    plan: &Plan,
    installed: &Installed<'_>,
    now: Inputs,
    asked: Option<(Inputs, Option<Basis>)>,
) -> Result<(), Failure> {
    if !may_be_short(session, project)? || plan.has_private() || !is_self_contained(project, plan) {
        return Ok(());
    }
    let mut importers: Vec<String> = plan
        .installed
        .packages
        .iter()
        .filter_map(|package| prepared::importer(&package.path))
        .map(str::to_owned)
        .collect();
    importers.sort_unstable();
    importers.dedup();
    importers.retain(|importer| !importer.is_empty());
    importers.push(String::new());
    keep(session, project, installed, importers, now, asked);
    Ok(())
}

/// The same for a tree that [`remember`] would not object to, of the `node_modules` of these folders.
pub fn keep(
    session: &Session,
    project: &Project,
    installed: &Installed<'_>,
    importers: Vec<String>,
    now: Inputs,
    asked: Option<(Inputs, Option<Basis>)>,
) {
    let Installed { prepared, placed, summary, settled } = *installed;
    let mut remembered = Remembered {
        prepared,
        fresh_until_ms: u64::MAX,
        packages: summary.packages as u64,
        placed: placed as u64,
        importers,
        scripts_skipped: summary.scripts_skipped.clone(),
        conflicts: summary.conflicts.clone(),
        warnings: summary.warnings.clone(),
        metadata: Vec::new(),
        settled,
        lockfile: None,
    };
    // What cannot be kept is worked out again.
    let _ = session.store.put_resolution(now.key(), &remembered.encode());
    if let Some((asked, Some(basis))) = asked.filter(|(asked, _)| *asked != now) {
        remembered.lockfile = project.lockfile_text();
        remembered.metadata = basis.files;
        remembered.fresh_until_ms = basis.fresh_until_ms;
        let _ = session.store.put_resolution(asked.key(), &remembered.encode());
    }
}

/// Whether the tree depends on nothing but what [`Inputs`] covers: its links lead to workspaces, and none of them has
/// commands, whose files the tree would have to look for.
fn is_self_contained(project: &Project, plan: &Plan) -> bool {
    let is_workspace =
        |folder: &str| project.workspaces.iter().any(|(workspace, _)| workspace == folder);
    let has_commands =
        |folder: &str| plan.installed.get(folder).is_some_and(|package| !package.bin.is_empty());
    plan.linked_folders().all(|folder| is_workspace(folder) && !has_commands(folder))
        && plan
            .installed
            .packages
            .iter()
            .all(|package: &LockPackage| package.link || !package.path.starts_with(".."))
}
