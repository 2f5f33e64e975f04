//! Commits an outcome: links the tree, saves the project's files, runs scripts, records the state,
//! caches the result.

use std::collections::{HashMap, HashSet};

use dx_pkg_core::coded::message_with_causes;
use dx_pkg_lock::Lock;
use dx_pkg_lock::dxl::DxlView;
use dx_pkg_os::files::Identity;
use dx_pkg_store::preparation::TreeOrigin;

use super::leftovers::remove_folders;
use super::link::{self, Linked};
use super::outcome::{Outcome, TreeChange, Whole};
use super::part::Part;
use super::rollback::{Saved, roll_back};
use super::{Run, cached, statistics};
use crate::cached_install::CacheKey;
use crate::installed::{RECORD, baseline, complete_record, identity_of};
use crate::project::{Project, manifest_of};
use crate::scripts::{ROOT_EVENTS_AFTER, TREE_EVENTS};
use crate::seal::Seal;
use crate::snapshot::{Facts, record_state};
use crate::summary::{Changes, Direct, Lists, Named, Scope, of_record};
use crate::{InstallError, Summary, altered, beside, in_place, restore, visits};

/// A committed install.
pub(super) struct Committed {
    /// The result to be shown.
    pub(super) summary: Summary,
    /// How the tree came about; `None` where there is none.
    pub(super) tree: Option<TreeOrigin>,
}

/// Commits an outcome; `None` where its change of the tree cannot be made, and nothing was written.
pub(super) fn commit(
    run: &Run<'_>,
    project: &mut Project,
    mut outcome: Outcome,
) -> Result<Option<Committed>, InstallError> {
    check_files(run, project, &outcome)?;
    let Some((mut linked, text)) = link::apply(run, project, &mut outcome)? else {
        return Ok(None);
    };
    run.session.context.mark("linked");
    if let TreeChange::Whole(whole) = &outcome.tree
        && run.is_ci()
        && run.part.is_some()
    {
        Part::remove_others(project, &whole.plan.installed)?;
    }
    run.events.work_ended();
    let direct = direct(run, project, &outcome);
    match (&linked, &outcome.lock) {
        (Some(linked), _) => count(run, project, &mut outcome, linked, &direct)?,
        (None, Some(after)) => {
            let empty = Lock::default();
            let locked = project.locked.as_ref().map_or(&empty, |(_, lock)| lock);
            let versions = locked.packages.iter();
            let versions = versions.map(|entry| (entry.path.clone(), entry.version.clone()));
            let (before, scope) = (versions.collect(), run.scope());
            Changes { after, before: &before, direct: &direct, scope }
                .record_lockfile(locked, &mut outcome.summary);
        }
        (None, None) => {}
    }
    if let Some((digest, bytes)) = &outcome.compiled {
        // A lock that cannot be stored is compiled again.
        let _ = run.session.store().put_compiled_lock(*digest, bytes);
    }
    // The tree is not what an old lockfile says; the next install has to look at it again.
    let is_recorded = run.records() && (run.writes() || run.frozen || text.is_none());
    let can_undo = linked.as_ref().is_some_and(|linked| linked.undo.is_some());
    let mut saved = Saved::default();
    if run.writes() {
        if can_undo {
            saved = Saved::of(project, &outcome.manifests, text.is_some());
        }
        project.save(text, &outcome.manifests, run.durability())?;
        saved.written(project);
    }
    if let Some(linked) = &mut linked {
        if let TreeChange::Whole(whole) = &mut outcome.tree {
            run.cancel().check()?;
            let built = build(run, project, whole, outcome.lock.as_ref(), linked);
            let undo = linked.undo.take();
            let built = match built {
                Ok(built) => built,
                Err(error) => {
                    // What a script wrote before it failed must not stay in other projects' files.
                    if let Err(error) = separate_written(run, project, whole, false) {
                        run.events.warning(&message_with_causes(&error));
                    }
                    let tree = (&whole.plan, whole.inserted.as_slice());
                    roll_back(run, project, (saved, undo), tree);
                    return Err(error);
                }
            };
            outcome.summary.warnings.extend(undo.into_iter().flat_map(|undo| undo.forget(run)));
            let after = run_own(run, project, whole, linked, built);
            if !matches!(after, Ok(After::Replaced)) {
                separate_written(run, project, whole, after.is_ok())?;
            }
            let after = after?;
            if after == After::Reduced {
                outcome.summary.leave_out(&whole.plan.installed, &linked.report);
            }
            outcome.is_complete &= after == After::Complete;
        }
        // The next install looks again at what is missing or in no manifest; with `force`, at all.
        let config = run.session.config();
        let is_final = outcome.is_complete
            && !config.force()?
            && (!config.always_run_scripts()? || config.ignore_scripts()?);
        if is_final && is_recorded {
            record(run, project, &mut outcome, linked, &direct)?;
        }
    }
    outcome.summary.lockfile_only = run.lockfile_only;
    let Outcome { tree, lock, summary, .. } = outcome;
    let origin = linked.map(|linked| match (&tree, &linked.report) {
        (TreeChange::Prepared(_), _) => TreeOrigin::Prepared,
        (_, report) if report.was_prepared => TreeOrigin::Prepared,
        (_, report) if report.fresh => TreeOrigin::Built,
        _ => TreeOrigin::Changed,
    });
    // The process ends soon: freeing thousands of pieces would take a tenth of the whole time.
    std::mem::forget((tree_to_forget(tree), lock));
    Ok(Some(Committed { summary, tree: origin }))
}

/// Checks that manifest and lockfile can be written if they change, before the tree changes.
fn check_files(run: &Run<'_>, project: &Project, outcome: &Outcome) -> Result<(), InstallError> {
    if !run.writes() {
        return Ok(());
    }
    for (importer, _) in project.changed_manifests(&outcome.manifests) {
        project.check(&manifest_of(importer))?;
    }
    if !run.session.config().package_lock()? {
        return Ok(());
    }
    project.check(project.lockfile).or_else(|error| {
        // One that does not change need not be writable.
        let changes = match &outcome.lock {
            Some(lock) => link::render(run, project, Some(lock))?.is_some(),
            None => outcome.lockfile.is_some(),
        };
        if changes { Err(error) } else { Ok(()) }
    })
}

/// Returns the parts of a whole tree; a prepared tree gives back its folder when it is dropped.
fn tree_to_forget(tree: TreeChange) -> Option<Box<Whole>> {
    if let TreeChange::Whole(whole) = tree { Some(whole) } else { None }
}

/// Completes the summary, and removes replaced trees that the store could not take.
fn count(
    run: &Run<'_>,
    project: &Project,
    outcome: &mut Outcome,
    linked: &Linked,
    direct: &Direct,
) -> Result<(), InstallError> {
    let (report, summary) = (&linked.report, &mut outcome.summary);
    let scope = run.scope();
    match &outcome.tree {
        // The counts and lists of a cached install are those of building its tree; only direct
        // dependencies were remembered.
        TreeChange::Prepared(_) => {
            if scope == Scope::All
                && let Some(after) = in_place::recorded(run.session.store(), &project.root)
            {
                summary.changes.clear();
                summary.deprecated.clear();
                let before = HashMap::new();
                Changes { after: &after, before: &before, direct, scope }.record_all(summary);
            }
        }
        tree => {
            (summary.added, summary.changed, summary.removed) =
                (report.added, report.replaced, report.removed);
            summary.statistics = statistics::of(run.session, &run.counters, report);
            let (after, before) = match tree {
                TreeChange::Difference(difference) => (&difference.entries, &difference.versions),
                TreeChange::Whole(whole) => (&whole.plan.installed, &linked.before),
                _ => return Ok(()),
            };
            Changes { after, before, direct, scope }.record(report, summary);
            if let Some(change) = &run.options.change {
                let named = Named::of(project, &change.explicit);
                summary.unchanged = match tree {
                    TreeChange::Difference(difference) => {
                        let record = DxlView::reopen(&difference.files[0].1)?;
                        named.unchanged(report, |path| {
                            record.get(path).map(|entry| entry.version().map(str::to_owned))
                        })
                    }
                    _ => named.unchanged(report, |path| {
                        after.get(path).map(|entry| entry.version.clone())
                    }),
                };
            }
        }
    }
    summary.warnings.extend(remove_folders(&report.leftovers));
    Ok(())
}

/// Returns the direct dependencies before and after the install.
pub(super) fn direct(run: &Run<'_>, project: &Project, outcome: &Outcome) -> Direct {
    let own = match &outcome.tree {
        TreeChange::Difference(difference) => difference.own.as_ref(),
        _ => project.locked.as_ref().and_then(|(_, lock)| lock.root()),
    };
    let is_changed = run.options.change.is_some();
    match &outcome.tree {
        TreeChange::Whole(whole) if !project.workspaces.is_empty() => {
            let entries = whole.plan.installed.packages.iter();
            let paths: HashSet<&str> = entries.map(|entry| entry.path.as_str()).collect();
            Direct::of(project, is_changed, own, |path| paths.contains(path))
        }
        TreeChange::Difference(difference) => {
            let record = DxlView::reopen(&difference.files[0].1).ok();
            let has = |path: &str| record.is_some_and(|record| record.position(path).is_some());
            Direct::of(project, is_changed, own, has)
        }
        _ => Direct::of(project, is_changed, own, |_| false),
    }
}

/// The tree after its scripts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    /// As it was planned.
    Complete,
    /// Without optional packages that failed.
    Reduced,
    /// The tree of another install, which a script has started and which has recorded it.
    Replaced,
}

/// A tree whose packages are built.
struct BuiltTree {
    after: After,
    /// The record of it.
    record: Option<Identity>,
}

/// Runs the scripts of packages and linked folders that are due once a whole tree is linked.
fn build(
    run: &Run<'_>,
    project: &Project,
    whole: &mut Whole,
    lock: Option<&Lock>,
    linked: &mut Linked,
) -> Result<BuiltTree, InstallError> {
    let Whole { plan, lifecycle, .. } = whole;
    let place = run.place(project);
    let seal = Seal::of_store(run.session.store());
    let record = || identity_of(&project.root, RECORD);
    let before = record();
    plan.forget_built(&linked.new);
    let failed = lifecycle.run(place, plan, &linked.new)?;
    // Only a script starts another install.
    if lifecycle.has_run() && record() != before {
        return Ok(BuiltTree { after: After::Replaced, record: record() });
    }
    complete_record(project, plan, seal)?;
    if let Some(lock) = lock.filter(|_| !failed.is_empty()) {
        plan.leave_out(lock, &failed);
        link::relink(run, project, plan)?;
        complete_record(project, plan, seal)?;
    }
    let before = record();
    if let Some(undo) = &mut linked.undo {
        undo.record = before;
    }
    lifecycle.run_linked(place, plan)?;
    let after = if failed.is_empty() { After::Complete } else { After::Reduced };
    Ok(BuiltTree { after, record: before })
}

/// Runs the project's own scripts once its packages are built.
fn run_own(
    run: &Run<'_>,
    project: &Project,
    whole: &Whole,
    linked: &Linked,
    BuiltTree { after, record }: BuiltTree,
) -> Result<After, InstallError> {
    if after == After::Replaced {
        return Ok(after);
    }
    let (place, lifecycle) = (run.place(project), &whole.lifecycle);
    let report = &linked.report;
    if report.added + report.replaced + report.removed > 0 {
        lifecycle.run_own(place, TREE_EVENTS.as_slice())?;
    }
    if run.is_plain() {
        lifecycle.run_own(place, ROOT_EVENTS_AFTER.as_slice())?;
    }
    let is_replaced = lifecycle.has_run() && identity_of(&project.root, RECORD) != record;
    Ok(if is_replaced { After::Replaced } else { after })
}

/// Separates files that scripts wrote to from those of other projects.
fn separate_written(
    run: &Run<'_>,
    project: &Project,
    whole: &mut Whole,
    is_complete: bool,
) -> Result<(), InstallError> {
    let Whole { plan, lifecycle, .. } = whole;
    let store = run.session.store();
    if !lifecycle.has_run() || !altered::separate_written(store, &project.root, plan)? {
        return Ok(());
    }
    if is_complete {
        complete_record(project, plan, Seal::of_store(store))?;
    }
    let lacking = store.to_fetch_again();
    if !lacking.is_empty()
        && let Err(error) = restore::fetch(run.session, &project.root, plan, &lacking)
    {
        run.events.warning(&format!(
            "scripts wrote to files that other projects share, and what they should have could \
             not be fetched: {}",
            message_with_causes(&error)
        ));
    }
    Ok(())
}

/// Records the state of the project, and caches the result of the install.
fn record(
    run: &Run<'_>,
    project: &Project,
    outcome: &mut Outcome,
    linked: &Linked,
    direct: &Direct,
) -> Result<(), InstallError> {
    let importers = cached::importers(run.session, project, &outcome.tree)?;
    // Whether another resolution would keep the lockfile is not known where it must not change.
    let diagnostics = outcome.diagnostics.as_ref().filter(|_| !run.frozen);
    let baseline =
        diagnostics.and_then(|known| baseline(&project.root, outcome.node.as_ref(), known));
    let (is_baseline, is_complete) =
        (baseline.is_some(), baseline.as_ref().is_some_and(|baseline| baseline.is_complete));
    let folders: Vec<&str> = match &outcome.tree {
        TreeChange::Whole(whole) => whole.plan.linked_folders().collect(),
        _ => Vec::new(),
    };
    // Otherwise the record is read.
    let record = match &outcome.tree {
        TreeChange::Difference(difference) => Some(DxlView::reopen(&difference.files[0].1)?),
        _ => None,
    };
    let known = match &outcome.tree {
        TreeChange::Prepared(prepared) => Some(prepared.visits.clone()),
        _ => record.as_ref().map(|record| visits::recorded(&project.root, record)),
    };
    let facts = Facts {
        settings: run.settings,
        frozen: run.frozen,
        scripts_skipped: outcome.summary.scripts_skipped.clone(),
        baseline,
    };
    let (whole, entries) = (&*outcome, record.as_ref());
    let lists = || lists_of(whole, entries, linked, direct, run.scope());
    let (visits, lists) = beside::both(
        importers.is_some() && beside::is_worth_it(project.lockfile_text()),
        || record_state(run.session, project, folders.into_iter(), facts, known),
        || importers.is_some().then(lists).unwrap_or_default(),
    );
    let visits = visits?;
    if let Some(importers) = importers {
        let now = CacheKey::of(run.session, project, run.frozen);
        let entry = cached::CacheEntry {
            lists,
            key: linked.key,
            placed: linked.placed,
            summary: &outcome.summary,
            is_baseline,
            is_complete,
            importers,
            visits,
        };
        cached::store(run.session, project, entry, now, outcome.cache.take());
    }
    Ok(())
}

/// Returns the direct dependencies and the deprecated packages of the whole tree, which an install
/// from the cache adds.
fn lists_of(
    outcome: &Outcome,
    record: Option<&DxlView<'_>>,
    linked: &Linked,
    direct: &Direct,
    scope: Scope,
) -> Lists {
    match &outcome.tree {
        TreeChange::Whole(_) if linked.report.fresh && scope == Scope::Direct => {
            (outcome.summary.changes.clone(), outcome.summary.deprecated.clone())
        }
        TreeChange::Whole(whole) => {
            let mut summary = Summary::default();
            let (after, before) = (&whole.plan.installed, HashMap::new());
            Changes { after, before: &before, direct, scope: Scope::Direct }
                .record_all(&mut summary);
            (summary.changes, summary.deprecated)
        }
        _ => record.map(|record| of_record(record, direct)).unwrap_or_default(),
    }
}
