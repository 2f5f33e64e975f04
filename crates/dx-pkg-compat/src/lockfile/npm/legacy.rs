//! Version 1: a tree of `dependencies`, upgraded to entries by path as npm upgrades it.

use dx_pkg_core::spec::GitSpec;
use dx_pkg_core::{PackageName, Spec, Version};
use dx_pkg_lock::{Lock, LockPackage, name_of_path};
use serde_json::value::RawValue;

use super::super::LockfileError;
use super::super::json::Object;
use super::path;
use super::source::{Place, Source, is_number, is_set};

/// The limit on the nesting of packages.
const MAX_DEPTH: usize = 128;

/// Returns the entries of a version 1 lockfile, the project's own first.
pub(super) fn upgrade(
    lock: &Lock,
    dependencies: &RawValue,
    source: Source<'_>,
) -> Result<Vec<LockPackage>, LockfileError> {
    let root = LockPackage {
        name: lock.name.clone(),
        version: lock.version.clone(),
        ..LockPackage::default()
    };
    let mut tree = Tree { source, entries: vec![Entry { package: root, requires: Vec::new() }] };
    tree.add_all("", dependencies, 0)?;
    tree.bind_requires();
    let mut packages: Vec<LockPackage> =
        tree.entries.into_iter().map(|entry| entry.package).collect();
    packages.iter_mut().for_each(LockPackage::normalise);
    // Two links to one folder give it two entries: one is enough.
    packages.sort_by(|a, b| a.path.cmp(&b.path));
    packages.dedup_by(|later, first| later.path == first.path);
    Ok(packages)
}

struct Entry {
    package: LockPackage,
    requires: Vec<(String, String)>,
}

struct Tree<'a> {
    source: Source<'a>,
    entries: Vec<Entry>,
}

impl Tree<'_> {
    /// Adds every member of `dependencies`, which belong to the package in `folder`.
    fn add_all(
        &mut self,
        folder: &str,
        dependencies: &RawValue,
        depth: usize,
    ) -> Result<(), LockfileError> {
        let place = Place { source: self.source, entry: Some(folder) };
        if depth > MAX_DEPTH {
            return Err(place.error("dependencies", dependencies.get(), "is nested too deeply"));
        }
        for (name, raw) in place.members("dependencies", dependencies)?.0 {
            let slash = if folder.is_empty() { "" } else { "/" };
            self.add(&format!("{folder}{slash}node_modules/{name}"), &name, raw, depth)?;
        }
        Ok(())
    }

    fn add(
        &mut self,
        at: &str,
        name: &str,
        raw: &RawValue,
        depth: usize,
    ) -> Result<(), LockfileError> {
        let place = Place { source: self.source, entry: Some(at) };
        let members = place.object(name, raw)?;
        let flag = |key: &str| members.get(key).is_some_and(is_set);
        let string =
            |key: &str| members.get(key).map_or(Ok(None), |value| place.filled_string(key, value));
        let mut package = LockPackage {
            path: at.to_owned(),
            integrity: string("integrity")?,
            resolved: string("resolved")?,
            dev: flag("dev"),
            optional: flag("optional"),
            in_bundle: flag("bundled"),
            ..LockPackage::default()
        };
        // A number is no version, and tells no more than none.
        let version = members.get("version").filter(|version| !is_number(version));
        let version = version.map_or(Ok(None), |raw| place.filled_string("version", raw));
        let written = match version? {
            Some(version) => Some(version),
            None => string("from")?,
        };
        if let Some(written) = written {
            locate(&mut package, name, &written);
        }
        complete_version(&mut package);
        if package.in_bundle && self.is_inside_whole(at) {
            package.integrity = None;
            package.resolved = None;
        }
        // As in later versions.
        if package.is_from_git() {
            package.integrity = None;
        }
        if package.version.as_deref().is_some_and(|version| !path::version_is_safe(version)) {
            return Err(place.error("version", raw.get(), "is not a version"));
        }
        self.push(package, requires(&members, place)?);
        // A package nested below a link is in the folder that the link leads to.
        let folder = match self.entries.last() {
            Some(entry) => entry.package.path.clone(),
            None => at.to_owned(),
        };
        match members.get("dependencies") {
            Some(dependencies) => self.add_all(&folder, dependencies, depth + 1),
            None => Ok(()),
        }
    }

    /// Returns whether the package at this path came in another one's tarball: it is inside a
    /// package that is not bundled itself.
    fn is_inside_whole(&self, at: &str) -> bool {
        let outermost = at.match_indices("/node_modules/").next().map(|(end, _)| &at[..end]);
        let holder = outermost
            .and_then(|path| self.entries.iter().rfind(|entry| entry.package.path == path));
        holder.is_some_and(|holder| !holder.package.in_bundle)
    }

    /// Adds the entry; for a link, also the folder that it leads to, which then is last.
    fn push(&mut self, mut package: LockPackage, requires: Vec<(String, String)>) {
        if !package.link {
            self.entries.push(Entry { package, requires });
            return;
        }
        let target = LockPackage {
            path: package.resolved.clone().unwrap_or_default(),
            dev: std::mem::take(&mut package.dev),
            optional: std::mem::take(&mut package.optional),
            ..LockPackage::default()
        };
        package.in_bundle = false;
        self.entries.push(Entry { package, requires: Vec::new() });
        self.entries.push(Entry { package: target, requires });
    }

    /// Turns each `requires` into a dependency, optional where it is required only as an optional
    /// one.
    fn bind_requires(&mut self) {
        let flat = Lock {
            packages: self.entries.iter().map(|entry| entry.package.clone()).collect(),
            ..Lock::default()
        };
        let index = flat.index();
        for entry in &mut self.entries {
            for (name, spec) in std::mem::take(&mut entry.requires) {
                let dependency = index.resolve(&entry.package.path, &name);
                let only_optional =
                    dependency.is_some_and(|found| found.optional && !entry.package.optional);
                let only_dev = dependency.is_some_and(|found| found.dev && !entry.package.dev);
                let list = if only_optional {
                    &mut entry.package.optional_dependencies
                } else if only_dev {
                    &mut entry.package.dev_dependencies
                } else {
                    &mut entry.package.dependencies
                };
                list.push((name, spec));
            }
        }
    }
}

fn requires(
    members: &Object<'_>,
    place: Place<'_, '_>,
) -> Result<Vec<(String, String)>, LockfileError> {
    match members.get("requires") {
        Some(raw) if raw.get().starts_with('{') => place.pairs("requires", raw),
        _ => Ok(Vec::new()),
    }
}

/// Parses the `version` of version 1: a version, an alias, a folder, a tarball or a git commit.
fn locate(package: &mut LockPackage, name: &str, written: &str) {
    match Spec::parse(written) {
        Ok(Spec::Directory(folder)) => {
            package.link = true;
            package.resolved =
                Some(folder.strip_prefix("./").unwrap_or(&folder).trim_end_matches('/').to_owned());
            package.integrity = None;
        }
        Ok(Spec::Tarball(file)) => {
            package.resolved = Some(format!("file:{}", file.strip_prefix("./").unwrap_or(&file)));
            package.version = version_in_file_name(name, &file);
        }
        Ok(Spec::Remote(url)) => {
            package.version = version_in_file_name(name, &url);
            package.resolved = Some(url.into());
        }
        Ok(Spec::Git(git)) => package.resolved = Some(git_url(&git)),
        Ok(Spec::Alias { name, spec }) => {
            package.name = Some(name.as_str().to_owned());
            if let Spec::Version(version) = *spec {
                package.version = Some(version.to_string());
            }
        }
        _ => package.version = Some(written.to_owned()),
    }
}

fn git_url(git: &GitSpec) -> String {
    let hash = if git.committish.is_some() { "#" } else { "" };
    format!("git+{}{hash}{}", git.url, git.committish.as_deref().unwrap_or_default())
}

/// Takes the version of an entry that names none, and for an alias the package, from its tarball's
/// address, `…/name/-/name-1.2.3.tgz`, as npm does.
fn complete_version(package: &mut LockPackage) {
    let is_version = |version: &str| Version::parse_loose(version).is_ok();
    if package.link || package.version.as_deref().is_some_and(is_version) {
        return;
    }
    let Some(address) = package.resolved.as_deref() else { return };
    let name = name_in_address(address).unwrap_or_else(|| package.package_name().to_owned());
    if let Some(version) = version_in_file_name(&name, address) {
        package.version = Some(version);
        package.name = Some(name).filter(|name| *name != name_of_path(&package.path));
    }
}

/// Returns the package's name in `https://registry.example/@scope/name/-/name-1.2.3.tgz`.
fn name_in_address(address: &str) -> Option<String> {
    let (before, _) = address.rsplit_once("/-/")?;
    let before = before.replace("%2f", "/").replace("%2F", "/");
    let mut parts = before.rsplit('/');
    let name = parts.next()?;
    let scope = parts.next().filter(|scope| scope.starts_with('@'));
    let name = scope.map_or_else(|| name.to_owned(), |scope| format!("{scope}/{name}"));
    PackageName::parse(&name).is_ok().then_some(name)
}

/// Returns the `1.2.3` of `…/name-1.2.3.tgz`.
fn version_in_file_name(name: &str, file: &str) -> Option<String> {
    let bare = name.rsplit('/').next()?;
    let file = file.rsplit('/').next()?.split(['?', '#']).next()?;
    let version = file.strip_prefix(bare)?.strip_prefix('-')?;
    let version = version.strip_suffix(".tgz").or_else(|| version.strip_suffix(".tar.gz"))?;
    Version::parse(version).ok().map(|version| version.to_string())
}
