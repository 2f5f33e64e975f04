//! The plan of an install: the lockfile's entries that are installed on this machine.

use std::collections::{HashMap, HashSet};

use dx_pkg_acquire::AcquireError;
use dx_pkg_acquire::package::package_id;
use dx_pkg_compat::npmrc::DependencyType;
use dx_pkg_core::PackageId;
use dx_pkg_link::{Placement, PlacementSource, Tree};
use dx_pkg_lock::{Bundled, Lock, LockPackage};

use crate::InstallError;

/// The entries that are installed on this machine, in the lockfile's order.
#[derive(Default)]
pub(crate) struct Plan {
    /// The entries as the hidden lockfile records them, without the project itself.
    pub(crate) installed: Lock,
    /// The paths of packages that have private copies only as those in place have.
    built: HashSet<String>,
}

impl Plan {
    /// Returns the plan of a resolution, without packages for other platforms and without what
    /// `omit` names.
    pub(crate) fn new(lock: &Lock, runs_here: &[bool], omit: &[DependencyType]) -> Self {
        // The entry of a linked folder has the dependency type, not the entry of the link.
        let in_modules = lock.folders_in_modules();
        let folders = lock.packages.iter().filter(|package| {
            let path = package.path.as_str();
            !package.link && (!path.contains("node_modules/") || in_modules.contains(path))
        });
        let omitted: HashSet<&str> = folders
            .filter(|folder| is_omitted(folder, omit))
            .map(|folder| folder.path.as_str())
            .collect();
        let leads_to_omitted = |package: &LockPackage| {
            package.link
                && package.resolved.as_deref().is_some_and(|target| omitted.contains(target))
        };
        let packages = lock
            .packages
            .iter()
            .zip(runs_here)
            .filter(|(package, runs_here)| {
                **runs_here && !package.path.is_empty() && !is_omitted(package, omit)
            })
            .filter(|(package, _)| !leads_to_omitted(package))
            .map(|(package, _)| {
                let mut package = package.clone();
                // As it would be read from a lockfile, so that the record does not depend on how it
                // was resolved.
                package.normalise();
                if package.link && package.resolved.as_deref() == Some("") {
                    // The project itself has no entry in a record of its tree.
                    package.bin = lock.root().map(|own| own.bin.clone()).unwrap_or_default();
                }
                package
            })
            .collect();
        Plan::recorded(Lock { packages, ..lock.clone() })
    }

    /// Returns the plan that installs all of these entries.
    pub(crate) fn of(mut packages: Vec<LockPackage>) -> Self {
        packages.iter_mut().for_each(LockPackage::normalise);
        Plan::recorded(Lock { packages, ..Lock::default() })
    }

    /// Returns the plan that installs what a record says.
    pub(crate) fn recorded(installed: Lock) -> Self {
        Plan { installed, ..Plan::default() }
    }

    /// Returns the packages to be fetched, with their ids in the store.
    pub(crate) fn wanted(&self) -> Result<Vec<(PackageId, &LockPackage)>, InstallError> {
        self.unpacked().map(|package| Ok((required_id(package)?, package))).collect()
    }

    /// Returns the packages that have a tarball of their own.
    pub(crate) fn unpacked(&self) -> impl Iterator<Item = &LockPackage> {
        unpacked(&self.installed)
    }

    /// Drops optional packages that could not be fetched and returns their errors; the failure of
    /// any other is returned as error.
    pub(crate) fn drop_failed(
        &mut self,
        lock: &Lock,
        failed: Vec<(String, AcquireError)>,
    ) -> Result<Vec<AcquireError>, InstallError> {
        let mut dropped = Vec::new();
        let mut gone: HashSet<String> = HashSet::new();
        for (path, failure) in failed {
            let package = self.installed.packages.iter().find(|package| package.path == path);
            // A full disk must not make an install incomplete.
            if failure.is_of_this_machine() || !package.is_some_and(|package| package.optional) {
                return Err(failure.into());
            }
            gone.insert(path);
            dropped.push(failure);
        }
        self.leave_out(lock, &gone);
        Ok(dropped)
    }

    /// Drops the optional packages at these paths, with their dependents and with what only they
    /// require.
    pub(crate) fn leave_out(&mut self, lock: &Lock, paths: &HashSet<String>) {
        if !paths.is_empty() {
            let gone = optional_set(lock, paths);
            self.installed.packages.retain(|package| !gone.contains(package.path.as_str()));
        }
    }

    /// Takes over licences that became known after the resolution.
    pub(crate) fn take_licenses(&mut self, lock: &Lock) {
        let known: HashMap<&str, &LockPackage> =
            lock.packages.iter().map(|package| (package.path.as_str(), package)).collect();
        for package in self.installed.packages.iter_mut().filter(|package| !package.has_license()) {
            let Some(entry) = known.get(package.path.as_str()) else { continue };
            package.license = entry.license.clone();
            package.extra.extend(entry.other_license().cloned());
        }
    }

    /// Gives a private copy of its files to each package that `is_private` selects.
    pub(crate) fn mark_private(&mut self, is_private: impl Fn(&LockPackage) -> bool) {
        for package in &mut self.installed.packages {
            package.private_copy = is_private(package);
        }
    }

    /// Gives a private copy to the packages that `is_private` selects, besides those that have one.
    pub(crate) fn add_private(&mut self, is_private: impl Fn(&LockPackage) -> bool) {
        for package in &mut self.installed.packages {
            package.private_copy |= is_private(package);
        }
    }

    /// Gives a private copy to each package that has one in place, as `built` says: what scripts
    /// made in it stays where they are not to run.
    pub(crate) fn keep_built(
        &mut self,
        built: &HashMap<String, PackageId>,
    ) -> Result<(), InstallError> {
        for package in self.installed.packages.iter_mut().filter(|package| !package.private_copy) {
            if let Some(id) = built.get(&package.path)
                && package_id(package)? == Some(*id)
            {
                package.private_copy = true;
                self.built.insert(package.path.clone());
            }
        }
        Ok(())
    }

    /// Takes that back for packages that turned out to be new in the tree: their scripts are due.
    pub(crate) fn forget_built(&mut self, new: &HashSet<String>) {
        let built = &self.built;
        let is_new = |path: &String| new.contains(path) && built.contains(path);
        let packages = self.installed.packages.iter_mut();
        packages.filter(|package| is_new(&package.path)).for_each(|package| {
            package.private_copy = false;
        });
    }

    /// Gives a private copy to the packages in `written`, which scripts or tools write to. One that
    /// `in_place` shares already stays as it is there, with what a user may have edited.
    pub(crate) fn mark_written(
        &mut self,
        written: &HashSet<PackageId>,
        in_place: Option<&Tree>,
    ) -> Result<(), InstallError> {
        let placements = in_place.into_iter().flat_map(|tree| &tree.placements);
        let shared: HashMap<&str, &PlacementSource> = placements
            .filter(|placement| !placement.private_copy)
            .map(|placement| (placement.path.as_str(), &placement.source))
            .collect();
        let unpacked: HashSet<String> =
            self.unpacked().map(|package| package.path.clone()).collect();
        let packages = &mut self.installed.packages;
        for package in packages.iter_mut().filter(|package| unpacked.contains(&package.path)) {
            let Some(id) = package_id(package)?.filter(|id| written.contains(id)) else { continue };
            let is_shared =
                shared.get(package.path.as_str()) == Some(&&PlacementSource::Package(id));
            package.private_copy |= !is_shared;
        }
        Ok(())
    }

    /// Leaves the commands of all packages out of the tree.
    pub(crate) fn leave_out_commands(&mut self) {
        self.installed.packages.iter_mut().for_each(|package| package.bin.clear());
    }

    /// Returns whether any package has a private copy, or may have one.
    pub(crate) fn has_private(&self) -> bool {
        !self.built.is_empty() || self.installed.packages.iter().any(|package| package.private_copy)
    }

    /// Returns the folders that links in the tree lead to, relative to the project.
    pub(crate) fn linked_folders(&self) -> impl Iterator<Item = &str> {
        self.installed
            .packages
            .iter()
            .filter(|package| package.link)
            .filter_map(|package| package.resolved.as_deref())
    }

    /// Returns the paths of the links to a folder.
    pub(crate) fn links_to<'p>(&'p self, folder: &'p str) -> impl Iterator<Item = &'p str> + Clone {
        let is_link = move |package: &&LockPackage| {
            package.link && package.resolved.as_deref() == Some(folder)
        };
        self.installed.packages.iter().filter(is_link).map(|package| package.path.as_str())
    }

    /// Returns the tree to be linked.
    pub(crate) fn tree(&self) -> Result<Tree, InstallError> {
        tree_of(&self.installed)
    }
}

/// Returns the registry packages that are installed on every machine, without what `omit` names.
pub(crate) fn certain<'l>(
    lock: &'l Lock,
    omit: &[DependencyType],
) -> impl Iterator<Item = &'l LockPackage> {
    let everywhere = |package: &&LockPackage| !package.optional && !package.dev_optional;
    let has_source =
        |package: &&LockPackage| package.version.is_some() || package.resolved.is_some();
    unpacked(lock)
        .filter(everywhere)
        .filter(has_source)
        .filter(|package| !is_omitted(package, omit))
}

/// Returns the paths that go with the optional packages at `failed`: their dependents, and what
/// nothing else requires.
fn optional_set<'l>(lock: &'l Lock, failed: &HashSet<String>) -> HashSet<&'l str> {
    let index = lock.index();
    let mut gone: HashSet<&str> = HashSet::new();
    let failed = lock.packages.iter().filter(|package| failed.contains(&package.path));
    gone.extend(failed.map(|package| package.path.as_str()));
    let misses = |package: &LockPackage, gone: &HashSet<&str>| {
        let is_optional =
            |name: &String| package.optional_dependencies.iter().any(|(other, _)| other == name);
        let mut required =
            package.dependencies.iter().map(|(name, _)| name).filter(|name| !is_optional(name));
        required.any(|name| {
            index
                .resolve(&package.path, name)
                .is_some_and(|found| gone.contains(found.path.as_str()))
        })
    };
    loop {
        let more = lock.packages.iter().filter(|package| {
            package.optional && !gone.contains(package.path.as_str()) && misses(package, &gone)
        });
        let more: Vec<&str> = more.map(|package| package.path.as_str()).collect();
        if more.is_empty() {
            break;
        }
        gone.extend(more);
    }
    let mut needed: HashSet<&str> = HashSet::new();
    let mut queue: Vec<&LockPackage> = lock
        .packages
        .iter()
        .filter(|package| !package.path.contains("node_modules/") && !package.optional)
        .collect();
    while let Some(package) = queue.pop() {
        if gone.contains(package.path.as_str()) || !needed.insert(&package.path) {
            continue;
        }
        queue.extend(
            package
                .resolved
                .as_deref()
                .filter(|_| package.link)
                .and_then(|target| index.get(target)),
        );
        let sections = [
            &package.dependencies,
            &package.dev_dependencies,
            &package.optional_dependencies,
            &package.peer_dependencies,
        ];
        let names = sections.into_iter().flatten().map(|(name, _)| name);
        queue.extend(names.filter_map(|name| index.resolve(&package.path, name)));
    }
    let superfluous = lock
        .packages
        .iter()
        .filter(|package| package.optional && !needed.contains(package.path.as_str()));
    gone.extend(superfluous.map(|package| package.path.as_str()));
    gone
}

/// Returns the tree that a record of installed packages describes.
pub(crate) fn tree_of(installed: &Lock) -> Result<Tree, InstallError> {
    let mut placements = Vec::with_capacity(installed.packages.len());
    let (bundled, own) = (installed.bundled(), OwnTarballs::of(installed));
    for package in &installed.packages {
        if package.link {
            let target = package.resolved.clone().unwrap_or_default();
            let bins = match installed.get(&target) {
                Some(folder) => folder.bin.clone(),
                None => package.bin.clone(),
            };
            let source = PlacementSource::Symlink { target };
            placements.push(Placement {
                path: package.path.clone(),
                source,
                bins,
                private_copy: false,
            });
        } else if let Some(bundler) = bundled.bundler(&package.path) {
            placements.extend(bundled_placement(installed, package, bundler)?);
        } else if own.contain(package) {
            placements.push(Placement {
                path: package.path.clone(),
                source: PlacementSource::Package(required_id(package)?),
                bins: package.bin.clone(),
                private_copy: package.private_copy,
            });
        }
    }
    Ok(Tree::new(placements))
}

/// Returns the entries that have a tarball of their own and are in the project.
pub(crate) fn unpacked(lock: &Lock) -> impl Iterator<Item = &LockPackage> {
    let own = OwnTarballs::of(lock);
    lock.packages.iter().filter(move |package| own.contain(package))
}

/// What decides which entries of a lock have a tarball of their own.
struct OwnTarballs<'l> {
    bundled: Bundled<'l>,
    /// Linked folders below `node_modules`.
    folders: HashSet<&'l str>,
}

impl<'l> OwnTarballs<'l> {
    fn of(lock: &'l Lock) -> Self {
        OwnTarballs { bundled: lock.bundled(), folders: lock.folders_in_modules() }
    }

    /// Returns whether the entry has one, and is neither outside the project nor a linked folder.
    fn contain(&self, package: &LockPackage) -> bool {
        !package.link
            && package.path.contains("node_modules/")
            && !package.is_outside()
            && self.bundled.bundler(&package.path).is_none()
            && !self.folders.contains(package.path.as_str())
    }
}

/// Returns the placement of a package that is in the tarball of the one at `bundler`, if it has
/// commands to be linked.
fn bundled_placement(
    installed: &Lock,
    package: &LockPackage,
    bundler: &str,
) -> Result<Option<Placement>, InstallError> {
    let Some(around) = installed.get(bundler).filter(|_| !package.bin.is_empty()) else {
        return Ok(None);
    };
    let (path, bins) = (package.path.clone(), package.bin.clone());
    let folder = path[bundler.len()..].trim_start_matches('/').to_owned();
    let source = PlacementSource::Bundled { bundler: required_id(around)?, folder };
    Ok(Some(Placement { path, source, bins, private_copy: false }))
}

fn required_id(package: &LockPackage) -> Result<PackageId, InstallError> {
    package_id(package)?.ok_or_else(|| {
        let kind = match package.resolved.as_deref() {
            Some(resolved) if resolved.starts_with("git") => "from a git repository",
            Some(resolved) if resolved.starts_with("file:") => "from a local tarball",
            Some(_) => "from a URL",
            None => "without version and address",
        };
        let resolved = package.resolved.as_deref().unwrap_or_default();
        let resolved = dx_pkg_compat::npmrc::redact_urls(resolved).to_string();
        InstallError::NoIntegrity { entry: package.path.clone(), kind, resolved }
    })
}

fn is_omitted(package: &LockPackage, omit: &[DependencyType]) -> bool {
    let omits = |kind| omit.contains(&kind);
    let (dev, optional, peer) =
        (omits(DependencyType::Dev), omits(DependencyType::Optional), omits(DependencyType::Peer));
    package.peer && peer
        || package.dev && dev
        || package.optional && optional
        || package.dev_optional && dev && optional
}
