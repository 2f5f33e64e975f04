//! The peer problem of one importer: packages, their candidates, and the peers of these.
//!
//! It is plain data about positions, so that it can be made from packuments or at random.

use dx_pkg_core::Version;
use rustc_hash::FxHashMap;

/// The packages of an importer that peer requirements join, and what is asked of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Problem {
    /// The packages; peers name them by their position.
    pub(crate) packages: Vec<Package>,
    /// What candidates ask of the packages they have as peers.
    pub(crate) ranges: Vec<PeerRange>,
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
}

/// The candidates, each with its package, beside which another is an escape.
pub(crate) type Escapes = Vec<(usize, usize)>;
/// The position of a candidate, with those beside which it is an escape.
pub(crate) type Distinct = (usize, Escapes);

impl Problem {
    /// Returns whether a candidate's peers let `range` exclude another candidate only because that
    /// is newer than all that the range allows.
    fn is_behind(&self, range: usize, other: usize) -> bool {
        let range = &self.ranges[range];
        let other = &self.packages[range.package].candidates[other].version;
        range.highest.as_ref().is_some_and(|highest| highest < other)
    }

    /// Returns the other candidates beside which this one is an escape, each with its package: a
    /// better and newer candidate does not allow them because they are too new for it, and this
    /// older one does, having a looser range or none. Its author did not know them.
    pub(crate) fn escapes(&self, package: usize, candidate: usize) -> Escapes {
        let candidates = &self.packages[package].candidates;
        let own = &candidates[candidate];
        let newer = candidates[..candidate].iter().filter(|other| other.version > own.version);
        self.beside(&own.peers, newer.map(|other| other.peers.as_slice()))
    }

    /// Returns what [`escapes`](Self::escapes) tells of each candidate of a package.
    fn all_escapes(&self, package: usize) -> Vec<Escapes> {
        // Most versions have the same peers: what differs are a few lists, each with the newest
        // version before the candidate that has it.
        let mut lists: Vec<(&[Peer], &Version)> = Vec::new();
        let mut known: FxHashMap<(&[Peer], Vec<&[Peer]>), Escapes> = FxHashMap::default();
        let mut all = Vec::new();
        for candidate in &self.packages[package].candidates {
            let own = candidate.peers.as_slice();
            let is_newer = |newest: &Version| *newest > candidate.version;
            let newer = lists.iter().filter(|(list, newest)| *list != own && is_newer(newest));
            let newer: Vec<&[Peer]> = newer.map(|(list, _)| *list).collect();
            let escapes = known
                .entry((own, newer))
                .or_insert_with_key(|(own, newer)| self.beside(own, newer.iter().copied()));
            all.push(escapes.clone());
            match lists.iter_mut().find(|(list, _)| *list == own) {
                Some((_, newest)) if is_newer(newest) => {}
                Some((_, newest)) => *newest = &candidate.version,
                None => lists.push((own, &candidate.version)),
            }
        }
        all
    }

    /// Returns the candidates, each with its package, that peers allow and those of newer versions
    /// do not, because they did not know them.
    fn beside<'p>(&self, own: &[Peer], newer: impl Iterator<Item = &'p [Peer]>) -> Escapes {
        let mut asked: Vec<usize> = newer
            .flatten()
            .map(|peer| peer.range)
            .filter(|range| !own.iter().any(|peer| peer.range == *range))
            .collect();
        asked.sort_unstable();
        asked.dedup();
        let mut found = Vec::new();
        for position in asked {
            let range = &self.ranges[position];
            let ranges = own.iter().map(|peer| &self.ranges[peer.range]);
            let ranges: Vec<&PeerRange> =
                ranges.filter(|own| own.package == range.package).collect();
            for (other, is_allowed) in range.allowed.iter().enumerate() {
                if !is_allowed
                    && ranges.iter().all(|own| own.allowed[other])
                    && self.is_behind(position, other)
                {
                    found.push((range.package, other));
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Returns the candidates of each package that a best solution can have: of those that are
    /// alike in their peers, in who allows them and in what they escape from the first, and the
    /// locked one. Each comes with what it is an escape beside, see [`escapes`](Self::escapes).
    pub(crate) fn distinct(&self) -> Vec<Vec<Distinct>> {
        let mut ranges: Vec<Vec<usize>> = vec![Vec::new(); self.packages.len()];
        for (position, range) in self.ranges.iter().enumerate() {
            ranges[range.package].push(position);
        }
        let distinct = |(position, package): (usize, &Package)| {
            let mut seen = rustc_hash::FxHashSet::default();
            let all_escapes = self.all_escapes(position);
            let first = |((index, candidate), escapes): ((usize, &Candidate), Escapes)| {
                let mut peers = candidate.peers.clone();
                peers.sort_unstable();
                let allowed: Vec<bool> = ranges[position]
                    .iter()
                    .map(|range| self.ranges[*range].allowed[index])
                    .collect();
                let key = (peers, allowed, escapes.clone(), package.is_other_major(index));
                let is_first = seen.insert(key) || package.locked == Some(index);
                is_first.then_some((index, escapes))
            };
            package.candidates.iter().enumerate().zip(all_escapes).filter_map(first).collect()
        };
        self.packages.iter().enumerate().map(distinct).collect()
    }
}

impl Package {
    /// Returns whether a candidate is of another major version than the first; below 1.0.0 the
    /// minor version takes its place.
    pub(crate) fn is_other_major(&self, candidate: usize) -> bool {
        let major = |candidate: usize| {
            let version = &self.candidates[candidate].version;
            (version.major(), if version.major() == 0 { version.minor() } else { 0 })
        };
        major(candidate) != major(0)
    }
}
