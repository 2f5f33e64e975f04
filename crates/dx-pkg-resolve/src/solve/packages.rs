//! A package of the problem: its requirement, its candidates, and what was ever published of it.

use std::cell::RefCell;
use std::rc::Rc;

use dx_pkg_core::{Spec, Version};
use dx_pkg_format::packument::{Packument, VersionIndex, VersionView};
use dx_pkg_lock::{LockIndex, LockPackage};
use rustc_hash::FxHashMap;

use super::alterations::{Alterations, Asked, Dependent};
use crate::intern::registry_range;
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
pub(super) struct Loaded(RefCell<FxHashMap<Key, Known>>);

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
    pub(super) candidates: Vec<(Version, Rc<[Asked]>)>,
    /// The number of candidates that are in the importer's range; they come first.
    pub(super) in_range: usize,
    /// All versions that were ever published, for what a range allows at all.
    pub(super) published: Rc<[Version]>,
    /// Those of them that are no prereleases.
    pub(super) releases: Rc<[Version]>,
    /// Its dist-tags, which a peer requirement can name.
    pub(super) tags: Rc<[(String, Version)]>,
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

    /// Returns what tells whether a peer requirement allows a version of this package.
    pub(super) fn allowing(&self, asked: &Asked) -> impl Fn(&Version) -> bool {
        let specs = [Some(asked.spec.as_str()), asked.accepts.as_deref()];
        let parsed: Vec<Option<Spec>> =
            specs.into_iter().flatten().map(|spec| Spec::parse(spec).ok()).collect();
        move |version| {
            parsed.iter().any(|spec| match spec {
                Some(Spec::Tag(tag)) => {
                    self.tags.iter().any(|(known, tagged)| **known == **tag && tagged == version)
                }
                Some(spec) => registry_range(spec).is_none_or(|range| range.satisfied_by(version)),
                None => true,
            })
        }
    }

    /// Returns the published versions that a peer requirement can allow. There can be thousands of
    /// prereleases, and most requirements allow none.
    pub(super) fn allowable(&self, asked: &Asked) -> &[Version] {
        let excludes_prereleases = |spec: &str| {
            let parsed = Spec::parse(spec);
            let range = parsed.as_ref().ok().and_then(registry_range);
            range.is_some_and(|range| !range.is_star()) && !spec.contains('-')
        };
        let all = std::iter::once(&asked.spec).chain(&asked.accepts);
        let is_strict = all.into_iter().all(|spec| excludes_prereleases(spec));
        if is_strict { &self.releases } else { &self.published }
    }

    /// Keeps the candidates that are wanted.
    pub(super) fn retain(&mut self, wanted: impl Fn(usize) -> bool) {
        let kept: Vec<usize> = (0..self.candidates.len()).filter(|at| wanted(*at)).collect();
        let moved = |old: Option<usize>| old.and_then(|old| kept.iter().position(|at| *at == old));
        (self.locked, self.pick) = (moved(self.locked), moved(self.pick));
        self.placed = moved(self.placed);
        self.in_range = kept.iter().filter(|at| **at < self.in_range).count();
        self.candidates = kept.iter().map(|at| self.candidates[*at].clone()).collect();
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
            candidates: Vec::new(),
            in_range: 0,
            published: Rc::default(),
            releases: Rc::default(),
            tags: Rc::default(),
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
                    is_widened: widened,
                };
                if let Some(known) = self.loaded.0.borrow().get(&key) {
                    return Known { direct: package.direct, ..known.clone() };
                }
                self.fill(&mut package, &packument, &spec, widened);
                self.loaded.0.borrow_mut().insert(key, package.clone());
            }
            _ => self.keep_found(&mut package, found),
        }
        package
    }

    /// Returns the entry of the lockfile that the importer finds for a name.
    fn locked(&self, name: &str) -> Option<&'s LockPackage> {
        self.previous.and_then(|lock| lock.resolve(&self.importer.path, name))
    }

    /// Adds the version that is there: what is no package of a registry stays as it is.
    fn keep_found(&self, package: &mut Known, found: Option<&LockPackage>) {
        let version = found.and_then(|found| Version::parse(found.version.as_deref()?).ok());
        if let (Some(found), Some(version)) = (found, version) {
            let asked = self.altered(package, &version, asked_by(found));
            package.published = Rc::from([version.clone()]);
            package.releases = Rc::clone(&package.published);
            package.candidates.push((version, asked.into()));
            package.in_range = 1;
        }
    }

    /// Adds the candidates of a packument, in npm's order.
    fn fill(&self, package: &mut Known, packument: &Packument, spec: &Spec, widened: bool) {
        package.published = packument.versions().map(VersionView::version).collect();
        let releases = package.published.iter().filter(|version| !version.is_prerelease());
        package.releases = releases.cloned().collect();
        let tags = packument.dist_tags();
        package.tags = tags
            .filter_map(|(tag, version)| Some((tag.to_owned(), Version::parse(version).ok()?)))
            .collect();
        let locked = self
            .locked(&package.name)
            .filter(|entry| package.direct.is_none() || is_met_by(spec, entry))
            .and_then(|entry| Version::parse(entry.version.as_deref()?).ok())
            .and_then(|version| packument.find(&version));
        let pick = self.picker.pick(packument, spec);
        // A tag is exact, whatever is locked.
        let locked = locked.filter(|index| registry_range(spec).is_some() || pick == Some(*index));
        let is_available = |view: &VersionView<'_>| {
            let exact = Spec::Version(view.version());
            !view.is_prerelease()
                && !self.picker.is_excluded(packument.name(), &view.version())
                && self.picker.pick(packument, &exact).is_some()
                && self.picker.fits(view)
        };
        let all: Vec<VersionIndex> =
            packument.versions().filter(is_available).map(VersionView::index).collect();
        let version = |index: VersionIndex| packument.version(index).version();
        let top = pick.or(locked).map(version);
        let range = registry_range(spec);
        let is_in_range =
            |index: &VersionIndex| range.is_some_and(|range| range.satisfied_by(&version(*index)));
        let deprecated = |index: &VersionIndex| {
            packument.version(*index).deprecated().is_some_and(|text| !text.is_empty())
        };
        let placed = self.found(&package.name);
        let placed = placed.and_then(|entry| Version::parse(entry.version.as_deref()?).ok());
        let placed =
            placed.and_then(|placed| all.iter().copied().find(|at| version(*at) == placed));
        let placed = placed.filter(is_in_range);
        // What came as somebody's peer stays where it is, if it can.
        let kept = placed.filter(|_| package.direct.is_none());
        let mut order: Vec<VersionIndex> = locked.into_iter().chain(kept).chain(pick).collect();
        for is_deprecated in [false, true] {
            let of_kind = || {
                let in_range = all.iter().copied().filter(is_in_range);
                in_range.filter(|index| deprecated(index) == is_deprecated)
            };
            let is_above =
                |index: &VersionIndex| top.as_ref().is_some_and(|top| version(*index) > *top);
            order.extend(of_kind().rev().filter(|index| !is_above(index)));
            order.extend(of_kind().filter(is_above));
        }
        keep_first(&mut order);
        if top.is_none() {
            order.clear();
        }
        package.in_range = order.len();
        if widened {
            // Nearest first: what is newer, from the first on, then what is older.
            let newest = order.iter().map(|index| version(*index)).max();
            for is_deprecated in [false, true] {
                let of_kind =
                    || all.iter().copied().filter(|index| deprecated(index) == is_deprecated);
                let is_newer = |index: &VersionIndex| {
                    newest.as_ref().is_none_or(|newest| version(*index) > *newest)
                };
                order.extend(of_kind().filter(is_newer));
                order.extend(of_kind().rev().filter(|index| !is_newer(index)));
            }
            keep_first(&mut order);
        }
        package.locked = locked.map(|_| 0);
        let place = |one: VersionIndex| order.iter().position(|index| *index == one);
        (package.pick, package.placed) = (pick.and_then(place), placed.and_then(place));
        let candidate = |index: VersionIndex| {
            let view = packument.version(index);
            (view.version(), self.asked_of(package, view).into())
        };
        package.candidates = order.into_iter().map(candidate).collect();
    }

    /// Returns the peer requirements of a published version, as they count.
    pub(super) fn asked_of(&self, package: &Known, view: VersionView<'_>) -> Vec<Asked> {
        let peers = view.peer_dependencies().map(|(name, spec)| Asked {
            name: name.to_owned(),
            spec: spec.to_owned(),
            is_optional: view.peer_optional(name),
            accepts: None,
        });
        self.altered(package, &view.version(), peers.collect())
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

    /// Returns the peer requirements of the package in the tree, as they count.
    pub(super) fn asked_in_tree(&self, name: &str, entry: &LockPackage) -> Vec<Asked> {
        let peers = asked_by(entry);
        let Some(version) = entry.version.as_deref().and_then(|text| Version::parse(text).ok())
        else {
            return peers;
        };
        let registry_name = entry.name.as_deref().unwrap_or(name);
        let dependent = Dependent { name, registry_name, spec: "*", version: &version };
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
            is_optional: is_optional(name),
            accepts: None,
        })
        .collect()
}

/// Returns whether an entry meets a peer requirement; what is no range of a registry is met.
pub(super) fn is_met(asked: &Asked, entry: &LockPackage) -> bool {
    let is_met = |spec: &str| Spec::parse(spec).map_or(true, |spec| is_met_by(&spec, entry));
    is_met(&asked.spec) || asked.accepts.as_deref().is_some_and(is_met)
}

/// Returns whether an entry meets a requirement.
pub(super) fn is_met_by(spec: &Spec, entry: &LockPackage) -> bool {
    let version = entry.version.as_deref().and_then(|version| Version::parse(version).ok());
    match (registry_range(spec), version) {
        (Some(range), Some(version)) => range.satisfied_by(&version),
        _ => true,
    }
}
