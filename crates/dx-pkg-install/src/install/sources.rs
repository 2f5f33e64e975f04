//! Checks the places that a plan's packages come from, before any of them is asked.

use std::cell::OnceCell;
use std::collections::HashSet;

use dx_pkg_acquire::AcquireError;
use dx_pkg_acquire::exact::Elsewhere;
use dx_pkg_acquire::sources::SourceRules;
use dx_pkg_lock::{Lock, LockPackage};
use dx_pkg_resolve::Override;
use dx_pkg_resolve::pins::Meaning;

use crate::plan::Plan;
use crate::project::Project;
use crate::{InstallError, Session};

/// The check of the places that a lock's packages come from.
pub(super) struct SourceCheck<'l> {
    rules: &'l SourceRules,
    project: &'l Project,
    lock: &'l Lock,
    /// The paths of the packages that the project and its workspaces require themselves.
    direct: OnceCell<HashSet<&'l str>>,
    /// The project's overrides, and its pins and the meanings of its requirements as such.
    overrides: Vec<Override>,
}

impl<'l> SourceCheck<'l> {
    pub(super) fn new(
        session: &'l Session,
        project: &'l Project,
        lock: &'l Lock,
    ) -> Result<Self, InstallError> {
        let rules = session.context.sources()?;
        let mut overrides = project.rules()?;
        let meanings = project.pins()?.pins.meanings;
        overrides.extend(meanings.into_iter().map(|Meaning { name, means, .. }| Override {
            key: name,
            value: Some(means),
            children: Vec::new(),
        }));
        Ok(SourceCheck { rules, project, lock, direct: OnceCell::new(), overrides })
    }

    /// Returns why a package must not be taken from where its entry says.
    pub(super) fn refusal(&self, package: &LockPackage) -> Option<AcquireError> {
        let direct = || self.direct.get_or_init(|| direct_paths(self.project, self.lock));
        self.rules.refusal(
            package,
            || direct().contains(package.path.as_str()),
            || self.elsewhere(package),
        )
    }

    /// Returns whether a requirement of the lock, the project or its overrides names a place other
    /// than a registry for a package. Asked only of entries that are to come from such a place.
    fn elsewhere(&self, package: &LockPackage) -> bool {
        let own = self.project.manifest.to_lock_package();
        let all = self.lock.packages.iter().chain([&own]);
        Elsewhere::of(all).with_overrides(&self.overrides).names(package)
    }

    /// Returns the paths of the plan's packages that must not be taken from where their entries
    /// say, each with the reason.
    pub(super) fn refused(&self, plan: &Plan) -> Vec<(String, AcquireError)> {
        let refused = |package: &LockPackage| Some((package.path.clone(), self.refusal(package)?));
        plan.unpacked().filter_map(refused).collect()
    }
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
