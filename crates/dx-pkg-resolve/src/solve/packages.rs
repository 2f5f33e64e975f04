//! A package of the problem: its requirement, its candidates, and what was ever published of it.

use std::cell::RefCell;
use std::rc::Rc;

use dx_pkg_core::{Spec, Version};
use dx_pkg_format::packument::Packument;
use dx_pkg_lock::{LockIndex, LockPackage};
use rustc_hash::FxHashMap;

use super::alterations::{Alterations, Asked, Dependent};
use super::published::Published;
use crate::intern::registry_range;
use crate::overrides::RuleId;
use crate::pick::Picker;
use crate::{Provider, ProviderError};

/// Where a problem comes from.
#[derive(Clone, Copy)]
pub(super) struct Source<'s> {
    /// The importer's manifest, with its folder as path.
    pub(super) importer: &'s LockPackage,
    /// The tree in which there are conflicts.
    pub(super) tree: &'s LockIndex<'s>,
    /// The lockfile that the resolution started from.
    pub(super) previous: Option<&'s LockIndex<'s>>,
    /// What npm would choose without that, where it is known.
    pub(super) unlocked: Option<&'s LockIndex<'s>>,
    pub(super) provider: &'s dyn Provider,
    pub(super) picker: &'s Picker,
    pub(super) alterations: &'s Alterations<'s>,
    /// Names that are part of the problem beside those of the conflicts.
    pub(super) more: &'s [String],
    /// The packages that other importers' problems have as well.
    pub(super) loaded: &'s Loaded,
}

/// Packages of registries with their candidates, as importers of one project share them.
#[derive(Default)]
pub(super) struct Loaded {
    known: RefCell<FxHashMap<Key, Known>>,
    published: Rc<RefCell<FxHashMap<String, Rc<Published>>>>,
}

impl Loaded {
    /// Returns the same for other requirements of the project. What is published stays, and is
    /// chosen from by the same rules.
    pub(super) fn for_others(&self) -> Loaded {
        Loaded { published: Rc::clone(&self.published), ..Loaded::default() }
    }

    /// Returns what is published of a package.
    fn published(&self, packument: &Packument, name: &str, picker: &Picker) -> Rc<Published> {
        let mut published = self.published.borrow_mut();
        if let Some(known) = published.get(name) {
            return Rc::clone(known);
        }
        let own = Rc::new(Published::of(packument, picker));
        published.insert(name.to_owned(), Rc::clone(&own));
        own
    }
}

/// What the candidates of a package depend on.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    name: String,
    range: String,
    is_direct: bool,
    /// The version that the lockfile has where the importer looks.
    locked: Option<String>,
    /// The version that the tree has there.
    placed: Option<String>,
    /// The version that npm would place without the lockfile.
    unlocked: Option<String>,
    is_widened: bool,
}

/// A requirement of the importer.
#[derive(Clone, Debug)]
pub(super) struct Direct {
    /// As it is written.
    pub(super) written: String,
    /// As it counts.
    pub(super) spec: String,
}

/// A package on its way into the problem.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) name: String,
    /// The name that the registry knows it by.
    pub(super) registry_name: String,
    /// The importer's requirement.
    pub(super) direct: Option<Direct>,
    /// The candidate that the lockfile has.
    pub(super) locked: Option<usize>,
    /// The candidate that npm picks.
    pub(super) pick: Option<usize>,
    /// The candidate that npm has placed, which may be an older one because of peers.
    pub(super) placed: Option<usize>,
    /// The candidate that npm would place without the lockfile.
    pub(super) unlocked: Option<usize>,
    pub(super) candidates: Vec<(Version, Rc<[Asked]>)>,
    /// The overrides of each candidate, where they depend on the dependents: a version is then one
    /// candidate for each of the sets that can come to it.
    pub(super) rules: Vec<RuleId>,
    /// Those that it has whatever its dependents bring.
    pub(super) own_rules: Option<RuleId>,
    /// The number of candidates that are in the importer's range; they come first.
    pub(super) in_range: usize,
    /// All that was ever published of it.
    pub(super) published: Rc<Published>,
    /// Whether it comes from a registry.
    pub(super) is_of_registry: bool,
    /// Whether it is of a registry that could not be asked.
    pub(super) is_unreachable: bool,
}

impl Known {
    /// Returns the version of a candidate.
    pub(super) fn version(&self, candidate: usize) -> &Version {
        &self.candidates[candidate].0
    }

    /// Returns what a candidate asks of a peer.
    pub(super) fn asked(&self, candidate: usize, peer: &str) -> Option<&Asked> {
        self.candidates[candidate].1.iter().find(|asked| asked.name == peer)
    }

    /// Returns whether the importer requires an exact version.
    pub(super) fn is_exact(&self) -> bool {
        let spec = self.direct.as_ref().map(|direct| direct.spec.as_str());
        let range = spec.map(|spec| match spec.starts_with("npm:") {
            true => spec.rsplit('@').next().unwrap_or(spec),
            false => spec,
        });
        range.is_some_and(|range| matches!(Spec::parse(range), Ok(Spec::Version(_))))
    }

    /// Returns the position of each candidate among the published versions.
    pub(super) fn places(&self) -> Vec<usize> {
        let place = |(version, _): &(Version, _)| self.published.position(version).unwrap_or(0);
        self.candidates.iter().map(place).collect()
    }

    /// Keeps the candidates that are wanted.
    pub(super) fn retain(&mut self, wanted: impl Fn(usize) -> bool) {
        let kept: Vec<usize> = (0..self.candidates.len()).filter(|at| wanted(*at)).collect();
        let moved = |old: Option<usize>| old.and_then(|old| kept.iter().position(|at| *at == old));
        (self.locked, self.pick) = (moved(self.locked), moved(self.pick));
        (self.placed, self.unlocked) = (moved(self.placed), moved(self.unlocked));
        self.in_range = kept.iter().filter(|at| **at < self.in_range).count();
        self.candidates = kept.iter().map(|at| self.candidates[*at].clone()).collect();
        self.rules = kept.iter().filter_map(|at| self.rules.get(*at).copied()).collect();
    }
}

impl<'s> Source<'s> {
    /// Returns the package that the importer finds for a name in the tree.
    pub(super) fn found(&self, name: &str) -> Option<&'s LockPackage> {
        let found = self.tree.resolve(&self.importer.path, name)?;
        match found.resolved.as_deref().filter(|_| found.link) {
            Some(target) => self.tree.get(target),
            None => Some(found),
        }
    }

    /// Loads a package with its candidates; one that cannot be loaded has none. Where it is
    /// `widened`, those outside the importer's range follow.
    pub(super) fn package(&self, name: &str, direct: Option<&Direct>, widened: bool) -> Known {
        let found = self.found(name);
        let range = match direct {
            Some(direct) => direct.spec.clone(),
            None => self.alterations.for_peer_only(name),
        };
        let parsed = Spec::parse(&range);
        let mut package = Known {
            name: name.to_owned(),
            registry_name: name.to_owned(),
            direct: direct.cloned(),
            locked: None,
            pick: None,
            placed: None,
            unlocked: None,
            candidates: Vec::new(),
            rules: Vec::new(),
            own_rules: None,
            in_range: 0,
            published: Rc::default(),
            is_of_registry: false,
            is_unreachable: false,
        };
        let is_of_registry = match (direct, &parsed) {
            (None, _) => found.is_none_or(|found| found.path.contains("node_modules/")),
            (Some(_), Ok(spec)) => spec.is_registry(),
            (Some(_), Err(_)) => false,
        };
        if let Ok(Spec::Alias { name, .. }) = &parsed {
            name.as_str().clone_into(&mut package.registry_name);
        }
        let loaded = is_of_registry.then(|| self.provider.packument(&package.registry_name));
        if let Some(Err(error)) = &loaded {
            package.is_unreachable = !is_missing(error);
        }
        match (loaded.and_then(Result::ok), parsed) {
            (Some(packument), Ok(spec)) => {
                package.is_of_registry = true;
                let key = Key {
                    name: package.name.clone(),
                    range,
                    is_direct: direct.is_some(),
                    locked: self.locked(name).and_then(|entry| entry.version.clone()),
                    placed: found.and_then(|entry| entry.version.clone()),
                    unlocked: self.without_lock(name).and_then(|entry| entry.version.clone()),
                    is_widened: widened,
                };
                if let Some(known) = self.loaded.known.borrow().get(&key) {
                    return Known { direct: package.direct, ..known.clone() };
                }
                self.fill(&mut package, &packument, &spec, widened);
                self.loaded.known.borrow_mut().insert(key, package.clone());
            }
            _ => self.keep_found(&mut package, found),
        }
        package
    }

    /// Returns the entry of the lockfile that the importer finds for a name.
    fn locked(&self, name: &str) -> Option<&'s LockPackage> {
        self.previous.and_then(|lock| lock.resolve(&self.importer.path, name))
    }

    /// Returns the entry that the importer would find for a name without the lockfile.
    fn without_lock(&self, name: &str) -> Option<&'s LockPackage> {
        self.unlocked.and_then(|lock| lock.resolve(&self.importer.path, name))
    }

    /// Adds the version that is there: what is no package of a registry stays as it is.
    fn keep_found(&self, package: &mut Known, found: Option<&LockPackage>) {
        let version = found.and_then(|found| Version::parse(found.version.as_deref()?).ok());
        if let (Some(found), Some(version)) = (found, version) {
            let asked = self.altered(package, &version, asked_by(found));
            package.published = Rc::new(Published::local(&version));
            package.candidates.push((version, asked.into()));
            package.in_range = 1;
        }
    }

    /// Adds the candidates of a packument, in npm's order.
    fn fill(&self, package: &mut Known, packument: &Packument, spec: &Spec, widened: bool) {
        let published = self.loaded.published(packument, &package.registry_name, self.picker);
        let versions = &published.versions;
        let parsed = |entry: &LockPackage| {
            let version = Version::parse(entry.version.as_deref()?).ok()?;
            published.position(&version)
        };
        let locked = self
            .locked(&package.name)
            .filter(|entry| package.direct.is_none() || is_met_by(spec, entry))
            .and_then(parsed);
        let pick = self.picker.pick(packument, spec).map(|index| index.0 as usize);
        // A tag is exact, whatever is locked.
        let locked = locked.filter(|at| registry_range(spec).is_some() || pick == Some(*at));
        let all: Vec<usize> =
            (0..versions.len()).filter(|at| published.is_available[*at]).collect();
        let top = pick.or(locked).map(|at| &versions[at]);
        let range = registry_range(spec);
        let is_in = |at: &usize| range.is_some_and(|range| range.satisfied_by(&versions[*at]));
        let in_range: Vec<usize> = all.iter().copied().filter(is_in).collect();
        let placed = self.found(&package.name).and_then(parsed);
        let placed = placed.filter(|placed| in_range.contains(placed));
        // What came as somebody's peer stays where it is, if it can.
        let kept = placed.filter(|_| package.direct.is_none());
        let mut order: Vec<usize> = locked.into_iter().chain(kept).chain(pick).collect();
        let of_kind = |all: &[usize], is_deprecated: bool| -> Vec<usize> {
            let all = all.iter().copied();
            all.filter(|at| published.is_deprecated[*at] == is_deprecated).collect()
        };
        for is_deprecated in [false, true] {
            let own = of_kind(&in_range, is_deprecated);
            let is_above = |at: &usize| top.is_some_and(|top| versions[*at] > *top);
            order.extend(own.iter().rev().filter(|at| !is_above(at)));
            order.extend(own.iter().filter(|at| is_above(at)));
        }
        keep_first(&mut order);
        if top.is_none() {
            order.clear();
        }
        package.in_range = order.len();
        if widened {
            // Nearest first: what is newer, from the first on, then what is older.
            let newest = order.iter().map(|at| &versions[*at]).max();
            for is_deprecated in [false, true] {
                let own = of_kind(&all, is_deprecated);
                let is_newer = |at: &usize| newest.is_none_or(|newest| versions[*at] > *newest);
                order.extend(own.iter().filter(|at| is_newer(at)));
                order.extend(own.iter().rev().filter(|at| !is_newer(at)));
            }
            keep_first(&mut order);
        }
        package.locked = locked.map(|_| 0);
        let place = |one: usize| order.iter().position(|at| *at == one);
        (package.pick, package.placed) = (pick.and_then(place), placed.and_then(place));
        package.unlocked = self.without_lock(&package.name).and_then(parsed).and_then(place);
        let candidate =
            |at: usize| (versions[at].clone(), self.asked_at(package, &published, packument, at));
        package.candidates = order.into_iter().map(candidate).collect();
        package.published = published;
    }

    /// Returns the peer requirements of each published version of a package, as they count.
    pub(super) fn all_asked<'p>(
        &'p self,
        package: &'p Known,
        packument: &'p Packument,
    ) -> impl Iterator<Item = (&'p Version, Rc<[Asked]>)> {
        let published = &package.published;
        let all = published.versions.iter().enumerate();
        all.map(|(at, version)| (version, self.asked_at(package, published, packument, at)))
    }

    /// Returns the peer requirements of the published version at a position, as they count.
    fn asked_at(
        &self,
        package: &Known,
        published: &Published,
        packument: &Packument,
        at: usize,
    ) -> Rc<[Asked]> {
        let asked = published.asked(packument, at);
        match self.alterations.are_idle() {
            true => asked,
            false => self.altered(package, &published.versions[at], asked.to_vec()).into(),
        }
    }

    fn altered(&self, package: &Known, version: &Version, peers: Vec<Asked>) -> Vec<Asked> {
        let dependent = Dependent {
            name: &package.name,
            registry_name: &package.registry_name,
            spec: package.direct.as_ref().map_or("*", |direct| &direct.spec),
            version,
        };
        self.alterations.applied(&dependent, peers)
    }

    /// Returns the peer requirements of the package in the tree, as they count; `spec` is a
    /// requirement that leads to it.
    pub(super) fn asked_in_tree(&self, name: &str, spec: &str, entry: &LockPackage) -> Vec<Asked> {
        let peers = asked_by(entry);
        let Some(version) = entry.version.as_deref().and_then(|text| Version::parse(text).ok())
        else {
            return peers;
        };
        let registry_name = entry.name.as_deref().unwrap_or(name);
        let dependent = Dependent { name, registry_name, spec, version: &version };
        self.alterations.applied(&dependent, peers)
    }
}

/// Returns whether the registry has answered that there is no such package.
fn is_missing(error: &ProviderError) -> bool {
    error.code == "DX_PACKAGE_NOT_FOUND"
}

/// Removes all but the first of equal items.
pub(super) fn keep_first<T: Clone + Eq + std::hash::Hash>(items: &mut Vec<T>) {
    let mut seen = rustc_hash::FxHashSet::default();
    items.retain(|item| seen.insert(item.clone()));
}

/// Returns the peer requirements of an entry.
fn asked_by(package: &LockPackage) -> Vec<Asked> {
    let is_optional = |name: &str| {
        package.peer_dependencies_meta.iter().any(|(known, optional)| known == name && *optional)
    };
    let peers = package.peer_dependencies.iter();
    peers
        .map(|(name, spec)| Asked {
            name: name.clone(),
            spec: spec.clone(),
            declared: spec.clone(),
            is_optional: is_optional(name),
            ..Asked::default()
        })
        .collect()
}

/// Returns whether an entry meets a peer requirement; what is no range of a registry is met.
pub(super) fn is_met(asked: &Asked, entry: &LockPackage) -> bool {
    let is_met = |spec: &str| Spec::parse(spec).map_or(true, |spec| is_met_by(&spec, entry));
    is_met(&asked.spec)
        || asked.accepts.as_deref().is_some_and(is_met)
        || asked.overridden.as_deref().is_some_and(|key| is_met(&asked.declared) && !is_met(key))
}

/// Returns whether an entry meets a requirement.
pub(super) fn is_met_by(spec: &Spec, entry: &LockPackage) -> bool {
    let version = entry.version.as_deref().and_then(|version| Version::parse(version).ok());
    match (registry_range(spec), version) {
        (Some(range), Some(version)) => range.satisfied_by(&version),
        _ => true,
    }
}
