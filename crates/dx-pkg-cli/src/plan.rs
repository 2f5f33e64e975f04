//! From a resolution to what is to lie in `node_modules`.

use std::collections::{HashMap, HashSet};

use dx_pkg_compat::npmrc::DependencyType;
use dx_pkg_core::PackageId;
use dx_pkg_link::{Placement, PlacementSource, Tree};
use dx_pkg_lock::{Lock, LockPackage};

use crate::downloads::package_id;
use crate::failure::Failure;

/// The entries that are installed on this machine, in the lockfile's order.
pub struct Plan {
    /// What is installed, as the hidden lockfile tells it; without the project itself.
    pub installed: Lock,
}

/// Marks, in the record kept beside the tree, a package whose files are its own rather than the store's.
const PRIVATE: &str = "dxPrivate";

impl Plan {
    /// Leaves out what does not run here and what `omit` names.
    pub fn new(lock: &Lock, runs_here: &[bool], omit: &[DependencyType]) -> Self {
        // Of a linked folder the folder's entry tells who needs it, not the link's.
        let folders = lock
            .packages
            .iter()
            .filter(|package| !package.link && !package.path.contains("node_modules/"));
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
                // As a lockfile would give it back: what is installed is told by one record, however it was resolved.
                package.normalise();
                package
            })
            .collect();
        Plan { installed: Lock { packages, ..lock.clone() } }
    }

    /// Of these entries, which are all installed.
    pub fn of(mut packages: Vec<LockPackage>) -> Self {
        packages.iter_mut().for_each(LockPackage::normalise);
        Plan { installed: Lock { packages, ..Lock::default() } }
    }

    /// Packages to be fetched, with the ids of their files.
    pub fn wanted(&self) -> Result<Vec<(PackageId, &LockPackage)>, Failure> {
        let from_registry = self.installed.packages.iter().filter(|package| is_unpacked(package));
        from_registry.map(|package| Ok((required_id(package)?, package))).collect()
    }

    /// Leaves out optional packages that could not be fetched; any other failure is the command's.
    pub fn drop_failed(
        &mut self,
        lock: &Lock,
        failed: Vec<(String, Failure)>,
    ) -> Result<Vec<Failure>, Failure> {
        let mut dropped = Vec::new();
        let mut gone: HashSet<String> = HashSet::new();
        for (path, failure) in failed {
            let package = self.installed.packages.iter().find(|package| package.path == path);
            // What this machine refuses is no fault of the package: a full disk must not make an install incomplete.
            let is_ours = failure.code.starts_with("DX_STORE") || failure.code == "DX_INTERNAL";
            if is_ours || !package.is_some_and(|package| package.optional) {
                return Err(failure);
            }
            gone.insert(path);
            dropped.push(failure);
        }
        self.leave_out(lock, &gone);
        Ok(dropped)
    }

    /// Leaves out the optional packages at these paths, with what they were needed for and what only they need, as `lock`
    /// tells.
    pub fn leave_out(&mut self, lock: &Lock, paths: &HashSet<String>) {
        if !paths.is_empty() {
            let gone = optional_set(lock, paths);
            self.installed.packages.retain(|package| !gone.contains(package.path.as_str()));
        }
    }

    /// Takes over the licences that became known after the resolution.
    pub fn take_licenses(&mut self, lock: &Lock) {
        let known: HashMap<&str, &LockPackage> =
            lock.packages.iter().map(|package| (package.path.as_str(), package)).collect();
        for package in
            self.installed.packages.iter_mut().filter(|package| package.license.is_none())
        {
            package.license =
                known.get(package.path.as_str()).and_then(|entry| entry.license.clone());
        }
    }

    /// Marks the packages that `is_private` names.
    pub fn mark_private(&mut self, is_private: impl Fn(&LockPackage) -> bool) {
        for package in &mut self.installed.packages {
            if is_private(package) {
                package.extra.push((PRIVATE.to_owned(), "true".to_owned()));
            }
        }
    }

    /// Whether any package is marked so.
    pub fn has_private(&self) -> bool {
        self.installed.packages.iter().any(is_private)
    }

    /// The folders, relative to the project, that links in the tree lead to.
    pub fn linked_folders(&self) -> impl Iterator<Item = &str> {
        self.installed
            .packages
            .iter()
            .filter(|package| package.link)
            .filter_map(|package| package.resolved.as_deref())
    }

    /// The tree to be linked.
    pub fn tree(&self) -> Result<Tree, Failure> {
        tree_of(&self.installed)
    }
}

/// The packages from a registry that are installed on every machine, unless they are omitted.
pub fn certain<'l>(
    lock: &'l Lock,
    omit: &[DependencyType],
) -> impl Iterator<Item = &'l LockPackage> {
    let everywhere =
        |package: &&LockPackage| !package.optional && !package.dev_optional && is_unpacked(package);
    lock.packages.iter().filter(everywhere).filter(|package| !is_omitted(package, omit))
}

/// The packages that go with those at the paths `failed`, which are optional: packages that cannot do without them, and
/// what nobody else needs.
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

/// The tree that a record of installed packages describes.
pub fn tree_of(installed: &Lock) -> Result<Tree, Failure> {
    let mut placements = Vec::with_capacity(installed.packages.len());
    for package in &installed.packages {
        if package.link {
            let target = package.resolved.clone().unwrap_or_default();
            let bins = installed.get(&target).map(|folder| folder.bin.clone()).unwrap_or_default();
            let source = PlacementSource::Symlink { target };
            placements.push(Placement {
                path: package.path.clone(),
                source,
                bins,
                private_copy: false,
            });
        } else if is_unpacked(package) {
            placements.push(Placement {
                path: package.path.clone(),
                source: PlacementSource::Package(required_id(package)?),
                bins: package.bin.clone(),
                private_copy: is_private(package),
            });
        }
    }
    Ok(Tree::new(placements))
}

fn is_private(package: &LockPackage) -> bool {
    package.extra.iter().any(|(key, _)| key == PRIVATE)
}

/// Whether the entry's files come from a tarball of its own.
fn is_unpacked(package: &LockPackage) -> bool {
    !package.link && !package.comes_in_tarball() && package.path.contains("node_modules/")
}

fn required_id(package: &LockPackage) -> Result<PackageId, Failure> {
    package_id(package)?.ok_or_else(|| {
        let source = package.resolved.as_deref().unwrap_or("nowhere");
        Failure::new(
            "DX_NO_INTEGRITY",
            format!(
                "the lockfile's entry {:?} (from {}) has no integrity, so its files cannot be verified",
                package.path,
                dx_pkg_compat::npmrc::redact_urls(source)
            ),
        )
        .with_hint("packages from git, from a URL and from a local tarball are not supported yet")
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
