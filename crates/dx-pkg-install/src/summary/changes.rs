//! The lists of a summary: which packages were added, changed and removed, and which of them are
//! deprecated.

use std::collections::{HashMap, HashSet};

use dx_pkg_link::{ChangedPaths, LinkReport};
use dx_pkg_lock::dxl::{DxlView, Package};
use dx_pkg_lock::{Lock, LockPackage, name_of_path};

use super::{ChangeKind, ChangedPackage, Deprecation, Direct, Summary};
use crate::plan::unpacked;

/// The packages that the lists of a summary have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Scope {
    /// Those that the project and its workspaces require.
    Direct,
    /// All.
    All,
}

/// Changed and deprecated packages.
pub(crate) type Lists = (Vec<ChangedPackage>, Vec<Deprecation>);

/// The change of a tree, with what is needed to tell names and versions.
pub(crate) struct Changes<'c> {
    /// The entries of the tree as it is now; of a difference, those that it touches.
    pub(crate) after: &'c Lock,
    /// The versions of packages that were in the tree before, by path.
    pub(crate) before: &'c HashMap<String, Option<String>>,
    pub(crate) direct: &'c Direct,
    pub(crate) scope: Scope,
}

impl Changes<'_> {
    /// Adds the lists to a summary.
    pub(crate) fn record(&self, report: &LinkReport, summary: &mut Summary) {
        if report.fresh {
            self.record_all(summary);
        } else {
            self.record_paths(&report.paths, summary);
            sort(summary);
        }
    }

    /// Adds the difference from the lockfile `before`, where the tree is left alone.
    pub(crate) fn record_lockfile(&self, before: &Lock, summary: &mut Summary) {
        let placed = |lock: &'_ Lock| -> HashMap<String, (Option<String>, bool)> {
            let links = lock.packages.iter().filter(|package| package.link);
            let entries = unpacked(lock).chain(links);
            let entries = entries.filter(|entry| entry.path.contains("node_modules/"));
            entries
                .map(|entry| {
                    let what = if entry.link { &entry.resolved } else { &entry.version };
                    (entry.path.clone(), (what.clone(), entry.link))
                })
                .collect()
        };
        let (before, after) = (placed(before), placed(self.after));
        let mut paths = ChangedPaths::default();
        for (path, what) in &after {
            match before.get(path) {
                None => paths.added.push(path.clone()),
                Some(other) if other != what => paths.replaced.push(path.clone()),
                Some(_) => {}
            }
        }
        paths.removed = before.into_keys().filter(|path| !after.contains_key(path)).collect();
        self.record_difference(&paths, summary);
    }

    /// Adds a difference that no run has made, with its numbers.
    pub(crate) fn record_difference(&self, paths: &ChangedPaths, summary: &mut Summary) {
        let count = |paths: &[String]| paths.len() as u64;
        summary.added = count(&paths.added);
        summary.changed = count(&paths.replaced);
        summary.removed = count(&paths.removed);
        self.record_paths(paths, summary);
        sort(summary);
    }

    /// Adds the whole tree as added.
    pub(crate) fn record_all(&self, summary: &mut Summary) {
        let links = self.after.packages.iter().filter(|package| package.link);
        let entries = unpacked(self.after).chain(links);
        for entry in entries.filter(|entry| entry.path.contains("node_modules/")) {
            self.record_entry(ChangeKind::Added, entry, None, summary);
        }
        sort(summary);
    }

    fn record_paths(&self, paths: &ChangedPaths, summary: &mut Summary) {
        let kinds = [(ChangeKind::Added, &paths.added), (ChangeKind::Changed, &paths.replaced)];
        let kinds: HashMap<&str, ChangeKind> = kinds
            .into_iter()
            .flat_map(|(kind, paths)| paths.iter().map(move |path| (path.as_str(), kind)))
            .collect();
        if !kinds.is_empty() {
            for entry in &self.after.packages {
                if let Some(kind) = kinds.get(entry.path.as_str()) {
                    let before = self.before.get(&entry.path).cloned().flatten();
                    self.record_entry(*kind, entry, before, summary);
                }
            }
        }
        for path in &paths.removed {
            let section = self.direct.section(path);
            if section.is_some() || self.scope == Scope::All {
                summary.changes.push(ChangedPackage {
                    kind: ChangeKind::Removed,
                    name: name_of_path(path).to_owned(),
                    path: path.clone(),
                    before: self.before.get(path).cloned().flatten(),
                    version: None,
                    section,
                });
            }
        }
    }

    fn record_entry(
        &self,
        kind: ChangeKind,
        entry: &LockPackage,
        before: Option<String>,
        summary: &mut Summary,
    ) {
        let section = self.direct.section(&entry.path);
        // A package that was put in place again is as deprecated as it was.
        if before.is_none() || before != entry.version {
            summary.deprecated.extend(deprecation(entry, section.is_some()));
        }
        if section.is_some() || self.scope == Scope::All {
            let version = version_in(self.after, entry);
            let (name, path) = (name_of_path(&entry.path).to_owned(), entry.path.clone());
            summary.changes.push(ChangedPackage { kind, name, path, before, version, section });
        }
    }
}

impl Summary {
    /// Takes back what was said of optional packages that were left out after they had been linked,
    /// because their scripts failed. `after` has the entries that stay.
    pub(crate) fn leave_out(&mut self, after: &Lock, report: &LinkReport) {
        let there: HashSet<&str> = after.packages.iter().map(|entry| entry.path.as_str()).collect();
        let is_gone = |path: &String| !there.contains(path.as_str());
        let packages = after.packages.iter().filter(|package| !package.link).count();
        let gone = |paths: &[String]| paths.iter().filter(|path| is_gone(path)).count() as u64;
        if report.fresh {
            self.added = self.added.saturating_sub((self.packages.saturating_sub(packages)) as u64);
        } else {
            self.added = self.added.saturating_sub(gone(&report.paths.added));
            self.changed = self.changed.saturating_sub(gone(&report.paths.replaced));
        }
        self.packages = packages;
        self.changes.retain(|one| one.kind == ChangeKind::Removed || !is_gone(&one.path));
        self.deprecated.retain(|one| !is_gone(&one.path));
    }
}

/// Returns the direct dependencies of a tree as added, and its deprecated packages, from its
/// record.
pub(crate) fn of_record(record: &DxlView<'_>, direct: &Direct) -> Lists {
    let mut found = Summary::default();
    for entry in record.packages() {
        let path = entry.path();
        let Some(section) = direct.section(path) else { continue };
        found.changes.push(ChangedPackage {
            kind: ChangeKind::Added,
            name: name_of_path(path).to_owned(),
            before: None,
            version: version_of(record, entry).map(str::to_owned),
            section: Some(section),
            path: path.to_owned(),
        });
    }
    let marked = record.packages().filter(|package| package.deprecated().is_some());
    found.deprecated.extend(marked.filter_map(|package| {
        deprecation(&package.to_package(), direct.section(package.path()).is_some())
    }));
    sort(&mut found);
    (found.changes, found.deprecated)
}

/// Returns the version of an entry; of a link that of the folder it leads to.
pub(crate) fn version_in(lock: &Lock, entry: &LockPackage) -> Option<String> {
    match &entry.resolved {
        Some(folder) if entry.link => lock.get(folder)?.version.clone(),
        _ => entry.version.clone(),
    }
}

/// Returns the version of an entry of a record, as [`version_in`] does.
fn version_of<'r>(record: &DxlView<'r>, entry: Package<'r>) -> Option<&'r str> {
    match entry.resolved() {
        Some(folder) if entry.link() => record.get(folder)?.version(),
        _ => entry.version(),
    }
}

/// Returns the deprecation of an entry. What comes inside another package's tarball is that
/// package's affair.
fn deprecation(entry: &LockPackage, is_direct: bool) -> Option<Deprecation> {
    let message = entry.deprecated.as_deref().filter(|message| !message.is_empty())?;
    if entry.link || entry.in_bundle && entry.path.contains("/node_modules/") {
        return None;
    }
    Some(Deprecation {
        name: entry.package_name().to_owned(),
        version: entry.version.clone().unwrap_or_default(),
        path: entry.path.clone(),
        message: message.to_owned(),
        is_direct,
    })
}

/// Sorts the lists; a deprecated package is listed once, direct dependencies first.
fn sort(summary: &mut Summary) {
    summary.changes.sort_by(|a, b| (a.kind, &a.path).cmp(&(b.kind, &b.path)));
    summary.deprecated.sort_by(|a, b| (!a.is_direct, &a.path).cmp(&(!b.is_direct, &b.path)));
    let mut seen = HashSet::new();
    summary.deprecated.retain(|one| seen.insert((one.name.clone(), one.version.clone())));
}
