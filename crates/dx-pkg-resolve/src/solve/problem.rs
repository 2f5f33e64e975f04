//! The peer problem of one importer: packages, their candidates, and the peers of these.
//!
//! It is plain data about positions, so that it can be made from packuments or at random.

use dx_pkg_core::Version;

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
    pub(crate) fn escapes(&self, package: usize, candidate: usize) -> Vec<(usize, usize)> {
        let candidates = &self.packages[package].candidates;
        let own = &candidates[candidate];
        let newer = candidates[..candidate].iter().filter(|other| other.version > own.version);
        let mut asked: Vec<usize> = newer
            .flat_map(|other| &other.peers)
            .map(|peer| peer.range)
            .filter(|range| !own.peers.iter().any(|peer| peer.range == *range))
            .collect();
        asked.sort_unstable();
        asked.dedup();
        let mut found = Vec::new();
        for position in asked {
            let range = &self.ranges[position];
            let ranges = own.peers.iter().map(|peer| &self.ranges[peer.range]);
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
    /// locked one.
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
                let allowed: Vec<bool> = ranges[position]
                    .iter()
                    .map(|range| self.ranges[*range].allowed[*index])
                    .collect();
                let escapes = self.escapes(position, *index);
                let key = (peers, allowed, escapes, package.is_other_major(*index));
                seen.insert(key) || package.locked == Some(*index)
            };
            package.candidates.iter().enumerate().filter(is_first).map(|(index, _)| index).collect()
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
