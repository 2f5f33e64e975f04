//! Checks the places that a plan's packages come from, before any of them is asked.

use std::cell::OnceCell;
use std::collections::HashSet;

use dx_pkg_acquire::AcquireError;
use dx_pkg_acquire::exact::{Elsewhere, required_addresses};
use dx_pkg_acquire::package::{Origin, origin};
use dx_pkg_acquire::sources::SourceRules;
use dx_pkg_lock::{Lock, LockPackage, name_of_path};
use dx_pkg_resolve::Override;
use dx_pkg_resolve::rules::Meaning;

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
    /// The names that requirements take from outside the registries.
    elsewhere: OnceCell<HashSet<String>>,
    /// The addresses that requirements name.
    addresses: OnceCell<HashSet<String>>,
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
        let (direct, elsewhere, addresses) = (OnceCell::new(), OnceCell::new(), OnceCell::new());
        Ok(SourceCheck { rules, project, lock, direct, overrides, elsewhere, addresses })
    }

    /// Returns why a package must not be taken from where its entry says.
    pub(super) fn refusal(&self, package: &LockPackage) -> Option<AcquireError> {
        let direct = || self.direct.get_or_init(|| direct_paths(self.project, self.lock));
        self.rules.refusal(
            package,
            || direct().contains(package.path.as_str()),
            || Some(self.is_named(package)),
        )
    }

    /// Returns whether a requirement of the lock, the project or its overrides names the place that
    /// a package comes from: its address, or any place other than a registry.
    fn is_named(&self, package: &LockPackage) -> bool {
        let Origin::Address(url) = origin(package) else { return self.elsewhere(package) };
        let addresses = self.addresses.get_or_init(|| {
            let own = self.project.manifest.to_lock_package();
            let all = self.lock.packages.iter().chain([&own]);
            required_addresses(all, &self.overrides).into_iter().map(str::to_owned).collect()
        });
        addresses.contains(url)
    }

    /// Returns whether a requirement of the lock, the project or its overrides names a place other
    /// than a registry for a package.
    fn elsewhere(&self, package: &LockPackage) -> bool {
        let names = self.elsewhere.get_or_init(|| {
            let own = self.project.manifest.to_lock_package();
            let all = self.lock.packages.iter().chain([&own]);
            Elsewhere::of(all).with_overrides(&self.overrides).into_names()
        });
        names.contains(name_of_path(&package.path))
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
    let names = entries
        .flat_map(|entry| entry.requirements().map(move |(name, _)| (entry.path.as_str(), name)));
    names.filter_map(|(from, name)| Some(index.resolve(from, name)?.path.as_str())).collect()
}
