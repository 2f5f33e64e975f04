//! Manifests: one version of one package, its declared dependencies parsed, everything else read on
//! demand.

use std::borrow::Cow;

use dx_pkg_core::Version;
use dx_pkg_format::packument::{Packument, VersionIndex, VersionView};
use dx_pkg_lock::LockPackage;
use dx_pkg_lock::dxl::Package;
use rustc_hash::FxHashSet;

use crate::engines;
use crate::intern::{Interner, NameId, SpecId, index};
use crate::pins::{Asked, Outcome, PinTable};

/// An entry of [`Manifests`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct ManifestId(u32);

/// The section of a manifest that a dependency is declared in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum EdgeKind {
    Prod,
    Dev,
    Optional,
    Peer,
    PeerOptional,
    Workspace,
}

impl EdgeKind {
    pub(crate) fn is_peer(self) -> bool {
        matches!(self, EdgeKind::Peer | EdgeKind::PeerOptional)
    }

    pub(crate) fn is_optional(self) -> bool {
        matches!(self, EdgeKind::Optional | EdgeKind::PeerOptional)
    }
}

/// One declared dependency.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Declared {
    pub(crate) name: NameId,
    pub(crate) spec: SpecId,
    pub(crate) kind: EdgeKind,
    /// Whether a pin put the requirement here; a folder in it is then relative to the project.
    pub(crate) is_pinned: bool,
}

/// The source of a manifest's other fields.
pub(crate) enum Origin<'l> {
    Registry {
        packument: Packument,
        version: VersionIndex,
    },
    Record(Record<'l>),
    /// An entry of a compiled lockfile.
    Locked(Package<'l>),
}

/// A manifest as plain data.
pub(crate) enum Record<'l> {
    /// One of the manifest's own.
    Own(Box<LockPackage>),
    /// One of the resolution's input.
    Given(&'l LockPackage),
}

impl std::ops::Deref for Record<'_> {
    type Target = LockPackage;

    fn deref(&self) -> &LockPackage {
        match self {
            Record::Own(record) => record,
            Record::Given(record) => record,
        }
    }
}

impl From<LockPackage> for Record<'_> {
    fn from(record: LockPackage) -> Self {
        Record::Own(Box::new(record))
    }
}

impl<'l> From<&'l LockPackage> for Record<'l> {
    fn from(record: &'l LockPackage) -> Self {
        Record::Given(record)
    }
}

/// One version of one package.
pub(crate) struct Manifest<'l> {
    pub(crate) name: Option<NameId>,
    pub(crate) version: Option<Version>,
    pub(crate) integrity: Option<Cow<'l, str>>,
    pub(crate) resolved: Option<Cow<'l, str>>,
    /// The declared dependencies in the order of their edges: peers, optional peers, production,
    /// optional.
    pub(crate) declared: Vec<Declared>,
    /// Development dependencies, which have edges only in a project or workspace.
    pub(crate) dev: Vec<Declared>,
    pub(crate) bundled: Vec<NameId>,
    pub(crate) origin: Origin<'l>,
}

/// All manifests of one resolution.
#[derive(Default)]
pub(crate) struct Manifests<'l> {
    items: Vec<Manifest<'l>>,
    pins: PinTable,
}

impl<'l> std::ops::Index<ManifestId> for Manifests<'l> {
    type Output = Manifest<'l>;
    fn index(&self, id: ManifestId) -> &Manifest<'l> {
        &self.items[id.0 as usize]
    }
}

impl<'l> Manifests<'l> {
    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// Makes room for so many.
    pub(crate) fn reserve(&mut self, count: usize) {
        self.items.reserve(count);
    }

    pub(crate) fn with_pins(pins: PinTable) -> Self {
        Manifests { items: Vec::new(), pins }
    }

    /// Adds the manifest of a package, with its requirements as pins leave them.
    pub(crate) fn push(&mut self, mut manifest: Manifest<'l>, interner: &Interner) -> ManifestId {
        manifest.declare(&self.pins, None, interner);
        self.items.push(manifest);
        ManifestId(index(self.items.len() - 1))
    }

    /// Adds the manifest of a folder, relative to the project: its requirements may have meanings.
    pub(crate) fn push_folder(
        &mut self,
        mut manifest: Manifest<'l>,
        folder: &str,
        interner: &Interner,
    ) -> ManifestId {
        manifest.declare(&self.pins, Some(folder), interner);
        self.items.push(manifest);
        ManifestId(index(self.items.len() - 1))
    }
}

impl<'l> Manifest<'l> {
    /// Reads the version `version` of `packument`.
    pub(crate) fn from_registry(
        packument: &Packument,
        version: VersionIndex,
        interner: &mut Interner,
    ) -> Self {
        let view = packument.version(version);
        let mut declared = Declarations::new(interner, 0);
        declared.add_peers(view.peer_dependencies(), view.peer_meta());
        declared.add_all(view.dependencies(), EdgeKind::Prod);
        declared.add_all(view.optional_dependencies(), EdgeKind::Optional);
        let declared = declared.finish();
        let bundled = view.bundled().map(|name| interner.name(name)).collect();
        Manifest {
            name: Some(interner.name(packument.name())),
            version: Some(view.version()),
            integrity: view.integrity().map(|text| text.to_owned().into()),
            resolved: Some(view.tarball().to_owned().into()),
            declared,
            dev: Vec::new(),
            bundled,
            origin: Origin::Registry { packument: packument.clone(), version },
        }
    }

    /// Reads a lockfile entry, a project's manifest or one from outside the registry. `name` is the
    /// default name.
    pub(crate) fn from_record(
        record: impl Into<Record<'l>>,
        name: Option<&str>,
        interner: &mut Interner,
    ) -> Self {
        let record: Record<'l> = record.into();
        let count = record.peer_dependencies.len()
            + record.dependencies.len()
            + record.optional_dependencies.len();
        let mut declared = Declarations::new(interner, count);
        let meta = record.peer_dependencies_meta.iter();
        declared.add_peers(
            pairs(&record.peer_dependencies),
            meta.map(|(name, optional)| (name.as_str(), *optional)),
        );
        declared.add_all(pairs(&record.dependencies), EdgeKind::Prod);
        declared.add_all(pairs(&record.optional_dependencies), EdgeKind::Optional);
        let declared = declared.finish();
        let mut dev = Declarations::new(interner, record.dev_dependencies.len());
        dev.add_all(pairs(&record.dev_dependencies), EdgeKind::Dev);
        let dev = dev.finish();
        let version = record.version.as_deref().and_then(|text| Version::parse_loose(text).ok());
        Manifest {
            name: record.name.as_deref().or(name).map(|name| interner.name(name)),
            version,
            integrity: record.integrity.clone().map(Cow::Owned),
            resolved: record.resolved.clone().map(Cow::Owned),
            declared,
            dev,
            bundled: record.bundle_dependencies.iter().map(|name| interner.name(name)).collect(),
            origin: Origin::Record(record),
        }
    }

    /// Reads an entry of a compiled lockfile, a package in the folder `name`, as
    /// [`Self::from_record`] reads what it says.
    pub(crate) fn from_locked(package: Package<'l>, name: &str, interner: &mut Interner) -> Self {
        let (dependencies, optional_dependencies) =
            (package.dependencies(), package.optional_dependencies());
        let count =
            dependencies.len() + optional_dependencies.len() + package.peer_dependencies().len();
        let mut declared = Declarations::new(interner, count);
        let peers = package.peer_dependencies();
        declared.add_peers(peers.iter(), package.peer_dependencies_meta());
        declared.add_all(dependencies.iter(), EdgeKind::Prod);
        declared.add_all(optional_dependencies.iter(), EdgeKind::Optional);
        let declared = declared.finish();
        let mut dev = Declarations::new(interner, package.dev_dependencies().len());
        dev.add_all(package.dev_dependencies().iter(), EdgeKind::Dev);
        let dev = dev.finish();
        Manifest {
            name: Some(interner.name(package.explicit_name().unwrap_or(name))),
            version: package.version().and_then(|text| Version::parse_loose(text).ok()),
            integrity: package.integrity().map(Cow::Borrowed),
            resolved: package.resolved().map(Cow::Borrowed),
            declared,
            dev,
            bundled: package.bundle_dependencies().map(|name| interner.name(name)).collect(),
            origin: Origin::Locked(package),
        }
    }

    /// Replaces the requirements that pins concern, and gives those of a `folder` of the project
    /// their meanings.
    fn declare(&mut self, pins: &PinTable, folder: Option<&str>, interner: &Interner) {
        if pins.is_idle(folder) {
            return;
        }
        let package = (self.name, self.version.as_ref());
        for list in [&mut self.declared, &mut self.dev] {
            list.retain_mut(|item| {
                let Declared { name, spec, kind, .. } = *item;
                let asked = Asked { name, spec, is_peer: kind.is_peer() };
                match pins.outcome(folder, package, asked, interner) {
                    Outcome::Means(means) => item.spec = means,
                    Outcome::Pinned { spec, is_of_registry } => {
                        if kind.is_peer() && !is_of_registry {
                            // A peer cannot be a folder: it becomes a dependency.
                            item.kind = EdgeKind::Prod;
                        }
                        (item.spec, item.is_pinned) = (spec, true);
                    }
                    Outcome::Removed => return false,
                }
                true
            });
        }
    }

    /// Returns about how much memory it takes, in bytes. An entry of a lockfile counts for nothing:
    /// lockfiles have limits of their own.
    pub(crate) fn weight(&self) -> usize {
        match &self.origin {
            Origin::Record(record) => record.weight(),
            Origin::Locked(_) => 0,
            Origin::Registry { packument, version } => packument.version(*version).weight(),
        }
    }

    /// Returns the lockfile entry for this version, without path and flags.
    pub(crate) fn record(&self) -> LockPackage {
        match &self.origin {
            Origin::Record(record) => (**record).clone(),
            Origin::Locked(package) => package.to_package(),
            Origin::Registry { packument, version } => registry_record(packument.version(*version)),
        }
    }

    /// Returns the fields that fetching and storing this version needs.
    pub(crate) fn source_record(&self, interner: &Interner) -> LockPackage {
        LockPackage {
            name: self.name.map(|name| interner.name_text(name).to_owned()),
            version: self.version.as_ref().map(ToString::to_string),
            resolved: self.resolved.as_deref().map(str::to_owned),
            integrity: self.integrity.as_deref().map(str::to_owned),
            bin: match &self.origin {
                Origin::Record(record) => record.bin.clone(),
                Origin::Locked(package) => owned(&mut package.bin().iter()),
                Origin::Registry { packument, version } => {
                    owned(&mut packument.version(*version).bins())
                }
            },
            ..LockPackage::default()
        }
    }

    /// Returns `acceptDependencies` as JSON: the versions of dependencies that are left in place.
    pub(crate) fn accepted(&self) -> Option<String> {
        const KEY: &str = "acceptDependencies";
        let is_it = |(key, _): &(&str, &str)| *key == KEY;
        let found = match &self.origin {
            Origin::Record(record) => pairs(&record.extra).find(is_it),
            Origin::Locked(package) => package.extra().find(is_it),
            Origin::Registry { packument, version } => {
                let found = packument.version(*version).extra().find(is_it);
                return found.map(|(_, json)| json.to_owned());
            }
        };
        found.map(|(_, json)| json.to_owned())
    }

    /// Returns the declared dependency at a position; those of development come last.
    pub(crate) fn declared_at(&self, at: usize) -> Option<Declared> {
        let dev = || self.dev.get(at - self.declared.len());
        self.declared.get(at).or_else(dev).copied()
    }

    /// Returns whether it declares peers.
    pub(crate) fn has_peers(&self) -> bool {
        self.declared.iter().any(|declared| declared.kind.is_peer())
    }

    /// Calls `read` with the lists `os`, `cpu` and `libc`.
    pub(crate) fn platform<R>(&self, read: impl FnOnce(&[&str], &[&str], &[&str]) -> R) -> R {
        match &self.origin {
            Origin::Record(record) => {
                read(&strs(&record.os), &strs(&record.cpu), &strs(&record.libc))
            }
            Origin::Locked(package) => {
                let (os, cpu, libc): (Vec<_>, Vec<_>, Vec<_>) =
                    (package.os().collect(), package.cpu().collect(), package.libc().collect());
                read(&os, &cpu, &libc)
            }
            Origin::Registry { packument, version } => {
                let view = packument.version(*version);
                let (os, cpu, libc): (Vec<_>, Vec<_>, Vec<_>) =
                    (view.os().collect(), view.cpu().collect(), view.libc().collect());
                read(&os, &cpu, &libc)
            }
        }
    }

    /// Returns `engines` of an entry of a compiled lockfile as JSON; empty where it has none.
    pub(crate) fn locked_engines(&self) -> Option<&'l str> {
        match &self.origin {
            Origin::Locked(package) => Some(package.engines().unwrap_or_default()),
            Origin::Record(_) | Origin::Registry { .. } => None,
        }
    }

    /// Returns the ranges of Node and npm versions in `engines`.
    pub(crate) fn engines(&self) -> Engines {
        let value = |engine: &str| match &self.origin {
            Origin::Record(record) => engines::value_of(record.engines.as_deref()?, engine),
            Origin::Locked(package) => engines::value_of(package.engines()?, engine),
            Origin::Registry { packument, version } => packument
                .version(*version)
                .engines()
                .find(|(name, _)| *name == engine)
                .map(|(_, range)| range.to_owned()),
        };
        Engines { node: value("node"), npm: value("npm") }
    }
}

/// The two engines npm checks.
pub(crate) struct Engines {
    pub(crate) node: Option<String>,
    pub(crate) npm: Option<String>,
}

/// Collects declared dependencies; a later declaration of a name replaces an earlier one and goes
/// to the end.
struct Declarations<'a> {
    interner: &'a mut Interner,
    list: Vec<Declared>,
}

impl<'a> Declarations<'a> {
    /// The length up to which a list is searched as it is.
    const FEW: usize = 16;

    /// Begins a list with room for so many.
    fn new(interner: &'a mut Interner, count: usize) -> Self {
        Declarations { interner, list: Vec::with_capacity(count) }
    }

    fn add(&mut self, name: &str, spec: &str, kind: EdgeKind) {
        let name = self.interner.name(name);
        let spec = self.interner.spec(spec);
        if self.list.len() < Self::FEW {
            self.list.retain(|declared| declared.name != name);
        }
        self.list.push(Declared { name, spec, kind, is_pinned: false });
    }

    /// Adds peers, those that `meta` marks optional after the others.
    fn add_peers<'s>(
        &mut self,
        peers: impl Iterator<Item = (&'s str, &'s str)> + Clone,
        meta: impl Iterator<Item = (&'s str, bool)>,
    ) {
        let marked = meta.filter_map(|(name, is_optional)| is_optional.then_some(name));
        let optional: FxHashSet<&str> = marked.collect();
        let is_optional = |(name, _): &(&str, &str)| optional.contains(name);
        self.add_all(peers.clone().filter(|peer| !is_optional(peer)), EdgeKind::Peer);
        self.add_all(peers.filter(is_optional), EdgeKind::PeerOptional);
    }

    /// Returns the list, in time that grows as it does.
    fn finish(mut self) -> Vec<Declared> {
        if self.list.len() > Self::FEW {
            let mut seen = FxHashSet::default();
            self.list.reverse();
            self.list.retain(|declared| seen.insert(declared.name));
            self.list.reverse();
        }
        self.list
    }

    fn add_all<'s>(&mut self, pairs: impl Iterator<Item = (&'s str, &'s str)>, kind: EdgeKind) {
        for (name, spec) in pairs {
            self.add(name, spec, kind);
        }
    }
}

fn pairs(list: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> + Clone {
    list.iter().map(|(name, spec)| (name.as_str(), spec.as_str()))
}

fn strs(list: &[String]) -> Vec<&str> {
    list.iter().map(String::as_str).collect()
}

fn owned(pairs: &mut dyn Iterator<Item = (&str, &str)>) -> Vec<(String, String)> {
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Returns the lockfile entry of a version in a packument, without path and flags. What the version
/// has in an unusual form is recorded as it is written, in place of the usual form. Shrinkwraps
/// inside packages count for nothing, and npm no longer records them.
#[must_use]
pub fn registry_record(view: VersionView<'_>) -> LockPackage {
    let list = |items: &mut dyn Iterator<Item = &str>| items.map(str::to_owned).collect::<Vec<_>>();
    let mut extra = owned(&mut view.extra());
    let mut take = |key: &str| {
        let at = extra.iter().position(|(other, _)| other == key)?;
        Some(extra.swap_remove(at).1)
    };
    let (engines, workspaces) = (take("engines"), take("workspaces"));
    let is_deprecated_otherwise = extra.iter().any(|(key, _)| key == "deprecated");
    LockPackage {
        version: Some(view.version_str().to_owned()),
        resolved: Some(view.tarball().to_owned()),
        integrity: view.integrity().map(str::to_owned),
        has_install_script: view.has_install_script(),
        deprecated: view.deprecated().filter(|_| !is_deprecated_otherwise).map(str::to_owned),
        license: view.license().map(str::to_owned),
        engines: engines.or_else(|| engines::to_json(&owned(&mut view.engines()))),
        funding: view.funding_json().map(str::to_owned),
        bin: owned(&mut view.bins()),
        os: list(&mut view.os()),
        cpu: list(&mut view.cpu()),
        libc: list(&mut view.libc()),
        dependencies: owned(&mut view.dependencies()),
        optional_dependencies: owned(&mut view.optional_dependencies()),
        peer_dependencies: owned(&mut view.peer_dependencies()),
        peer_dependencies_meta: view
            .peer_meta()
            .map(|(name, optional)| (name.to_owned(), optional))
            .collect(),
        bundle_dependencies: list(&mut view.bundled()),
        workspaces,
        extra,
        ..LockPackage::default()
    }
}
