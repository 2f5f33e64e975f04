//! The incremental install: a change of requirements in a project whose tree is in place and
//! complete.
//!
//! Only the difference is worked out, written and linked, so that one more package costs the same
//! in every tree. A change whose effect cannot be told from itself takes the full install, to the
//! same end.

mod addresses;
mod affected;
mod baseline;
mod links;
mod scopes;
mod solvable;

use std::collections::HashSet;

use dx_pkg_acquire::exact::is_elsewhere;
use dx_pkg_acquire::external::{Externals, is_same_revision};
use dx_pkg_acquire::input::{LockedImporters, direct};
use dx_pkg_acquire::metadata::{LocalSources, MetadataBasis};
use dx_pkg_acquire::{Downloads, ResolverInput, local};
use dx_pkg_compat::lockfile::npm;
use dx_pkg_compat::manifest::Manifest;
use dx_pkg_core::{PackageId, Version};
use dx_pkg_link::ImportMethod;
use dx_pkg_lock::dxl::{self, DxlView, Package};
use dx_pkg_lock::{Lock, LockPackage};
use dx_pkg_resolve::change::Change as ResolvedChange;
use dx_pkg_resolve::peers::Conflict;

use self::baseline::InstalledTree;
use super::cached::is_fast_path_eligible;
use super::full::{keeps_versions, resolver_input};
use super::outcome::{Difference, Outcome, TreeChange};
use super::{Change, Run, cached, fetch, full, gyp};
use crate::cached_install::CacheKey;
use crate::installed::{self, Diagnostics};
use crate::plan::{Plan, unpacked};
use crate::project::{CompiledLock, Project, disowned, lockfile_digest};
use crate::scripts::{Lifecycle, TREE_EVENTS, runs_when_linked};
use crate::seal::Seal;
use crate::state::Baseline;
use crate::{InstallError, Summary, beside, tree_files};

/// The effect of a change.
struct Effect {
    /// Entries of the lockfile that are new or different, the project's own first.
    entries: Vec<LockPackage>,
    /// Paths of removed entries.
    removed: Vec<String>,
    /// The changed entries as the record of the tree has them.
    installed: Vec<LockPackage>,
    /// The manifest's new text, where it changes.
    manifest: Option<String>,
    inserted: Vec<PackageId>,
    cache: Option<(CacheKey, Option<MetadataBasis>)>,
    node: Option<Version>,
    /// The messages of the changed tree, which is a baseline again.
    diagnostics: Diagnostics,
}

/// The lockfile and record of a tree in place, mapped.
#[derive(Clone, Copy)]
struct Views<'v> {
    locked: &'v DxlView<'v>,
    record: &'v DxlView<'v>,
}

/// Works a change out from itself; `None` where that cannot be done.
pub(super) fn work_out(
    run: &Run<'_>,
    project: &mut Project,
) -> Result<Option<Outcome>, InstallError> {
    let session = run.session;
    if !run.writes() || !is_eligible(run, project)? {
        return Ok(None);
    }
    let of_tree = || InstalledTree::of(session, project, run.settings);
    let compile = || project.compiled(session.store());
    let (tree, compiled) = if beside::is_worth_it(project.lockfile_text()) {
        let (tree, compiled) = beside::both(true, of_tree, compile);
        (tree, Some(compiled))
    } else {
        (of_tree(), None)
    };
    let Some(tree) = tree else { return Ok(None) };
    let Some(compiled) = compiled.unwrap_or_else(compile)? else { return Ok(None) };
    if matches!(compiled, CompiledLock::Merged(_)) {
        return Ok(None);
    }
    // What was compiled has been decoded before.
    let (Ok(locked), Ok(record)) = (DxlView::reopen(&compiled), DxlView::open(&tree.record)) else {
        return Ok(None);
    };
    let views = Views { locked: &locked, record: &record };
    // The text of an older version has parts that depend on the whole tree.
    let version = locked.format_version();
    let is_kept = session.config().lockfile_version()?.is_none_or(|to| to.number() == version);
    let may_stay = addresses::may_stay(session.config(), &locked)?;
    if version < 3 || !is_kept || !may_stay || !tree.belongs_to(project, &locked, &record) {
        return Ok(None);
    }
    let lifecycle = Lifecycle::new(session, project)?;
    // Scripts that were skipped may have been allowed since.
    let with_scripts = with_scripts(&record);
    let may_run = |package| lifecycle.may_run(package) || session.context.awaits_build(package);
    if with_scripts.installed.packages.iter().any(may_run) || lifecycle.runs_folders(&with_scripts)
    {
        return Ok(None);
    }
    run.events.work_began(run.session, &run.counters);
    let downloads = run.downloads(project)?;
    let (effect, is_in_place) = beside::both(
        true,
        || resolve_and_fetch(run, project, &tree, views, (&downloads, &lifecycle)),
        || tree.is_in_place(&project.root, &record),
    );
    // A failure to resolve what is not the whole project means nothing.
    let Some(effect) = is_in_place.then_some(effect).transpose()?.flatten() else {
        run.leave(downloads);
        return Ok(None);
    };
    run.cancel().check()?;
    outcome(run, project, &tree, views, effect, &lifecycle)
}

/// Returns whether project and settings ask for nothing that this way does not do.
fn is_eligible(run: &Run<'_>, project: &Project) -> Result<bool, InstallError> {
    let config = run.session.config();
    let has_tree_scripts = TREE_EVENTS.iter().any(|event| project.manifest.script(event).is_some());
    let runs_workspaces = project.workspaces.iter().any(|(_, manifest)| runs_when_linked(manifest));
    let has_scripts = has_tree_scripts || runs_workspaces;
    let change = run.options.change.as_ref();
    Ok(change.is_none_or(Change::is_of_project)
        && project.alterations.is_empty()
        && config.package_lock()?
        && !config.package_lock_only()?
        && !config.force()?
        && config.bin_links()?
        && config.omit()?.is_empty()
        && run.session.import_method()? == ImportMethod::Auto
        && (config.ignore_scripts()? || !has_scripts)
        && (run.options.change.is_some() || is_fast_path_eligible(run.session, project)?))
}

fn resolve_and_fetch(
    run: &Run<'_>,
    project: &Project,
    tree: &InstalledTree,
    views: Views<'_>,
    (downloads, lifecycle): (&Downloads, &Lifecycle),
) -> Result<Option<Effect>, InstallError> {
    let (session, context) = (run.session, &run.session.context);
    let baseline = &tree.baseline;
    let Views { locked, record } = views;
    let requirements = project.requirements()?;
    let names = disowned::names(&requirements, &elsewhere(locked));
    let is_required = |package| disowned::is_required(package, &names);
    if !names.is_empty() && locked.packages().skip(1).any(is_required) {
        return Ok(None);
    }
    let importers = Some(LockedImporters::Compiled(locked));
    let input = resolver_input(run, project, requirements, importers)?;
    let node = input.options.pick.node.as_ref().map(ToString::to_string).unwrap_or_default();
    if node != baseline.node {
        return Ok(None);
    }
    downloads.put_first(direct(&input.requirements));
    downloads.put_held(locked.packages().filter_map(|package| {
        let id = package.id().filter(|_| package.patched().is_none())?;
        Some((package.name().to_owned(), package.version()?.to_owned(), id))
    }));
    let places = local::places(&project.root, session.config());
    let workspaces = &project.workspaces;
    let is_importer =
        |folder: &str| folder.is_empty() || workspaces.iter().any(|(path, _)| path == folder);
    let entry = |from: &str, name: &str, spec: &str| {
        let dependent = locked.get(from).map(Package::to_package);
        let before = dependent.as_ref().and_then(|dependent| dependent.requirement_for(name));
        is_same_revision(before, spec).then(|| links::entry(locked, from, name)).flatten()
    };
    let counters = &run.counters;
    let recorded = |url: &str| {
        let entry = locked.packages().find(|package| package.resolved() == Some(url))?;
        entry.integrity().map(str::to_owned)
    };
    let sources = Externals::new(context, &places, Some(downloads), counters, &is_importer, &entry)
        .demanding(&recorded)
        .renewing(&input.options.update, &input.options.explicit);
    let externals = |name: &str, spec: &str, from: &str| sources.load(name, spec, from);
    let bundles =
        |package: &LockPackage| local::bundled(context, Some(downloads), &run.counters, package);
    let local = LocalSources {
        downloads: Some(downloads),
        externals: &externals,
        bundles: &bundles,
        places: &places,
        likely: &Vec::new,
    };
    let provider = input.provider(context, input.policy, local, &run.counters);
    let (requirements, options) = (&input.requirements, &input.options);
    let disputed = Some(baseline.disputed.as_slice()).filter(|_| baseline.is_complete);
    let change =
        dx_pkg_resolve::change::change(requirements, locked, record, disputed, &provider, options);
    let Some(mut change) = change else { return Ok(None) };
    if changes_commands_of_folders(record, &change)
        || options.solves_conflicts && may_be_solved(run, project, tree, (&input, locked), &change)
    {
        return Ok(None);
    }
    let diagnostics = diagnostics(run, baseline, record, &change)?;
    change.entries.iter_mut().for_each(LockPackage::normalise);
    context.mark("resolved");
    let cache = run.cache_key(project).map(|key| (key, provider.basis()));
    let fetched = fetch_changed(run, locked, downloads, &change, lifecycle)?;
    let Some((plan, lock)) = fetched else { return Ok(None) };
    let inserted = downloads.inserted();
    let mut effect = Effect {
        entries: lock.packages,
        removed: change.removed,
        installed: plan.installed.packages,
        manifest: None,
        inserted,
        cache,
        node: input.options.pick.node,
        diagnostics,
    };
    effect.write_manifest(run, locked, input.requirements.root)?;
    addresses::omit(session.config(), &mut effect, project)?;
    // The process ends soon: a repository has thousands of pieces to free.
    std::mem::forget(input.requirements.workspaces);
    Ok(Some(effect))
}

/// Returns whether there is a peer conflict that other versions may solve: a new one, or one that a
/// manifest that was edited may have made solvable.
fn may_be_solved(
    run: &Run<'_>,
    project: &Project,
    tree: &InstalledTree,
    (input, locked): (&ResolverInput, &DxlView<'_>),
    change: &ResolvedChange,
) -> bool {
    let known = &tree.baseline.conflicts;
    let found = change.findings.as_ref().map(|found| found.conflicts.as_slice());
    let is_new = |one: &Conflict| !known.contains(&one.to_string());
    if found.unwrap_or_default().iter().any(is_new) {
        return true;
    }
    // A change that a command makes is looked at for what is new, and for what was in the way.
    !known.is_empty()
        && match &run.options.change {
            Some(command) => {
                let found = found.unwrap_or_default().iter().map(|conflict| &conflict.name);
                let disputed = tree.baseline.disputed.iter().chain(found).map(String::as_str);
                solvable::may_be_without(&command.removed, &disputed.collect(), locked)
            }
            None => solvable::may_be(&tree.edited(project), &input.requirements, locked, change),
        }
}

/// Returns the entries of the project and its workspaces that require something from outside the
/// registries.
fn elsewhere(locked: &DxlView<'_>) -> Lock {
    let requires = |own: &Package<'_>| {
        let sections = [
            own.dependencies(),
            own.dev_dependencies(),
            own.optional_dependencies(),
            own.peer_dependencies(),
        ];
        sections.into_iter().flatten().any(|(_, spec)| is_elsewhere(spec))
    };
    let own = locked.packages().filter(|package| !links::is_in_modules(package.path()));
    let packages = own.filter(requires).map(Package::to_package).collect();
    Lock { packages, ..Lock::default() }
}

/// Returns the messages of the tree after a change.
///
/// # Errors
/// One of its packages must not be installed on this machine.
fn diagnostics(
    run: &Run<'_>,
    baseline: &Baseline,
    record: &DxlView<'_>,
    change: &ResolvedChange,
) -> Result<Diagnostics, InstallError> {
    let Some(found) = &change.findings else {
        let Baseline { conflicts, disputed, warnings, is_complete, .. } = baseline.clone();
        return Ok(Diagnostics { conflicts, disputed, warnings, is_complete });
    };
    let config = run.session.config();
    let is_new = |path: &str| change.entries.iter().any(|entry| entry.path == path);
    let unfit = found.unfit.iter();
    let unfit = unfit.filter(|unfit| record.position(&unfit.path).is_some() || is_new(&unfit.path));
    let mut warnings =
        full::warnings_of(unfit.collect(), config.engine_strict()?, config.force()?)?;
    warnings.extend(full::left_out(&found.authors_folders));
    Ok(Diagnostics {
        conflicts: found.conflicts.iter().map(ToString::to_string).collect(),
        disputed: Vec::new(),
        warnings,
        is_complete: found.is_complete,
    })
}

/// Returns whether the commands of linked folders change, which depend on files that no record has.
fn changes_commands_of_folders(record: &DxlView<'_>, change: &ResolvedChange) -> bool {
    let bins = |path: &str| {
        let entry = record.get(path);
        entry.map(|entry| entry.to_package().bin).unwrap_or_default()
    };
    let is_changed = |entry: &LockPackage| match &entry.resolved {
        Some(target) if entry.link => {
            let new = change.entries.iter().find(|other| other.path == *target);
            !bins(target).is_empty() || new.is_some_and(|folder| !folder.bin.is_empty())
        }
        _ => !links::is_in_modules(&entry.path) && entry.bin != bins(&entry.path),
    };
    let gone = |path: &String| !bins(path).is_empty() && !links::is_in_modules(path);
    change.entries.iter().any(is_changed) || change.removed.iter().any(gone)
}

/// Fetches the changed packages; `None` where one is missing, has scripts that may run, or is one
/// that tools write to.
fn fetch_changed(
    run: &Run<'_>,
    locked: &DxlView<'_>,
    downloads: &Downloads,
    change: &ResolvedChange,
    lifecycle: &Lifecycle,
) -> Result<Option<(Plan, Lock)>, InstallError> {
    let entries = &change.entries;
    let mut lock = Lock { packages: entries.clone(), ..Lock::default() };
    // Whether another place is allowed depends on all that require the package.
    let rules = run.session.context.sources()?;
    let is_from_registry = |entry: &LockPackage| {
        entry.link || !links::is_in_modules(&entry.path) || rules.is_from_registry(entry)
    };
    let lacks_digest = unpacked(&lock).any(|entry| entry.integrity.is_none());
    if lacks_digest || !entries.iter().all(is_from_registry) {
        return Ok(None);
    }
    let before = entries.iter().filter_map(|entry| locked.get(&entry.path));
    let before =
        Lock { packages: before.map(|entry| entry.to_package()).collect(), ..Lock::default() };
    let mut plan = Plan::of(entries.clone());
    let dropped = fetch::wait(run.session, Some(&before), downloads, &mut plan, &mut lock)?;
    let packages = plan.installed.packages.iter_mut().chain(&mut lock.packages);
    gyp::mark(&run.session.store().gyp(), packages)?;
    run.session.context.mark("fetched");
    let packages = &mut plan.installed.packages;
    if !dropped.is_empty() || packages.iter().any(|package| lifecycle.may_run(package)) {
        return Ok(None);
    }
    for package in packages {
        package.extra.clear();
    }
    plan.mark_written(&run.session.store().written(), None)?;
    if plan.has_private() {
        return Ok(None);
    }
    Ok(Some((plan, lock)))
}

impl Effect {
    /// Completes the effect with the manifest's new text and the project's own entry.
    fn write_manifest(
        &mut self,
        run: &Run<'_>,
        locked: &DxlView<'_>,
        mut own: LockPackage,
    ) -> Result<(), InstallError> {
        if let Some(change) = &run.options.change {
            let changed: HashSet<&str> =
                self.entries.iter().map(|entry| entry.path.as_str()).collect();
            let known = change.explicit.iter().map(|name| format!("node_modules/{name}"));
            let known = known
                .filter(|path| !changed.contains(path.as_str()) && !self.removed.contains(path));
            let known: Vec<LockPackage> =
                known.filter_map(|path| Some(locked.get(&path)?.to_package())).collect();
            let mut packages: Vec<LockPackage> =
                self.entries.iter().cloned().chain(known).collect();
            // A workspace is saved with the version that its folder has.
            let targets = packages.iter().filter(|entry| entry.link);
            let targets = targets.filter_map(|link| link.resolved.as_deref());
            let folders: Vec<LockPackage> = targets
                .filter(|folder| !changed.contains(folder))
                .filter_map(|folder| Some(locked.get(folder)?.to_package()))
                .collect();
            packages.extend(folders);
            let mut visible = Lock { packages, ..Lock::default() };
            let text = (change.manifest)("", &visible)?;
            let manifest = Manifest::parse(&text)?;
            own = LockPackage { name: own.name, ..manifest.to_project_package() };
            own.normalise();
            visible.packages.push(own.clone());
            self.diagnostics.is_complete &= keeps_versions(&visible, "", &change.explicit);
            self.manifest = Some(text);
        }
        own.normalise();
        self.entries.insert(0, own);
        Ok(())
    }
}

/// Returns the outcome of an effect; `None` where the present files are not as dx writes them.
fn outcome(
    run: &Run<'_>,
    project: &Project,
    tree: &InstalledTree,
    views: Views<'_>,
    effect: Effect,
    lifecycle: &Lifecycle,
) -> Result<Option<Outcome>, InstallError> {
    let Views { locked, record } = views;
    let removed: Vec<&str> = effect.removed.iter().map(String::as_str).collect();
    let Some(previous) = project.lockfile_text() else { return Ok(None) };
    let texts = || {
        let text = npm::splice(previous, locked, &removed, &effect.entries)?;
        Some((text, npm::splice_hidden(&tree.hidden, record, &removed, &effect.installed)?))
    };
    let binary = || dxl::splice(record, &removed, &effect.installed, [0; 32]);
    let is_worth_it = beside::is_worth_it(Some(previous));
    let (new_record, texts) = beside::both(is_worth_it, binary, texts);
    let Some((text, hidden)) = texts else { return Ok(None) };
    let after = DxlView::reopen(&new_record)?;
    let is_placed = |package: &Package<'_>| {
        package.link() || !package.in_bundle() && links::is_in_modules(package.path())
    };
    let placed = after.packages().filter(is_placed).count();
    let has_commands = |link: Package<'_>| {
        links::target(&after, link).is_some_and(|folder| !folder.bin().is_empty())
    };
    let is_self_contained =
        !after.packages().any(|package| package.link() && has_commands(package));
    let importers = cached::importers_of(after.packages().map(Package::path));
    let lockfile = Some(text).filter(|text| text != previous);
    let compiled = lockfile.as_ref().filter(|_| !run.session.maintenance_follows()).map(|text| {
        // No maintenance will compile it.
        let digest = lockfile_digest(text);
        (digest, dxl::splice(locked, &removed, &effect.entries, digest))
    });
    let summary = Summary {
        packages: after.packages().filter(|package| !package.link()).count(),
        conflicts: effect.diagnostics.conflicts.clone(),
        told_before: tree.baseline.conflicts.clone(),
        warnings: effect.diagnostics.warnings.clone(),
        scripts_skipped: lifecycle.skipped(project, &with_scripts(&after))?,
        ..Summary::default()
    };
    lifecycle.report_unvouched(run.events)?;
    let (before, after) = affected::trees(record, &effect.removed, &effect.installed)?;
    run.counters.to_link.set(effect.installed.len() as u64);
    let touched = effect.installed.iter().map(|entry| &entry.path).chain(&effect.removed);
    let version = |path: &String| record.get(path).map(|entry| entry.version().map(str::to_owned));
    let versions = touched.filter_map(|path| Some((path.clone(), version(path)?))).collect();
    let key = tree_files::key_of_record(&new_record);
    let seal = Seal::of_store(run.session.store());
    let files = [
        (installed::RECORD.to_owned(), installed::sealed(new_record, seal)),
        (installed::HIDDEN.to_owned(), hidden.into_bytes()),
    ];
    let difference = Difference {
        before,
        after,
        entries: Lock { packages: effect.installed, ..Lock::default() },
        versions,
        own: locked.package(0).map(|own| own.to_package()),
        files,
        inserted: effect.inserted,
        key,
        placed,
        importers,
        is_self_contained,
    };
    Ok(Some(Outcome {
        tree: TreeChange::Difference(Box::new(difference)),
        lockfile,
        compiled,
        manifests: effect.manifest.map(|text| (String::new(), text)).into_iter().collect(),
        summary,
        is_complete: true,
        node: effect.node,
        diagnostics: Some(effect.diagnostics),
        cache: effect.cache,
        ..Outcome::default()
    }))
}

/// Returns the packages with scripts of their own, and what may have some: folders that are linked,
/// and packages of git repositories, which are built before they are packed.
fn with_scripts(record: &DxlView<'_>) -> Plan {
    let from_git =
        |package: &Package<'_>| package.resolved().is_some_and(|at| at.starts_with("git"));
    let packages = record.packages();
    let packages = packages.filter(|it| it.has_install_script() || it.link() || from_git(it));
    Plan::of(packages.map(|package| package.to_package()).collect())
}
