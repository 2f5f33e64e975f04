//! Links an outcome's tree into the project.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::thread::ScopedJoinHandle;

use dx_pkg_acquire::exact::required_addresses;
use dx_pkg_compat::lockfile::npm;
use dx_pkg_compat::npmrc::Config;
use dx_pkg_core::PackageId;
use dx_pkg_link::{
    Built, ImportMethod, LinkOptions, LinkReport, NoProgress, Placement, Progress, Tree,
    materialise, materialise_difference, place_prepared,
};
use dx_pkg_lock::{Lock, LockPackage};
use dx_pkg_store::preparation::{PreparedKey, PreparedTree};

use super::leftovers::remove_folders;
use super::outcome::{Difference, Outcome, Prepared, TreeChange, Whole};
use super::rollback::Before;
use super::{Mode, Run};
use crate::in_place::{self, InPlace};
use crate::plan::Plan;
use crate::project::Project;
use crate::seal::Seal;
use crate::{InstallError, Session, altered, installed, restore, tree_files};

/// A linked tree.
pub(super) struct Linked {
    /// What linking did.
    pub(super) report: LinkReport,
    /// The versions of the packages that were in place, where a whole tree was changed.
    pub(super) before: HashMap<String, Option<String>>,
    /// The paths of packages that are new or other than before; of a whole tree only.
    pub(super) new: HashSet<String>,
    /// The key of trees that hold the same.
    pub(super) key: PreparedKey,
    /// The number of packages and links in the tree.
    pub(super) placed: usize,
    /// The tree before, where scripts may fail that are run now.
    pub(super) undo: Option<Before>,
}

impl Linked {
    fn of(report: LinkReport) -> Self {
        Linked {
            report,
            before: HashMap::new(),
            new: HashSet::new(),
            key: PreparedKey::default(),
            placed: 0,
            undo: None,
        }
    }
}

/// A linked tree, if there is one, and the lockfile's new text, if it changes.
type Applied = (Option<Linked>, Option<String>);

/// Makes `node_modules` what the outcome says, and meanwhile the lockfile's text; `None` where the
/// tree cannot be changed in this way, and was not.
pub(super) fn apply(
    run: &Run<'_>,
    project: &Project,
    outcome: &mut Outcome,
) -> Result<Option<Applied>, InstallError> {
    let text = outcome.lockfile.take();
    if !matches!(outcome.tree, TreeChange::LockfileOnly) {
        run.forget_state(project);
    }
    let linked = match &mut outcome.tree {
        TreeChange::Prepared(prepared) => put_prepared(run, project, prepared)?,
        TreeChange::Difference(difference) => change(run, project, difference)?,
        TreeChange::LockfileOnly => {
            return Ok(Some((None, render(run, project, outcome.lock.as_ref())?)));
        }
        TreeChange::Whole(whole) => {
            return whole_with_text(run, project, whole, outcome.lock.as_ref()).map(Some);
        }
    };
    Ok(linked.map(|linked| (Some(linked), text)))
}

fn put_prepared(
    run: &Run<'_>,
    project: &Project,
    prepared: &Prepared,
) -> Result<Option<Linked>, InstallError> {
    // The contents of these files came with the tree.
    let files = [installed::RECORD, installed::HIDDEN].map(|name| (name.to_owned(), Vec::new()));
    let options = LinkOptions {
        keep_foreign: true,
        links_outside: true,
        extra_files: &files,
        ..LinkOptions::default()
    };
    let importers: Vec<&str> = prepared.importers.iter().map(String::as_str).collect();
    let store = run.session.store();
    let report = place_prepared(&project.root, store, prepared.tree.path(), &importers, &options)?;
    Ok(report.map(Linked::of))
}

fn change(
    run: &Run<'_>,
    project: &Project,
    difference: &Difference,
) -> Result<Option<Linked>, InstallError> {
    let Difference { before, after, files, inserted, key, placed, .. } = difference;
    let options = LinkOptions {
        links_outside: true,
        movable: inserted,
        extra_files: files,
        cancelled: Some(run.cancel().flag()),
        compares_bytes: altered::COMPARED,
        ..LinkOptions::default()
    };
    let (store, counters) = (run.session.store(), LinkCounters(run));
    match materialise_difference(&project.root, store, before, after, &options, &counters) {
        // The full install fetches what is missing.
        Err(error) if restore::is_due(&error) => Ok(None),
        changed => {
            Ok(changed?.map(|report| Linked { key: *key, placed: *placed, ..Linked::of(report) }))
        }
    }
}

fn whole_with_text(
    run: &Run<'_>,
    project: &Project,
    whole: &mut Whole,
    lock: Option<&Lock>,
) -> Result<Applied, InstallError> {
    std::thread::scope(|scope| {
        let text = run.saves().then(|| scope.spawn(|| render(run, project, lock)));
        let Whole { plan, inserted, built, .. } = whole;
        let after_interruption = !run.forget_state(project);
        let sources = Sources { movable: inserted, built: built.take(), after_interruption };
        let counters = LinkCounters(run);
        // Those of folders that are linked run, too.
        let has_scripts = plan.has_private() || plan.linked_folders().next().is_some();
        let mut undo = has_scripts.then(|| Before::of(&project.root));
        let mode = run.options.mode;
        let mut linked =
            link(run.session, project, plan, mode, (sources, undo.as_mut()), &counters)?;
        linked.undo = undo;
        let join = |text: ScopedJoinHandle<'_, Result<Option<String>, InstallError>>| {
            text.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        Ok((Some(linked), text.map(join).transpose()?.flatten()))
    })
}

/// Links a plan again, after scripts have made some of its packages drop out.
pub(super) fn relink(run: &Run<'_>, project: &Project, plan: &Plan) -> Result<(), InstallError> {
    let sources = (Sources::default(), None);
    let linked = link(run.session, project, plan, Mode::Install, sources, &NoProgress)?;
    let _ = remove_folders(&linked.report.leftovers);
    Ok(())
}

/// Sources of a tree beside the store.
#[derive(Default)]
struct Sources<'s> {
    /// Packages of this command, whose files may be moved.
    movable: &'s [PackageId],
    /// The tree itself, built while packages arrived.
    built: Option<Built>,
    /// Whether the last install may have been killed.
    after_interruption: bool,
}

/// Makes `node_modules` what the plan says. What is taken out of it is kept in `undo`.
fn link(
    session: &Session,
    project: &Project,
    plan: &Plan,
    mode: Mode,
    (sources, undo): (Sources<'_>, Option<&mut Before>),
    progress: &dyn Progress,
) -> Result<Linked, InstallError> {
    let seal = Seal::of_store(session.store());
    let installed = as_recorded(session.config(), project, &plan.installed)?;
    let (extra_files, tree, in_place) = std::thread::scope(|scope| {
        let extra_files = scope.spawn(|| tree_files::state_files(&installed, seal));
        let tree = plan.tree();
        let in_place = |tree: &Tree| match mode {
            Mode::Ci => Ok(None),
            _ => {
                match in_place::find(session, &project.root, plan, tree) {
                    // Only what the store has can be compared with.
                    Err(InstallError::Link(error)) if restore::is_due(&error) => {
                        restore::all(session, &project.root, plan, &error)?;
                        in_place::find(session, &project.root, plan, tree)
                    }
                    found => found,
                }
            }
        };
        let found = tree.and_then(|tree| in_place(&tree).map(|in_place| (tree, in_place)));
        let extra_files =
            extra_files.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        found.map(|(tree, in_place)| (extra_files, tree, in_place))
    })?;
    let (previous, versions, repairs) = match in_place {
        Some(InPlace { tree, versions, repairs }) => (Some(tree), versions, Some(repairs)),
        None => (None, HashMap::new(), None),
    };
    let key = tree_files::key(plan, &extra_files[0].1);
    let is_placed = |placement: &&Placement| !placement.source.is_bundled();
    let placed = tree.placements.iter().filter(is_placed).count();
    if placed == 0 && previous.is_none() && !project.root.join("node_modules").exists() {
        return Ok(Linked { key, ..Linked::of(LinkReport::default()) });
    }
    let import = session.import_method()?;
    let (root, store) = (&project.root, session.store());
    let prepared = match previous {
        None if import == ImportMethod::Auto && sources.built.is_none() => {
            let may_use = altered::may_use_prepared(session, mode == Mode::Ci, key)?;
            may_use.then(|| store.take_prepared_tree(key)).flatten()
        }
        _ => None,
    };
    let options = LinkOptions {
        import,
        keep_foreign: matches!(mode, Mode::Install | Mode::Update | Mode::Prune),
        leaves_own_commands: session.is_global()?,
        links_outside: true,
        movable: sources.movable,
        prepared: prepared.as_ref().map(PreparedTree::path),
        repairs: repairs.as_ref(),
        after_interruption: sources.after_interruption,
        extra_files: &extra_files,
        compares_bytes: altered::COMPARED,
        cancelled: Some(session.context.cancel.flag()),
        ..LinkOptions::default()
    };
    let linked = match sources.built {
        Some(built) => built.place(root, store, &tree, &options, progress),
        None => match &undo {
            Some(undo) => {
                let trees = (&tree, previous.as_ref());
                undo.retired.materialise(root, store, trees, &options, progress)
            }
            None => materialise(root, store, &tree, previous.as_ref(), &options, progress),
        },
    };
    let report = match linked {
        Err(error) if restore::is_due(&error) => {
            restore::all(session, root, plan, &error)?;
            materialise(root, store, &tree, None, &options, progress)?
        }
        linked => linked?,
    };
    let before: HashMap<&str, &Placement> = previous
        .iter()
        .filter(|_| !report.fresh)
        .flat_map(|tree| &tree.placements)
        .map(|placement| (placement.path.as_str(), placement))
        .collect();
    let is_new = |placement: &&Placement| before.get(placement.path.as_str()) != Some(placement);
    let new =
        tree.placements.iter().filter(is_new).map(|placement| placement.path.clone()).collect();
    if let Some(undo) = undo {
        undo.tree = previous;
        undo.record = installed::identity_of(root, installed::RECORD);
    }
    Ok(Linked { report, before: versions, new, key, placed, undo: None })
}

/// Returns the lockfile's new text; `None` where it does not change or is not written.
pub(super) fn render(
    run: &Run<'_>,
    project: &Project,
    lock: Option<&Lock>,
) -> Result<Option<String>, InstallError> {
    let config = run.session.config();
    let Some(lock) = lock.filter(|_| run.saves()) else { return Ok(None) };
    if !config.package_lock()? {
        return Ok(None);
    }
    let mut lock = as_recorded(config, project, lock)?;
    // As with npm, also where the lockfile has the name of the folder that it was written in.
    // One of version 4 keeps its name.
    let is_named_anew =
        |folder: &String| lock.format_version != 4 && lock.name.as_ref() != Some(folder);
    if let Some(folder) = project.unnamed().filter(is_named_anew) {
        lock.to_mut().name = Some(folder);
    }
    let previous = project.locked.as_ref().map(|(text, _)| text.as_str());
    let manifest = &project.manifest_text;
    let text = match previous {
        _ if lock.format_version == 1 => npm::write_version_1(&lock, previous, manifest),
        Some(_) => npm::write(&lock, previous),
        None => npm::write_like(&lock, manifest),
    };
    Ok(Some(text).filter(|text| previous != Some(text)))
}

/// Returns a lock as it is written: without the addresses that registries give, where they are to
/// be left out.
fn as_recorded<'l>(
    config: &Config,
    project: &Project,
    lock: &'l Lock,
) -> Result<Cow<'l, Lock>, InstallError> {
    let mut lock = Cow::Borrowed(lock);
    if config.omit_lockfile_registry_resolved()? {
        omit_resolved(&mut lock.to_mut().packages, project)?;
    }
    Ok(lock)
}

/// Removes the addresses that registries give. One that a requirement names is all that tells where
/// the package comes from.
pub(super) fn omit_resolved(
    packages: &mut [LockPackage],
    project: &Project,
) -> Result<(), InstallError> {
    let overrides = project.manifest.override_rules()?;
    let own = project.manifest.to_lock_package();
    let is_kept: Vec<bool> = {
        let required = required_addresses(packages.iter().chain([&own]), &overrides);
        let is_required = |url: &String| required.contains(url.as_str());
        let is_kept =
            |entry: &LockPackage| entry.link || entry.resolved.as_ref().is_some_and(is_required);
        packages.iter().map(is_kept).collect()
    };
    let packages = packages.iter_mut().zip(is_kept);
    for package in packages.filter(|(_, is_kept)| !is_kept).map(|(package, _)| package) {
        let resolved = package.resolved.as_deref();
        if package.integrity.is_some() && resolved.is_some_and(|url| url.starts_with("http")) {
            package.resolved = None;
        }
    }
    Ok(())
}

/// Counts linked packages for the progress line.
struct LinkCounters<'r>(&'r Run<'r>);

impl Progress for LinkCounters<'_> {
    fn linked(&self, packages: usize) {
        self.0.counters.linked.add(packages as u64);
    }
}
