//! Checks the places that a plan's packages come from, before any of them is asked.

use std::cell::OnceCell;
use std::collections::HashSet;

use dx_pkg_acquire::AcquireError;
use dx_pkg_lock::Lock;

use crate::plan::Plan;
use crate::project::Project;
use crate::{InstallError, Session};

/// Returns the paths of packages that must not be taken from where the lock says, each with the
/// reason.
pub(super) fn refused(
    session: &Session,
    project: &Project,
    plan: &Plan,
    lock: &Lock,
) -> Result<Vec<(String, AcquireError)>, InstallError> {
    let rules = session.context.sources()?;
    let direct = OnceCell::new();
    let is_direct = |path: &str| direct.get_or_init(|| direct_paths(project, lock)).contains(path);
    let refusals = plan.unpacked().filter_map(|package| {
        let refusal = rules.refusal(package, || is_direct(&package.path))?;
        Some((package.path.clone(), refusal))
    });
    Ok(refusals.collect())
}

/// Returns the paths of the packages that the project and its workspaces require themselves.
fn direct_paths<'l>(project: &Project, lock: &'l Lock) -> HashSet<&'l str> {
    let index = lock.index();
    let importers = project.workspaces.iter().map(|(folder, _)| folder.as_str()).chain([""]);
    let entries = importers.filter_map(|folder| index.get(folder));
    let names = entries.flat_map(|entry| {
        let sections = [
            &entry.dependencies,
            &entry.dev_dependencies,
            &entry.optional_dependencies,
            &entry.peer_dependencies,
        ];
        sections.into_iter().flatten().map(move |(name, _)| (entry.path.as_str(), name))
    });
    names.filter_map(|(from, name)| Some(index.resolve(from, name)?.path.as_str())).collect()
}
