//! Builders of a registry and a project for tests.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;

use dx_pkg_core::{Platform, Version};
use dx_pkg_format::packument::{Packument, PackumentData, VersionData};
use dx_pkg_lock::{Lock, LockPackage};
use dx_pkg_resolve::pick::PickOptions;
use dx_pkg_resolve::{
    External, Options, Override, Provider, ProviderError, Requirements, Resolution, ResolveError,
    resolve,
};

/// One version of a package, or a project's manifest.
#[derive(Clone, Default)]
pub(crate) struct Package {
    name: String,
    data: VersionData<'static>,
    dev: Vec<(String, String)>,
}

/// `a@1.0.0`.
pub(crate) fn package(id: &str) -> Package {
    let (name, version) = split(id);
    let version = version.to_owned();
    let tarball = format!("https://registry.example/{name}/-/{name}-{version}.tgz");
    let data =
        VersionData { version: version.into(), tarball: tarball.into(), ..VersionData::default() };
    Package { name: name.to_owned(), data, dev: Vec::new() }
}

fn split(id: &str) -> (&str, &str) {
    id.rfind('@').filter(|at| *at > 0).map_or((id, "*"), |at| (&id[..at], &id[at + 1..]))
}

impl Package {
    pub(crate) fn needs(mut self, dependency: &str) -> Self {
        self.data.dependencies.push(pair(dependency));
        self
    }

    pub(crate) fn dev(mut self, dependency: &str) -> Self {
        let (name, spec) = split(dependency);
        self.dev.push((name.to_owned(), spec.to_owned()));
        self
    }

    pub(crate) fn optional(mut self, dependency: &str) -> Self {
        self.data.optional_dependencies.push(pair(dependency));
        self
    }

    pub(crate) fn peer(mut self, dependency: &str) -> Self {
        self.data.peer_dependencies.push(pair(dependency));
        self
    }

    pub(crate) fn optional_peer(mut self, dependency: &str) -> Self {
        let (name, _) = split(dependency);
        self.data.peer_meta.push((name.to_owned().into(), true));
        self.peer(dependency)
    }

    pub(crate) fn needs_as(mut self, name: &str, spec: &str) -> Self {
        self.data.dependencies.push((name.to_owned().into(), spec.to_owned().into()));
        self
    }

    pub(crate) fn bundles(mut self, name: &str) -> Self {
        self.data.bundled.push(name.to_owned().into());
        self
    }

    pub(crate) fn node(mut self, range: &str) -> Self {
        self.data.engines.push(("node".into(), range.to_owned().into()));
        self
    }

    pub(crate) fn os(mut self, os: &str) -> Self {
        self.data.os.push(os.to_owned().into());
        self
    }

    pub(crate) fn deprecated(mut self) -> Self {
        self.data.deprecated = "no longer kept".into();
        self
    }

    pub(crate) fn published(mut self, moment: u64) -> Self {
        self.data.published = Some(moment);
        self
    }

    pub(crate) fn record(&self, path: &str) -> LockPackage {
        let pairs =
            |list: &[(std::borrow::Cow<'static, str>, std::borrow::Cow<'static, str>)]| {
                list.iter().map(|(name, spec)| (name.to_string(), spec.to_string())).collect()
            };
        LockPackage {
            path: path.to_owned(),
            name: Some(self.name.clone()),
            version: Some(self.data.version.to_string()),
            dependencies: pairs(&self.data.dependencies),
            dev_dependencies: self.dev.clone(),
            optional_dependencies: pairs(&self.data.optional_dependencies),
            peer_dependencies: pairs(&self.data.peer_dependencies),
            peer_dependencies_meta: self
                .data
                .peer_meta
                .iter()
                .map(|(name, flag)| (name.to_string(), *flag))
                .collect(),
            ..LockPackage::default()
        }
    }
}

fn pair(dependency: &str) -> (std::borrow::Cow<'static, str>, std::borrow::Cow<'static, str>) {
    let (name, spec) = split(dependency);
    (name.to_owned().into(), spec.to_owned().into())
}

/// A project with these dependencies.
pub(crate) fn project(dependencies: &[&str]) -> Package {
    dependencies
        .iter()
        .fold(package("project@1.0.0"), |project, dependency| project.needs(dependency))
}

/// A registry with the settings of a resolution.
#[derive(Clone)]
pub(crate) struct World {
    packages: BTreeMap<String, Vec<Package>>,
    tags: Vec<(String, String, String)>,
    folders: BTreeMap<String, Package>,
    bundles: BTreeMap<String, Vec<Package>>,
    pub(crate) overrides: Vec<Override>,
    pub(crate) options: Options,
    /// Whether any request fails the test.
    pub(crate) closed: Cell<bool>,
    /// Whether the caller gives up.
    pub(crate) cancelled: Cell<bool>,
    pub(crate) asked: RefCell<Vec<String>>,
    /// The names that were announced together.
    pub(crate) announced: RefCell<Vec<Vec<String>>>,
}

pub(crate) fn world(packages: impl IntoIterator<Item = Package>) -> World {
    let mut world = World {
        packages: BTreeMap::new(),
        tags: Vec::new(),
        folders: BTreeMap::new(),
        bundles: BTreeMap::new(),
        overrides: Vec::new(),
        options: options(),
        closed: Cell::new(false),
        cancelled: Cell::new(false),
        asked: RefCell::default(),
        announced: RefCell::default(),
    };
    for package in packages {
        world.packages.entry(package.name.clone()).or_default().push(package);
    }
    world
}

fn options() -> Options {
    Options {
        pick: PickOptions { node: Version::parse("24.0.0").ok(), ..PickOptions::default() },
        platform: Platform { os: "linux".into(), cpu: "x64".into(), libc: Some("glibc".into()) },
        more_platforms: Vec::new(),
        legacy_peer_deps: false,
        strict_peer_deps: false,
        solves_conflicts: false,
        explains_conflicts: false,
        engine_strict: false,
        known_conflicts: Vec::new(),
        prefer_dedupe: false,
        placing: dx_pkg_resolve::Placing::Hoisted,
        update: Vec::new(),
        explicit: Vec::new(),
        explicit_in: Vec::new(),
        removed: Vec::new(),
        workspaces: Vec::new(),
        frozen: false,
        install_links: false,
        max_packages: dx_pkg_resolve::Options::MAX_PACKAGES,
    }
}

impl World {
    pub(crate) fn tag(mut self, name: &str, tag: &str, version: &str) -> Self {
        self.tags.push((name.to_owned(), tag.to_owned(), version.to_owned()));
        self
    }

    pub(crate) fn workspace(mut self, folder: &str, manifest: Package) -> Self {
        self.options.workspaces.push(folder.to_owned());
        self.folder(folder, manifest)
    }

    /// Replaces the manifest of a workspace or linked folder.
    pub(crate) fn set_folder(&mut self, folder: &str, manifest: Package) {
        self.folders.insert(folder.to_owned(), manifest);
    }

    pub(crate) fn folder(mut self, folder: &str, manifest: Package) -> Self {
        self.folders.insert(folder.to_owned(), manifest);
        self
    }

    /// Adds packages, such as `b@1.0.0`, bundled in the tarball of `name`.
    pub(crate) fn bundle(self, name: &str, contents: &[&str]) -> Self {
        self.bundle_of(name, contents.iter().map(|id| package(id)))
    }

    /// Adds packages with what they require, bundled in the tarball of `name`.
    pub(crate) fn bundle_of(
        mut self,
        name: &str,
        contents: impl IntoIterator<Item = Package>,
    ) -> Self {
        self.bundles.insert(name.to_owned(), contents.into_iter().collect());
        self
    }

    pub(crate) fn overriding(mut self, key: &str, value: &str) -> Self {
        self.overrides.push(rule(key, Some(value), Vec::new()));
        self
    }

    pub(crate) fn requirements(&self, project: &Package) -> Requirements {
        let workspaces =
            self.folders.iter().filter(|(path, _)| self.options.workspaces.contains(path));
        Requirements {
            root: project.record(""),
            workspaces: workspaces.map(|(path, manifest)| manifest.record(path)).collect(),
            overrides: self.overrides.clone(),
            ..Requirements::default()
        }
    }

    pub(crate) fn try_install(
        &self,
        project: &Package,
        lock: Option<&Lock>,
    ) -> Result<Resolution, ResolveError> {
        resolve(&self.requirements(project), lock, self, &self.options)
    }

    pub(crate) fn install(&self, project: &Package) -> Resolution {
        self.try_install(project, None).unwrap()
    }

    pub(crate) fn install_from(&self, project: &Package, lock: &Lock) -> Resolution {
        self.try_install(project, Some(lock)).unwrap()
    }
}

pub(crate) fn rule(key: &str, value: Option<&str>, children: Vec<Override>) -> Override {
    Override { key: key.to_owned(), value: value.map(str::to_owned), children }
}

impl Provider for World {
    fn packument(&self, name: &str) -> Result<Packument, ProviderError> {
        assert!(!self.closed.get(), "asked for {name}");
        self.asked.borrow_mut().push(name.to_owned());
        let missing = || ProviderError::new("DX_NOT_FOUND", format!("{name} is not there"));
        let versions = self.packages.get(name).ok_or_else(missing)?;
        let newest = versions
            .iter()
            .filter_map(|package| Version::parse(&package.data.version).ok())
            .max_by(|a, b| (!a.is_prerelease()).cmp(&!b.is_prerelease()).then(a.cmp(b)))
            .map(|version| version.to_string());
        let mut tags: Vec<_> =
            self.tags.iter().filter(|(package, ..)| package == name).cloned().collect();
        if !tags.iter().any(|(_, tag, _)| tag == "latest") {
            tags.push((name.to_owned(), "latest".to_owned(), newest.unwrap_or_default()));
        }
        let data = PackumentData {
            name: name.to_owned().into(),
            modified: None,
            dist_tags: tags
                .into_iter()
                .map(|(_, tag, version)| (tag.into(), version.into()))
                .collect(),
            versions: versions.iter().map(|package| package.data.clone()).collect(),
        };
        Ok(Packument::decode(Arc::new(data.encode().unwrap())).unwrap())
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.get()
    }

    fn wanted(&self, names: &[String]) {
        self.announced.borrow_mut().push(names.to_vec());
    }

    fn manifest(&self, name: &str, spec: &str, _from: &str) -> Result<External, ProviderError> {
        assert!(!self.closed.get(), "asked for {name}@{spec}");
        let folder = spec.trim_start_matches("file:").trim_start_matches("./").to_owned();
        let missing = || ProviderError::new("DX_NOT_FOUND", format!("no {folder}"));
        let package = self.folders.get(&folder).ok_or_else(missing)?.record("");
        Ok(External { package, folder: Some(folder) })
    }

    fn bundled(&self, package: &LockPackage) -> Result<Vec<LockPackage>, ProviderError> {
        assert!(!self.closed.get(), "asked what {} bundles", package.path);
        let contents = self.bundles.get(package.package_name()).cloned().unwrap_or_default();
        let record = |package: Package| {
            let path = format!("node_modules/{}", package.name);
            LockPackage { name: None, ..package.record(&path) }
        };
        Ok(contents.into_iter().map(record).collect())
    }
}

/// The tree as `a > b@1.0.0`, in the lockfile's order; links as `a -> folder`, packages not
/// installed here in brackets.
pub(crate) fn tree(resolution: &Resolution) -> Vec<String> {
    let entries = resolution
        .lock
        .packages
        .iter()
        .zip(&resolution.installed)
        .filter(|(entry, _)| !entry.path.is_empty());
    let lines = entries.map(|(entry, installed)| {
        let place = entry.path.replace("/node_modules/", " > ").replace("node_modules/", "");
        let line = match &entry.resolved {
            Some(target) if entry.link => format!("{place} -> {target}"),
            _ => format!("{place}@{}", entry.version.as_deref().unwrap_or("?")),
        };
        if *installed { line } else { format!("[{line}]") }
    });
    lines.collect()
}

/// The flags of the entry at `path` that are set.
pub(crate) fn flags<'a>(resolution: &Resolution, path: &str) -> Vec<&'a str> {
    let entry = resolution.lock.get(path).unwrap();
    let all = [
        ("dev", entry.dev),
        ("optional", entry.optional),
        ("devOptional", entry.dev_optional),
        ("peer", entry.peer),
        ("extraneous", entry.extraneous),
    ];
    all.into_iter().filter(|(_, set)| *set).map(|(name, _)| name).collect()
}
