//! The part of a tree that a command may change: what some importers, or some globally installed
//! packages, depend on. Everything else in `node_modules` stays as it is.

use std::collections::HashSet;

use dx_pkg_compat::manifest::{Manifest, Section};
use dx_pkg_lock::{Lock, LockIndex, LockPackage, locale_compare};
use dx_pkg_store::Store;

use super::Change;
use crate::importers::Importers;
use crate::plan::Plan;
use crate::project::Project;
use crate::{InstallError, Session, in_place};

/// The part of a tree that a command may change.
#[derive(Debug)]
pub(crate) enum Part {
    /// What these importers depend on; the project's own folder is empty.
    Importers(Vec<String>),
    /// These packages of the project, with what they depend on.
    Packages(Vec<String>),
}

impl Part {
    /// Returns the part that the settings select; `None` for the whole tree.
    ///
    /// # Errors
    /// Settings that contradict each other, or name no workspace.
    pub(crate) fn of(
        session: &Session,
        project: &Project,
        change: Option<&Change<'_>>,
    ) -> Result<Option<Self>, InstallError> {
        if session.is_global()? {
            let names = change.into_iter().flat_map(|change| [&change.explicit, &change.removed]);
            return Ok(Some(Self::Packages(names.flatten().cloned().collect())));
        }
        let importers = Importers::of(session, project)?;
        Ok(importers.is_part.then_some(Self::Importers(importers.folders)))
    }

    /// Returns the importers that are resolved first, as npm does with those that are named; none
    /// for the usual order.
    pub(crate) fn first_importers(&self) -> Vec<String> {
        match self {
            Self::Importers(folders) if folders.iter().any(|folder| !folder.is_empty()) => {
                folders.clone()
            }
            _ => Vec::new(),
        }
    }

    /// Removes the `node_modules` of workspaces that the tree has nothing for: a tree that is made
    /// anew leaves nothing of an old one.
    pub(crate) fn remove_others(project: &Project, installed: &Lock) -> Result<(), InstallError> {
        for (folder, _) in &project.workspaces {
            let modules = format!("{folder}/node_modules");
            let inside = format!("{modules}/");
            if installed.packages.iter().any(|package| package.path.starts_with(&inside)) {
                continue;
            }
            let place = project.root.join(&modules);
            if place.symlink_metadata().is_ok_and(|found| found.is_dir()) {
                dx_pkg_os::files::remove_tree(&place).map_err(|error| {
                    InstallError::io(format!("removing {}", place.display()), error)
                })?;
            }
        }
        Ok(())
    }

    /// Leaves of a plan what belongs to the part, and adds what else is in place. `lock` is the
    /// lock that is planned; with `anew` nothing of an old tree stays.
    pub(crate) fn restrict(
        &self,
        store: &Store,
        project: &Project,
        lock: &Lock,
        anew: bool,
        plan: &mut Plan,
    ) -> Result<(), InstallError> {
        let known = if anew { None } else { in_place::known(store, &project.root) };
        let mut present = known.unwrap_or_default();
        let is_there = |entry: &LockPackage| {
            !entry.path.contains("node_modules/")
                || project.root.join(&entry.path).symlink_metadata().is_ok()
        };
        present.packages.retain(is_there);
        if matches!(self, Self::Packages(_)) {
            in_place::drop_replaced(&project.root, &mut present);
        }
        let part = self.paths(project, [lock, &present])?;
        let planned = &mut plan.installed.packages;
        planned.retain(|package| part.contains(&package.path));
        let mut paths: HashSet<String> = planned.iter().map(|one| one.path.clone()).collect();
        // Those that packages are nested in come before them.
        for package in present.packages {
            let is_held = holder(&package.path).is_none_or(|holder| paths.contains(holder));
            if !part.contains(&package.path) && is_held && paths.insert(package.path.clone()) {
                planned.push(package);
            }
        }
        planned.sort_by(|a, b| locale_compare(&a.path, &b.path).then_with(|| a.path.cmp(&b.path)));
        Ok(())
    }

    /// Returns the paths of the entries that belong to the part, in the trees before and after.
    pub(crate) fn paths(
        &self,
        project: &Project,
        locks: [&Lock; 2],
    ) -> Result<HashSet<String>, InstallError> {
        let trees = locks.map(Lock::index);
        let mut waiting: Vec<String> = Vec::new();
        match self {
            Self::Packages(names) => {
                waiting.extend(names.iter().map(|name| format!("node_modules/{name}")));
            }
            Self::Importers(folders) => {
                for folder in folders {
                    if folder.is_empty() {
                        waiting.extend(own_dependencies(project, &trees)?);
                    } else {
                        waiting.extend(links_to(folder, locks));
                        waiting.push(folder.clone());
                    }
                }
            }
        }
        let mut part = HashSet::new();
        while let Some(path) = waiting.pop() {
            if part.contains(&path) {
                continue;
            }
            for tree in &trees {
                let Some(entry) = tree.get(&path) else { continue };
                waiting.extend(entry.resolved.iter().filter(|_| entry.link).cloned());
                let names = requirements(entry);
                let found = names.filter_map(|name| tree.resolve(&path, name));
                waiting.extend(found.map(|found| found.path.clone()));
            }
            part.insert(path);
        }
        Ok(part)
    }
}

/// Returns the packages that the project itself requires, before a change of its manifest and
/// after; not its workspaces.
fn own_dependencies(
    project: &Project,
    trees: &[LockIndex<'_>; 2],
) -> Result<Vec<String>, InstallError> {
    let before = Manifest::parse(&project.manifest_text)?;
    let sections = [&project.manifest, &before]
        .into_iter()
        .flat_map(|manifest| Section::ALL.map(|section| manifest.section(section)));
    let names: HashSet<&String> = sections.flatten().map(|(name, _)| name).collect();
    let is_workspace = |entry: &LockPackage| {
        let mut folders = project.workspaces.iter().map(|(folder, _)| folder);
        entry.link && folders.any(|folder| entry.resolved.as_ref() == Some(folder))
    };
    let found = trees.iter().flat_map(|tree| {
        let found = names.iter().filter_map(|name| tree.resolve("", name));
        found.filter(|entry| !is_workspace(entry)).map(|entry| entry.path.clone())
    });
    Ok(found.collect())
}

/// Returns the project's links to a workspace.
fn links_to<'l>(folder: &'l str, locks: [&'l Lock; 2]) -> impl Iterator<Item = String> + 'l {
    let entries = locks.into_iter().flat_map(|lock| &lock.packages);
    let links =
        entries.filter(move |entry| entry.link && entry.resolved.as_deref() == Some(folder));
    links.map(|entry| entry.path.clone())
}

/// Returns the names that an entry requires; development dependencies are those of folders only.
fn requirements(entry: &LockPackage) -> impl Iterator<Item = &str> {
    let sections = [&entry.dependencies, &entry.optional_dependencies, &entry.peer_dependencies];
    let dev = Some(&entry.dev_dependencies).filter(|_| !entry.path.contains("node_modules/"));
    sections.into_iter().chain(dev).flatten().map(|(name, _)| name.as_str())
}

/// Returns the path of the package that the package at `path` is nested in, if it is.
fn holder(path: &str) -> Option<&str> {
    let (holder, _) = path.rsplit_once("/node_modules/")?;
    holder.contains("node_modules/").then_some(holder)
}
