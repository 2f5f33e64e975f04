//! From the tree of a refused resolution to the [`Problem`] of one importer.
//!
//! The problem has the packages that conflicts name, and those that peer requirements join with
//! them: what their candidates have as peers, and what has them as peers in the tree. A peer is the
//! copy that the importer itself finds, wherever its dependent is placed.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use dx_pkg_core::{Range, Spec};
use rustc_hash::{FxHashMap, FxHashSet};

use super::alterations::Asked;
use super::packages::{Direct, Known, Source, is_met, is_met_by, keep_first};
use super::places::Places;
use super::problem::{Candidate, Package, Peer, PeerRange, Problem, major};
use super::variants::{Suits, Supports, with_rules};
use crate::overrides::RuleId;

/// The most packages of a problem; real ones have tens.
const MOST_PACKAGES: usize = 400;

/// A problem, with what its positions mean.
#[derive(Clone, Debug)]
pub(super) struct Gathered {
    pub(super) problem: Problem,
    /// The packages, at the positions of the problem.
    pub(super) known: Vec<Known>,
    /// Which overrides suit each other, where those of packages depend on their dependents.
    suits: Option<Rc<Suits>>,
}

/// A peer requirement as it counts: the position of the package, the ranges, and the overrides.
type Key<'k> = (usize, &'k str, Option<&'k str>, Option<(&'k str, &'k str)>, Option<RuleId>);

/// The number of packages of a problem that is not looked at.
pub(super) struct TooMany(pub(super) usize);

/// Returns the problem of an importer's peer conflicts; `None` where it has none. The packages that
/// are `widened` have candidates outside the importer's ranges too.
///
/// # Errors
/// There are too many packages in it.
pub(super) fn gather(source: &Source<'_>, widened: &[String]) -> Result<Option<Gathered>, TooMany> {
    let direct = source.direct();
    let visited = source.visited(&direct);
    let is_visited: FxHashSet<&str> = visited.iter().map(String::as_str).collect();
    let having = source.having_peers(&visited, &direct);
    let mut names = source.conflicting(&visited, &direct);
    if names.is_empty() && source.more.is_empty() {
        return Ok(None);
    }
    names.extend(source.more.iter().chain(widened).cloned());
    keep_first(&mut names);
    let mut known: Vec<Known> = Vec::new();
    let mut announced = 0;
    while let Some(name) = names.get(known.len()).cloned() {
        if names.len() > announced {
            source.provider.wanted(&names[announced..]);
            announced = names.len();
        }
        let package = source.package(&name, direct.get(&name), widened.contains(&name));
        let mut joined: Vec<String> = Vec::new();
        for (_, asked) in &package.candidates {
            let joins =
                |asked: &&Asked| !asked.is_optional || is_visited.contains(asked.name.as_str());
            joined.extend(asked.iter().filter(joins).map(|asked| asked.name.clone()));
        }
        joined.extend(having.get(&name).into_iter().flatten().cloned());
        known.push(package);
        names.append(&mut joined);
        keep_first(&mut names);
        if names.len() > MOST_PACKAGES {
            return Err(TooMany(names.len()));
        }
    }
    let suits = with_rules(source, &mut known);
    Ok(Some(Gathered::of(known, suits)))
}

impl Gathered {
    /// Turns names into positions and ranges into the candidates they allow.
    pub(super) fn of(known: Vec<Known>, suits: Option<Rc<Suits>>) -> Self {
        let problem = Gathered::problem(&known, suits.as_deref());
        Gathered { problem, known, suits }
    }

    fn problem<'k>(known: &'k [Known], suits: Option<&Suits>) -> Problem {
        let positions: FxHashMap<&str, usize> =
            known.iter().enumerate().map(|(at, package)| (package.name.as_str(), at)).collect();
        let mut ranges: Vec<PeerRange> = Vec::new();
        let mut by_text: FxHashMap<Key<'k>, usize> = FxHashMap::default();
        let mut supports = Supports::default();
        let layouts: Vec<Layout<'_>> = known.iter().map(Layout::of).collect();
        let mut packages = Vec::with_capacity(known.len());
        for (own, package) in known.iter().enumerate() {
            let candidates = package.candidates.iter().enumerate().map(|(at, (version, asked))| {
                let candidate = at;
                let mut range_of = |at: usize, asked: &'k Asked| {
                    let declared = asked.overridden.as_deref();
                    let declared = declared.map(|key| (asked.declared.as_str(), key));
                    let (spec, accepts) = (asked.spec.as_str(), asked.accepts.as_deref());
                    let key: Key<'k> = (at, spec, accepts, declared, asked.rules);
                    *by_text.entry(key).or_insert_with(|| {
                        ranges.push(layouts[at].range(at, asked, suits));
                        ranges.len() - 1
                    })
                };
                let peers = asked.iter().filter_map(|asked| {
                    let at = *positions.get(asked.name.as_str())?;
                    supports.add(asked, at, (own, candidate));
                    let unless = asked.unless.as_ref().and_then(|name| positions.get(&**name));
                    Some(Peer {
                        range: range_of(at, asked),
                        is_optional: asked.is_optional,
                        unless: unless.map(|unless| range_of(*unless, asked)),
                    })
                });
                let rules = package.rules.get(candidate).copied();
                Candidate {
                    version: version.clone(),
                    peers: peers.collect(),
                    support: rules
                        .filter(|rules| package.own_rules != Some(*rules))
                        .map(|rules| supports.of(own, rules)),
                }
            });
            packages.push(Package {
                name: package.name.clone(),
                is_direct: package.direct.is_some(),
                candidates: candidates.collect(),
                locked: package.locked,
            });
        }
        Problem::new(packages, ranges).with_supports(supports.all)
    }

    /// Returns which overrides suit each other.
    pub(super) fn suits(&self) -> Option<Rc<Suits>> {
        self.suits.clone()
    }

    /// Returns the same without candidates, each given by the positions of package and candidate.
    pub(super) fn without(&self, is_left_out: impl Fn(usize, usize) -> bool) -> Self {
        let mut known = self.known.clone();
        for (position, package) in known.iter_mut().enumerate() {
            package.retain(|candidate| !is_left_out(position, candidate));
        }
        Gathered::of(known, self.suits.clone())
    }

    /// Returns the same without the peer requirements of these pairs of dependent and peer.
    pub(super) fn relaxed(&self, pairs: &[(String, String)]) -> Self {
        let mut known = self.known.clone();
        for package in &mut known {
            for (_, asked) in &mut package.candidates {
                let is_in =
                    |peer: &str| pairs.iter().any(|(of, name)| *of == package.name && name == peer);
                if asked.iter().any(|asked| is_in(&asked.name)) {
                    *asked = asked.iter().filter(|one| !is_in(&one.name)).cloned().collect();
                }
            }
        }
        Gathered::of(known, self.suits.clone())
    }
}

impl Source<'_> {
    /// Returns the importer's own requirements; not optional peers that are not there.
    pub(super) fn direct(&self) -> BTreeMap<String, Direct> {
        let importer = self.importer;
        let sections = [
            &importer.peer_dependencies,
            &importer.dependencies,
            &importer.dev_dependencies,
            &importer.optional_dependencies,
        ];
        let mut direct = BTreeMap::new();
        for (position, (name, written)) in sections
            .into_iter()
            .enumerate()
            .flat_map(|(at, list)| list.iter().map(move |one| (at, one)))
        {
            let is_optional_peer = position == 0
                && importer.peer_dependencies_meta.iter().any(|(known, on)| known == name && *on);
            if is_optional_peer && self.found(name).is_none() {
                continue;
            }
            if let Some(spec) = self.alterations.own(&importer.path, name, written) {
                direct.insert(name.clone(), Direct { written: written.clone(), spec });
            }
        }
        direct
    }

    /// Returns whether the importer requires one of these packages itself.
    pub(super) fn requires_any(&self, names: &[String]) -> bool {
        let direct = self.direct();
        names.iter().any(|name| direct.contains_key(name))
    }

    /// Returns whether one of these packages is there for the importer's dependencies or itself.
    pub(super) fn visits_any(&self, names: &[String]) -> bool {
        self.visited(&self.direct()).iter().any(|name| names.contains(name))
    }

    /// Returns the direct dependencies and, in turn, their peers.
    fn visited(&self, direct: &BTreeMap<String, Direct>) -> Vec<String> {
        let mut names: Vec<String> = direct.keys().cloned().collect();
        let mut seen: FxHashSet<String> = names.iter().cloned().collect();
        let mut next = 0;
        while let Some(name) = names.get(next) {
            next += 1;
            let Some(package) = self.found(name) else { continue };
            for (peer, _) in &package.peer_dependencies {
                if self.found(peer).is_some() && seen.insert(peer.clone()) {
                    names.push(peer.clone());
                }
            }
        }
        names
    }

    /// Returns, for each of the visited packages, a requirement that leads to it: the importer's
    /// own, else one of those that have it as a peer.
    fn specs<'v>(
        &'v self,
        visited: &'v [String],
        direct: &'v BTreeMap<String, Direct>,
    ) -> FxHashMap<&'v str, &'v str> {
        let mut specs: FxHashMap<&str, &str> =
            direct.iter().map(|(name, own)| (name.as_str(), own.spec.as_str())).collect();
        for dependent in visited {
            let peers = self.found(dependent).into_iter().flat_map(|own| &own.peer_dependencies);
            for (peer, spec) in peers {
                specs.entry(peer).or_insert(spec);
            }
            specs.entry(dependent).or_insert("*");
        }
        specs
    }

    /// Returns, by peer, the visited packages that have it.
    fn having_peers(
        &self,
        visited: &[String],
        direct: &BTreeMap<String, Direct>,
    ) -> FxHashMap<String, Vec<String>> {
        let mut having: FxHashMap<String, Vec<String>> = FxHashMap::default();
        let specs = self.specs(visited, direct);
        for dependent in visited {
            let Some(package) = self.found(dependent) else { continue };
            for asked in self.asked_in_tree(dependent, specs[dependent.as_str()], package) {
                having.entry(asked.name).or_default().push(dependent.clone());
            }
        }
        having
    }

    /// Returns the names of the dependents and peers of unmet peer requirements, and of the
    /// importer's own requirements that are unmet, as those of a workspace for peers can be, or of
    /// which nothing is there.
    fn conflicting(&self, visited: &[String], direct: &BTreeMap<String, Direct>) -> Vec<String> {
        let pairs = self.unmet(visited, direct).into_iter();
        let optional = &self.importer.optional_dependencies;
        let is_unmet = |(name, own): &(&String, &Direct)| {
            let Ok(spec) = Spec::parse(&own.spec) else { return false };
            match self.found(name) {
                Some(found) => found.path.contains("node_modules/") && !is_met_by(&spec, found),
                // npm leaves out what it has displaced and could not place again.
                None => spec.is_registry() && optional.iter().all(|(known, _)| known != *name),
            }
        };
        let own = direct.iter().filter(is_unmet).map(|(name, _)| name.clone());
        let pairs = pairs.flat_map(|(dependent, peer)| [dependent, peer]);
        let mut names = pairs.chain(own).collect();
        keep_first(&mut names);
        names
    }

    /// Returns the pairs of dependent and peer of unmet peer requirements.
    fn unmet(
        &self,
        visited: &[String],
        direct: &BTreeMap<String, Direct>,
    ) -> Vec<(String, String)> {
        let mut pairs = Vec::new();
        let specs = self.specs(visited, direct);
        for dependent in visited {
            let Some(package) = self.found(dependent) else { continue };
            for asked in self.asked_in_tree(dependent, specs[dependent.as_str()], package) {
                let is_met = match self.found(&asked.name) {
                    Some(found) => is_met(&asked, found),
                    None => asked.is_optional,
                };
                if !is_met {
                    pairs.push((dependent.clone(), asked.name));
                }
            }
        }
        pairs
    }

    /// Returns the pairs of dependent and peer of all unmet peer requirements of the importer.
    pub(super) fn unmet_pairs(&self) -> Vec<(String, String)> {
        let direct = self.direct();
        self.unmet(&self.visited(&direct), &direct)
    }
}

/// Major versions, in ascending order.
type Majors = Vec<(u64, u64)>;

/// The candidates of a package, as ranges are turned into them.
struct Layout<'k> {
    package: &'k Known,
    /// The candidates by their positions among the published versions, both ascending.
    by_place: Vec<(usize, usize)>,
    by_major: FxHashMap<(u64, u64), Places>,
    /// By major versions, the candidates that are of none of them.
    others: RefCell<FxHashMap<Majors, Rc<Places>>>,
}

impl<'k> Layout<'k> {
    fn of(package: &'k Known) -> Self {
        let places = package.places().into_iter().enumerate();
        let mut by_place: Vec<(usize, usize)> = places.map(|(at, place)| (place, at)).collect();
        by_place.sort_unstable();
        let mut by_major: FxHashMap<(u64, u64), Places> = FxHashMap::default();
        for (at, (version, _)) in package.candidates.iter().enumerate() {
            by_major.entry(major(version)).or_default().insert(at);
        }
        Layout { package, by_place, by_major, others: RefCell::default() }
    }

    /// Returns the candidates of the versions at these positions, which ascend.
    fn at(&self, published: &[usize]) -> Places {
        let mut found = Places::default();
        let mut rest = self.by_place.as_slice();
        for place in published {
            // Few positions are looked up, many are gone through.
            let before = match published.len() < 32 {
                true => rest.partition_point(|(own, _)| own < place),
                false => rest.iter().take_while(|(own, _)| own < place).count(),
            };
            let count = rest[before..].iter().take_while(|(own, _)| own == place).count();
            rest[before..before + count].iter().for_each(|(_, at)| found.insert(*at));
            rest = &rest[before + count..];
        }
        found
    }

    /// Returns the candidates that are of none of these major versions; none where there are no
    /// such.
    fn of_others(&self, majors: &FxHashSet<(u64, u64)>) -> Rc<Places> {
        let mut key: Majors = majors.iter().copied().collect();
        key.sort_unstable();
        let mut known = self.others.borrow_mut();
        let others = known.entry(key).or_insert_with(|| {
            let is_other = |major: &(u64, u64)| !majors.is_empty() && !majors.contains(major);
            let mut others = Places::default();
            let all = self.by_major.iter().filter(|(major, _)| is_other(major));
            all.for_each(|(_, places)| others.extend(places));
            Rc::new(others)
        });
        Rc::clone(others)
    }

    /// Returns what a requirement says of the candidates.
    fn range(&self, position: usize, asked: &Asked, suits: Option<&Suits>) -> PeerRange {
        let verdict = self.package.published.verdict(asked);
        let mut allowed = self.at(&verdict.allowed);
        if let Some((suits, incoming)) = suits.zip(asked.rules.as_ref()) {
            let can_have = |at: &usize| {
                self.package.rules.get(*at).is_none_or(|own| suits.suit(*own, *incoming))
            };
            allowed = allowed.iter().filter(can_have).collect();
        }
        PeerRange {
            package: position,
            allowed,
            highest: verdict.highest.clone(),
            other_majors: self.of_others(&verdict.majors),
            is_any: Range::parse(&asked.spec).is_ok_and(|range| range.is_any()),
        }
    }
}
