//! Whether edited manifests may have made peer conflicts solvable that were there before.
//!
//! The versions that an importer's conflicts allow depend on its manifest, on the project's rules,
//! and on the packages that it finds. A conflict that had no solution has none now if these are the
//! same, or if packages were only added: they ask for more, not for less.

use std::collections::{HashMap, HashSet};

use dx_pkg_core::{Spec, Version};
use dx_pkg_lock::dxl::{DxlView, Package};
use dx_pkg_lock::{LockPackage, name_of_path};
use dx_pkg_resolve::Requirements;
use dx_pkg_resolve::change::Change;
use dx_pkg_resolve::peers::were_in_the_way;
use dx_pkg_resolve::rules::Exceptions;

/// The manifests that were edited since the last install.
#[derive(Debug, Default)]
pub(super) struct Edited {
    /// Whether the project's own was.
    pub(super) is_project: bool,
    /// The folders of the workspaces whose manifests were.
    pub(super) workspaces: Vec<String>,
}

/// Returns whether a known conflict may have a solution after `change` of the lock `locked`; in any
/// doubt.
pub(super) fn may_be(
    edited: &Edited,
    requirements: &Requirements,
    locked: &DxlView<'_>,
    change: &Change,
) -> bool {
    let has_rules = !requirements.overrides.is_empty()
        || !requirements.pins.pins.is_empty()
        || !requirements.extensions.is_empty()
        || requirements.exceptions != Exceptions::default();
    if edited.is_project || has_rules {
        return true;
    }
    let tree = ChangedTree::of(locked, change);
    let records = requirements.workspaces.iter();
    let is_edited = |record: &&LockPackage| edited.workspaces.contains(&record.path);
    records.filter(is_edited).any(|record| {
        // Those of a workspace concern the others that link it.
        let had_peers =
            locked.get(&record.path).is_some_and(|own| !own.peer_dependencies().is_empty());
        had_peers
            || !record.peer_dependencies.is_empty()
            || tree.has_unmet_peers(record)
            || tree.drops_peers(record)
    }) || tree.loses_peers(edited, requirements)
}

/// Returns whether conflicts about the peers `disputed` may have a solution because the project no
/// longer requires the packages `dropped`.
pub(super) fn may_be_without(
    dropped: &[String],
    disputed: &HashSet<&str>,
    locked: &DxlView<'_>,
) -> bool {
    let entries = locked.packages().map(|entry| {
        let peers = entry.peer_dependencies().iter().map(|(peer, _)| peer);
        (name_of_path(entry.path()), peers)
    });
    were_in_the_way(dropped, disputed, entries)
}

/// A lock with the change of it.
struct ChangedTree<'t> {
    locked: &'t DxlView<'t>,
    entries: HashMap<&'t str, &'t LockPackage>,
    removed: HashSet<&'t str>,
}

/// An entry of a changed lock.
#[derive(Clone, Copy)]
enum Entry<'t> {
    Kept(Package<'t>),
    Changed(&'t LockPackage),
}

impl<'t> ChangedTree<'t> {
    fn of(locked: &'t DxlView<'t>, change: &'t Change) -> Self {
        ChangedTree {
            locked,
            entries: change.entries.iter().map(|entry| (entry.path.as_str(), entry)).collect(),
            removed: change.removed.iter().map(String::as_str).collect(),
        }
    }

    fn get(&self, path: &str) -> Option<Entry<'t>> {
        match self.entries.get(path) {
            Some(entry) => Some(Entry::Changed(entry)),
            None if self.removed.contains(path) => None,
            None => self.locked.get(path).map(Entry::Kept),
        }
    }

    /// Returns the package or folder that Node's look-up finds for `name` from the folder `from`.
    fn found(&self, from: &str, name: &str) -> Option<Entry<'t>> {
        let mut folder = from;
        loop {
            let below = if folder.is_empty() { String::new() } else { format!("{folder}/") };
            if let Some(entry) = self.get(&format!("{below}node_modules/{name}")) {
                return match entry.target() {
                    Some(target) => self.get(target),
                    None => Some(entry),
                };
            }
            if folder.is_empty() {
                return None;
            }
            folder = folder.rsplit_once('/').map_or("", |(above, _)| above);
        }
    }

    /// Returns whether a peer requirement of what an importer requires, or of the peers of that in
    /// turn, may not be met by what the importer finds.
    fn has_unmet_peers(&self, importer: &LockPackage) -> bool {
        let mut waiting: Vec<&str> = importer.requirements().map(|(name, _)| name).collect();
        let mut seen: HashSet<&str> = waiting.iter().copied().collect();
        while let Some(name) = waiting.pop() {
            let Some(entry) = self.found(&importer.path, name) else { continue };
            for (peer, spec, is_optional) in entry.peers() {
                let Some(found) = self.found(&importer.path, peer) else {
                    if is_optional {
                        continue;
                    }
                    return true;
                };
                if !is_met(spec, found.version()) {
                    return true;
                }
                if seen.insert(peer) {
                    waiting.push(peer);
                }
            }
        }
        false
    }

    /// Returns whether a package was removed, or has another version, that other importers than
    /// the edited ones find, and that has peers or is one.
    fn loses_peers(&self, edited: &Edited, requirements: &Requirements) -> bool {
        let is_replaced = |path: &&str| {
            let (now, before) = (self.entries.get(path), self.locked.get(path));
            now.zip(before).is_some_and(|(now, before)| before.version() != now.version.as_deref())
        };
        let replaced = self.entries.keys().copied().filter(is_replaced);
        let is_own = |path: &str, folder: &str| {
            let is_below = |path: &str, next: &str| {
                path.strip_prefix(folder).is_some_and(|rest| rest.starts_with(next))
            };
            is_below(path, "/node_modules/")
                && !requirements.workspaces.iter().any(|other| is_below(&other.path, "/"))
        };
        let is_visible = |path: &&str| !edited.workspaces.iter().any(|folder| is_own(path, folder));
        let lost = self.removed.iter().copied().chain(replaced).filter(is_visible);
        self.are_joined(&lost.map(name_of_path).collect())
    }

    /// Returns whether an importer no longer requires what has peers or is one, or not as before:
    /// importers that share copies are solved together.
    fn drops_peers(&self, importer: &LockPackage) -> bool {
        let Some(before) = self.locked.get(&importer.path) else { return false };
        let now: HashSet<(&str, &str)> = importer.requirements().collect();
        let sections = [
            before.dependencies(),
            before.dev_dependencies(),
            before.optional_dependencies(),
            before.peer_dependencies(),
        ];
        let dropped = sections.into_iter().flatten().filter(|asked| !now.contains(asked));
        self.are_joined(&dropped.map(|(name, _)| name).collect())
    }

    /// Returns whether one of these packages has peers or is one.
    fn are_joined(&self, names: &HashSet<&str>) -> bool {
        let is_joined = |package: Package<'_>| {
            let mut peers = package.peer_dependencies().iter();
            names.contains(name_of_path(package.path())) && !package.peer_dependencies().is_empty()
                || peers.any(|(peer, _)| names.contains(peer))
        };
        !names.is_empty() && self.locked.packages().any(is_joined)
    }
}

impl<'t> Entry<'t> {
    /// Returns the folder that a link leads to.
    fn target(self) -> Option<&'t str> {
        match self {
            Entry::Kept(entry) => entry.resolved().filter(|_| entry.link()),
            Entry::Changed(entry) => entry.resolved.as_deref().filter(|_| entry.link),
        }
    }

    fn version(self) -> Option<&'t str> {
        match self {
            Entry::Kept(entry) => entry.version(),
            Entry::Changed(entry) => entry.version.as_deref(),
        }
    }

    /// Returns the peer requirements: name, range, and whether the peer may be missing.
    fn peers(self) -> Vec<(&'t str, &'t str, bool)> {
        match self {
            Entry::Kept(entry) => {
                let optional: Vec<(&str, bool)> = entry.peer_dependencies_meta().collect();
                let peers = entry.peer_dependencies().iter();
                peers.map(|(name, spec)| (name, spec, optional.contains(&(name, true)))).collect()
            }
            Entry::Changed(entry) => {
                let is_optional = |name: &String| {
                    entry.peer_dependencies_meta.iter().any(|(known, on)| known == name && *on)
                };
                let peers = entry.peer_dependencies.iter();
                peers
                    .map(|(name, spec)| (name.as_str(), spec.as_str(), is_optional(name)))
                    .collect()
            }
        }
    }
}

/// Returns whether a version certainly meets a peer requirement.
fn is_met(spec: &str, version: Option<&str>) -> bool {
    let Some(version) = version.and_then(|version| Version::parse(version).ok()) else {
        return false;
    };
    match Spec::parse(spec) {
        Ok(Spec::Range(range)) => range.is_any() || range.satisfies(&version),
        Ok(Spec::Version(exact)) => exact == version,
        _ => false,
    }
}
