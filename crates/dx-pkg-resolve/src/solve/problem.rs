//! The peer problem of one importer: packages, their candidates, and the peers of these.
//!
//! It is plain data about positions, so that it can be made from packuments or at random.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use dx_pkg_core::Version;
use rustc_hash::FxHashMap;

/// Candidates, each with its package, in ascending order.
type Beside = Vec<(usize, usize)>;

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
}

/// The versions of a package that a peer requirement allows.
#[derive(Clone, Debug)]
pub(crate) struct PeerRange {
    /// The position in [`Problem::packages`].
    pub(crate) package: usize,
    /// For each candidate of the package, whether it is allowed.
    pub(crate) allowed: Vec<bool>,
    /// The highest version that is allowed of all that were ever published; `None` where there is
    /// none.
    pub(crate) highest: Option<Version>,
    /// For each candidate of the package, whether it is of a major version of which none is
    /// allowed.
    pub(crate) other_majors: Vec<bool>,
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

    /// Returns the other candidates beside which this one is an escape, each with its package: a
    /// better and newer candidate, which is no prerelease, does not allow them, and this older one
    /// does only because
    ///
    /// - its range is looser or missing, and they are too new for the newer one: its author did not
    ///   know them;
    /// - it says nothing of that package, and the newer one, of the same major version, accepts no
    ///   version of their major: its author did not tell.
    pub(crate) fn escapes(&self, package: usize, candidate: usize) -> &[(usize, usize)] {
        let all = self.escapes.get_or_init(|| self.all_escapes());
        &all[package][candidate]
    }

    /// Returns the escapes of each candidate of each package.
    fn all_escapes(&self) -> Vec<Vec<Beside>> {
        let places = |range: &PeerRange, is_meant: &dyn Fn(usize, &Candidate) -> bool| -> Places {
            let candidates = self.packages[range.package].candidates.iter().enumerate();
            candidates.filter(|(at, one)| is_meant(*at, one)).map(|(at, _)| at).collect()
        };
        let strictness = |range: &PeerRange| Strictness {
            too_new: places(range, &|at, one| range.verdict(at, &one.version).0 == Allowed::TooNew),
            other_major: places(range, &|at, _| range.other_majors[at]),
        };
        let ranges: Vec<Strictness> = self.ranges.iter().map(strictness).collect();
        self.packages.iter().map(|package| self.escapes_of(package, &ranges)).collect()
    }

    /// Returns the escapes of each candidate of a package, each beside those with its overrides.
    fn escapes_of(&self, package: &Package, ranges: &[Strictness]) -> Vec<Beside> {
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
            let mut seen = rustc_hash::FxHashSet::default();
            let is_first = |(index, candidate): &(usize, &Candidate)| {
                let mut peers = candidate.peers.clone();
                peers.sort_unstable();
                let verdicts: Vec<(Allowed, bool)> = ranges[position]
                    .iter()
                    .map(|range| self.ranges[*range].verdict(*index, &candidate.version))
                    .collect();
                let escapes = self.escapes(position, *index);
                let is_other_major = package.is_other_major(*index);
                let key = (peers, verdicts, escapes, is_other_major, candidate.support);
                seen.insert(key) || package.locked == Some(*index)
            };
            package.candidates.iter().enumerate().filter(is_first).map(|(index, _)| index).collect()
        };
        self.packages.iter().enumerate().map(distinct).collect()
    }
}

/// What a range says of a version.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Allowed {
    Yes,
    No,
    /// No, and it is newer than all that the range allows.
    TooNew,
}

impl PeerRange {
    /// Returns what it says of a candidate, and whether that is of a major version of which it
    /// allows none.
    fn verdict(&self, candidate: usize, version: &Version) -> (Allowed, bool) {
        let is_newer = || self.highest.as_ref().is_some_and(|highest| highest < version);
        let allowed = match self.allowed[candidate] {
            true => Allowed::Yes,
            false if is_newer() => Allowed::TooNew,
            false => Allowed::No,
        };
        (allowed, self.other_majors[candidate])
    }
}

/// The candidates that a range excludes, as far as escapes are about them.
struct Strictness {
    /// Newer than all that it allows.
    too_new: Places,
    /// Of a major version of which it allows none.
    other_major: Places,
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
    fn add(&mut self, problem: &Problem, ranges: &[Strictness], candidate: &Candidate) {
        for peer in &candidate.peers {
            let (range, package) = (&ranges[peer.range], problem.ranges[peer.range].package);
            self.too_new.entry(package).or_default().extend(&range.too_new);
            let of_major = (major(&candidate.version), package);
            self.other_major.entry(of_major).or_default().extend(&range.other_major);
        }
    }

    /// Returns what an older candidate allows of it, each with its package, in ascending order.
    fn escaped(&self, problem: &Problem, own: &Candidate) -> Vec<(usize, usize)> {
        let mut escaped = Vec::new();
        for (peer, too_new) in &self.too_new {
            let ranges = own.peers.iter().map(|peer| &problem.ranges[peer.range]);
            let ranges: Vec<&PeerRange> = ranges.filter(|range| range.package == *peer).collect();
            let mut excluded = too_new.clone();
            if ranges.iter().all(|range| range.is_any)
                && let Some(other_major) = self.other_major.get(&(major(&own.version), *peer))
            {
                excluded.extend(other_major);
            }
            let is_allowed = |other: &usize| ranges.iter().all(|range| range.allowed[*other]);
            escaped.extend(excluded.iter().filter(is_allowed).map(|other| (*peer, other)));
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

/// A set of positions of candidates.
#[derive(Clone, Debug, Default)]
struct Places(Vec<u64>);

impl Places {
    /// Adds all of another set.
    fn extend(&mut self, others: &Places) {
        self.0.resize(self.0.len().max(others.0.len()), 0);
        self.0.iter_mut().zip(&others.0).for_each(|(own, other)| *own |= other);
    }

    /// Returns the positions in ascending order.
    fn iter(&self) -> impl Iterator<Item = usize> {
        let is_in = |at: &usize| self.0[at / 64] >> (at % 64) & 1 == 1;
        (0..self.0.len() * 64).filter(is_in)
    }
}

impl FromIterator<usize> for Places {
    fn from_iter<I: IntoIterator<Item = usize>>(positions: I) -> Self {
        let mut places = Places::default();
        for at in positions {
            places.0.resize(places.0.len().max(at / 64 + 1), 0);
            places.0[at / 64] |= 1 << (at % 64);
        }
        places
    }
}
