//! The limits on how many packages are loaded, how much their manifests hold, and how long a chain
//! of them grows in which each requires the next: a registry can make up packages without end.

use rustc_hash::FxHashMap;

use crate::manifest::ManifestId;

/// The most versions of packages that may be loaded, unless `max-packages` allows more.
pub(crate) const MAX_PACKAGES: usize = 20_000;
/// The greatest depth to which peers of peers are gathered and placed. Where two packages displace
/// each other in turn there is no end; the 2 MiB stack of an unoptimised test overflowed at about
/// 4,600.
pub(crate) const MAX_PEER_DEPTH: usize = 300;
/// The number of packages for which the longest chain may have one more: 200 where 20,000 may be
/// loaded. Real projects have chains of 30 to 40.
const PACKAGES_PER_LINK: usize = 100;
/// The length that a chain may have in any case.
const SHORTEST_LIMIT: usize = 200;
/// The number of packages for which one package may declare one more dependency: 2,000 where 20,000
/// may be loaded. Placing the peers of a package takes time that grows as their square.
const PACKAGES_PER_DECLARED: usize = 10;
/// The number of dependencies that a package may declare in any case.
const FEWEST_DECLARED: usize = 2_000;
/// What the manifests may weigh in bytes, for each package that may be loaded.
const WEIGHT_PER_PACKAGE: usize = 1536;
/// What they may weigh in any case. A lockfile several times as large could not be read again.
const LEAST_WEIGHT_LIMIT: usize = 32 << 20;

/// The packages that have been loaded.
#[derive(Debug)]
pub(crate) struct Growth {
    max_packages: usize,
    /// What the manifests weigh together, in bytes.
    weight: usize,
    /// The length of the chain by which each package was first reached.
    chains: FxHashMap<ManifestId, usize>,
}

/// A limit that was passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exceeded {
    Packages(usize),
    Chain(usize),
    /// The limit on the dependencies that one package declares.
    Declared(usize),
    /// The limit on what manifests hold, in bytes.
    Weight(usize),
}

impl Growth {
    pub(crate) fn new(max_packages: usize) -> Self {
        Self { max_packages, weight: 0, chains: FxHashMap::default() }
    }

    /// Counts a package that `dependent` requires, once it is loaded; `measure` returns how many
    /// dependencies its manifest declares, and its weight.
    pub(crate) fn add(
        &mut self,
        package: ManifestId,
        dependent: ManifestId,
        measure: impl FnOnce() -> (usize, usize),
    ) -> Result<(), Exceeded> {
        if !self.chains.contains_key(&package) {
            let (declared, weight) = measure();
            let most = (self.max_packages / PACKAGES_PER_DECLARED).max(FEWEST_DECLARED);
            if declared > most {
                return Err(Exceeded::Declared(most));
            }
            self.weight = self.weight.saturating_add(weight);
        }
        let longest = (self.max_packages / PACKAGES_PER_LINK).max(SHORTEST_LIMIT);
        let chain = self.chains.get(&dependent).map_or(1, |chain| chain + 1);
        let shortest = self.chains.entry(package).or_insert(chain);
        *shortest = chain.min(*shortest);
        if chain > longest && *shortest > longest {
            return Err(Exceeded::Chain(longest));
        }
        if self.chains.len() > self.max_packages {
            return Err(Exceeded::Packages(self.max_packages));
        }
        let heaviest = self.max_packages.saturating_mul(WEIGHT_PER_PACKAGE).max(LEAST_WEIGHT_LIMIT);
        if self.weight > heaviest {
            return Err(Exceeded::Weight(heaviest));
        }
        Ok(())
    }
}
