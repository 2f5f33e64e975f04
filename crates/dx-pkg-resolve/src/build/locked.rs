//! The lockfile that a resolution starts from: parsed, or compiled and read in place.

use std::borrow::Cow;
use std::collections::HashSet;

use dx_pkg_lock::dxl::{DxlView, Package};
use dx_pkg_lock::{Bundled, Lock, LockPackage, name_of_path};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::intern::Interner;
use crate::manifest::Manifest;
use crate::tree::NodeId;

/// A lockfile; the resolution takes the same from either form.
#[derive(Clone, Copy)]
pub(super) enum Locked<'p, 'l> {
    Parsed(&'p Lock),
    Compiled(DxlView<'l>),
}

/// An entry of a lockfile.
#[derive(Clone, Copy)]
pub(super) enum Entry<'p, 'l> {
    Parsed(&'p LockPackage),
    Compiled(Package<'l>),
}

impl<'p, 'l: 'p> Locked<'p, 'l> {
    /// Returns the number of entries.
    pub(super) fn len(self) -> usize {
        match self {
            Locked::Parsed(lock) => lock.packages.len(),
            Locked::Compiled(view) => view.len(),
        }
    }

    fn entry(self, position: usize) -> Option<Entry<'p, 'l>> {
        match self {
            Locked::Parsed(lock) => lock.packages.get(position).map(Entry::Parsed),
            Locked::Compiled(view) => view.package(position).map(Entry::Compiled),
        }
    }

    /// Returns the entries, without that of the project, in the order of their paths' bytes.
    pub(super) fn entries(self) -> impl Iterator<Item = Entry<'p, 'l>> + Clone {
        let mut order: Vec<(&'p str, usize)> = (0..self.len())
            .filter_map(|position| Some((self.entry(position)?.path(), position)))
            .filter(|(path, _)| !path.is_empty())
            .collect();
        order.sort_by_key(|(path, _)| *path);
        order.into_iter().filter_map(move |(_, position)| self.entry(position))
    }

    /// Returns the entry of the folder `path`, relative to the project's.
    pub(super) fn entry_at(self, path: &str) -> Option<LockPackage> {
        match self {
            Locked::Parsed(lock) => lock.get(path).cloned(),
            Locked::Compiled(view) => view.get(path).map(Package::to_package),
        }
    }

    /// Returns a member of the project's own entry as JSON.
    pub(super) fn project_member(self, key: &str) -> Option<String> {
        match self {
            Locked::Parsed(lock) => {
                let extra = &lock.root()?.extra;
                extra.iter().find(|(known, _)| known == key).map(|(_, json)| json.clone())
            }
            Locked::Compiled(view) => {
                let mut extra = view.get("")?.extra();
                extra.find(|(known, _)| *known == key).map(|(_, json)| json.to_owned())
            }
        }
    }

    /// Returns a lock that has at least what tells which entries are bundled and which folders lie
    /// in a `node_modules`.
    pub(super) fn outline(self) -> Cow<'p, Lock> {
        let view = match self {
            Locked::Parsed(lock) => return Cow::Borrowed(lock),
            Locked::Compiled(view) => view,
        };
        let leads_into_modules = |link: Package<'_>| {
            link.link() && link.resolved().is_some_and(|target| target.contains("node_modules/"))
        };
        let needs_all = view.packages().any(leads_into_modules);
        let is_bundled = |package: &Package<'_>| package.in_bundle() && !package.link();
        let outline = |package: Package<'_>| {
            if is_bundled(&package) {
                return package.to_package();
            }
            LockPackage {
                path: package.path().to_owned(),
                link: package.link(),
                resolved: package.resolved().map(str::to_owned),
                ..LockPackage::default()
            }
        };
        let packages = view.packages().filter(|package| needs_all || is_bundled(package));
        Cow::Owned(Lock { packages: packages.map(outline).collect(), ..Lock::default() })
    }
}

/// The nodes of a lockfile's entries, as far as they were added, and what is known of all entries.
pub(super) struct Places<'o, 'p> {
    pub(super) nodes: FxHashMap<&'p str, NodeId>,
    in_modules: HashSet<&'o str>,
    bundled: Bundled<'o>,
    doubtful: FxHashSet<&'o str>,
}

impl<'o, 'p> Places<'o, 'p> {
    pub(super) fn new(outline: &'o Lock, root: NodeId) -> Self {
        let bundled = outline.bundled();
        Self {
            nodes: FxHashMap::from_iter([("", root)]),
            in_modules: outline.folders_in_modules(),
            doubtful: bundled.doubtful(),
            bundled,
        }
    }

    /// Returns whether the entry is about a folder that is in no `node_modules`, or was linked
    /// from there.
    pub(super) fn is_folder(&self, entry: Entry<'_, '_>) -> bool {
        let path = entry.path();
        !entry.is_link() && (split_path(path).is_none() || self.in_modules.contains(path))
    }

    /// Returns whether the package at `path` came in another one's tarball; `None` where only that
    /// tarball tells what is in it.
    pub(super) fn in_bundle(&self, path: &str) -> Option<bool> {
        match self.bundled.bundler(path) {
            Some(bundler) if self.doubtful.contains(bundler) => None,
            bundler => Some(bundler.is_some()),
        }
    }
}

impl<'p, 'l: 'p> Entry<'p, 'l> {
    pub(super) fn path(self) -> &'p str {
        match self {
            Entry::Parsed(entry) => &entry.path,
            Entry::Compiled(package) => package.path(),
        }
    }

    pub(super) fn is_link(self) -> bool {
        match self {
            Entry::Parsed(entry) => entry.link,
            Entry::Compiled(package) => package.link(),
        }
    }

    pub(super) fn resolved(self) -> Option<&'p str> {
        match self {
            Entry::Parsed(entry) => entry.resolved.as_deref(),
            Entry::Compiled(package) => package.resolved(),
        }
    }

    /// Returns whether the entry tells nothing but that it is optional: in lockfiles of version 1
    /// it stands for a package that could not be loaded.
    pub(super) fn stands_for_failure(self) -> bool {
        let is_optional = match self {
            Entry::Parsed(entry) => entry.optional && entry.version.is_none(),
            Entry::Compiled(package) => package.optional() && package.version().is_none(),
        };
        is_optional && self.resolved().is_none() && !self.is_link()
    }

    pub(super) fn to_package(self) -> LockPackage {
        match self {
            Entry::Parsed(entry) => entry.clone(),
            Entry::Compiled(package) => package.to_package(),
        }
    }

    /// Reads the manifest that the entry has of a package in the folder `name`.
    pub(super) fn manifest(self, name: &str, interner: &mut Interner) -> Manifest<'l> {
        match self {
            Entry::Parsed(entry) => Manifest::from_record(entry.clone(), Some(name), interner),
            Entry::Compiled(package) => Manifest::from_locked(package, name, interner),
        }
    }
}

/// Splits a lockfile path into the parent's path and the name; `None` for a folder outside
/// `node_modules`.
pub(crate) fn split_path(path: &str) -> Option<(&str, &str)> {
    const MARK: &str = "node_modules/";
    let name = name_of_path(path);
    // The usual case, for which nothing is searched.
    if let Some(holder) = path.strip_suffix(name).and_then(|rest| rest.strip_suffix(MARK))
        && (holder.is_empty() || holder.ends_with('/'))
    {
        return Some((holder.trim_end_matches('/'), name));
    }
    let at = path.rfind(MARK)?;
    if at != 0 && !path[..at].ends_with('/') {
        return None;
    }
    Some((path[..at].trim_end_matches('/'), &path[at + MARK.len()..]))
}
