//! Packages of a lockfile, brought into the store without a project.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use dx_pkg_acquire::input::platform;
use dx_pkg_acquire::package::copied_folder;
use dx_pkg_acquire::{Counters, Downloads};
use dx_pkg_compat::npmrc::DependencyType;
use dx_pkg_core::Platform;
use dx_pkg_core::coded::message_with_causes;
use dx_pkg_lock::Lock;
use dx_pkg_store::StoreMode;

use crate::events::tell_notes;
use crate::plan::Plan;
use crate::project::{lockfile_in, read_lock};
use crate::summary::count;
use crate::{Events, InstallError, Session};

/// The packages that a lockfile needs, and what became of them.
#[derive(Debug, Default)]
pub struct FetchedLock {
    /// The number of packages, those of one tarball once.
    pub packages: usize,
    /// How many of them the store did not have.
    pub new: usize,
    /// Why optional packages are missing.
    pub left_out: Vec<String>,
}

impl FetchedLock {
    /// Returns the result in words.
    #[must_use]
    pub fn text(&self) -> String {
        let packages = count(self.packages as u64, "package");
        format!("Fetched {} of {packages}: the store has what the lockfile needs", self.new)
    }
}

/// Brings the packages that the lockfile in `root` needs on this machine into the store. Neither a
/// `package.json` nor a `node_modules` is looked at.
///
/// # Errors
/// There is no lockfile, or a package cannot be fetched.
pub fn fetch_lockfile(
    session: &Arc<Session>,
    root: &Path,
    events: &dyn Events,
) -> Result<FetchedLock, InstallError> {
    super::refuse_dry_run(session, "fetch")?;
    let path = lockfile_in(root)?;
    let mut lock = read_lock(&path, session.store())?;
    // Patches are the project's: their files may not be there yet.
    lock.packages.iter_mut().for_each(|package| package.patched = None);
    let config = session.config();
    let mut plan = plan_of(&lock, &platform(config)?, &config.omit()?, config.force()?);
    // Folders and tarballs of the project may not be there either; an install takes them itself.
    plan.installed.packages.retain(|package| {
        copied_folder(package).is_none()
            && !package.resolved.as_deref().is_some_and(|from| from.starts_with("file:"))
    });
    let counters = Arc::<Counters>::default();
    let downloads =
        Downloads::new(&session.context, config.offline()?, StoreMode::Now, counters.clone())
            .in_project(root);
    events.work_began(session, &counters);
    let wanted = plan.wanted()?;
    let ids: HashSet<_> = wanted.iter().map(|(id, _)| *id).collect();
    let failed = downloads.wait(wanted.into_iter());
    events.work_ended();
    tell_notes(session, events);
    let dropped = plan.drop_failed(&lock, failed?)?;
    let left_out = dropped.iter().map(|error| message_with_causes(error)).collect();
    // Answers that were only for the next command. A cache that cannot be written costs time.
    let _ = session.store().save_metadata();
    Ok(FetchedLock { packages: ids.len(), new: downloads.inserted().len(), left_out })
}

/// Returns the packages of a lock that are installed on a platform.
pub(super) fn plan_of(
    lock: &Lock,
    platform: &Platform,
    omit: &[DependencyType],
    force: bool,
) -> Plan {
    let unfit: HashSet<String> = lock
        .packages
        .iter()
        .filter(|package| package.optional && !package.runs_on(platform))
        .map(|package| package.path.clone())
        .collect();
    let mut plan = Plan::new(lock, &vec![true; lock.packages.len()], omit);
    if !force {
        plan.leave_out(lock, &unfit);
    }
    plan
}
