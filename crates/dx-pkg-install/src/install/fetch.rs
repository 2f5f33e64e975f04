//! Fetches the packages of a plan and, where no tree is in place yet, builds the new one meanwhile.

use std::collections::HashSet;

use dx_pkg_acquire::input::are_unchanged;
use dx_pkg_acquire::package::lacks_manifests;
use dx_pkg_acquire::{AcquireError, Downloads};
use dx_pkg_core::PackageId;
use dx_pkg_link::{Built, ImportMethod, LinkOptions};
use dx_pkg_lock::{Lock, LockPackage};
use dx_pkg_os::files::identity;
use dx_pkg_resolve::Requirements;
use dx_pkg_store::StoreMode;

use super::{Mode, Run};
use crate::plan::{self, Plan};
use crate::project::Project;
use crate::{InstallError, Session, altered, in_place, licenses, restore};

/// Fetched packages.
pub(super) struct Fetched {
    /// Why optional packages were left out.
    pub(super) dropped: Vec<AcquireError>,
    /// The tree beside its place, where it was built meanwhile.
    pub(super) built: Option<Built>,
}

/// Returns how packages get into the store. Where their files can be moved into the project, they
/// are not named twice while the user waits: maintenance links the project's files into the store,
/// or, in continuous integration, only tarballs are kept.
pub(super) fn store_mode(session: &Session, project: &Project) -> StoreMode {
    let device = |path| identity(path).ok().flatten().map(|identity| identity.device);
    let store = device(session.store().root());
    let may_move = store.is_some()
        && store == device(&project.root)
        && session.import_method().is_ok_and(|method| method == ImportMethod::Auto);
    match may_move {
        true if session.maintenance_follows() => StoreMode::Deferred,
        true if session.environment.in_ci() => StoreMode::Tarball,
        _ => StoreMode::Now,
    }
}

/// Starts to fetch what every platform needs, if the project requires what it did when `lock` was
/// written. What is recorded as installed is looked at later.
pub(super) fn begin(
    run: &Run<'_>,
    project: &Project,
    downloads: &Downloads,
    requirements: &Requirements,
    lock: &Lock,
) -> Result<(), InstallError> {
    downloads.put_held_of(lock);
    if are_unchanged(requirements, lock) {
        let (store, config) = (run.session.store(), run.session.config());
        let omit = config.omit()?;
        let keeps = run.options.mode != Mode::Ci && !config.force()?;
        let recorded = keeps.then(|| in_place::known(store, &project.root)).flatten();
        let recorded = recorded.as_ref().map(Lock::index);
        let is_recorded = |package: &&LockPackage| {
            let known = recorded.as_ref().and_then(|recorded| recorded.get(&package.path));
            known.is_some_and(|known| is_same(known, package))
        };
        downloads.prefetch_all(plan::certain(lock, &omit).filter(|one| !is_recorded(one)));
    }
    Ok(())
}

/// Returns whether two entries have the same package.
fn is_same(one: &LockPackage, other: &LockPackage) -> bool {
    one.integrity.is_some() && one.integrity == other.integrity && one.version == other.version
}

/// Returns the paths of the packages that stay as they are: they are in place, and their entries
/// are those of the lockfile. Where the store has all packages, nothing is looked at.
fn kept(
    run: &Run<'_>,
    project: &Project,
    plan: &Plan,
    previous: Option<&Lock>,
) -> Result<HashSet<String>, InstallError> {
    let store = run.session.store();
    let Some(previous) = previous.filter(|_| run.options.mode != Mode::Ci) else {
        return Ok(HashSet::new());
    };
    let has_tree = project.root.join("node_modules").exists();
    if !has_tree || plan.wanted()?.iter().all(|(id, _)| store.has(*id)) {
        return Ok(HashSet::new());
    }
    let mut kept = in_place::kept(run.session, &project.root, plan)?;
    let (before, planned) = (previous.index(), plan.installed.index());
    kept.retain(|path| {
        before.get(path).zip(planned.get(path)).is_some_and(|(one, other)| is_same(one, other))
    });
    Ok(kept)
}

/// Brings the plan's packages into the store, and into the lock the fields that only packages have.
/// `previous` is the lock that the resolution has started from.
pub(super) fn fetch(
    run: &Run<'_>,
    downloads: &Downloads,
    (plan, lock): (&mut Plan, &mut Lock),
    project: &Project,
    previous: Option<&Lock>,
) -> Result<Fetched, InstallError> {
    let (session, mode) = (run.session, run.options.mode);
    // Entries that are written with their manifests for the first time get their licences too.
    let previous = previous.filter(|lock| run.frozen || !lacks_manifests(lock));
    let kept = kept(run, project, plan, previous)?;
    let wanted = without(plan.wanted()?, &kept);
    let (count, under_way) = (wanted.len(), downloads.start_all(wanted.into_iter())?);
    // What the store has already is linked by all processors together, after the last package has
    // arrived.
    if under_way * 2 < count || !may_build(session, project, mode) {
        let dropped = wait_without(&kept, session, previous, downloads, plan, lock)?;
        return Ok(Fetched { dropped, built: None });
    }
    let tree = plan.tree()?;
    let options = LinkOptions {
        keep_foreign: matches!(mode, Mode::Install | Mode::Prune),
        links_outside: true,
        leaves_own_commands: session.is_global()?,
        cancelled: Some(run.cancel().flag()),
        compares_bytes: altered::COMPARED,
        ..LinkOptions::default()
    };
    let (root, store) = (&project.root, session.store());
    run.forget_state(project);
    std::thread::scope(|scope| {
        let arrivals = downloads.arrivals();
        let building = scope.spawn(|| Built::ahead(root, store, &tree, &options, arrivals));
        let failed = wait(session, previous, downloads, plan, lock);
        downloads.end_arrivals();
        let built = building.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        match (failed, built) {
            // It is fetched again when the tree is linked as a whole.
            (Ok(dropped), Err(error)) if restore::is_due(&error) => {
                Ok(Fetched { dropped, built: None })
            }
            (Ok(dropped), built) => Ok(Fetched { dropped, built: Some(built?) }),
            (Err(error), built) => {
                if let Ok(built) = built {
                    built.give_back(root, store);
                }
                Err(error)
            }
        }
    })
}

/// Returns whether linking can overlap downloads: the tree is built beside its place.
fn may_build(session: &Session, project: &Project, mode: Mode) -> bool {
    session.import_method().is_ok_and(|method| method == ImportMethod::Auto)
        && (mode == Mode::Ci || !project.root.join("node_modules").exists())
}

/// Leaves out the packages at these paths.
fn without<'p>(
    mut wanted: Vec<(PackageId, &'p LockPackage)>,
    kept: &HashSet<String>,
) -> Vec<(PackageId, &'p LockPackage)> {
    wanted.retain(|(_, package)| !kept.contains(&package.path));
    wanted
}

/// Brings the plan's packages into the store without building; `previous` has the lock's entries as
/// they were, as far as they are known. Returns why optional packages were left out.
pub(super) fn wait(
    session: &Session,
    previous: Option<&Lock>,
    downloads: &Downloads,
    plan: &mut Plan,
    lock: &mut Lock,
) -> Result<Vec<AcquireError>, InstallError> {
    wait_without(&HashSet::new(), session, previous, downloads, plan, lock)
}

/// Does as [`wait`] does, but for the packages at the paths in `kept`.
fn wait_without(
    kept: &HashSet<String>,
    session: &Session,
    previous: Option<&Lock>,
    downloads: &Downloads,
    plan: &mut Plan,
    lock: &mut Lock,
) -> Result<Vec<AcquireError>, InstallError> {
    let requested = licenses::request(session, lock, plan, previous);
    let failed = downloads.wait(without(plan.wanted()?, kept).into_iter());
    // A tree that is built meanwhile gets no more packages.
    downloads.end_arrivals();
    let dropped = plan.drop_failed(lock, failed?)?;
    licenses::complete(session, downloads, lock, previous, requested);
    plan.take_licenses(lock);
    Ok(dropped)
}
