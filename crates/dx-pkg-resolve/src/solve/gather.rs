//! From the tree of a refused resolution to the [`Problem`] of one importer.
//!
//! The problem has the packages that conflicts name, and those that peer requirements join with
//! them: what their candidates have as peers, and what has them as peers in the tree. A peer is the
//! copy that the importer itself finds, wherever its dependent is placed.

use dx_pkg_core::{Spec, Version};
use dx_pkg_format::packument::{Packument, VersionIndex};
use dx_pkg_lock::{LockIndex, LockPackage};
use rustc_hash::FxHashMap;

use super::problem::{Candidate, Package, Peer, PeerRange, Problem};
use crate::Provider;
use crate::intern::registry_range;
use crate::pick::Picker;

/// The most packages of a problem; real ones have tens.
const MOST_PACKAGES: usize = 400;

/// A problem, with what its positions mean.
pub(super) struct Gathered {
    pub(super) problem: Problem,
    /// For each package, the name that the registry knows it by.
    pub(super) registry_names: Vec<String>,
}

/// Where a problem comes from.
pub(super) struct Source<'s> {
    /// The importer's manifest, with its folder as path.
    pub(super) importer: &'s LockPackage,
    /// The tree in which there are conflicts.
    pub(super) tree: &'s LockIndex<'s>,
    /// The lockfile that the resolution started from.
    pub(super) previous: Option<&'s LockIndex<'s>>,
    pub(super) provider: &'s dyn Provider,
    pub(super) picker: &'s Picker,
}

/// The peer requirement of a version, as its manifest has it.
struct Asked {
    name: String,
    spec: String,
    is_optional: bool,
}

/// A package on its way into the problem.
struct Known {
    name: String,
    registry_name: String,
    is_direct: bool,
    locked: Option<usize>,
    candidates: Vec<(Version, Vec<Asked>)>,
    /// All versions that were ever published, for what a range allows at all.
    published: Vec<Version>,
    /// Its dist-tags, which a peer requirement can name.
    tags: Vec<(String, Version)>,
}

/// Returns the problem of an importer's peer conflicts; `None` where it has none, or where there
/// are too many packages in it.
pub(super) fn gather(source: &Source<'_>) -> Option<Gathered> {
    let direct = source.direct();
    let visited = source.visited(&direct);
    let mut names = source.conflicting(&visited);
    let mut known: Vec<Known> = Vec::new();
    let mut next = 0;
    while let Some(name) = names.get(next).cloned() {
        next += 1;
        let package = source.package(&name, direct.get(name.as_str()).copied());
        for (_, asked) in &package.candidates {
            let joins = |asked: &&Asked| !asked.is_optional || visited.contains(&asked.name);
            names.extend(asked.iter().filter(joins).map(|asked| asked.name.clone()));
        }
        known.push(package);
        names.extend(visited.iter().filter(|other| source.has_peer(other, &name)).cloned());
        keep_first(&mut names);
        if names.len() > MOST_PACKAGES {
            return None;
        }
    }
    (!known.is_empty()).then(|| assemble(known))
}

/// Removes all but the first of equal names.
fn keep_first(names: &mut Vec<String>) {
    let mut seen = rustc_hash::FxHashSet::default();
    names.retain(|name| seen.insert(name.clone()));
}

impl<'s> Source<'s> {
    /// Returns the importer's own requirements.
    fn direct(&self) -> FxHashMap<&'s str, &'s str> {
        let sections = [
            &self.importer.peer_dependencies,
            &self.importer.dependencies,
            &self.importer.dev_dependencies,
            &self.importer.optional_dependencies,
        ];
        let pairs = sections.into_iter().flatten();
        pairs.map(|(name, spec)| (name.as_str(), spec.as_str())).collect()
    }

    /// Returns the package that the importer finds for a name in the tree.
    fn found(&self, name: &str) -> Option<&'s LockPackage> {
        let found = self.tree.resolve(&self.importer.path, name)?;
        match found.resolved.as_deref().filter(|_| found.link) {
            Some(target) => self.tree.get(target),
            None => Some(found),
        }
    }

    /// Returns the direct dependencies and, in turn, their peers.
    fn visited(&self, direct: &FxHashMap<&str, &str>) -> Vec<String> {
        let mut names: Vec<String> = direct.keys().map(|name| (*name).to_owned()).collect();
        // The order of a hash map means nothing.
        names.sort_unstable();
        let mut next = 0;
        while let Some(name) = names.get(next) {
            next += 1;
            let Some(package) = self.found(name) else { continue };
            let peers = package.peer_dependencies.iter().map(|(name, _)| name.clone());
            names.extend(peers.filter(|peer| self.found(peer).is_some()));
            keep_first(&mut names);
        }
        names
    }

    fn has_peer(&self, dependent: &str, peer: &str) -> bool {
        self.found(dependent).is_some_and(|package| {
            package.peer_dependencies.iter().any(|(name, _)| name.as_str() == peer)
        })
    }

    /// Returns the names of the dependents and peers of unmet peer requirements.
    fn conflicting(&self, visited: &[String]) -> Vec<String> {
        let mut names = Vec::new();
        for dependent in visited {
            let Some(package) = self.found(dependent) else { continue };
            for asked in asked_by(package) {
                let is_met = match self.found(&asked.name) {
                    Some(found) => is_met(&asked.spec, found),
                    None => asked.is_optional,
                };
                if !is_met {
                    names.extend([dependent.clone(), asked.name]);
                }
            }
        }
        keep_first(&mut names);
        names
    }

    /// Loads a package with its candidates; one that cannot be loaded has none.
    fn package(&self, name: &str, spec: Option<&str>) -> Known {
        let found = self.found(name);
        let parsed = spec.map(Spec::parse);
        let mut package = Known {
            name: name.to_owned(),
            registry_name: name.to_owned(),
            is_direct: spec.is_some(),
            locked: None,
            candidates: Vec::new(),
            published: Vec::new(),
            tags: Vec::new(),
        };
        let is_of_registry = match &parsed {
            None => found.is_none_or(|found| found.path.contains("node_modules/")),
            Some(Ok(spec)) => spec.is_registry(),
            Some(Err(_)) => false,
        };
        if let Some(Ok(Spec::Alias { name, .. })) = &parsed {
            name.as_str().clone_into(&mut package.registry_name);
        }
        let loaded = is_of_registry.then(|| self.provider.packument(&package.registry_name).ok());
        match loaded.flatten() {
            Some(packument) => self.fill(&mut package, &packument, parsed.and_then(Result::ok)),
            None => {
                // What is no package of a registry stays as it is.
                let version =
                    found.and_then(|found| Version::parse(found.version.as_deref()?).ok());
                if let (Some(found), Some(version)) = (found, version) {
                    package.published.push(version.clone());
                    package.candidates.push((version, asked_by(found)));
                }
            }
        }
        package
    }

    /// Adds the candidates of a packument, in npm's order.
    fn fill(&self, package: &mut Known, packument: &Packument, spec: Option<Spec>) {
        let all = spec.is_none();
        let spec = spec.or_else(|| Spec::parse("*").ok());
        let Some(spec) = spec else { return };
        package.published = packument.versions().map(|view| view.version()).collect();
        let tags = packument.dist_tags();
        package.tags = tags
            .filter_map(|(tag, version)| Some((tag.to_owned(), Version::parse(version).ok()?)))
            .collect();
        let locked = self
            .previous
            .and_then(|lock| lock.resolve(&self.importer.path, &package.name))
            .filter(|entry| all || is_met_by(&spec, entry))
            .and_then(|entry| Version::parse(entry.version.as_deref()?).ok())
            .and_then(|version| packument.find(&version));
        let pick = self.picker.pick(packument, &spec);
        let mut order: Vec<VersionIndex> = locked.into_iter().chain(pick).collect();
        let Some(top) = pick.or(locked).map(|index| packument.version(index).version()) else {
            return;
        };
        let range = registry_range(&spec);
        let others: Vec<VersionIndex> = packument
            .versions()
            .filter(|view| !view.is_prerelease())
            .filter(|view| range.is_some_and(|range| range.satisfied_by(&view.version())))
            .filter(|view| {
                let exact = Spec::Version(view.version());
                self.picker.pick(packument, &exact).is_some() && self.picker.fits(view)
            })
            .map(|view| view.index())
            .collect();
        let is_deprecated = |index: &VersionIndex| {
            packument.version(*index).deprecated().is_some_and(|text| !text.is_empty())
        };
        for deprecated in [false, true] {
            let of_kind = || others.iter().copied().filter(|at| is_deprecated(at) == deprecated);
            let version = |index: VersionIndex| packument.version(index).version();
            order.extend(of_kind().rev().filter(|at| version(*at) <= top));
            order.extend(of_kind().filter(|at| version(*at) > top));
        }
        let mut seen = rustc_hash::FxHashSet::default();
        order.retain(|index| seen.insert(*index));
        package.locked = locked.map(|_| 0);
        package.candidates = order
            .into_iter()
            .map(|index| {
                let view = packument.version(index);
                let peers = view.peer_dependencies().map(|(name, spec)| Asked {
                    name: name.to_owned(),
                    spec: spec.to_owned(),
                    is_optional: view.peer_optional(name),
                });
                (view.version(), peers.collect())
            })
            .collect();
    }
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
        })
        .collect()
}

/// Returns whether an entry meets a peer requirement; what is no range of a registry is met.
fn is_met(spec: &str, entry: &LockPackage) -> bool {
    Spec::parse(spec).map_or(true, |spec| is_met_by(&spec, entry))
}

fn is_met_by(spec: &Spec, entry: &LockPackage) -> bool {
    let version = entry.version.as_deref().and_then(|version| Version::parse(version).ok());
    match (registry_range(spec), version) {
        (Some(range), Some(version)) => range.satisfied_by(&version),
        _ => true,
    }
}

/// Turns names into positions and ranges into the candidates they allow.
fn assemble(known: Vec<Known>) -> Gathered {
    let positions: FxHashMap<&str, usize> =
        known.iter().enumerate().map(|(at, package)| (package.name.as_str(), at)).collect();
    let mut ranges: Vec<PeerRange> = Vec::new();
    let mut by_text: FxHashMap<(usize, &str), usize> = FxHashMap::default();
    let mut packages = Vec::with_capacity(known.len());
    for package in &known {
        let candidates = package.candidates.iter().map(|(version, asked)| {
            let peers = asked.iter().filter_map(|asked| {
                let at = *positions.get(asked.name.as_str())?;
                let range = *by_text.entry((at, asked.spec.as_str())).or_insert_with(|| {
                    ranges.push(range(at, &known[at], &asked.spec));
                    ranges.len() - 1
                });
                Some(Peer { range, is_optional: asked.is_optional })
            });
            Candidate { version: version.clone(), peers: peers.collect() }
        });
        packages.push(Package {
            name: package.name.clone(),
            is_direct: package.is_direct,
            candidates: candidates.collect(),
            locked: package.locked,
        });
    }
    let registry_names = known.iter().map(|package| package.registry_name.clone()).collect();
    Gathered { problem: Problem { packages, ranges }, registry_names }
}

fn range(position: usize, package: &Known, spec: &str) -> PeerRange {
    let parsed = Spec::parse(spec).ok();
    let allows = |version: &Version| match &parsed {
        Some(Spec::Tag(tag)) => {
            package.tags.iter().any(|(known, tagged)| **known == **tag && tagged == version)
        }
        Some(spec) => registry_range(spec).is_none_or(|range| range.satisfied_by(version)),
        None => true,
    };
    PeerRange {
        package: position,
        allowed: package.candidates.iter().map(|(version, _)| allows(version)).collect(),
        highest: package.published.iter().filter(|version| allows(version)).max().cloned(),
    }
}
