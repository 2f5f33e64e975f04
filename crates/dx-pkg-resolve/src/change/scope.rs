//! The part of a lock that a change of requirements can touch, and the lock reduced to it.

use std::cell::RefCell;

use dx_pkg_core::Spec;
use dx_pkg_format::packument::Packument;
use dx_pkg_lock::dxl::{DxlView, NameIndex, Package, Pairs};
use dx_pkg_lock::{Lock, LockPackage, name_of_path};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::build::split_path;
use crate::tree::{DependencyTree, Flags, NodeId};
use crate::{External, Options, Places, Provider, ProviderError, Requirements};

/// With more packages in scope than this, a full resolution costs no more.
const MAX_PACKAGES: usize = 300;

/// The package names that a resolution may touch or must know.
///
/// - *Touched*: packages of this name may be placed, replaced or removed. Their dependencies, the
///   packages nested in them and the packages that have them as peers are touched too, and every
///   edge to them is in the reduced lock.
/// - *Observed*: packages of this name are in the reduced lock to be found, and stay as they are.
/// - *Anchored*: the only package of this name is a production dependency of the project, before
///   and after the change, so it stays whatever happens to its other dependents.
pub(super) struct Scope<'a> {
    locked: DxlView<'a>,
    installed: DxlView<'a>,
    names: NameIndex<'a>,
    anchored: FxHashSet<String>,
    /// The packages nested in each package, by position.
    nested: FxHashMap<u32, Vec<u32>>,
    touched: FxHashSet<String>,
    observed: FxHashSet<String>,
    /// Touched names whose dependencies have not been followed yet.
    open: Vec<String>,
    /// Names, in lower case, that the lock has in another case, and names of packages with accepted
    /// conflicts.
    doubtful: FxHashSet<String>,
    /// Whether a touched name needs a full resolution.
    pub(super) undecidable: bool,
    packages: usize,
    /// Names that the resolution requested and that are in the lock but not in the reduced lock.
    refused: RefCell<Vec<String>>,
}

impl<'a> Scope<'a> {
    /// Returns the scope of the names whose requirements differ from those of the lock, and of
    /// those the user named.
    pub(super) fn of(
        requirements: &Requirements,
        locked: &DxlView<'a>,
        installed: &DxlView<'a>,
        disputed: &[String],
        options: &Options,
    ) -> Option<Self> {
        let root = locked.package(0).filter(|root| root.path().is_empty())?;
        let mut nested: FxHashMap<u32, Vec<u32>> = FxHashMap::default();
        for (place, package) in (0..).zip(locked.packages()).skip(1) {
            let path = package.path();
            if !path.starts_with("node_modules/") || package.link() || package.extraneous() {
                return None;
            }
            // What lies in the project's own folder has the shortest path.
            if path.len() > "node_modules/".len() + name_of_path(path).len() {
                let (holder, _) = split_path(path)?;
                nested
                    .entry(u32::try_from(locked.position(holder)?).ok()?)
                    .or_default()
                    .push(place);
            }
        }
        let names = NameIndex::new(locked);
        let mut doubtful: FxHashSet<String> =
            names.names().filter(|name| !is_lower(name)).map(str::to_lowercase).collect();
        doubtful.extend(disputed.iter().cloned());
        let mut scope = Scope {
            locked: *locked,
            installed: *installed,
            anchored: anchored(locked, &names, &requirements.root),
            names,
            nested,
            touched: FxHashSet::default(),
            observed: FxHashSet::default(),
            open: Vec::new(),
            doubtful,
            undecidable: false,
            packages: 0,
            refused: RefCell::default(),
        };
        let own = &requirements.root;
        let meta = |pairs: &[(String, bool)]| pairs.iter().cloned().collect::<FxHashSet<_>>();
        if meta(&own.peer_dependencies_meta) != meta(&root.to_package().peer_dependencies_meta) {
            return None;
        }
        for (before, now) in [
            (root.dependencies(), &own.dependencies),
            (root.dev_dependencies(), &own.dev_dependencies),
            (root.optional_dependencies(), &own.optional_dependencies),
            (root.peer_dependencies(), &own.peer_dependencies),
        ] {
            for name in changed(before, now) {
                // What the lock's own entry requires of a repository counts; the part lacks it.
                let is_git = |(known, spec): &(String, String)| {
                    known == name && spec.contains(['/', ':']) && is_git(spec)
                };
                if now.iter().any(is_git) {
                    return None;
                }
                scope.touch(name);
            }
        }
        options.explicit.iter().for_each(|name| _ = scope.touch(name));
        Some(scope)
    }

    pub(super) fn is_touched(&self, tree: &DependencyTree<'_>, node: NodeId) -> bool {
        self.touched.contains(tree.text(tree[node].name))
    }

    /// Returns the lock's entry at `path`.
    pub(super) fn locked(&self, path: &str) -> Option<LockPackage> {
        self.locked.get(path).map(Package::to_package)
    }

    /// Returns the lock's flags for the package at `path`, `dev_optional` set where another flag
    /// implies it.
    pub(super) fn locked_flags(&self, path: &str) -> Option<Flags> {
        let package = self.locked.get(path)?;
        let (dev, optional) = (package.dev(), package.optional());
        let dev_optional = package.dev_optional() || dev || optional;
        Some(Flags { dev, optional, dev_optional, peer: package.peer(), extraneous: false })
    }

    /// Returns the paths of the packages with touched names.
    pub(super) fn touched_paths(&self) -> impl Iterator<Item = &'a str> {
        let places = self.touched.iter().flat_map(|name| self.names.packages_named(name));
        places.filter_map(|place| Some(self.locked.package(*place as usize)?.path()))
    }

    /// Returns whether the lock has the name, as a package or as a dependency.
    fn knows(&self, name: &str) -> bool {
        !self.names.packages_named(name).is_empty() || !self.names.dependents_of(name).is_empty()
    }

    /// Makes `name` touched; returns whether that widens the reduced lock.
    pub(super) fn touch(&mut self, name: &str) -> bool {
        if !self.touched.insert(name.to_owned()) {
            return false;
        }
        self.undecidable |= !is_lower(name) || self.doubtful.contains(name);
        self.open.push(name.to_owned());
        self.knows(name)
    }

    /// Makes `name` touched, or only observed where it is anchored; returns whether that widens the
    /// reduced lock.
    fn touch_unless_anchored(&mut self, name: &str) -> bool {
        if self.anchored.contains(name) { self.observe(name) } else { self.touch(name) }
    }

    /// Makes `name` observed; returns whether that widens the reduced lock.
    fn observe(&mut self, name: &str) -> bool {
        if self.touched.contains(name) {
            return false;
        }
        if !self.knows(name) {
            return self.touch(name);
        }
        self.undecidable |= !is_lower(name) || self.doubtful.contains(name);
        self.observed.insert(name.to_owned())
    }

    /// Follows touched names to everything they make touched.
    fn close(&mut self) {
        while let Some(name) = self.open.pop() {
            for place in self.names.packages_named(&name).to_vec() {
                let Some(package) = self.locked.package(place as usize) else { continue };
                self.packages += 1;
                self.undecidable |=
                    package.in_bundle() || !package.bundle_dependencies().is_empty();
                for (dependency, _) in dependencies(package) {
                    self.touch_unless_anchored(dependency);
                }
                for inner in self.nested.get(&place).cloned().unwrap_or_default() {
                    let inner = self.locked.package(inner as usize).map_or("", Package::path);
                    self.touch(name_of_path(inner));
                }
            }
            for place in self.names.dependents_of(&name).to_vec() {
                let Some(package) = self.locked.package(place as usize).filter(|_| place != 0)
                else {
                    continue;
                };
                if package.peer_dependencies().iter().any(|(peer, _)| peer == name) {
                    self.touch(name_of_path(package.path()));
                }
            }
            if self.undecidable || self.packages > MAX_PACKAGES {
                self.undecidable = true;
                return;
            }
        }
    }

    /// Returns requirements and lock reduced to touched and observed names; `None` where a full
    /// resolution is needed.
    pub(super) fn reduced(&mut self, requirements: &Requirements) -> Option<(Requirements, Lock)> {
        self.close();
        if self.undecidable {
            return None;
        }
        let mut whole: FxHashMap<u32, bool> = FxHashMap::default();
        for name in &self.touched {
            whole.extend(self.names.packages_named(name).iter().map(|place| (*place, true)));
        }
        let asking = self.touched.iter().flat_map(|name| self.names.dependents_of(name));
        let observed = self.observed.iter().flat_map(|name| self.names.packages_named(name));
        for place in asking.chain(observed) {
            whole.entry(*place).or_insert(false);
        }
        let places: Vec<u32> = whole.keys().copied().collect();
        for place in places {
            let mut path = self.locked.package(place as usize)?.path();
            while let Some((holder, _)) = split_path(path).filter(|(holder, _)| !holder.is_empty())
            {
                whole.entry(u32::try_from(self.locked.position(holder)?).ok()?).or_insert(false);
                path = holder;
            }
        }
        whole.remove(&0);
        let entry = |(place, whole): (u32, bool)| {
            // Packages that are not installed here would take dependents and dependencies along.
            let is_installed = |package: &Package<'_>| self.installed.get(package.path()).is_some();
            let package = self.locked.package(place as usize).filter(is_installed)?;
            Some(if whole { package.to_package() } else { self.stub(package) })
        };
        let packages = whole.into_iter().map(entry).collect::<Option<Vec<_>>>()?;
        let lock =
            Lock { format_version: self.locked.format_version(), packages, ..Lock::default() };
        Some((self.requirements(requirements), lock))
    }

    /// Returns the package with its touched dependencies only.
    fn stub(&self, package: Package<'_>) -> LockPackage {
        let text = |text: Option<&str>| text.map(str::to_owned);
        let touched = |pairs: Pairs<'_>| -> Vec<(String, String)> {
            let pairs = pairs.iter().filter(|(name, _)| self.touched.contains(*name));
            pairs.map(|(name, spec)| (name.to_owned(), spec.to_owned())).collect()
        };
        LockPackage {
            path: package.path().to_owned(),
            name: text(package.explicit_name()),
            version: text(package.version()),
            resolved: text(package.resolved()),
            integrity: text(package.integrity()),
            in_bundle: package.in_bundle(),
            dependencies: touched(package.dependencies()),
            optional_dependencies: touched(package.optional_dependencies()),
            peer_dependencies: touched(package.peer_dependencies()),
            peer_dependencies_meta: package
                .peer_dependencies_meta()
                .map(|(name, set)| (name.to_owned(), set))
                .collect(),
            bundle_dependencies: package.bundle_dependencies().iter().map(str::to_owned).collect(),
            ..LockPackage::default()
        }
    }

    /// Returns the requirements with touched and observed names only.
    fn requirements(&self, whole: &Requirements) -> Requirements {
        let known = |pairs: &[(String, String)]| -> Vec<(String, String)> {
            let is_known =
                |name: &String| self.touched.contains(name) || self.observed.contains(name);
            pairs.iter().filter(|(name, _)| is_known(name)).cloned().collect()
        };
        let own = &whole.root;
        let root = LockPackage {
            name: own.name.clone(),
            version: own.version.clone(),
            dependencies: known(&own.dependencies),
            dev_dependencies: known(&own.dev_dependencies),
            optional_dependencies: known(&own.optional_dependencies),
            peer_dependencies: known(&own.peer_dependencies),
            peer_dependencies_meta: own.peer_dependencies_meta.clone(),
            ..LockPackage::default()
        };
        Requirements { root, ..Requirements::default() }
    }

    /// Adds the names that the resolution came upon: those of nodes made after the first `known`
    /// and their dependencies, and those the provider refused. Returns whether that widens the
    /// reduced lock.
    pub(super) fn widen(&mut self, tree: &DependencyTree<'_>, known: usize) -> bool {
        let mut wider = false;
        for name in std::mem::take(self.refused.get_mut()) {
            wider |= self.observe(&name);
        }
        for node in tree.node_ids().skip(known).filter(|node| tree[*node].source.is_none()) {
            if tree[node].root == tree.root {
                wider |= self.touch(tree.text(tree[node].name));
            }
            for edge in &tree[node].edges_out {
                let name = tree.text(tree[*edge].name);
                let is_peer = tree[*edge].kind.is_peer();
                wider |=
                    if is_peer { self.touch_unless_anchored(name) } else { self.observe(name) };
            }
        }
        wider
    }

    /// Returns the provider restricted to names of the reduced lock and names that the lock does
    /// not have.
    pub(super) fn provider<'p>(&'p self, provider: &'p dyn Provider) -> impl Provider + 'p
    where
        'a: 'p,
    {
        Known { scope: self, provider }
    }
}

struct Known<'p, 'a> {
    scope: &'p Scope<'a>,
    provider: &'p dyn Provider,
}

impl Provider for Known<'_, '_> {
    fn packument(&self, name: &str) -> Result<Packument, ProviderError> {
        let Scope { touched, observed, names, refused, .. } = self.scope;
        if touched.contains(name)
            || observed.contains(name)
            || names.packages_named(name).is_empty()
        {
            return self.provider.packument(name);
        }
        refused.borrow_mut().push(name.to_owned());
        Err(ProviderError::new("DX_INTERNAL", format!("{name} is not in the reduced lock")))
    }

    fn manifest(&self, name: &str, spec: &str, from: &str) -> Result<External, ProviderError> {
        self.provider.manifest(name, spec, from)
    }

    fn bundled(&self, package: &LockPackage) -> Result<Vec<LockPackage>, ProviderError> {
        self.provider.bundled(package)
    }

    fn places(&self) -> Places {
        self.provider.places()
    }

    fn placed(&self, package: &LockPackage) {
        self.provider.placed(package);
    }
}

/// Returns the anchored names; see [`Scope`].
fn anchored(locked: &DxlView<'_>, names: &NameIndex<'_>, own: &LockPackage) -> FxHashSet<String> {
    let Some(root) = locked.package(0) else { return FxHashSet::default() };
    let now: FxHashMap<&str, &str> =
        own.dependencies.iter().map(|(name, spec)| (name.as_str(), spec.as_str())).collect();
    let stays = |(name, spec): &(&str, &str)| {
        let [place] = names.packages_named(name) else { return false };
        let package = locked.package(*place as usize);
        let is_fixed = |package: Package<'_>| {
            let flagged =
                package.dev() || package.optional() || package.dev_optional() || package.peer();
            !flagged && package.path().strip_prefix("node_modules/") == Some(*name)
        };
        now.get(name) == Some(spec) && package.is_some_and(is_fixed)
    };
    root.dependencies().iter().filter(stays).map(|(name, _)| name.to_owned()).collect()
}

/// Returns the names that are in one of the two only, or with different specs.
fn changed<'n>(before: Pairs<'n>, now: &'n [(String, String)]) -> Vec<&'n str> {
    let own: FxHashMap<&str, &str> =
        now.iter().map(|(name, spec)| (name.as_str(), spec.as_str())).collect();
    let known: FxHashMap<&str, &str> = before.iter().collect();
    let gone = known.keys().filter(|name| !own.contains_key(**name)).copied();
    gone.chain(
        own.iter().filter(|(name, spec)| known.get(*name) != Some(spec)).map(|(name, _)| *name),
    )
    .collect()
}

fn is_git(spec: &str) -> bool {
    matches!(Spec::parse(spec), Ok(Spec::Git(_)))
}

fn dependencies(package: Package<'_>) -> impl Iterator<Item = (&str, &str)> {
    let all = package.dependencies().iter().chain(package.optional_dependencies().iter());
    all.chain(package.peer_dependencies().iter())
}

fn is_lower(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase())
}
