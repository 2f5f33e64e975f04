//! The lock model: a lockfile's entries as plain data.
//!
//! It reads and writes no text, and trusts paths: the readers of lockfiles refuse unsafe ones.

use std::collections::HashSet;

use dx_pkg_core::{Integrity, PackageId, Platform};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::locale_compare;

/// The members, beside `patched`, by which a lockfile tells that manifests were altered: only npm
/// 12.2 and later understand them, and only in a lockfile of version 4.
pub const ALTERATIONS: [&str; 4] = [
    "packageExtensionsApplied",
    "npmExtensionApplied",
    "packageExtensionsHash",
    "npmExtensionHash",
];

/// A lockfile: the package, link or workspace at each path below the project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// The project's name as the lockfile gives it.
    pub name: Option<String>,
    /// The project's version as the lockfile gives it.
    pub version: Option<String>,
    /// The `lockfileVersion` that was read, or is to be written; 3 for a new lock.
    pub format_version: u8,
    /// One entry per path, `""` (the project itself) first, then in the order of
    /// [`locale_compare`].
    pub packages: Vec<LockPackage>,
    /// The requirements that the project's overrides replaced, after a resolution: lockfiles of
    /// versions 1 and 2 have them.
    pub overridden: Vec<Overridden>,
    /// The optional packages that could not be loaded, after a resolution: lockfiles of versions 1
    /// and 2 have their places.
    pub left_out: Vec<LockPackage>,
}

/// A requirement with the specifier that an override put in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overridden {
    /// The path of the dependent.
    pub dependent: String,
    /// The name of the dependency.
    pub name: String,
    /// The specifier that applies.
    pub spec: String,
}

/// One entry of a lockfile: the package, link or workspace at a path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LockPackage {
    /// The path relative to the project, `/`-separated: `""`, `packages/a` or
    /// `node_modules/a/node_modules/@b/c`.
    pub path: String,
    /// The package's name, only where the path does not end with it: aliases, the project and
    /// workspaces.
    pub name: Option<String>,
    /// The exact version; a link, a folder or a git dependency may have none.
    pub version: Option<String>,
    /// The source: a tarball's URL, a `file:` or `git+` specifier, or for a link its target folder.
    pub resolved: Option<String>,
    /// Subresource integrity of the tarball.
    pub integrity: Option<String>,
    /// Whether it is a symbolic link to the folder `resolved`.
    pub link: bool,
    /// Whether it is needed for development only.
    pub dev: bool,
    /// Whether it is needed by optional dependencies only.
    pub optional: bool,
    /// Whether it is needed both for development and by optional dependencies, and by nothing else.
    pub dev_optional: bool,
    /// Whether it is needed as a peer only.
    pub peer: bool,
    /// Whether it is bundled in its dependent's tarball.
    pub in_bundle: bool,
    /// Whether nothing depends on it.
    pub extraneous: bool,
    /// Whether it has a `preinstall`, `install` or `postinstall` script, or a `binding.gyp`.
    pub has_install_script: bool,
    /// Whether it has an `npm-shrinkwrap.json`.
    pub has_shrinkwrap: bool,
    /// Whether its files are a private copy rather than shared with the store; set only in the
    /// record of a tree, never in a lockfile.
    pub private_copy: bool,
    /// The deprecation message.
    pub deprecated: Option<String>,
    /// The licence expression.
    pub license: Option<String>,
    /// `engines` as JSON text.
    pub engines: Option<String>,
    /// `funding` as JSON text.
    pub funding: Option<String>,
    /// Commands: name and file within the package.
    pub bin: Vec<(String, String)>,
    /// The operating systems it supports; `!x` excludes one.
    pub os: Vec<String>,
    /// The processors it supports; `!x` excludes one.
    pub cpu: Vec<String>,
    /// The C libraries it supports; `!x` excludes one.
    pub libc: Vec<String>,
    /// `dependencies`: name and specifier.
    pub dependencies: Vec<(String, String)>,
    /// `devDependencies`, of the project and of workspaces only.
    pub dev_dependencies: Vec<(String, String)>,
    /// `optionalDependencies`.
    pub optional_dependencies: Vec<(String, String)>,
    /// `peerDependencies`.
    pub peer_dependencies: Vec<(String, String)>,
    /// `peerDependenciesMeta`: name and whether that peer is optional.
    pub peer_dependencies_meta: Vec<(String, bool)>,
    /// The names of dependencies bundled in the package's tarball.
    pub bundle_dependencies: Vec<String>,
    /// `workspaces` as JSON text.
    pub workspaces: Option<String>,
    /// The patch that is applied to its files.
    pub patched: Option<Patched>,
    /// Every other key and its value as JSON text.
    pub extra: Vec<(String, String)>,
}

impl LockPackage {
    /// Returns about how much memory its fields take, in bytes.
    #[must_use]
    pub fn weight(&self) -> usize {
        const ENTRY: usize = 64;
        let texts = [&self.resolved, &self.integrity, &self.deprecated, &self.license];
        let texts = texts.into_iter().chain([&self.engines, &self.funding, &self.workspaces]);
        let pairs = [&self.bin, &self.dependencies, &self.optional_dependencies, &self.extra];
        let pairs = pairs.into_iter().chain([&self.dev_dependencies, &self.peer_dependencies]);
        let lists = [&self.os, &self.cpu, &self.libc, &self.bundle_dependencies];
        texts.flatten().map(String::len).sum::<usize>()
            + pairs.flatten().map(|(name, value)| ENTRY + name.len() + value.len()).sum::<usize>()
            + self.peer_dependencies_meta.iter().map(|(name, _)| ENTRY + name.len()).sum::<usize>()
            + lists.into_iter().flatten().map(|text| ENTRY + text.len()).sum::<usize>()
    }
}

/// A patch as a lockfile records it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patched {
    /// The patch file, relative to the project.
    pub path: String,
    /// Subresource integrity of the patch file.
    pub integrity: String,
}

impl Lock {
    /// Returns the entry at `path`. It searches all entries; for many look-ups make an
    /// [`index`](Lock::index).
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&LockPackage> {
        self.packages.iter().find(|package| package.path == path)
    }

    /// Returns the project's own entry.
    #[must_use]
    pub fn root(&self) -> Option<&LockPackage> {
        self.get("")
    }

    /// Returns the entry that Node's look-up finds for `name` from `from_path`; see
    /// [`LockIndex::resolve`].
    #[must_use]
    pub fn resolve(&self, from_path: &str, name: &str) -> Option<&LockPackage> {
        self.index().resolve(from_path, name)
    }

    /// Returns the linked folders whose paths look like those of packages although no entry's
    /// `node_modules` holds them, such as `../node_modules/a` and `node_modules/a/lib`.
    #[must_use]
    pub fn folders_in_modules(&self) -> HashSet<&str> {
        let links = self.packages.iter().filter(|package| package.link);
        let mut found: HashSet<&str> = links
            .filter_map(|link| link.resolved.as_deref())
            .filter(|target| target.contains("node_modules/"))
            .collect();
        if !found.is_empty() {
            let entries = self.packages.iter().filter(|package| !package.link);
            let paths: HashSet<&str> = entries.map(|package| package.path.as_str()).collect();
            found.retain(|path| {
                !holder(path).is_some_and(|folder| folder.is_empty() || paths.contains(folder))
            });
        }
        found
    }

    /// Returns an index of the entries by path.
    #[must_use]
    pub fn index(&self) -> LockIndex<'_> {
        let positions = self
            .packages
            .iter()
            .enumerate()
            .map(|(position, package)| (package.path.as_str(), position));
        LockIndex { packages: &self.packages, positions: positions.collect() }
    }

    /// Returns the entries whose files come inside another package's tarball.
    #[must_use]
    pub fn bundled(&self) -> Bundled<'_> {
        let marked = self.packages.iter().filter(|package| package.in_bundle && !package.link);
        Bundled { marked: marked.map(|package| (package.path.as_str(), package)).collect() }
    }

    /// Gives the lock the version that its entries need, or else that of `previous`, the lockfile
    /// that it replaces; one of version 1 becomes one of version 3. As with npm, one of version 4
    /// keeps name and version as they were.
    pub fn set_format_version(&mut self, previous: Option<&Lock>) {
        let before = previous.map(|lock| lock.format_version);
        self.format_version = before.filter(|version| *version > 1).unwrap_or(3);
        if self.packages.iter().any(LockPackage::is_altered) {
            self.format_version = 4;
        }
        if self.format_version == 4 {
            let names = previous.map(|lock| (lock.name.clone(), lock.version.clone()));
            (self.name, self.version) = names.unwrap_or_default();
        }
    }

    /// Gives the lock the version that the user asks for, unless its entries need version 4.
    /// `names` are the project's name and version, which lockfiles of version 4 may lack.
    pub fn ask_format_version(&mut self, asked: u8, names: (Option<String>, Option<String>)) {
        if self.packages.iter().any(LockPackage::is_altered) || self.format_version == asked {
            return;
        }
        if self.format_version == 4 {
            self.name = names.0.or_else(|| self.name.take());
            self.version = names.1.or_else(|| self.version.take());
        }
        self.format_version = asked;
    }

    /// Sorts entries, and every keyed list in them, in the order in which lockfiles are written.
    pub fn normalise(&mut self) {
        self.packages
            .sort_by(|a, b| locale_compare(&a.path, &b.path).then_with(|| a.path.cmp(&b.path)));
        for package in &mut self.packages {
            package.normalise();
        }
    }
}

impl LockPackage {
    /// Returns the package's name: the explicit one, else the path's.
    #[must_use]
    pub fn package_name(&self) -> &str {
        self.name.as_deref().unwrap_or_else(|| name_of_path(&self.path))
    }

    /// Returns whether its `os`, `cpu` and `libc` allow a platform.
    #[must_use]
    pub fn runs_on(&self, platform: &Platform) -> bool {
        let [os, cpu, libc] = [&self.os, &self.cpu, &self.libc]
            .map(|list| list.iter().map(String::as_str).collect::<Vec<_>>());
        platform.accepts(&os, &cpu, &libc)
    }

    /// Returns the names and specifiers of all four kinds of dependencies.
    pub fn requirements(&self) -> impl Iterator<Item = (&str, &str)> {
        let sections = [
            &self.dependencies,
            &self.optional_dependencies,
            &self.dev_dependencies,
            &self.peer_dependencies,
        ];
        sections.into_iter().flatten().map(|(name, spec)| (name.as_str(), spec.as_str()))
    }

    /// Returns what it requires of `name`, from the first section that names it.
    #[must_use]
    pub fn requirement_for(&self, name: &str) -> Option<&str> {
        self.requirements().find(|(known, _)| *known == name).map(|(_, spec)| spec)
    }

    /// Returns whether this entry, or the folder it links to, is outside the project.
    #[must_use]
    pub fn is_outside(&self) -> bool {
        outside_project(&self.path)
            || (self.link && self.resolved.as_deref().is_some_and(outside_project))
    }

    /// Returns the id in the store of its files: of the bytes that match its integrity, with its
    /// patch applied. `None` without an integrity, or with one that cannot be read.
    #[must_use]
    pub fn package_id(&self) -> Option<PackageId> {
        let text = self.integrity.as_deref()?;
        let id = PackageId::from_sha512_text(text).or_else(|| {
            Integrity::parse(text).ok().map(|integrity| PackageId::from_integrity(&integrity))
        })?;
        Some(match &self.patched {
            Some(patch) => id.patched(&patch.integrity),
            None => id,
        })
    }

    /// Returns whether a root's rules altered what the package says of itself, or its files.
    #[must_use]
    pub fn is_altered(&self) -> bool {
        self.patched.is_some() || self.extra.iter().any(|(key, _)| ALTERATIONS.contains(&&**key))
    }

    /// Returns whether it is a commit of a git repository.
    #[must_use]
    pub fn is_from_git(&self) -> bool {
        let is = |resolved: &str| resolved.starts_with("git+") || resolved.starts_with("git:");
        !self.link && self.resolved.as_deref().is_some_and(is)
    }

    /// Returns whether it has a licence, in whatever form.
    #[must_use]
    pub fn has_license(&self) -> bool {
        self.license.is_some() || self.other_license().is_some()
    }

    /// Returns a licence that is no text, such as a list: its member in `extra`.
    #[must_use]
    pub fn other_license(&self) -> Option<&(String, String)> {
        self.extra.iter().find(|(key, _)| key == "license")
    }

    /// Removes `devDependencies`, which only the project and its folders have.
    pub fn remove_dev_dependencies(&mut self) {
        self.dev_dependencies.clear();
        self.extra.retain(|(key, _)| key != "devDependencies");
    }

    /// Sorts every list whose order has no meaning.
    pub fn normalise(&mut self) {
        let by_name = |a: &(String, String), b: &(String, String)| {
            locale_compare(&a.0, &b.0).then_with(|| a.0.cmp(&b.0))
        };
        for list in [
            &mut self.bin,
            &mut self.dependencies,
            &mut self.dev_dependencies,
            &mut self.optional_dependencies,
            &mut self.peer_dependencies,
            &mut self.extra,
        ] {
            list.sort_by(by_name);
        }
        self.peer_dependencies_meta
            .sort_by(|a, b| locale_compare(&a.0, &b.0).then_with(|| a.0.cmp(&b.0)));
    }
}

/// The entries of a [`Lock`] whose files come inside another package's tarball. An integrity that
/// such an entry has says nothing of those files. Packages that the project itself, or a workspace,
/// bundles when it is published are marked as bundled too, but are packages of their own.
#[derive(Clone, Debug)]
pub struct Bundled<'a> {
    marked: FxHashMap<&'a str, &'a LockPackage>,
}

impl<'a> Bundled<'a> {
    /// Returns the path of the package whose tarball contains the entry at `path`.
    #[must_use]
    pub fn bundler<'p>(&self, path: &'p str) -> Option<&'p str> {
        let entry = self.marked.get(path)?;
        let mut nearest = None;
        let mut around = folder_around(path);
        while let Some(package) = self.marked.get(around) {
            let bundles = !package.bundle_dependencies.is_empty();
            nearest = nearest.or(Some(around).filter(|_| bundles));
            around = folder_around(around);
        }
        if around.starts_with("node_modules/") || around.contains("/node_modules/") {
            return Some(around);
        }
        // All of them go into the project's own tarball.
        nearest.filter(|_| entry.integrity.is_none())
    }

    /// Returns the packages whose contents the lockfile tells as no npm has since version 7: with
    /// an integrity or an address, which may be those of other files.
    #[must_use]
    pub fn doubtful(&self) -> FxHashSet<&'a str> {
        let entries = self
            .marked
            .iter()
            .filter(|(_, entry)| entry.integrity.is_some() || entry.resolved.is_some());
        entries.filter_map(|(path, _)| self.bundler(path)).collect()
    }
}

/// Returns the folder whose `node_modules` contains the package at `path`.
fn folder_around(path: &str) -> &str {
    path.rfind("/node_modules/").map_or("", |at| &path[..at])
}

/// An index of a [`Lock`]'s entries by path.
#[derive(Clone, Debug)]
pub struct LockIndex<'a> {
    packages: &'a [LockPackage],
    positions: FxHashMap<&'a str, usize>,
}

impl<'a> LockIndex<'a> {
    /// Returns the entry at `path`.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&'a LockPackage> {
        self.position(path).and_then(|position| self.packages.get(position))
    }

    /// Returns the position in [`Lock::packages`] of the entry at `path`.
    #[must_use]
    pub fn position(&self, path: &str) -> Option<usize> {
        self.positions.get(path).copied()
    }

    /// Returns the entry that Node's look-up finds for `name` from `from_path`: the nearest
    /// `node_modules/<name>` there or above. Look-up from a link starts at its target; a link that
    /// is found is returned itself.
    #[must_use]
    pub fn resolve(&self, from_path: &str, name: &str) -> Option<&'a LockPackage> {
        let mut folder = match self.get(from_path) {
            Some(LockPackage { link: true, resolved: Some(target), .. }) => target.as_str(),
            _ => from_path,
        };
        let mut candidate =
            String::with_capacity(folder.len() + name.len() + "/node_modules/".len());
        loop {
            if folder != "node_modules" && !folder.ends_with("/node_modules") {
                candidate.clear();
                candidate.push_str(folder);
                if !folder.is_empty() {
                    candidate.push('/');
                }
                candidate.push_str("node_modules/");
                candidate.push_str(name);
                if let Some(found) = self.get(&candidate) {
                    return Some(found);
                }
            }
            if folder.is_empty() {
                return None;
            }
            folder = folder.rfind('/').map_or("", |slash| &folder[..slash]);
        }
    }
}

/// Returns the name at the end of a path, if its folder is a `node_modules`: the usual case, for
/// which nothing is searched.
fn name_in_folder(path: &str) -> Option<&str> {
    let is_folder = |before: &str| {
        before
            .strip_suffix("node_modules")
            .is_some_and(|around| around.is_empty() || around.ends_with('/'))
    };
    // Names are so short that a search by words costs more than it finds.
    let last_slash = |text: &str| text.bytes().rposition(|byte| byte == b'/');
    let name = last_slash(path)?;
    if is_folder(&path[..name]) {
        return Some(&path[name + 1..]);
    }
    let scope = last_slash(&path[..name])?;
    (path[scope + 1..].starts_with('@') && is_folder(&path[..scope])).then(|| &path[scope + 1..])
}

/// Returns the package name a path ends with: the part after the last `node_modules/`, or else the
/// last segment, with the one before it if that is a scope.
#[must_use]
pub fn name_of_path(path: &str) -> &str {
    const FOLDER: &str = "node_modules/";
    if let Some(name) = name_in_folder(path) {
        return name;
    }
    match path.rfind(FOLDER) {
        Some(at) if at == 0 || path.as_bytes().get(at - 1) == Some(&b'/') => {
            &path[at + FOLDER.len()..]
        }
        _ => {
            let name = path.rfind('/').map_or(0, |slash| slash + 1);
            let scope = path[..name.saturating_sub(1)].rfind('/').map_or(0, |slash| slash + 1);
            &path[if path[scope..name].starts_with('@') { scope } else { name }..]
        }
    }
}

/// Returns the folder whose `node_modules` has a package at `path`; `None` for any other path.
fn holder(path: &str) -> Option<&str> {
    let name = name_of_path(path);
    let is_name = name.split('/').count() == if name.starts_with('@') { 2 } else { 1 };
    let folder = path[..path.len() - name.len()].strip_suffix("node_modules/")?;
    is_name.then(|| folder.trim_end_matches('/'))
}

/// Returns whether a `/`-separated path relative to the project is outside of it.
#[must_use]
fn outside_project(path: &str) -> bool {
    path == ".." || path.starts_with("../") || path.starts_with('/')
}

#[cfg(test)]
mod tests;
