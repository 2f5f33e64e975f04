//! Which part of a lock a change of requirements concerns, and the lock reduced to it.

use std::cell::RefCell;

use dx_pkg_format::packument::Packument;
use dx_pkg_lock::dxl::{Dependents, DxlView, Package, Pairs};
use dx_pkg_lock::{Lock, LockPackage, name_of_path};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::build::split_path;
use crate::tree::{Flags, NodeId, Tree};
use crate::{External, Options, Provider, ProviderError, Requirements};

/// With more packages than this in it, resolving the whole is as good.
const MOST_PACKAGES: usize = 300;

/// The names a resolution may touch or must know of.
///
/// With a *touched* name all that its packages depend on is touched, as is what lies within them and what has them as
/// peers: whatever is placed, replaced or removed is then touched, and every edge that leads there is in the reduced lock.
/// Packages of an *observed* name are there to be found, and stay as they are; so does what is *anchored*, whoever depends
/// on it: the project itself requires it in production, as it did before, and there is one package of that name.
pub(super) struct Scope<'a> {
    locked: DxlView<'a>,
    installed: DxlView<'a>,
    dependents: Dependents<'a>,
    anchored: FxHashSet<String>,
    /// Packages within a package, by its place.
    nested: FxHashMap<u32, Vec<u32>>,
    touched: FxHashSet<String>,
    observed: FxHashSet<String>,
    /// Touched names whose consequences have not been looked at.
    open: Vec<String>,
    /// Names in lower case that the lock has in another case, and names of packages that there are conflicts about.
    doubtful: FxHashSet<String>,
    /// Whether something is touched of which only the whole resolution can tell what becomes of it.
    pub(super) unsure: bool,
    packages: usize,
    refused: RefCell<Vec<String>>,
}

impl<'a> Scope<'a> {
    /// What is different between `requirements` and what the lock says of the project, and what was asked for explicitly.
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
            if path.rfind("/node_modules/").is_some() {
                let (holder, _) = split_path(path)?;
                nested
                    .entry(u32::try_from(locked.position(holder)?).ok()?)
                    .or_default()
                    .push(place);
            }
        }
        let dependents = Dependents::of(locked);
        let mut doubtful: FxHashSet<String> =
            dependents.names().filter(|name| !is_lower(name)).map(str::to_lowercase).collect();
        doubtful.extend(disputed.iter().cloned());
        let mut scope = Scope {
            locked: *locked,
            installed: *installed,
            anchored: anchored(locked, &dependents, &requirements.root),
            dependents,
            nested,
            touched: FxHashSet::default(),
            observed: FxHashSet::default(),
            open: Vec::new(),
            doubtful,
            unsure: false,
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
            changed(before, now).into_iter().for_each(|name| _ = scope.touch(name));
        }
        options.explicit.iter().for_each(|name| _ = scope.touch(name));
        Some(scope)
    }

    pub(super) fn is_touched(&self, tree: &Tree, node: NodeId) -> bool {
        self.touched.contains(tree.text(tree[node].name))
    }

    /// The entry of the lock at `path`.
    pub(super) fn locked(&self, path: &str) -> Option<LockPackage> {
        self.locked.get(path).map(Package::to_package)
    }

    /// The flags that the lock has for the package at `path`, as they are before those that follow from others are cleared.
    pub(super) fn locked_flags(&self, path: &str) -> Option<Flags> {
        let package = self.locked.get(path)?;
        let (dev, optional) = (package.dev(), package.optional());
        let dev_optional = package.dev_optional() || dev || optional;
        Some(Flags { dev, optional, dev_optional, peer: package.peer(), extraneous: false })
    }

    /// Paths of the packages of touched names.
    pub(super) fn touched_paths(&self) -> impl Iterator<Item = &'a str> {
        let places = self.touched.iter().flat_map(|name| self.dependents.called(name));
        places.filter_map(|place| Some(self.locked.package(*place as usize)?.path()))
    }

    fn knows(&self, name: &str) -> bool {
        !self.dependents.called(name).is_empty() || !self.dependents.asking_for(name).is_empty()
    }

    /// Whether that makes the reduced lock another.
    pub(super) fn touch(&mut self, name: &str) -> bool {
        if !self.touched.insert(name.to_owned()) {
            return false;
        }
        self.unsure |= !is_lower(name) || self.doubtful.contains(name);
        self.open.push(name.to_owned());
        self.knows(name)
    }

    /// Touches what may change when whoever depends on it does.
    fn touch_unless_anchored(&mut self, name: &str) -> bool {
        if self.anchored.contains(name) { self.observe(name) } else { self.touch(name) }
    }

    fn observe(&mut self, name: &str) -> bool {
        if self.touched.contains(name) {
            return false;
        }
        if !self.knows(name) {
            return self.touch(name);
        }
        self.unsure |= !is_lower(name) || self.doubtful.contains(name);
        self.observed.insert(name.to_owned())
    }

    /// Touches all that what is touched may take along.
    fn close(&mut self) {
        while let Some(name) = self.open.pop() {
            for place in self.dependents.called(&name).to_vec() {
                let Some(package) = self.locked.package(place as usize) else { continue };
                self.packages += 1;
                self.unsure |= package.in_bundle() || !package.bundle_dependencies().is_empty();
                for (dependency, _) in dependencies(package) {
                    self.touch_unless_anchored(dependency);
                }
                for inner in self.nested.get(&place).cloned().unwrap_or_default() {
                    let inner = self.locked.package(inner as usize).map_or("", Package::path);
                    self.touch(name_of_path(inner));
                }
            }
            for place in self.dependents.asking_for(&name).to_vec() {
                let Some(package) = self.locked.package(place as usize).filter(|_| place != 0)
                else {
                    continue;
                };
                if package.peer_dependencies().iter().any(|(peer, _)| peer == name) {
                    self.touch(name_of_path(package.path()));
                }
            }
            if self.unsure || self.packages > MOST_PACKAGES {
                self.unsure = true;
                return;
            }
        }
    }

    /// Requirements and lock, reduced to what is touched and observed.
    pub(super) fn reduced(&mut self, requirements: &Requirements) -> Option<(Requirements, Lock)> {
        self.close();
        if self.unsure {
            return None;
        }
        let mut whole: FxHashMap<u32, bool> = FxHashMap::default();
        for name in &self.touched {
            whole.extend(self.dependents.called(name).iter().map(|place| (*place, true)));
        }
        let asking = self.touched.iter().flat_map(|name| self.dependents.asking_for(name));
        let observed = self.observed.iter().flat_map(|name| self.dependents.called(name));
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
            // What is not installed takes along what depends on it, and what it alone depends on.
            let is_installed = |package: &Package<'_>| self.installed.get(package.path()).is_some();
            let package = self.locked.package(place as usize).filter(is_installed)?;
            Some(if whole { package.to_package() } else { self.stub(package) })
        };
        let packages = whole.into_iter().map(entry).collect::<Option<Vec<_>>>()?;
        let lock =
            Lock { format_version: self.locked.format_version(), packages, ..Lock::default() };
        Some((self.requirements(requirements), lock))
    }

    /// The package with those of its dependencies only that are touched.
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

    /// Takes in what the resolution came upon: packages that were made after the first `known`, and what was refused to
    /// it. Says whether the reduced lock is another now.
    pub(super) fn widen(&mut self, tree: &Tree, known: usize) -> bool {
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

    /// The provider, but for packages of the lock that have not been taken in yet.
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
        let Scope { touched, observed, dependents, refused, .. } = self.scope;
        if touched.contains(name) || observed.contains(name) || dependents.called(name).is_empty() {
            return self.provider.packument(name);
        }
        refused.borrow_mut().push(name.to_owned());
        Err(ProviderError {
            code: "DX_INTERNAL",
            message: format!("{name} is not in the reduced lock"),
            hint: None,
        })
    }

    fn manifest(&self, name: &str, spec: &str, from: &str) -> Result<External, ProviderError> {
        self.provider.manifest(name, spec, from)
    }

    fn bundled(&self, package: &LockPackage) -> Result<Vec<LockPackage>, ProviderError> {
        self.provider.bundled(package)
    }

    fn placed(&self, package: &LockPackage) {
        self.provider.placed(package);
    }
}

/// Names of packages that stay, and stay needed in production, whatever becomes of others that depend on them.
fn anchored(
    locked: &DxlView<'_>,
    dependents: &Dependents<'_>,
    own: &LockPackage,
) -> FxHashSet<String> {
    let Some(root) = locked.package(0) else { return FxHashSet::default() };
    let now: FxHashMap<&str, &str> =
        own.dependencies.iter().map(|(name, spec)| (name.as_str(), spec.as_str())).collect();
    let stays = |(name, spec): &(&str, &str)| {
        let [place] = dependents.called(name) else { return false };
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

/// Names of which the two say different things.
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

fn dependencies(package: Package<'_>) -> impl Iterator<Item = (&str, &str)> {
    let all = package.dependencies().iter().chain(package.optional_dependencies().iter());
    all.chain(package.peer_dependencies().iter())
}

fn is_lower(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase())
}
