//! The shortest way: the result of the install is cached, and its tree is prepared.

use std::path::Path;

use dx_pkg_acquire::metadata::MetadataBasis;
use dx_pkg_acquire::package::copied_folder;
use dx_pkg_link::ImportMethod;
use dx_pkg_lock::LockPackage;
use dx_pkg_store::preparation::PreparedKey;

use super::Run;
use super::outcome::{Outcome, Prepared, TreeChange};
use crate::cached_install::{CacheKey, CachedInstall};
use crate::installed::Diagnostics;
use crate::plan::Plan;
use crate::project::Project;
use crate::scripts::{ROOT_EVENTS_AFTER, ROOT_EVENTS_BEFORE, TREE_EVENTS, runs_when_linked};
use crate::summary::Lists;
use crate::visits::Visit;
use crate::{InstallError, Session, Summary, altered, tree_files};

/// Finds the cached result of the install and claims its prepared tree. `None` where either is
/// missing, a `node_modules` is in the way, or a frozen lockfile would change.
pub(super) fn work_out(
    run: &Run<'_>,
    project: &mut Project,
) -> Result<Option<Outcome>, InstallError> {
    // Nothing is cached in an empty store, and fetching must not wait for Node.js to tell its
    // version.
    if run.starts_from_nothing || has_modules(&project.root) {
        return Ok(None);
    }
    let (session, store) = (run.session, run.session.store());
    let Some(key) = run.cache_key(project) else { return Ok(None) };
    let Some(file) = key.looked_up().find_map(|key| store.resolution(key)) else {
        return Ok(None);
    };
    let Some(cached) = CachedInstall::decode(&file) else { return Ok(None) };
    if run.frozen && cached.lockfile.is_some()
        || !is_fast_path_eligible(session, project)?
        || !has_no_modules(project)
        || !cached.is_valid(store, session.config().credentials_digest())
    {
        return Ok(None);
    }
    if !altered::may_use_prepared(session, run.is_ci(), cached.prepared)? {
        return Ok(None);
    }
    let Some(tree) = store.take_prepared_tree(cached.prepared) else { return Ok(None) };
    let diagnostics = cached.is_baseline.then(|| Diagnostics {
        conflicts: cached.conflicts.clone(),
        disputed: Vec::new(),
        warnings: cached.warnings.clone(),
        // The names of the packages that conflicts concern are not cached.
        is_complete: cached.is_complete && cached.conflicts.is_empty(),
    });
    let mut cached = cached;
    let importers = std::mem::take(&mut cached.importers);
    let visits = std::mem::take(&mut cached.visits);
    let lockfile = cached.lockfile.map(str::to_owned);
    Ok(Some(Outcome {
        tree: TreeChange::Prepared(Prepared { tree, importers, visits }),
        lockfile,
        summary: cached.summary(),
        is_complete: true,
        node: session.node_version()?,
        diagnostics,
        ..Outcome::default()
    }))
}

/// Returns whether scripts, folders outside the project and unusual settings allow a prepared tree
/// at all.
pub(super) fn is_fast_path_eligible(
    session: &Session,
    project: &Project,
) -> Result<bool, InstallError> {
    let config = session.config();
    let mut events =
        ROOT_EVENTS_BEFORE.iter().chain(TREE_EVENTS.iter()).chain(ROOT_EVENTS_AFTER.iter());
    let has_scripts = events.any(|event| project.manifest.script(event).is_some())
        || project.root.join("binding.gyp").exists()
        || project.workspaces.iter().any(|(_, manifest)| runs_when_linked(manifest));
    Ok((config.ignore_scripts()? || !has_scripts)
        && config.package_lock()?
        && !config.package_lock_only()?
        && !config.prefer_online()?
        && session.import_method()? == ImportMethod::Auto)
}

/// Returns whether neither the project nor a workspace has a `node_modules`.
fn has_no_modules(project: &Project) -> bool {
    let folders = project.workspaces.iter().map(|(folder, _)| folder.as_str()).chain([""]);
    folders.into_iter().all(|folder| !has_modules(&project.root.join(folder)))
}

fn has_modules(folder: &Path) -> bool {
    folder.join("node_modules").symlink_metadata().is_ok()
}

/// Returns the folders whose `node_modules` the tree has, where its result may be cached.
pub(super) fn importers(
    session: &Session,
    project: &Project,
    tree: &TreeChange,
) -> Result<Option<Vec<String>>, InstallError> {
    match tree {
        TreeChange::LockfileOnly | TreeChange::Prepared(_) => Ok(None),
        TreeChange::Difference(difference) => {
            let may_cache =
                is_fast_path_eligible(session, project)? && difference.is_self_contained;
            Ok(may_cache.then(|| difference.importers.clone()))
        }
        TreeChange::Whole(whole) => {
            let plan = &whole.plan;
            if !is_fast_path_eligible(session, project)?
                || plan.has_private()
                || !is_self_contained(project, plan)
            {
                return Ok(None);
            }
            let paths = plan.installed.packages.iter().map(|package| package.path.as_str());
            Ok(Some(importers_of(paths)))
        }
    }
}

/// Returns the folders whose `node_modules` have the packages at `paths`, the project's own last.
pub(super) fn importers_of<'p>(paths: impl Iterator<Item = &'p str>) -> Vec<String> {
    let mut importers: Vec<&str> = paths.filter_map(tree_files::importer).collect();
    importers.sort_unstable();
    importers.dedup();
    importers.retain(|importer| !importer.is_empty());
    importers.push("");
    importers.into_iter().map(str::to_owned).collect()
}

/// Returns whether the tree depends on nothing but what [`CacheKey`] covers: its links lead to
/// workspaces, and none of these has commands, whose files the tree would have to look for.
fn is_self_contained(project: &Project, plan: &Plan) -> bool {
    let is_workspace =
        |folder: &str| project.workspaces.iter().any(|(workspace, _)| workspace == folder);
    let has_commands =
        |folder: &str| plan.installed.get(folder).is_some_and(|package| !package.bin.is_empty());
    let is_copied = |package: &LockPackage| copied_folder(package).is_some();
    plan.linked_folders().all(|folder| is_workspace(folder) && !has_commands(folder))
        && !plan.installed.packages.iter().any(is_copied)
        && plan
            .installed
            .packages
            .iter()
            .all(|package: &LockPackage| package.link || !package.path.starts_with(".."))
}

/// The result of an install, to be cached.
pub(super) struct CacheEntry<'r> {
    pub(super) key: PreparedKey,
    /// The number of packages and links in the tree.
    pub(super) placed: usize,
    pub(super) summary: &'r Summary,
    /// The direct dependencies and deprecated packages of the whole tree.
    pub(super) lists: Lists,
    /// Whether a later change of requirements can be installed incrementally.
    pub(super) is_baseline: bool,
    /// Whether another resolution would keep the lockfile.
    pub(super) is_complete: bool,
    /// The folders whose `node_modules` the tree has.
    pub(super) importers: Vec<String>,
    /// The paths that visit the tree's folders.
    pub(super) visits: Vec<Visit>,
}

/// Caches a result under the key `now` of the project as it is after the install, and, if it was
/// worked out from another one, under that too.
pub(super) fn store(
    session: &Session,
    project: &Project,
    entry: CacheEntry<'_>,
    now: CacheKey,
    worked_out_from: Option<(CacheKey, Option<MetadataBasis>)>,
) {
    let CacheEntry { key, placed, summary, lists, is_baseline, is_complete, importers, visits } =
        entry;
    let mut cached = CachedInstall {
        prepared: key,
        fresh_until_ms: u64::MAX,
        packages: summary.packages as u64,
        placed: placed as u64,
        credentials: session.config().credentials_digest(),
        importers,
        direct: lists.0,
        deprecated: lists.1,
        scripts_skipped: summary.scripts_skipped.clone(),
        conflicts: summary.conflicts.clone(),
        // The lockfile has it by now.
        solved: Vec::new(),
        warnings: summary.warnings.clone(),
        visits,
        metadata: Vec::new(),
        is_baseline,
        is_complete,
        lockfile: None,
    };
    let store = session.store();
    // A result that cannot be stored is worked out again.
    let _ = store.put_resolution(now.key(), &cached.encode());
    if let Some((before, Some(basis))) = worked_out_from.filter(|(before, _)| *before != now) {
        cached.solved = summary.solved.clone();
        cached.lockfile = project.lockfile_text();
        cached.metadata = basis.sources;
        cached.fresh_until_ms = basis.fresh_until_ms;
        let _ = store.put_resolution(before.key(), &cached.encode());
    }
}
