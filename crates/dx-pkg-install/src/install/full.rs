//! The full install: resolves what the lockfile leaves open, fetches, and plans the whole tree.

use dx_pkg_acquire::input::{LockedImporters, direct};
use dx_pkg_acquire::metadata::FirstRequests;
use dx_pkg_acquire::package::{lacks_manifests, package_id};
use dx_pkg_acquire::{AcquireError, Downloads, ResolverInput, resolve};
use dx_pkg_compat::manifest::Manifest;
use dx_pkg_core::coded::message_with_causes;
use dx_pkg_core::{Spec, Version};
use dx_pkg_lock::{Lock, LockPackage};
use dx_pkg_os::files::Map;
use dx_pkg_resolve::peers::Conflict;
use dx_pkg_resolve::{Requirements, Resolution, Unfit};

use super::fetch::Fetched;
use super::outcome::{Outcome, TreeChange, Whole};
use super::sources::SourceCheck;
use super::{Change, Run, dedupe, digests, fetch, gyp, previous, version};
use crate::error::AlterationError;
use crate::installed::Diagnostics;
use crate::plan::Plan;
use crate::project::Project;
use crate::project::alterations::{NPM_EXTENSION_HASH, Strictness, more_platforms};
use crate::project::outside::broken_commands;
use crate::scripts::{Lifecycle, ROOT_EVENTS_BEFORE};
use crate::seal::Seal;
use crate::state::{self, State};
use crate::summary::conflicts::ExplainedConflict;
use crate::{InstallError, Summary, altered};

/// Resolves the project and fetches its packages. It always has an outcome.
pub(super) fn work_out(
    run: &Run<'_>,
    project: &mut Project,
) -> Result<Option<Outcome>, InstallError> {
    project.read_lockfile(run.session.store())?;
    if project.is_merged {
        let lockfile = project.lockfile;
        let rest = if run.writes() { "" } else { "; dx install writes it without the markers" };
        run.events.warning(&format!(
            "{lockfile} has merge conflict markers: both sides were merged, and where they \
             contradict each other ours (HEAD) counts{rest}"
        ));
    }
    if run.frozen && project.locked.is_none() {
        return Err(InstallError::NoLockfile { root: project.root.clone() });
    }
    let mut lifecycle = Lifecycle::new(run.session, project)?;
    if run.is_plain() && run.fills_tree() {
        lifecycle.run_own(run.place(project), ROOT_EVENTS_BEFORE.as_slice())?;
        // What a script changes in the project's files counts; npm ci has read them by then.
        if lifecycle.has_run() && !run.is_ci() {
            project.read_again(run.session.store(), run.session.config().package_lock()?)?;
            lifecycle.take_workspaces(project);
        }
    }
    run.events.work_began(run.session, &run.counters);
    run.cancel().check()?;
    let outcome = resolve_and_fetch(run, project, lifecycle)?;
    run.cancel().check()?;
    Ok(Some(outcome))
}

fn resolve_and_fetch(
    run: &Run<'_>,
    project: &Project,
    lifecycle: Lifecycle,
) -> Result<Outcome, InstallError> {
    let (session, config, context) = (run.session, run.session.config(), &run.session.context);
    let downloads = run.downloads(project)?;
    let mut requirements = project.requirements()?;
    let start = previous::start(run, project, &requirements)?;
    let previous = start.lock(project);
    keep_program(run, project, &mut requirements.root, previous)?;
    downloads.put_first(direct(&requirements));
    if let Some(lock) = previous.filter(|_| run.fills_tree()) {
        fetch::begin(run, project, &downloads, &requirements, lock)?;
    }
    let kept = previous.filter(|_| !run.options.updates_all());
    let (input, first) = input_and_first_requests(run, project, requirements, kept)?;
    let key = run.cache_key(project).filter(|_| !start.is_in_place);
    let ahead = run.fills_tree().then_some(&downloads);
    let resolved = resolve(context, &project.root, &input, kept, ahead, &run.counters, first)?;
    context.mark("resolved");
    let is_upgraded = kept.is_some_and(lacks_manifests);
    let (mut resolution, basis) = (resolved.resolution, resolved.basis);
    let patching = patch(run, project, &mut resolution.lock, previous, &downloads)?;
    let omit = config.omit()?;
    let mut plan = Plan::new(&resolution.lock, &resolution.installed, &omit);
    restrict(run, project, &resolution.lock, &mut plan)?;
    if !config.bin_links()? {
        plan.leave_out_commands();
    }
    let mut summary = Summary { fewer: resolved.fewer, ..summary_of(run, &resolution, &plan)? };
    explain(&mut summary, project, &resolution, &input.options.known_conflicts);
    summary.warnings.extend(patching);
    let (mut lock, mut accepted) = (resolution.lock, resolution.accepted_conflicts);
    let is_whole = run.part.is_none();
    let (mut is_complete, mut is_baseline, mut built) = (is_whole, is_whole, None);
    if run.dry_run && !run.lockfile_only {
        let refused = SourceCheck::new(session, project, &lock)?.refused(&plan);
        plan.drop_failed(&lock, refused)?;
        summary.scripts_skipped = lifecycle.skipped(project, &plan)?;
        lifecycle.report_unvouched(run.events)?;
    }
    if run.fills_tree() {
        gyp::mark(&session.store().gyp(), plan.installed.packages.iter_mut())?;
        plan.mark_private(|package| lifecycle.may_run(package));
        altered::mark_written(run.is_ci(), session.store(), &project.root, &mut plan)?;
        // No place that is not allowed is asked for a digest either.
        let refused = SourceCheck::new(session, project, &lock)?.refused(&plan);
        let mut dropped = plan.drop_failed(&lock, refused)?;
        let digests = digests::complete(run, project, &input, &downloads, &mut plan, &mut lock)?;
        dropped.extend(plan.drop_failed(&lock, digests.failed)?);
        let known = start.whole(project);
        let mut fetched = fetch::fetch(run, &downloads, (&mut plan, &mut lock), project, known)?;
        complete_scripts(run, project, &lifecycle, &mut plan, &mut lock, &mut fetched)?;
        summary.scripts_skipped = lifecycle.skipped(project, &plan)?;
        lifecycle.report_unvouched(run.events)?;
        digests::report(run, &digests.first);
        context.mark("fetched");
        dropped.extend(fetched.dropped);
        // The next install changes the lockfile that this one must not change.
        let is_outdated = run.frozen && (is_upgraded || !digests.first.is_empty());
        (is_complete, built) = (is_whole && dropped.is_empty() && !is_outdated, fetched.built);
        is_baseline &= !digests.lock_lacks;
        let dropped = dropped.iter();
        summary
            .warnings
            .extend(dropped.map(|error| format!("optional: {}", message_with_causes(error))));
    }
    if !run.lockfile_only {
        summary.packages = plan.installed.packages.iter().filter(|package| !package.link).count();
        summary.warnings.extend(broken_commands(&project.root, &plan.installed));
    }
    version::report_change(run, project, &lock, previous)?;
    if is_upgraded {
        version::report_upgrade(run, project, &lock, &resolved.unknown);
    }
    let manifests = changed_manifests(run, project, &mut lock, &mut accepted)?;
    // A tree that lacks something is no baseline.
    let is_baseline = is_baseline && omit.is_empty() && !plan.has_private();
    let diagnostics = is_baseline.then(|| diagnostics_of(accepted.as_deref(), &summary));
    let inserted = downloads.inserted();
    let tree = if run.lockfile_only {
        TreeChange::LockfileOnly
    } else {
        run.counters.to_link.set(plan.installed.packages.len() as u64);
        TreeChange::Whole(Box::new(Whole { plan, lifecycle, inserted, built }))
    };
    Ok(Outcome {
        tree,
        lock: Some(lock),
        manifests,
        summary,
        is_complete,
        node: input.options.pick.node,
        diagnostics,
        cache: key.map(|key| (key, basis)),
        ..Outcome::default()
    })
}

/// Leaves of a plan what the command may change, and adds what else is in place.
fn restrict(
    run: &Run<'_>,
    project: &Project,
    lock: &Lock,
    plan: &mut Plan,
) -> Result<(), InstallError> {
    let Some(part) = &run.part else { return Ok(()) };
    part.restrict(run.session.store(), project, lock, run.is_ci(), plan)
}

/// Explains the conflicts that are new, and notes which were told before.
fn explain(summary: &mut Summary, project: &Project, resolution: &Resolution, known: &[String]) {
    let told = resolution.explanations.iter().cloned();
    let told = told.map(|one| ExplainedConflict::new(project, one, &resolution.conflicts));
    summary.explained = told.filter(|one| !one.is_known(known)).collect();
    summary.told_before = known.to_vec();
}

/// Returns the conflicts that the last install here has told of.
fn known_conflicts(run: &Run<'_>, project: &Project) -> Vec<String> {
    let seal = Seal::of_store(run.session.store());
    let text = Map::open(project.root.join(state::PATH)).ok();
    let state = seal.zip(text).and_then(|(seal, text)| State::decode(&text, seal));
    state.and_then(|state| state.baseline).map(|known| known.conflicts).unwrap_or_default()
}

/// Keeps what the lockfile tells of npm's program, where that is not to be run. As with npm, the
/// packages that it altered then stay as they are.
fn keep_program(
    run: &Run<'_>,
    project: &Project,
    own: &mut LockPackage,
    previous: Option<&Lock>,
) -> Result<(), InstallError> {
    let Some((file, _)) = &project.alterations.program else { return Ok(()) };
    if run.frozen {
        return Ok(());
    }
    if !run.session.config().ignore_scripts()? {
        return Err(AlterationError::Program { file }.into());
    }
    let is_told = |(key, _): &&(String, String)| key == NPM_EXTENSION_HASH;
    own.extra.retain(|member| !is_told(&member));
    let before = previous.and_then(Lock::root).and_then(|own| own.extra.iter().find(is_told));
    own.extra.extend(before.cloned());
    Ok(())
}

/// Gives packages their patches, and the lock its version. Returns what is to be said of patches
/// that are for no package now.
fn patch(
    run: &Run<'_>,
    project: &Project,
    lock: &mut Lock,
    previous: Option<&Lock>,
    downloads: &Downloads,
) -> Result<Vec<String>, InstallError> {
    let config = run.session.config();
    let removed = run.options.change.as_ref().map(|change| change.removed.as_slice());
    let strictness = Strictness {
        frozen: run.frozen,
        allow_unused: project.manifest.allows_unused_patches()
            || config.allow_unused_patches()? && !run.is_ci(),
        removed: removed.unwrap_or_default(),
        ignores_failures: project.manifest.ignores_patch_failures()
            || config.ignore_patch_failures()? && !run.is_ci(),
    };
    // Without fetching it cannot be known.
    let is_tried = run.fills_tree() && !run.dry_run;
    let fitting = |package: &LockPackage| {
        let Some(id) = package_id(package)?.filter(|_| is_tried) else { return Ok(None) };
        let failed = downloads.wait(std::iter::once((id, package)))?.pop();
        Ok(failed.and_then(|(_, error)| match error {
            AcquireError::Patch { source, .. } => Some(source.to_string()),
            _ => None,
        }))
    };
    let report = project.alterations.patch(lock, previous, strictness, &fitting)?;
    version::choose(run, project, lock)?;
    let message = |key| {
        format!("the entry {key} leaves patchedDependencies with its package; the patch file stays")
    };
    Ok(report.failed.into_iter().chain(report.orphaned.into_iter().map(message)).collect())
}

/// Returns the new texts of the manifests that the command changes, after they were recorded in the
/// lock.
fn changed_manifests(
    run: &Run<'_>,
    project: &Project,
    lock: &mut Lock,
    accepted: &mut Option<Vec<Conflict>>,
) -> Result<Vec<(String, String)>, InstallError> {
    let Some(change) = &run.options.change else { return Ok(Vec::new()) };
    let mut texts = Vec::new();
    for importer in &change.importers {
        let text = (change.manifest)(importer, lock)?;
        let mut manifest = Manifest::parse(&text)?;
        if importer.is_empty() {
            project.home.complete(&mut manifest);
        } else {
            project.home.make_optional(&mut manifest);
        }
        record_requirements(lock, importer, &manifest);
        if !keeps_versions(lock, importer, &change.explicit) {
            *accepted = None;
        }
        texts.push((importer.clone(), text));
    }
    Ok(texts)
}

/// Brings into plan and lock which packages have install scripts, as far as only their files tell.
fn complete_scripts(
    run: &Run<'_>,
    project: &Project,
    lifecycle: &Lifecycle,
    plan: &mut Plan,
    lock: &mut Lock,
    fetched: &mut Fetched,
) -> Result<(), InstallError> {
    let store = run.session.store();
    let known = store.gyp();
    gyp::mark(&known, lock.packages.iter_mut())?;
    if gyp::mark(&known, plan.installed.packages.iter_mut())? {
        let becomes_private =
            |package: &LockPackage| lifecycle.may_run(package) && !package.private_copy;
        let is_other_tree = plan.installed.packages.iter().any(becomes_private);
        plan.add_private(|package| lifecycle.may_run(package));
        // The tree that was built meanwhile shares these packages' files with the store.
        if is_other_tree && let Some(built) = fetched.built.take() {
            built.give_back(&project.root, store);
        }
    }
    Ok(())
}

/// Gathers the input of the resolution.
pub(super) fn resolver_input(
    run: &Run<'_>,
    project: &Project,
    requirements: Requirements,
    locked: Option<LockedImporters<'_>>,
) -> Result<ResolverInput, InstallError> {
    let mut input = input_without_node(run, project, requirements, locked)?;
    input.options.pick.node = run.session.node_version()?;
    Ok(input)
}

/// Gathers the input of the resolution. In an empty store the first requests are sent before
/// Node.js has told its version.
fn input_and_first_requests(
    run: &Run<'_>,
    project: &Project,
    requirements: Requirements,
    locked: Option<&Lock>,
) -> Result<(ResolverInput, Option<FirstRequests>), InstallError> {
    let importers = locked.map(LockedImporters::Parsed);
    let mut input = input_without_node(run, project, requirements, importers)?;
    input.options.known_conflicts = known_conflicts(run, project);
    let send = || input.first_requests(&run.session.context, locked, &run.counters);
    let first = run.starts_from_nothing.then(send).flatten();
    input.options.pick.node = run.session.node_version()?;
    Ok((input, first))
}

/// Gathers the input of the resolution but for the version of Node.js, which it may take long to
/// tell.
fn input_without_node(
    run: &Run<'_>,
    project: &Project,
    requirements: Requirements,
    locked: Option<LockedImporters<'_>>,
) -> Result<ResolverInput, InstallError> {
    let mut input = ResolverInput::new(run.session.config(), requirements, None, locked)?;
    let change = run.options.change.as_ref();
    input.options.explicit = change.map(|change| change.explicit.clone()).unwrap_or_default();
    input.options.explicit_in = match &run.part {
        Some(part) => part.first_importers(),
        None => change.map(Change::folders).unwrap_or_default(),
    };
    input.options.removed = change.map(|change| change.removed.clone()).unwrap_or_default();
    input.options.workspaces = project.workspaces.iter().map(|(path, _)| path.clone()).collect();
    input.options.frozen = run.frozen;
    input.options.pick.avoided.clone_from(&run.options.avoided);
    dedupe::prepare(run.options, &mut input, project, locked.and_then(LockedImporters::parsed));
    input.options.more_platforms =
        more_platforms(&project.manifest.architectures()?, &input.options.platform);
    Ok(input)
}

/// Returns the messages of a tree, and the `accepted` conflicts of a complete lock.
fn diagnostics_of(accepted: Option<&[Conflict]>, summary: &Summary) -> Diagnostics {
    let told = |conflicts: &[Conflict]| conflicts.iter().map(ToString::to_string).collect();
    let names = accepted.unwrap_or_default().iter().map(|conflict| conflict.name.clone());
    Diagnostics {
        conflicts: accepted.map_or_else(|| summary.conflicts.clone(), told),
        disputed: names.collect(),
        warnings: summary.warnings.clone(),
        is_complete: accepted.is_some(),
    }
}

/// Returns what a resolution has to report.
///
/// # Errors
/// A package that cannot run on this machine, as npm refuses it.
fn summary_of(
    run: &Run<'_>,
    resolution: &Resolution,
    plan: &Plan,
) -> Result<Summary, InstallError> {
    let config = run.session.config();
    // As for npm, what is omitted may be for other machines.
    let is_planned = |unfit: &&Unfit| plan.installed.get(&unfit.path).is_some();
    let unfit = resolution.unfit.iter().filter(is_planned).collect();
    let unfit = warnings_of(unfit, config.engine_strict()?, config.force()?)?.into_iter();
    let skipped = resolution.skipped.iter().map(|reason| format!("optional: {reason}"));
    let lacking = resolution.bundles_lack.iter();
    let lacking = lacking.map(|reason| format!("missing in a tarball: {reason}"));
    let refused = resolution.refused.iter();
    let refused = refused.map(|reason| format!("dx ci would refuse this result: {reason}"));
    let is_package = |package: &&LockPackage| !package.link && !package.path.is_empty();
    Ok(Summary {
        packages: resolution.lock.packages.iter().filter(is_package).count(),
        conflicts: resolution.conflicts.iter().map(ToString::to_string).collect(),
        solved: resolution.moves.iter().map(ToString::to_string).collect(),
        warnings: unfit
            .chain(skipped)
            .chain(lacking)
            .chain(left_out(&resolution.authors_folders))
            .chain(refused)
            .collect(),
        ..Summary::default()
    })
}

/// Returns what is to be said of the folders of authors' machines that packages require.
pub(super) fn left_out(authors_folders: &[String]) -> impl Iterator<Item = String> {
    authors_folders.iter().map(|what| format!("{what}; it is left out"))
}

/// Returns what is to be said of planned packages that do not suit this machine.
///
/// # Errors
/// npm refuses to install one of them.
pub(super) fn warnings_of(
    mut unfit: Vec<&Unfit>,
    strict: bool,
    force: bool,
) -> Result<Vec<String>, InstallError> {
    let is_refused = |platform: bool| !force && (platform || strict);
    // The order in which the resolution found them means nothing.
    unfit.sort_by(|a, b| (&a.package, &a.path).cmp(&(&b.package, &b.path)));
    unfit.dedup_by(|a, b| a.package == b.package);
    if let Some(unfit) = unfit.iter().find(|unfit| is_refused(unfit.platform)) {
        let Unfit { package, wants, current, .. } = (*unfit).clone();
        return Err(InstallError::UnsupportedPlatform { package, wants, current });
    }
    let unfit = unfit.into_iter().map(|Unfit { package, wants, current, .. }| {
        format!("{package} requires {wants} (current: {current})")
    });
    Ok(unfit.collect())
}

/// Gives the lockfile's entry for an importer the requirements of its new manifest.
fn record_requirements(lock: &mut Lock, importer: &str, manifest: &Manifest) {
    let Some(own) = lock.packages.iter_mut().find(|package| package.path == importer) else {
        return;
    };
    let program = own.extra.iter().find(|(key, _)| key == NPM_EXTENSION_HASH).cloned();
    *own = if importer.is_empty() {
        LockPackage { name: own.name.clone(), ..manifest.to_project_package() }
    } else {
        let mut entry = own.clone();
        let now = manifest.to_lock_package();
        entry.dependencies = now.dependencies;
        entry.dev_dependencies = now.dev_dependencies;
        entry.optional_dependencies = now.optional_dependencies;
        entry.peer_dependencies = now.peer_dependencies;
        entry
    };
    own.extra.extend(program.filter(|_| importer.is_empty()));
}

/// Returns whether the requirements that an importer has for `explicit` names allow the versions
/// that were chosen.
pub(super) fn keeps_versions(lock: &Lock, importer: &str, explicit: &[String]) -> bool {
    let Some(own) = lock.get(importer) else { return false };
    let allows = |name: &String| {
        let spec = requirement(own, name)?;
        let entry = lock.resolve(importer, name)?;
        let version = Version::parse(entry.version.as_deref()?).ok()?;
        let spec = if let Spec::Alias { spec, .. } = spec { *spec } else { spec };
        Some(match spec {
            Spec::Range(range) => range.satisfies(&version),
            Spec::Version(exact) => exact == version,
            _ => false,
        })
    };
    explicit.iter().all(|name| allows(name).unwrap_or(false))
}

/// Returns the requirement that an entry has for a name.
fn requirement(entry: &LockPackage, name: &str) -> Option<Spec> {
    let sections = [
        &entry.dependencies,
        &entry.dev_dependencies,
        &entry.optional_dependencies,
        &entry.peer_dependencies,
    ];
    let (_, spec) = sections.into_iter().flatten().find(|(other, _)| other == name)?;
    Spec::parse(spec).ok()
}
