//! From a tree to the [`Problem`] of its packages.
//!
//! The candidates are the versions of the packages in the tree that are in a range asked for and
//! need no package of another name. What is no plain package of a registry stays as it is, and so
//! does every package that a rule of the project concerns.

use std::rc::Rc;

use dx_pkg_core::{Spec, Version};
use dx_pkg_format::packument::{Packument, VersionIndex, VersionView};
use dx_pkg_lock::{Lock, LockIndex, LockPackage};
use rustc_hash::{FxHashMap, FxHashSet};

use super::problem::{Candidate, Package, Problem, Range};
use crate::intern::registry_range;
use crate::overrides::Override;
use crate::pick::Picker;
use crate::{Options, Provider, Requirements};

/// The most candidates of a problem, before versions that are alike are joined.
const MOST_CANDIDATES: usize = 200_000;

/// The tree whose packages are chosen.
pub(super) struct Source<'s> {
    pub(super) lock: &'s Lock,
    /// Another lock, of whose packages versions may be chosen too.
    pub(super) other: Option<&'s Lock>,
    pub(super) previous: Option<&'s Lock>,
    pub(super) requirements: &'s Requirements,
    pub(super) provider: &'s dyn Provider,
    pub(super) picker: &'s Picker,
    pub(super) options: &'s Options,
    /// The only folder whose requirements count, where not all do.
    pub(super) importer: Option<&'s str>,
}

/// A package on its way into the problem.
struct Loading {
    packument: Packument,
    versions: Vec<Version>,
    /// For each version, its position among the candidates.
    active: FxHashMap<VersionIndex, usize>,
    candidates: Vec<Loaded>,
    present: Vec<VersionIndex>,
    is_peer: bool,
    latest: Option<Version>,
}

struct Loaded {
    index: VersionIndex,
    asks: Vec<usize>,
    /// Whether all that it asks for is known.
    is_usable: bool,
}

struct Gathering<'s> {
    source: &'s Source<'s>,
    names: FxHashMap<String, usize>,
    packages: Vec<Loading>,
    ranges: Vec<(usize, Vec<VersionIndex>)>,
    by_text: FxHashMap<(usize, String), usize>,
    /// What is known of requirements, by name and specifier.
    targets: FxHashMap<String, FxHashMap<String, Target>>,
    roots: Vec<usize>,
    /// Candidates whose requirements are not read yet.
    unread: Vec<(usize, usize)>,
    count: usize,
}

/// What a requirement is for.
#[derive(Clone, Copy)]
enum Target {
    /// A package of the problem, by the position of the range.
    Range(usize),
    /// Something that stays as it is.
    Fixed,
    /// A package that is not in the tree.
    Unknown,
}

/// Returns the problem of a tree; `None` where it is too large.
pub(super) fn gather(source: &Source<'_>) -> Option<Problem> {
    let index = source.lock.index();
    let fixed = fixed_names(source, &index);
    let mut gathering = Gathering {
        source,
        names: FxHashMap::default(),
        packages: Vec::new(),
        ranges: Vec::new(),
        by_text: FxHashMap::default(),
        targets: FxHashMap::default(),
        roots: Vec::new(),
        unread: Vec::new(),
        count: 0,
    };
    gathering.load(&fixed);
    gathering.ask_for_project(&index, &fixed);
    while let Some((package, candidate)) = gathering.unread.pop() {
        gathering.read(package, candidate, &fixed);
        if gathering.count > MOST_CANDIDATES {
            return None;
        }
    }
    Some(gathering.finish())
}

/// Returns whether an entry is a package in a `node_modules` folder.
fn is_package(entry: &LockPackage) -> bool {
    !entry.link && entry.path.contains("node_modules/")
}

/// Returns the requirements of an entry, with whether each is optional, and a peer.
pub(super) fn asked_by(entry: &LockPackage) -> impl Iterator<Item = (&str, &str, bool, bool)> {
    let is_optional = |name: &str| {
        entry.peer_dependencies_meta.iter().any(|(known, optional)| known == name && *optional)
    };
    let plain = entry.dependencies.iter().chain(&entry.dev_dependencies);
    let plain = plain.map(|(name, spec)| (name.as_str(), spec.as_str(), false, false));
    let optional = entry.optional_dependencies.iter();
    let optional = optional.map(|(name, spec)| (name.as_str(), spec.as_str(), true, false));
    let peers = entry.peer_dependencies.iter();
    let peers =
        peers.map(move |(name, spec)| (name.as_str(), spec.as_str(), is_optional(name), true));
    plain.chain(optional).chain(peers)
}

/// Returns the names of which nothing is chosen anew: what rules of the project concern, and what
/// comes from elsewhere than a registry.
fn fixed_names(source: &Source<'_>, index: &LockIndex<'_>) -> FxHashSet<String> {
    let Requirements { overrides, extensions, pins, .. } = source.requirements;
    let mut fixed = FxHashSet::default();
    overrides.iter().for_each(|rule| add_names(rule, &mut fixed));
    fixed.extend(extensions.iter().map(|extension| extension.name.clone()));
    for pin in &pins.pins {
        fixed.insert(pin.name.clone());
        fixed.extend(pin.parent.iter().map(|(name, _)| name.clone()));
    }
    let patched = source.previous.into_iter().flat_map(|lock| &lock.packages);
    let patched = patched.filter(|entry| entry.patched.is_some());
    fixed.extend(patched.map(|entry| entry.package_name().to_owned()));
    for entry in &source.lock.packages {
        let is_of_registry = entry.resolved.as_deref().is_none_or(|from| from.starts_with("http"));
        if entry.link || is_package(entry) && !is_of_registry {
            fixed.insert(entry.package_name().to_owned());
        }
        for (name, spec, ..) in asked_by(entry) {
            let spec = pins.meaning(&entry.path, name, spec);
            if !Spec::parse(spec).is_ok_and(|spec| spec.is_registry()) {
                fixed.insert(name.to_owned());
                let found = index.resolve(&entry.path, name);
                fixed.extend(found.map(|found| found.package_name().to_owned()));
            }
        }
    }
    fixed
}

/// Adds the names in the keys of an override and of those below it.
fn add_names(rule: &Override, names: &mut FxHashSet<String>) {
    let end =
        rule.key.char_indices().skip(1).find(|(_, c)| *c == '@').map_or(rule.key.len(), |at| at.0);
    names.insert(rule.key[..end].to_owned());
    if let Some(Ok(Spec::Alias { name, .. })) = rule.value.as_deref().map(Spec::parse) {
        names.insert(name.as_str().to_owned());
    }
    rule.children.iter().for_each(|child| add_names(child, names));
}

impl Gathering<'_> {
    /// Loads the packuments of the packages in the tree.
    fn load(&mut self, fixed: &FxHashSet<String>) {
        let locks = std::iter::once(self.source.lock).chain(self.source.other);
        let entries = locks.flat_map(|lock| &lock.packages);
        let is_chosen = |entry: &&LockPackage| is_package(entry) && !entry.in_bundle;
        let version = |entry: &LockPackage| entry.version.clone().unwrap_or_default();
        let mut expected: Vec<(String, String)> = entries
            .filter(is_chosen)
            .map(|entry| (entry.package_name().to_owned(), version(entry)))
            .filter(|(name, _)| !fixed.contains(name))
            .collect();
        expected.sort_unstable();
        expected.dedup_by(|a, b| a.0 == b.0);
        self.source.provider.expected(&expected);
        for (name, _) in &expected {
            let Ok(packument) = self.source.provider.packument(name) else { continue };
            let versions = packument.versions().map(|view| view.version()).collect();
            let latest = packument.tag("latest").map(|at| packument.version(at).version());
            self.names.insert(name.clone(), self.packages.len());
            self.packages.push(Loading {
                packument,
                versions,
                active: FxHashMap::default(),
                candidates: Vec::new(),
                present: Vec::new(),
                is_peer: false,
                latest,
            });
        }
        for entry in self.source.lock.packages.iter().filter(is_chosen) {
            let Some(at) = self.names.get(entry.package_name()) else { continue };
            let package = &mut self.packages[*at];
            let found = entry.version.as_deref().and_then(|text| package.packument.find_str(text));
            let found = found.filter(|found| !package.present.contains(found));
            package.present.extend(found);
        }
    }

    /// Adds what the project, its folders and all that stays as it is ask for.
    fn ask_for_project(&mut self, index: &LockIndex<'_>, fixed: &FxHashSet<String>) {
        let Requirements { root, workspaces, pins, .. } = self.source.requirements;
        let mut asked: Vec<(String, String)> = Vec::new();
        let importer = self.source.importer;
        let is_meant = |own: &&LockPackage| importer.is_none_or(|folder| own.path == folder);
        for own in std::iter::once(root).chain(workspaces).filter(is_meant) {
            let mut own = own.clone();
            let optional = own.optional_dependencies.clone();
            own.dependencies.retain(|(name, _)| !optional.iter().any(|(other, _)| other == name));
            for (name, spec, is_optional, is_peer) in asked_by(&own) {
                if !(is_optional && is_peer) {
                    let means = pins.meaning(&own.path, name, spec);
                    asked.push((name.to_owned(), means.to_owned()));
                }
            }
        }
        for entry in self.source.lock.packages.iter().filter(|entry| is_package(entry)) {
            if self.names.contains_key(entry.package_name()) && !entry.in_bundle {
                continue;
            }
            for (name, spec, is_optional, is_peer) in asked_by(entry) {
                let found = index.resolve(&entry.path, name);
                if !(is_optional && is_peer) && found.is_some_and(|found| !found.in_bundle) {
                    asked.push((name.to_owned(), spec.to_owned()));
                }
            }
        }
        for (name, spec) in asked {
            if let Target::Range(range) = self.target(&name, &spec, fixed)
                && self.meets(range)
            {
                self.roots.push(range);
            }
        }
        self.roots.sort_unstable();
        self.roots.dedup();
        // What is there may stay, whatever asks for it.
        for package in 0..self.packages.len() {
            for version in self.packages[package].present.clone() {
                self.activate(package, version);
            }
        }
    }

    fn target(&mut self, name: &str, spec: &str, fixed: &FxHashSet<String>) -> Target {
        if let Some(known) = self.targets.get(name).and_then(|specs| specs.get(spec)) {
            return *known;
        }
        let target = self.new_target(name, spec, fixed);
        self.targets.entry(name.to_owned()).or_default().insert(spec.to_owned(), target);
        target
    }

    fn new_target(&mut self, name: &str, spec: &str, fixed: &FxHashSet<String>) -> Target {
        if fixed.contains(name) {
            return Target::Fixed;
        }
        let Some(parsed) = Spec::parse(spec).ok().filter(Spec::is_registry) else {
            return Target::Unknown;
        };
        let known = match &parsed {
            Spec::Alias { name, .. } if fixed.contains(name.as_str()) => return Target::Fixed,
            Spec::Alias { name, .. } => self.names.get(name.as_str()),
            _ => self.names.get(name),
        };
        match known.copied() {
            Some(package) => Target::Range(self.range(package, &parsed)),
            None => Target::Unknown,
        }
    }

    /// Returns whether a version in the tree is in the range.
    fn meets(&self, range: usize) -> bool {
        let (package, allowed) = &self.ranges[range];
        allowed.iter().any(|version| self.packages[*package].present.contains(version))
    }

    /// Returns the range for a requirement, and lets the versions in it be candidates.
    fn range(&mut self, package: usize, spec: &Spec) -> usize {
        let spec = if let Spec::Alias { spec, .. } = spec { spec } else { spec };
        let text = match spec {
            Spec::Range(range) => range.text().to_owned(),
            Spec::Version(version) => format!("={version}"),
            Spec::Tag(tag) => format!("tag {tag}"),
            _ => String::new(),
        };
        if let Some(known) = self.by_text.get(&(package, text.clone())) {
            return *known;
        }
        let allowed = self.allowed(&self.packages[package], spec);
        let at = self.ranges.len();
        allowed.iter().for_each(|version| self.activate(package, *version));
        self.ranges.push((package, allowed));
        self.by_text.insert((package, text), at);
        at
    }

    /// Returns the versions that a requirement allows: those in the tree, the one that npm picks,
    /// and all others that it might pick.
    fn allowed(&self, package: &Loading, spec: &Spec) -> Vec<VersionIndex> {
        let Loading { packument, versions, present, .. } = package;
        let picker = self.source.picker;
        let pick = picker.pick(packument, spec);
        let range = registry_range(spec);
        let has_times = picker.before_for(packument.name()).is_some();
        let is_allowed = |view: &VersionView<'_>, version: &Version| {
            if Some(view.index()) == pick {
                return true;
            }
            let Some(range) = range.filter(|range| range.satisfied_by(version)) else {
                return false;
            };
            let is_there = present.contains(&view.index());
            let is_ordinary = || {
                !view.is_prerelease()
                    && range.contains(version)
                    && view.deprecated().is_none_or(str::is_empty)
                    && picker.fits(view)
                    && (!has_times
                        || picker.pick(packument, &Spec::Version(version.clone())).is_some())
            };
            is_there || is_ordinary()
        };
        let views = packument.versions().zip(versions);
        views
            .filter(|(view, version)| is_allowed(view, version))
            .map(|(view, _)| view.index())
            .collect()
    }

    fn activate(&mut self, package: usize, index: VersionIndex) {
        let Loading { active, candidates, .. } = &mut self.packages[package];
        let at = candidates.len();
        if let std::collections::hash_map::Entry::Vacant(entry) = active.entry(index) {
            entry.insert(at);
            candidates.push(Loaded { index, asks: Vec::new(), is_usable: true });
            self.unread.push((package, at));
            self.count += 1;
        }
    }

    /// Reads what a candidate asks for.
    fn read(&mut self, package: usize, candidate: usize, fixed: &FxHashSet<String>) {
        let packument = self.packages[package].packument.clone();
        let index = self.packages[package].candidates[candidate].index;
        let is_present = self.packages[package].present.contains(&index);
        let view = packument.version(index);
        // What a tarball contains is known only once it is fetched.
        let bundles = view.bundles_all() || view.bundled().next().is_some();
        let (mut asks, mut is_usable) = (Vec::new(), is_present || !bundles);
        for (name, spec, is_optional, is_peer) in requirements_of(&view) {
            let Options { legacy_peer_deps, .. } = self.source.options;
            if is_peer && *legacy_peer_deps
                || is_optional && self.source.requirements.exceptions.leaves_out(name)
            {
                continue;
            }
            match self.target(name, spec, fixed) {
                Target::Fixed => {}
                // npm leaves out what it cannot load, where it is optional.
                Target::Unknown => is_usable &= is_present || is_peer && is_optional,
                Target::Range(range) => {
                    let target = self.ranges[range].0;
                    self.packages[target].is_peer |= is_peer;
                    if is_peer && is_optional {
                        continue;
                    }
                    let has_any = !self.ranges[range].1.is_empty();
                    if is_present && !self.meets(range) || is_optional && !has_any {
                        continue;
                    }
                    is_usable &= has_any;
                    asks.push(range);
                }
            }
        }
        asks.sort_unstable();
        asks.dedup();
        let loaded = &mut self.packages[package].candidates[candidate];
        (loaded.asks, loaded.is_usable) = (asks, is_usable);
    }

    /// Joins versions that are alike, and puts the others in order.
    fn finish(self) -> Problem {
        let Gathering { packages: loading, ranges, roots, .. } = self;
        let mut asked: Vec<Vec<usize>> = vec![Vec::new(); loading.len()];
        for (at, (package, _)) in ranges.iter().enumerate() {
            asked[*package].push(at);
        }
        let mut problem = Problem { roots, ..Problem::default() };
        let mut places: Vec<FxHashMap<VersionIndex, usize>> = Vec::new();
        for (at, package) in loading.iter().enumerate() {
            let (known, place) = package.distinct(&asked[at], &ranges);
            problem.packages.push(known);
            places.push(place);
        }
        problem.ranges = ranges
            .into_iter()
            .map(|(package, allowed)| {
                let place = |version| places[package].get(version).copied();
                let mut allowed: Vec<usize> = allowed.iter().filter_map(place).collect();
                allowed.sort_unstable();
                Range { package, allowed }
            })
            .collect();
        problem
    }
}

impl Loading {
    /// Returns the package with its candidates in npm's order, of those that are alike in what they
    /// ask for and who allows them the first and those in the tree; and the position of each.
    fn distinct(
        &self,
        asked: &[usize],
        ranges: &[(usize, Vec<VersionIndex>)],
    ) -> (Package, FxHashMap<VersionIndex, usize>) {
        let mut in_ranges: FxHashMap<VersionIndex, Vec<usize>> = FxHashMap::default();
        for range in asked {
            for version in &ranges[*range].1 {
                in_ranges.entry(*version).or_default().push(*range);
            }
        }
        let version = |loaded: &Loaded| &self.versions[loaded.index.0 as usize];
        let is_above =
            |loaded: &Loaded| self.latest.as_ref().is_some_and(|latest| version(loaded) > latest);
        let mut order: Vec<&Loaded> =
            self.candidates.iter().filter(|loaded| loaded.is_usable).collect();
        order
            .sort_by(|a, b| is_above(a).cmp(&is_above(b)).then_with(|| version(b).cmp(version(a))));
        let mut seen = FxHashSet::default();
        let mut package = Package {
            name: self.packument.name().to_owned(),
            is_peer: self.is_peer,
            ..Package::default()
        };
        let mut places = FxHashMap::default();
        for loaded in order {
            let own = version(loaded);
            let is_outdated = self.latest.as_ref().is_some_and(|latest| own < latest);
            let key = (&loaded.asks, in_ranges.get(&loaded.index), is_outdated);
            let is_present = self.present.contains(&loaded.index);
            if !seen.insert(key) && !is_present {
                continue;
            }
            let at = package.candidates.len();
            places.insert(loaded.index, at);
            if is_present {
                package.present.push(at);
            }
            let asks = loaded.asks.clone();
            package.candidates.push(Candidate { version: own.clone(), asks, is_outdated });
        }
        (package, places)
    }
}

/// Returns the requirements of a version, without what it bundles.
fn requirements_of<'v>(
    view: &VersionView<'v>,
) -> impl Iterator<Item = (&'v str, &'v str, bool, bool)> + use<'v> {
    let view = *view;
    let bundled: Rc<FxHashSet<&str>> = Rc::new(view.bundled().collect());
    let marked: FxHashSet<&str> = view.optional_dependencies().map(|(name, _)| name).collect();
    let own = Rc::clone(&bundled);
    let is_bundled = move |name: &str| view.bundles_all() || own.contains(name);
    let plain =
        view.dependencies().filter(move |(name, _)| !marked.contains(name) && !is_bundled(name));
    let plain = plain.map(|(name, spec)| (name, spec, false, false));
    let is_bundled = move |name: &str| view.bundles_all() || bundled.contains(name);
    let optional = view.optional_dependencies().filter(move |(name, _)| !is_bundled(name));
    let optional = optional.map(|(name, spec)| (name, spec, true, false));
    let peers = view.peer_dependencies();
    let is_marked = view.optional_peers();
    let peers = peers.map(move |(name, spec)| (name, spec, is_marked(name), true));
    plain.chain(optional).chain(peers)
}
