//! The peer problem of one importer: packages, their candidates, and the peers of these.
//!
//! It is plain data about positions, so that it can be made from packuments or at random.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use dx_pkg_core::Version;
use rustc_hash::{FxHashMap, FxHashSet};

use super::places::Places;

/// Candidates by their package, in ascending order.
type Beside = Vec<(usize, Places)>;

/// The packages of an importer that peer requirements join, and what is asked of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Problem {
    /// The packages; peers name them by their position.
    pub(crate) packages: Vec<Package>,
    /// What candidates ask of the packages they have as peers.
    pub(crate) ranges: Vec<PeerRange>,
    /// Candidates, each with its package, of which one is to be there for another that needs it.
    pub(crate) supports: Vec<Vec<(usize, usize)>>,
    /// By package and candidate, what [`Problem::escapes`] returns.
    escapes: OnceCell<Vec<Vec<Beside>>>,
}

/// A package of the problem.
#[derive(Clone, Debug)]
pub(crate) struct Package {
    /// Its name, which decides between solutions that differ in nothing else.
    pub(crate) name: String,
    /// Whether the importer requires it itself; others are there only as somebody's peers.
    pub(crate) is_direct: bool,
    /// The versions that may be chosen. The first is the one that is chosen where nothing
    /// contradicts it; the others follow in the order in which they are preferred.
    pub(crate) candidates: Vec<Candidate>,
    /// The candidate that the lockfile has.
    pub(crate) locked: Option<usize>,
}

/// A version that may be chosen.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    /// The version.
    pub(crate) version: Version,
    /// Its peers.
    pub(crate) peers: Vec<Peer>,
    /// The position in [`Problem::supports`] of the candidates one of which it needs: it is the
    /// version with the overrides that they pass on.
    pub(crate) support: Option<usize>,
}

/// A peer of a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Peer {
    /// The position in [`Problem::ranges`].
    pub(crate) range: usize,
    /// Whether the package need not be there.
    pub(crate) is_optional: bool,
    /// The position of the range of another package of which one that is allowed is enough.
    pub(crate) unless: Option<usize>,
}

/// The versions of a package that a peer requirement allows.
#[derive(Clone, Debug)]
pub(crate) struct PeerRange {
    /// The position in [`Problem::packages`].
    pub(crate) package: usize,
    /// The candidates of the package that are allowed.
    pub(crate) allowed: Places,
    /// The highest version that is allowed of all that were ever published; `None` where there is
    /// none.
    pub(crate) highest: Option<Version>,
    /// The candidates of the package that are of a major version of which none is allowed.
    pub(crate) other_majors: Rc<Places>,
    /// Whether it is no restriction: `*`.
    pub(crate) is_any: bool,
}

impl Problem {
    /// A problem of these packages and ranges.
    pub(crate) fn new(packages: Vec<Package>, ranges: Vec<PeerRange>) -> Self {
        Problem { packages, ranges, supports: Vec::new(), escapes: OnceCell::new() }
    }

    /// The same with the candidates that others need.
    pub(crate) fn with_supports(self, supports: Vec<Vec<(usize, usize)>>) -> Self {
        Problem { supports, ..self }
    }

    /// Returns the other candidates beside which this one is an escape, by their package: a better
    /// and newer candidate, which is no prerelease, does not allow them, and this older one does
    /// only because
    ///
    /// - its range is looser or missing, and they are too new for the newer one: its author did not
    ///   know them;
    /// - it says nothing of that package, and the newer one, of the same major version, accepts no
    ///   version of their major: its author did not tell.
    pub(crate) fn escapes(&self, package: usize, candidate: usize) -> &[(usize, Places)] {
        let all = self.escapes.get_or_init(|| self.all_escapes());
        &all[package][candidate]
    }

    /// Returns the package and the chosen candidate beside which a candidate is an escape, if any.
    pub(crate) fn escaped(
        &self,
        (package, candidate): (usize, usize),
        chosen: &[Option<usize>],
    ) -> Option<(usize, usize)> {
        self.escapes(package, candidate).iter().find_map(|(other, places)| {
            let beside = chosen[*other].filter(|beside| places.contains(*beside))?;
            Some((*other, beside))
        })
    }

    /// Returns the escapes of each candidate of each package.
    fn all_escapes(&self) -> Vec<Vec<Beside>> {
        let newest: Vec<Newest<'_>> = self.packages.iter().map(Newest::of).collect();
        let strictness = |range: &'_ PeerRange| Strictness {
            too_new: newest[range.package].above(range.highest.as_ref()),
            other_major: Rc::clone(&range.other_majors),
        };
        let ranges: Vec<Strictness<'_>> = self.ranges.iter().map(strictness).collect();
        self.packages.iter().map(|package| self.escapes_of(package, &ranges)).collect()
    }

    /// Returns the escapes of each candidate of a package, each beside those with its overrides.
    fn escapes_of(&self, package: &Package, ranges: &[Strictness<'_>]) -> Vec<Beside> {
        let mut alike: FxHashMap<Option<usize>, Alike<'_>> = FxHashMap::default();
        let escapes = package.candidates.iter().map(|own| {
            let Alike { excluded, all, oldest } = alike.entry(own.support).or_default();
            // Candidates mostly come in descending order, so that all before are newer.
            let mut newer = None;
            if oldest.is_some_and(|oldest| *oldest < own.version) {
                let only = newer.insert(Excluded::default());
                let newer = all.iter().filter(|other| other.version > own.version);
                newer.for_each(|other| only.add(self, ranges, other));
            }
            let escaped = newer.as_ref().unwrap_or(excluded).escaped(self, own);
            if !own.version.is_prerelease() {
                excluded.add(self, ranges, own);
                all.push(own);
                *oldest = Some(oldest.map_or(&own.version, |oldest| oldest.min(&own.version)));
            }
            escaped
        });
        escapes.collect()
    }

    /// Returns the candidates of each package that a best solution can have: of those that are
    /// alike in their peers, in what ranges say of them and in what they escape from the first, and
    /// the locked one.
    pub(crate) fn distinct(&self) -> Vec<Vec<usize>> {
        let mut ranges: Vec<Vec<usize>> = vec![Vec::new(); self.packages.len()];
        for (position, range) in self.ranges.iter().enumerate() {
            ranges[range.package].push(position);
        }
        let distinct = |(position, package): (usize, &Package)| {
            let said = self.said_of(package, &ranges[position]);
            let mut seen = FxHashSet::default();
            let is_first = |(index, (candidate, said)): &(usize, (&Candidate, Said))| {
                let mut peers = candidate.peers.clone();
                peers.sort_unstable();
                let escapes = self.escapes(position, *index);
                let is_other_major = package.is_other_major(*index);
                let key = (peers, said.clone(), escapes, is_other_major, candidate.support);
                seen.insert(key) || package.locked == Some(*index)
            };
            let candidates = package.candidates.iter().zip(said).enumerate();
            candidates.filter(is_first).map(|(index, _)| index).collect()
        };
        self.packages.iter().enumerate().map(distinct).collect()
    }

    /// Returns, for each candidate of a package, what the ranges at these positions say of it.
    fn said_of(&self, package: &Package, ranges: &[usize]) -> Vec<Said> {
        let mut allowing: Vec<Vec<usize>> = vec![Vec::new(); package.candidates.len()];
        let mut highest: Vec<&Version> = Vec::new();
        let mut majors: Vec<&Places> = Vec::new();
        let mut seen = FxHashSet::default();
        for at in ranges {
            let range = &self.ranges[*at];
            range.allowed.iter().for_each(|candidate| allowing[candidate].push(*at));
            highest.extend(&range.highest);
            // Ranges that allow the same major versions have one set of the others.
            if seen.insert(Rc::as_ptr(&range.other_majors)) {
                majors.push(&range.other_majors);
            }
        }
        highest.sort_unstable();
        highest.dedup();
        let said = |(at, allowing): (usize, Vec<usize>)| {
            let version = &package.candidates[at].version;
            let excluding = majors.iter().enumerate().filter(|(_, others)| others.contains(at));
            Said {
                allowing,
                newer_than: highest.partition_point(|highest| *highest < version),
                other_major: excluding.map(|(position, _)| position).collect(),
            }
        };
        allowing.into_iter().enumerate().map(said).collect()
    }
}

/// What the ranges of a problem say of a candidate.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Said {
    /// The ranges that allow it.
    allowing: Vec<usize>,
    /// The number of highest versions of ranges that it is newer than.
    newer_than: usize,
    /// The sets of major versions that ranges exclude as a whole which it is in.
    other_major: Places,
}

/// The candidates of a package by age.
struct Newest<'p> {
    /// Their versions, the newest first.
    versions: Vec<&'p Version>,
    /// At each position, as many of the newest.
    sets: Vec<Places>,
}

impl<'p> Newest<'p> {
    fn of(package: &'p Package) -> Self {
        let mut order: Vec<usize> = (0..package.candidates.len()).collect();
        let version = |at: &usize| &package.candidates[*at].version;
        order.sort_by(|a, b| version(b).cmp(version(a)));
        let mut sets = vec![Places::default()];
        for at in &order {
            let mut next = sets[sets.len() - 1].clone();
            next.insert(*at);
            sets.push(next);
        }
        Newest { versions: order.iter().map(version).collect(), sets }
    }

    /// Returns the candidates above a version; none where there is no version.
    fn above(&self, highest: Option<&Version>) -> &Places {
        let count = highest
            .map_or(0, |highest| self.versions.partition_point(|version| *version > highest));
        &self.sets[count]
    }
}

/// The candidates that a range excludes, as far as escapes are about them.
struct Strictness<'n> {
    /// Newer than all that it allows.
    too_new: &'n Places,
    /// Of a major version of which it allows none.
    other_major: Rc<Places>,
}

/// The candidates of a package that have the same overrides, prereleases left out, with what they
/// exclude.
#[derive(Default)]
struct Alike<'p> {
    excluded: Excluded,
    all: Vec<&'p Candidate>,
    oldest: Option<&'p Version>,
}

/// What candidates of a package exclude, by peer.
#[derive(Default)]
struct Excluded {
    too_new: BTreeMap<usize, Places>,
    /// By the dependent's major version, too.
    other_major: BTreeMap<((u64, u64), usize), Places>,
}

impl Excluded {
    fn add(&mut self, problem: &Problem, ranges: &[Strictness<'_>], candidate: &Candidate) {
        for peer in candidate.peers.iter().filter(|peer| peer.unless.is_none()) {
            let (range, package) = (&ranges[peer.range], problem.ranges[peer.range].package);
            self.too_new.entry(package).or_default().extend(range.too_new);
            let of_major = (major(&candidate.version), package);
            self.other_major.entry(of_major).or_default().extend(&range.other_major);
        }
    }

    /// Returns what an older candidate allows of it, by package, in ascending order.
    fn escaped(&self, problem: &Problem, own: &Candidate) -> Beside {
        let mut escaped = Vec::new();
        for (peer, too_new) in &self.too_new {
            let ranges = || {
                let peers = own.peers.iter().filter(|peer| peer.unless.is_none());
                let ranges = peers.map(|peer| &problem.ranges[peer.range]);
                ranges.filter(|range| range.package == *peer)
            };
            let mut excluded = too_new.clone();
            if ranges().all(|range| range.is_any)
                && let Some(other_major) = self.other_major.get(&(major(&own.version), *peer))
            {
                excluded.extend(other_major);
            }
            ranges().for_each(|range| excluded.keep(&range.allowed));
            if !excluded.is_empty() {
                escaped.push((*peer, excluded));
            }
        }
        escaped
    }
}

/// Returns the major version; below 1.0.0 the minor version takes its place.
pub(super) fn major(version: &Version) -> (u64, u64) {
    (version.major(), if version.major() == 0 { version.minor() } else { 0 })
}

impl Package {
    /// Returns whether a candidate is of another major version than the first; below 1.0.0 the
    /// minor version takes its place.
    pub(crate) fn is_other_major(&self, candidate: usize) -> bool {
        let major = |candidate: usize| major(&self.candidates[candidate].version);
        major(candidate) != major(0)
    }

    /// Returns, for each candidate, the number of versions that are preferred to its own.
    pub(crate) fn steps(&self) -> Vec<usize> {
        let pairs = self.candidates.windows(2);
        let mut step = 0;
        let others = pairs.map(|pair| {
            step += usize::from(pair[0].version != pair[1].version);
            step
        });
        std::iter::once(0).chain(others).take(self.candidates.len()).collect()
    }
}
