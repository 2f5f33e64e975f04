//! Commits an outcome: links the tree, saves the project's files, runs scripts, records the state,
//! caches the result.

use dx_pkg_link::LinkReport;
use dx_pkg_lock::Lock;

use super::link::{self, Linked};
use super::outcome::{Outcome, TreeChange, Whole};
use super::{Run, cached, statistics};
use crate::cached_install::CacheKey;
use crate::installed::{RECORD, baseline, complete_record, identity_of};
use crate::project::Project;
use crate::scripts::{ROOT_EVENTS_AFTER, TREE_EVENTS};
use crate::snapshot::record_state;
use crate::{InstallError, Summary, altered};

/// A committed install.
pub(super) struct Committed {
    /// The result to be shown.
    pub(super) summary: Summary,
    /// Whether the tree is new as a whole; `None` where there is none.
    pub(super) new_tree: Option<bool>,
}

/// Commits an outcome; `None` where its change of the tree cannot be made, and nothing was written.
pub(super) fn commit(
    run: &Run<'_>,
    project: &mut Project,
    mut outcome: Outcome,
) -> Result<Option<Committed>, InstallError> {
    check_files(run, project, &outcome)?;
    let Some((linked, text)) = link::apply(run, project, &mut outcome)? else { return Ok(None) };
    run.session.context.mark("linked");
    run.events.work_ended();
    if let Some(linked) = &linked {
        count(run, &mut outcome, &linked.report);
    }
    if let Some((digest, bytes)) = &outcome.compiled {
        // A lock that cannot be stored is compiled again.
        let _ = run.session.store().put_compiled_lock(*digest, bytes);
    }
    // The tree is not what an old lockfile says; the next install has to look at it again.
    let is_recorded = run.records() && (run.writes() || run.frozen || text.is_none());
    if run.writes() {
        project.save(text, outcome.manifest.as_deref(), run.durability())?;
    }
    if let Some(linked) = &linked {
        if let TreeChange::Whole(whole) = &mut outcome.tree {
            run.cancel().check()?;
            let after = run_scripts(run, project, whole, outcome.lock.as_ref(), linked);
            if !matches!(after, Ok(After::Replaced)) {
                // Also what a script wrote before it failed must not stay in other projects' files.
                separate_written(run, project, whole, after.is_ok())?;
            }
            outcome.is_complete &= after? == After::Complete;
        }
        // The next install looks again at what is missing or in no manifest; with `force`, at all.
        let config = run.session.config();
        let is_final = outcome.is_complete
            && !config.force()?
            && (!config.always_run_scripts()? || config.ignore_scripts()?);
        if is_final && is_recorded {
            record(run, project, &mut outcome, linked)?;
        }
    }
    outcome.summary.lockfile_only = run.lockfile_only;
    let Outcome { tree, lock, summary, .. } = outcome;
    let new_tree = linked.map(|linked| linked.report.fresh);
    // The process ends soon: freeing thousands of pieces would take a tenth of the whole time.
    std::mem::forget((tree_to_forget(tree), lock));
    Ok(Some(Committed { summary, new_tree }))
}

/// Checks that manifest and lockfile can be written if they change, before the tree changes.
fn check_files(run: &Run<'_>, project: &Project, outcome: &Outcome) -> Result<(), InstallError> {
    if !run.writes() {
        return Ok(());
    }
    if outcome.manifest.as_ref().is_some_and(|text| *text != project.manifest_text) {
        project.check("package.json")?;
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
fn count(run: &Run<'_>, outcome: &mut Outcome, report: &LinkReport) {
    // The counts of a cached install are those of building its tree.
    if !matches!(outcome.tree, TreeChange::Prepared(_)) {
        let summary = &mut outcome.summary;
        (summary.added, summary.changed, summary.removed) =
            (report.added, report.replaced, report.removed);
        summary.statistics = statistics::of(run.session, &run.counters, report);
    }
    link::remove_leftovers(report);
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

/// Runs the scripts that are due once a whole tree is linked.
fn run_scripts(
    run: &Run<'_>,
    project: &Project,
    whole: &mut Whole,
    lock: Option<&Lock>,
    linked: &Linked,
) -> Result<After, InstallError> {
    let Whole { plan, lifecycle, .. } = whole;
    let place = run.place(project);
    let record = || identity_of(&project.root, RECORD);
    let before = record();
    let failed = lifecycle.run(place, plan, &linked.new)?;
    if record() != before {
        return Ok(After::Replaced);
    }
    complete_record(project, plan)?;
    if let Some(lock) = lock.filter(|_| !failed.is_empty()) {
        plan.leave_out(lock, &failed);
        link::relink(run, project, plan)?;
        complete_record(project, plan)?;
    }
    let before = record();
    lifecycle.run_linked(place, plan)?;
    let report = &linked.report;
    if report.added + report.replaced + report.removed > 0 {
        lifecycle.run_own(place, TREE_EVENTS.as_slice())?;
    }
    if run.options.change.is_none() {
        lifecycle.run_own(place, ROOT_EVENTS_AFTER.as_slice())?;
    }
    Ok(match failed.is_empty() {
        _ if record() != before => After::Replaced,
        true => After::Complete,
        false => After::Reduced,
    })
}

/// Separates files that scripts wrote to from those of other projects.
fn separate_written(
    run: &Run<'_>,
    project: &Project,
    whole: &mut Whole,
    is_complete: bool,
) -> Result<(), InstallError> {
    let Whole { plan, lifecycle, .. } = whole;
    if lifecycle.has_run()
        && altered::separate_written(run.session.store(), &project.root, plan)?
        && is_complete
    {
        complete_record(project, plan)?;
    }
    Ok(())
}

/// Records the state of the project, and caches the result of the install.
fn record(
    run: &Run<'_>,
    project: &Project,
    outcome: &mut Outcome,
    linked: &Linked,
) -> Result<(), InstallError> {
    let importers = cached::importers(run.session, project, &outcome.tree)?;
    // Whether another resolution would keep the lockfile is not known where it must not change.
    let diagnostics = outcome.diagnostics.as_ref().filter(|_| !run.frozen);
    let baseline =
        diagnostics.and_then(|known| baseline(&project.root, outcome.node.as_ref(), known));
    let is_complete = baseline.is_some();
    let folders: Vec<&str> = match &outcome.tree {
        TreeChange::Whole(whole) => whole.plan.linked_folders().collect(),
        _ => Vec::new(),
    };
    let (linked_folders, skipped) = (folders.into_iter(), &outcome.summary.scripts_skipped);
    let (settings, frozen) = (run.settings, run.frozen);
    record_state(run.session, project, linked_folders, settings, frozen, skipped, baseline)?;
    if let Some(importers) = importers {
        let now = CacheKey::of(run.session, project, run.frozen);
        let entry = cached::CacheEntry {
            key: linked.key,
            placed: linked.placed,
            summary: &outcome.summary,
            is_complete,
            importers,
        };
        cached::store(run.session, project, entry, now, outcome.cache.take());
    }
    Ok(())
}
