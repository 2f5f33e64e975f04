//! The limits on how many packages are loaded, and how long a chain of them grows in which each
//! requires the next: a registry can make up packages without end.

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

/// The packages that have been loaded.
#[derive(Debug)]
pub(crate) struct Growth {
    max_packages: usize,
    /// The length of the chain by which each package was first reached.
    chains: FxHashMap<ManifestId, usize>,
}

/// A limit that was passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exceeded {
    Packages(usize),
    Chain(usize),
}

impl Growth {
    pub(crate) fn new(max_packages: usize) -> Self {
        Self { max_packages, chains: FxHashMap::default() }
    }

    /// Counts a package that `dependent` requires, once it is loaded.
    pub(crate) fn add(
        &mut self,
        package: ManifestId,
        dependent: ManifestId,
    ) -> Result<(), Exceeded> {
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
        Ok(())
    }
}
