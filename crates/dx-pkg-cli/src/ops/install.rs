//! `install` and `ci`: the stages in their order, each in a module of its own.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::ScopedJoinHandle;
use std::time::Instant;

use dx_pkg_compat::manifest::Manifest;
use dx_pkg_core::{PackageId, Version};
use dx_pkg_fetch::Trace;
use dx_pkg_link::scripts::{ROOT_EVENTS_AFTER, ROOT_EVENTS_BEFORE, TREE_EVENTS};
use dx_pkg_link::{Built, ImportMethod};
use dx_pkg_lock::Lock;
use dx_pkg_os::FileLock;
use dx_pkg_resolve::{Conflict, Resolution, ResolveError, resolve};

use crate::arguments::TreeArguments;
use crate::downloads::{Downloads, Storing};
use crate::ending;
use crate::failure::Failure;
use crate::metadata::{Basis, Local, Policy};
use crate::ops::background;
use crate::ops::fetch;
use crate::ops::finish::{self, Linked, Ready};
use crate::ops::incremental;
use crate::ops::installed::{self, Said};
use crate::ops::lifecycle;
use crate::ops::materials::{self, Materials};
use crate::ops::shortcut::{self, Installed, Taken};
use crate::plan::Plan;
use crate::progress::Progress;
use crate::project::{Project, find_root};
use crate::remembered::Inputs;
use crate::report::{Report, Summary};
use crate::session::Session;
use crate::speculation;
use crate::state;
use crate::surroundings::Surroundings;
use crate::timing;

/// Which rules an install follows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Change the lockfile where the manifest asks for it.
    Install,
    /// Do exactly what the lockfile says, with a new `node_modules`.
    Ci,
}

/// A change to the manifest that an install carries out.
pub struct Change<'c> {
    /// Names of dependencies that were asked for explicitly.
    pub explicit: Vec<String>,
    /// Given the resolution's lock, the manifest's text as it is to be saved; `None` where it stays as it is.
    pub manifest: &'c dyn Fn(&Lock) -> Result<Option<String>, Failure>,
    /// Whether manifest and lockfile are written.
    pub save: bool,
    /// Whether the project's own scripts run.
    pub own_scripts: bool,
    /// What the install is worked out from.
    pub asked: Asked,
}

/// What an install is worked out from.
#[derive(Clone, Copy, Debug)]
pub enum Asked {
    /// Not only the project and the settings decide.
    Otherwise,
    /// The project and the settings, as they are when the install begins; not known yet.
    Project,
    /// These.
    Inputs(Inputs),
}

impl Change<'_> {
    /// No change.
    pub const NONE: Change<'static> = Change {
        explicit: Vec::new(),
        manifest: &|_| Ok(None),
        save: true,
        own_scripts: true,
        asked: Asked::Otherwise,
    };

    /// What the install of `project`, as it was read, is worked out from, where that can be said.
    pub fn inputs(
        &self,
        surroundings: &Surroundings,
        session: &Session,
        project: &Project,
    ) -> Option<Inputs> {
        match self.asked {
            Asked::Otherwise => None,
            Asked::Project => Some(Inputs::of(surroundings, session, project)),
            Asked::Inputs(inputs) => Some(inputs),
        }
    }
}

/// A project with its settings; no other command works on it as long as this lives.
pub struct Work {
    /// Settings, store and network.
    pub session: Arc<Session>,
    /// The project as it is now.
    pub project: Project,
    /// Whether the store has nothing.
    pub starts_from_nothing: bool,
    _only_one: Option<FileLock>,
}

impl Work {
    /// Waits for other commands in the project that `surroundings` is in, then reads it.
    pub fn begin(
        surroundings: &Surroundings,
        arguments: &TreeArguments,
        report: &Report,
    ) -> Result<Self, Failure> {
        Self::begin_with(Project::open, surroundings, arguments, report)
    }

    /// The same, where a folder without a `package.json` is a project that asks for nothing yet.
    pub fn begin_new(
        surroundings: &Surroundings,
        arguments: &TreeArguments,
        report: &Report,
    ) -> Result<Self, Failure> {
        Self::begin_with(Project::open_or_new, surroundings, arguments, report)
    }

    fn begin_with(
        open: fn(&Surroundings, PathBuf) -> Result<Project, Failure>,
        surroundings: &Surroundings,
        arguments: &TreeArguments,
        report: &Report,
    ) -> Result<Self, Failure> {
        let root = find_root(&surroundings.folder);
        let mut session = Session::open(surroundings, &root, &arguments.settings())?;
        session.trace = arguments.timing.as_ref().map(|_| Trace::start());
        let only_one = lock_project(&session, &root, report)?;
        if only_one.is_some() {
            sweep(&root);
        }
        let mut project = open(surroundings, root)?;
        let starts_from_nothing = session.starts_from_nothing();
        if starts_from_nothing && project.requires_anything() {
            session.warm(surroundings);
        }
        if session.config.package_lock()? {
            project.load_lockfile()?;
        }
        session.config.warnings().iter().for_each(|warning| report.warning(&warning.to_string()));
        Ok(Work { session: Arc::new(session), project, starts_from_nothing, _only_one: only_one })
    }
}

/// Installs the project that `surroundings` is in.
pub fn install(
    surroundings: &Surroundings,
    arguments: &TreeArguments,
    mode: Mode,
    report: &Report,
) -> Result<(), Failure> {
    let started = Instant::now();
    let mut work = Work::begin(surroundings, arguments, report)?;
    // Nothing is remembered where there is nothing; then the packages come first.
    let inputs =
        (!work.starts_from_nothing).then(|| Inputs::of(surroundings, &work.session, &work.project));
    let frozen = mode == Mode::Ci || arguments.frozen_lockfile;
    let settings =
        state::settings_digest(&arguments.settings(), surroundings.variables.iter().cloned());
    let taken = inputs
        .map(|inputs| shortcut::take(surroundings, &mut work, inputs, frozen, settings))
        .transpose()?;
    if let Some(Taken { mut summary, done }) = taken.flatten() {
        finish::remove_leftovers(&done);
        summary.elapsed = started.elapsed();
        report.summary(&summary);
        background::start(&work.session, &work.project.root, true);
        return write_timing(surroundings, &work.session, arguments);
    }
    let change = Change { asked: inputs.map_or(Asked::Project, Asked::Inputs), ..Change::NONE };
    carry_out(surroundings, work, arguments, mode, &change, report)
}

/// Resolves, fetches, links and records; the one path every command that changes `node_modules` takes.
pub fn carry_out(
    surroundings: &Surroundings,
    work: Work,
    arguments: &TreeArguments,
    mode: Mode,
    change: &Change<'_>,
    report: &Report,
) -> Result<(), Failure> {
    let (session, root) = (work.session.clone(), work.project.root.clone());
    let _ = ending::is_asked();
    let outcome = stages(surroundings, work, arguments, mode, change, report);
    // Also after a failure: what was fetched need not be fetched again.
    let left = match session.trees {
        0 => session.store.drop_pending().map(|()| 0),
        _ => session.store.leave_pending(&root),
    };
    let told = write_timing(surroundings, &session, arguments);
    match outcome {
        Ok(new_tree) => {
            left?;
            told?;
            if let Some(new_tree) = new_tree {
                background::start(&session, &root, new_tree);
            }
            Ok(())
        }
        Err(failure) => {
            if left.is_ok_and(|left| left > 0) {
                background::start_worker(&session);
            }
            // Whatever failed on the way out, this is why.
            Err(if ending::is_asked() { ending::failure() } else { failure })
        }
    }
}

/// Writes the file that `--timing` names.
fn write_timing(
    surroundings: &Surroundings,
    session: &Session,
    arguments: &TreeArguments,
) -> Result<(), Failure> {
    match (&session.trace, &arguments.timing) {
        (Some(trace), Some(path)) => timing::write(trace, &surroundings.folder.join(path)),
        _ => Ok(()),
    }
}

/// Says whether the tree is new as a whole; `None` where there is none to be had.
#[expect(clippy::too_many_lines, reason = "its stages move to a library")]
fn stages(
    surroundings: &Surroundings,
    work: Work,
    arguments: &TreeArguments,
    mode: Mode,
    change: &Change<'_>,
    report: &Report,
) -> Result<Option<bool>, Failure> {
    let started = Instant::now();
    let Work { session, mut project, _only_one, .. } = work;
    let lockfile_only = session.config.package_lock_only()?;
    let frozen = mode == Mode::Ci || arguments.frozen_lockfile;
    let settings =
        state::settings_digest(&arguments.settings(), surroundings.variables.iter().cloned());
    let step = incremental::Step { surroundings, session: &session, change, settings };
    if !frozen && step.carry_out(&mut project, report)? {
        return Ok(Some(false));
    }
    project.read_lockfile(&session.store)?;
    if frozen && project.locked.is_none() {
        return Err(Failure::new(
            "DX_NO_LOCKFILE",
            format!("there is no lockfile in {}", project.root.display()),
        )
        .with_hint("run dx install once to write it"));
    }
    let scripts = lifecycle::Scripts::new(&session, &project)?;
    let own_scripts =
        |events: &[&str], project: &Project| match change.own_scripts && !lockfile_only {
            true => scripts.run_own(events, surroundings, &session, project, report),
            false => Ok(()),
        };
    own_scripts(ROOT_EVENTS_BEFORE.as_slice(), &project)?;
    let shown = Progress::start(report.shows_progress() && !surroundings.in_ci());
    let durability = finish::durability(&session, lockfile_only);
    let stages = Stages {
        surroundings,
        session: &session,
        project: &project,
        change,
        frozen,
        progress: &shown.0,
    };
    let tree_mode = (!lockfile_only).then_some(mode);
    ending::check()?;
    let mut outcome = stages.work_out(&scripts, tree_mode)?;
    ending::check()?;
    let writes = change.save && !frozen;
    let (linked, text) = stages.put_in_place(&mut outcome, tree_mode, writes)?;
    drop(shown);
    let Outcome {
        mut plan,
        lock,
        manifest,
        mut summary,
        mut complete,
        inputs,
        basis,
        node,
        settled,
        ..
    } = outcome;
    if writes {
        finish::save(&mut project, text, manifest.as_deref(), durability)?;
    }
    ending::check()?;
    if let Some(linked) = &linked {
        let failed = scripts.run(surroundings, &session, &project, &plan, &linked.new, report)?;
        installed::settle(&project, &plan)?;
        if !failed.is_empty() {
            complete = false;
            plan.leave_out(&lock, &failed);
            finish::link(
                &session,
                &project,
                &plan,
                Mode::Install,
                Ready::default(),
                &Progress::start(false).0,
            )?;
            installed::settle(&project, &plan)?;
        }
        scripts.run_workspaces(surroundings, &session, &project, &plan, report)?;
        if linked.report.added + linked.report.replaced + linked.report.removed > 0 {
            scripts.run_own(TREE_EVENTS.as_slice(), surroundings, &session, &project, report)?;
        }
        own_scripts(ROOT_EVENTS_AFTER.as_slice(), &project)?;
    }
    // What is missing or in no manifest is looked at again by the next install.
    if let Some(Linked { prepared, placed, .. }) =
        linked.as_ref().filter(|_| change.save && complete)
    {
        let may_be = session.config.omit()?.is_empty() && !plan.has_private();
        let noted = settled.filter(|_| may_be).and_then(|conflicts| {
            let disputed = conflicts.iter().map(|conflict| conflict.name.clone()).collect();
            let conflicts = conflicts.iter().map(ToString::to_string).collect();
            let said = Said { conflicts, disputed, warnings: summary.warnings.clone() };
            installed::settled(&project.root, node.as_ref(), &said)
        });
        let settled = noted.is_some();
        installed::note_state(&session, &project, plan.linked_folders(), settings, noted)?;
        let asked = inputs.map(|inputs| (inputs, basis));
        let now = Inputs::of(surroundings, &session, &project);
        let installed =
            Installed { prepared: *prepared, placed: *placed, summary: &summary, settled };
        shortcut::remember(&session, &project, &plan, &installed, now, asked)?;
    }
    summary.lockfile_only = lockfile_only;
    summary.elapsed = started.elapsed();
    report.summary(&summary);
    // The process ends soon: to give back what is in thousands of pieces would take a tenth of the way.
    std::mem::forget((plan, lock));
    Ok(linked.map(|linked| linked.report.fresh))
}

/// How packages get into the store. Where their files can be moved into the project, they are not written twice while the
/// user waits: a background process follows, and has the project's files to write them from; or none does, and in
/// continuous integration nobody is likely to want more than their tarballs.
pub fn storing(surroundings: &Surroundings, session: &Session, project: &Project) -> Storing {
    let device =
        |path: &Path| dx_pkg_os::identity(path).ok().flatten().map(|identity| identity.device);
    let store = device(session.store.root());
    let may_move = store.is_some()
        && store == device(&project.root)
        && finish::import_method(session).is_ok_and(|method| method == ImportMethod::Auto);
    match may_move {
        true if session.trees > 0 => Storing::Later,
        true if surroundings.in_ci() => Storing::Packed,
        _ => Storing::Now,
    }
}

/// What the stages of an install work with.
struct Stages<'s> {
    surroundings: &'s Surroundings,
    session: &'s Arc<Session>,
    project: &'s Project,
    change: &'s Change<'s>,
    frozen: bool,
    progress: &'s Arc<Progress>,
}

/// What the first stages came to.
struct Outcome {
    /// What is to lie in `node_modules`.
    plan: Plan,
    /// The lockfile to be.
    lock: Lock,
    /// The manifest to be, where it changes.
    manifest: Option<String>,
    /// What the user is told.
    summary: Summary,
    /// Whether nothing had to be left out.
    complete: bool,
    /// What it was worked out from, where that can be said.
    inputs: Option<Inputs>,
    /// The metadata that was asked for; `None` where it does not hold for another time.
    basis: Option<Basis>,
    /// Packages this command brought into the store.
    inserted: Vec<PackageId>,
    /// The tree that was built while packages arrived.
    built: Option<Built>,
    /// The version of Node.js that packages were chosen for.
    node: Option<Version>,
    /// Where the resolution left nothing open: the conflicts that are lived with.
    settled: Option<Vec<Conflict>>,
}

impl Stages<'_> {
    /// Resolves and, where there is a mode to install in, fetches.
    fn work_out(
        &self,
        scripts: &lifecycle::Scripts,
        mode: Option<Mode>,
    ) -> Result<Outcome, Failure> {
        let Stages { surroundings, session, project, change, frozen, progress } = *self;
        let storing = storing(surroundings, session, project);
        let downloads =
            Downloads::new(session, session.config.offline()?, storing, progress.clone());
        let previous = project.locked.as_ref().map(|(_, lock)| lock);
        let requirements = project.requirements()?;
        downloads.put_first(materials::direct(&requirements));
        if let (Some(_), Some(lock)) = (mode, previous) {
            fetch::begin(session, &downloads, &requirements, lock)?;
        }
        let inputs = change.inputs(surroundings, session, project);
        let materials = Materials::gather(
            surroundings,
            session,
            project,
            requirements,
            change,
            previous,
            frozen,
        )?;
        let ahead = mode.map(|_| &downloads);
        let (resolution, basis) = resolve_project(session, project, &materials, ahead, progress)?;
        session.mark("resolved");
        if materials.policy.speculative && progress.metadata_requests() > 0 {
            speculation::learn(session, &resolution.lock);
        }
        let mut summary = summary_of(session, &resolution)?;
        let mut plan = Plan::new(&resolution.lock, &resolution.installed, &session.config.omit()?);
        let (mut lock, mut settled) = (resolution.lock, resolution.accepted_conflicts);
        let mut complete = true;
        let mut built = None;
        if let Some(mode) = mode {
            plan.mark_private(|package| scripts.may_run(package));
            summary.scripts_skipped = scripts.passed_over(&plan)?;
            let fetched = fetch::fetch(session, project, &downloads, &mut plan, &mut lock, mode)?;
            session.mark("fetched");
            let dropped = fetched.dropped;
            (complete, built) = (dropped.is_empty(), fetched.built);
            summary
                .warnings
                .extend(dropped.iter().map(|failure| format!("optional: {}", failure.message)));
        }
        let manifest = (change.manifest)(&lock)?;
        if let Some(text) = &manifest {
            finish::record_requirements(&mut lock, &Manifest::parse(text)?);
            settled = settled.filter(|_| finish::keeps_versions(&lock, &change.explicit));
        }
        let (node, inserted) = (materials.options.pick.node, downloads.inserted());
        Ok(Outcome {
            plan,
            lock,
            manifest,
            summary,
            complete,
            inputs,
            basis,
            inserted,
            built,
            node,
            settled,
        })
    }

    /// Makes `node_modules` what was worked out, where there is a mode to do it in, and meanwhile, with `writes`, the
    /// lockfile's new text.
    fn put_in_place(
        &self,
        outcome: &mut Outcome,
        mode: Option<Mode>,
        writes: bool,
    ) -> Result<(Option<Linked>, Option<String>), Failure> {
        let Outcome { plan, lock, summary, inserted, built, .. } = outcome;
        std::thread::scope(|scope| {
            let text = writes
                .then(|| scope.spawn(|| finish::lockfile_text(self.session, self.project, lock)));
            let linked = mode.map(|mode| {
                let ready = Ready { movable: inserted, built: built.take() };
                finish::link(self.session, self.project, plan, mode, ready, self.progress)
            });
            let linked = linked.transpose()?;
            self.session.mark("linked");
            if let Some(Linked { report: done, .. }) = &linked {
                (summary.added, summary.changed, summary.removed) =
                    (done.added, done.replaced, done.removed);
                summary.packages =
                    plan.installed.packages.iter().filter(|package| !package.link).count();
                summary.statistics = finish::statistics(self.session, self.progress, done);
                finish::remove_leftovers(done);
            }
            let joined = |text: ScopedJoinHandle<'_, Result<Option<String>, Failure>>| {
                text.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            Ok((linked, text.map(joined).transpose()?.flatten()))
        })
    }
}

/// What a resolution leaves to be told; an error where it must not be installed.
fn summary_of(session: &Session, resolution: &Resolution) -> Result<Summary, Failure> {
    materials::refuse_unfit(session, resolution)?;
    // In whatever order the resolution came upon them.
    let mut unfit: Vec<String> = resolution
        .unfit
        .iter()
        .map(|unfit| format!("{} wants {}", unfit.package, unfit.wants))
        .collect();
    unfit.sort();
    let skipped = resolution.skipped.iter().map(|reason| format!("optional: {reason}"));
    Ok(Summary {
        packages: count_packages(&resolution.lock),
        conflicts: resolution.conflicts.iter().map(ToString::to_string).collect(),
        warnings: unfit.into_iter().chain(skipped).collect(),
        ..Summary::default()
    })
}

fn resolve_project(
    session: &Session,
    project: &Project,
    materials: &Materials,
    downloads: Option<&Downloads>,
    progress: &Arc<Progress>,
) -> Result<(Resolution, Option<Basis>), Failure> {
    let externals =
        |name: &str, spec: &str, from: &str| materials::external(project, name, spec, from);
    let bundles =
        |package: &dx_pkg_lock::LockPackage| materials::bundled(session, downloads, package);
    let previous = project.locked.as_ref().map(|(_, lock)| lock);
    let likely = || speculation::likely(session, &materials.open, previous);
    let local = Local { downloads, externals: &externals, bundles: &bundles, likely: &likely };
    let provider = |policy: Policy| materials.provider(session, policy, local, progress.clone());
    let cached = provider(materials.policy);
    let outcome = resolve(&materials.requirements, previous, &cached, &materials.options);
    progress.speculated(cached.finish_speculation());
    match outcome {
        // It may have been published since the cached packument was.
        Err(ResolveError::NoVersion { .. }) if cached.used_cache() && !materials.policy.offline => {
            let current =
                provider(Policy { prefer_offline: false, prefer_online: true, ..materials.policy });
            Ok((
                resolve(&materials.requirements, previous, &current, &materials.options)?,
                current.basis(),
            ))
        }
        outcome => Ok((outcome?, cached.basis())),
    }
}

/// Removes what killed commands left beside the manifest: files they were about to rename. Nobody else is writing there
/// while the project is locked.
fn sweep(root: &Path) {
    for entry in std::fs::read_dir(root).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(dx_pkg_os::TEMPORARY) {
            // What stays is in nobody's way.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Lets one install at a time work on a project. Without a place for the lock there is none.
fn lock_project(
    session: &Session,
    root: &Path,
    report: &Report,
) -> Result<Option<FileLock>, Failure> {
    let name = blake3::hash(root.as_os_str().as_encoded_bytes()).to_hex();
    let folder = session.store.folder(dx_pkg_store::Folder::Locks);
    if std::fs::create_dir_all(&folder).is_err() {
        return Ok(None);
    }
    let waits =
        || report.warning("another install is running in this project; waiting for it to end");
    let path = folder.join(name.as_str());
    match FileLock::exclusive(&path, waits) {
        Ok(lock) => Ok(Some(lock)),
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(Failure::io(format!("locking {}", path.display()), &error)),
    }
}

fn count_packages(lock: &Lock) -> usize {
    lock.packages.iter().filter(|package| !package.link && !package.path.is_empty()).count()
}
