//! `install` and `ci`: the stages in their order, each in a module of its own.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use dx_pkg_compat::manifest::Manifest;
use dx_pkg_fs::FileLock;
use dx_pkg_lock::Lock;
use dx_pkg_resolve::{Resolution, resolve};

use crate::arguments::TreeArguments;
use crate::downloads::Downloads;
use crate::failure::Failure;
use crate::ops::finish;
use crate::ops::lifecycle;
use crate::ops::materials::{self, Materials};
use crate::plan::Plan;
use crate::progress::Progress;
use crate::project::Project;
use crate::report::{Report, Summary};
use crate::session::Session;
use crate::state;
use crate::surroundings::Surroundings;

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
}

impl Change<'_> {
    /// No change.
    pub const NONE: Change<'static> = Change { explicit: Vec::new(), manifest: &|_| Ok(None), save: true };
}

/// Installs the project that `surroundings` is in.
pub fn install(
    surroundings: &Surroundings,
    arguments: &TreeArguments,
    mode: Mode,
    report: &Report,
) -> Result<(), Failure> {
    let project = Project::open(surroundings)?;
    let session = Session::open(surroundings, &project.root, &arguments.settings())?;
    carry_out(surroundings, project, session, arguments, mode, &Change::NONE, report)
}

/// Resolves, fetches, links and records; the one path every command that changes `node_modules` takes.
pub fn carry_out(
    surroundings: &Surroundings,
    mut project: Project,
    session: Session,
    arguments: &TreeArguments,
    mode: Mode,
    change: &Change<'_>,
    report: &Report,
) -> Result<(), Failure> {
    let started = Instant::now();
    let session = Arc::new(session);
    let _only_one = lock_project(&session, &project, report)?;
    project.read_lockfile()?;
    let frozen = mode == Mode::Ci || arguments.frozen_lockfile;
    if frozen && project.locked.is_none() {
        return Err(Failure::new("DX_NO_LOCKFILE", format!("there is no lockfile in {}", project.root.display()))
            .with_hint("run dx install once to write it"));
    }
    session.config.warnings().iter().for_each(|warning| report.warning(&warning.to_string()));

    let scripts = lifecycle::Scripts::new(&session, &project)?;
    if !arguments.lockfile_only {
        scripts.run_before(surroundings, &session, &project, report)?;
    }
    let progress = Arc::new(Progress::new(report.shows_progress() && !surroundings.in_ci()));
    let downloads = Downloads::new(&session, session.config.offline()?, progress.clone());
    let materials = Materials::gather(surroundings, &session, &project, arguments, change, frozen)?;
    let ahead = (!arguments.lockfile_only).then_some(&downloads);
    let resolution = resolve_project(&session, &project, &materials, ahead, &progress)?;
    materials::refuse_unfit(&session, &resolution)?;

    let mut summary = Summary { packages: count_packages(&resolution.lock), ..Summary::default() };
    let mut plan = Plan::new(&resolution.lock, &resolution.installed, &session.config.omit()?);
    let mut lock = resolution.lock;
    if !arguments.lockfile_only {
        let licenses = finish::ask_licenses(&session, &lock, &plan, project.locked.as_ref().map(|(_, lock)| lock));
        let failed = downloads.wait(plan.wanted()?.into_iter())?;
        let dropped = plan.drop_failed(failed)?;
        summary.warnings.extend(dropped.iter().map(|failure| format!("optional: {}", failure.message)));
        finish::complete(&session, &mut lock, project.locked.as_ref().map(|(_, lock)| lock), licenses);
    }
    let manifest_text = (change.manifest)(&lock)?;
    if let Some(text) = &manifest_text {
        finish::record_requirements(&mut lock, &Manifest::parse(text)?);
    }

    let mut fresh = HashSet::new();
    if !arguments.lockfile_only {
        plan.mark_private(|package| scripts.may_run(package));
        let done;
        (done, fresh) = finish::link(&session, &project, &plan, mode, &progress)?;
        (summary.added, summary.changed, summary.removed) = (done.added, done.replaced, done.removed);
        summary.packages = plan.installed.packages.iter().filter(|package| !package.link).count();
        summary.statistics = finish::statistics(&session, &progress, &done);
        finish::remove_leftovers(&done);
    }
    progress.finish();
    if change.save && !frozen {
        finish::save(&session, &project, &lock, manifest_text.as_deref())?;
    }
    if !arguments.lockfile_only {
        summary.scripts_skipped = scripts.run(surroundings, &session, &project, &plan, &fresh, report)?;
        let digest = state::settings_digest(&arguments.settings(), surroundings.variables.iter().cloned());
        finish::note_state(&session, &project, digest)?;
    }
    summary.conflicts = resolution.conflicts.iter().map(ToString::to_string).collect();
    summary.lockfile_only = arguments.lockfile_only;
    summary.elapsed = started.elapsed();
    report.summary(&summary);
    Ok(())
}

fn resolve_project(
    session: &Session,
    project: &Project,
    materials: &Materials,
    downloads: Option<&Downloads>,
    progress: &Arc<Progress>,
) -> Result<Resolution, Failure> {
    let externals = |name: &str, spec: &str, from: &str| materials::external(project, name, spec, from);
    let bundles = |package: &dx_pkg_lock::LockPackage| materials::bundled(session, downloads, package);
    let provider = materials.provider(session, downloads, &externals, &bundles, progress.clone());
    let previous = project.locked.as_ref().map(|(_, lock)| lock);
    Ok(resolve(&materials.requirements, previous, &provider, &materials.options)?)
}

/// Lets one install at a time work on a project. Without a place for the lock there is none.
fn lock_project(session: &Session, project: &Project, report: &Report) -> Result<Option<FileLock>, Failure> {
    let name = blake3::hash(project.root.as_os_str().as_encoded_bytes()).to_hex();
    let folder = session.store.folder(dx_pkg_store::Folder::Locks);
    if std::fs::create_dir_all(&folder).is_err() {
        return Ok(None);
    }
    let waits = || report.warning("another install is running in this project; waiting for it to end");
    let path = folder.join(name.as_str());
    let lock = FileLock::exclusive(&path, waits)
        .map_err(|error| Failure::io(format!("locking {}", path.display()), &error))?;
    Ok(Some(lock))
}

fn count_packages(lock: &Lock) -> usize {
    lock.packages.iter().filter(|package| !package.link && !package.path.is_empty()).count()
}
