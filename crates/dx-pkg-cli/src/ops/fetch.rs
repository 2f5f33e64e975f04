//! Fetching what a plan wants and, where no tree is in place yet, building the new one meanwhile.

use std::sync::Arc;

use dx_pkg_link::{Built, ImportMethod, LinkOptions, build_ahead};
use dx_pkg_lock::Lock;
use dx_pkg_resolve::Requirements;

use crate::downloads::Downloads;
use crate::failure::Failure;
use crate::ops::install::Mode;
use crate::ops::{finish, materials};
use crate::plan::{self, Plan};
use crate::project::Project;
use crate::session::Session;

/// What came of it.
pub struct Fetched {
    /// Why optional packages were left out.
    pub dropped: Vec<Failure>,
    /// The tree, beside its place.
    pub built: Option<Built>,
}

/// Starts to fetch what is needed wherever this is, where the project requires what it did when `lock` was written: what else
/// is needed need not be known for that.
pub fn begin(
    session: &Session,
    downloads: &Downloads,
    requirements: &Requirements,
    lock: &Lock,
) -> Result<(), Failure> {
    if materials::are_unchanged(requirements, lock) {
        let omit = session.config.omit()?;
        plan::certain(lock, &omit).for_each(|package| downloads.expect(package, None));
    }
    Ok(())
}

/// Brings what the plan wants into the store, and into the lock what only the packages tell.
pub fn fetch(
    session: &Arc<Session>,
    project: &Project,
    downloads: &Downloads,
    plan: &mut Plan,
    lock: &mut Lock,
    mode: Mode,
) -> Result<Fetched, Failure> {
    let previous = project.locked.as_ref().map(|(_, lock)| lock);
    let wanted = plan.wanted()?;
    let (count, on_their_way) = (wanted.len(), downloads.start_all(wanted.into_iter())?);
    // What is in the store already is linked by all processors together, after the last package has come.
    if on_their_way * 2 < count || !may_build(session, project, downloads, mode) {
        return Ok(Fetched {
            dropped: wait(session, previous, downloads, plan, lock)?,
            built: None,
        });
    }
    let tree = plan.tree()?;
    let options = LinkOptions {
        keep_foreign: mode == Mode::Install,
        links_outside: true,
        cancelled: Some(dx_pkg_os::asked_to_end()),
        ..LinkOptions::default()
    };
    std::thread::scope(|scope| {
        let arrivals = downloads.arrivals();
        let building =
            scope.spawn(|| build_ahead(&project.root, &session.store, &tree, &options, arrivals));
        let dropped = wait(session, previous, downloads, plan, lock);
        downloads.end_arrivals();
        let built = building.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        match (dropped, built) {
            (Ok(dropped), built) => Ok(Fetched { dropped, built: Some(built?) }),
            (Err(failure), built) => {
                if let Ok(built) = built {
                    built.give_back(&project.root, &session.store);
                }
                Err(failure)
            }
        }
    })
}

/// Whether a tree may be built of packages that are moved into it, beside a place where there is none to be changed.
fn may_build(session: &Session, project: &Project, downloads: &Downloads, mode: Mode) -> bool {
    downloads.are_stored_later()
        && finish::import_method(session).is_ok_and(|method| method == ImportMethod::Auto)
        && (mode == Mode::Ci || !project.root.join("node_modules").exists())
}

/// The same where nothing is built meanwhile; `previous` has the lock's entries as they were, as far as they are known.
pub fn wait(
    session: &Session,
    previous: Option<&Lock>,
    downloads: &Downloads,
    plan: &mut Plan,
    lock: &mut Lock,
) -> Result<Vec<Failure>, Failure> {
    let licenses = finish::ask_licenses(session, lock, plan, previous);
    let failed = downloads.wait(plan.wanted()?.into_iter());
    // Whoever builds meanwhile has all there will be.
    downloads.end_arrivals();
    let dropped = plan.drop_failed(lock, failed?)?;
    finish::complete(session, downloads, lock, previous, licenses);
    plan.take_licenses(lock);
    Ok(dropped)
}
