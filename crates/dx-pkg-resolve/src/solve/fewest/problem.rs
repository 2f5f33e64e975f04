//! Packages, their versions and what these ask for: plain data about positions.

use dx_pkg_core::Version;
use rustc_hash::FxHashSet;

/// The packages of a whole tree, with the versions that may be in it.
#[derive(Clone, Debug, Default)]
pub(super) struct Problem {
    pub(super) packages: Vec<Package>,
    /// What is asked of packages.
    pub(super) ranges: Vec<Range>,
    /// The ranges that the project itself asks for.
    pub(super) roots: Vec<usize>,
}

/// A package of the registry.
#[derive(Clone, Debug, Default)]
pub(super) struct Package {
    pub(super) name: String,
    /// The versions that may be chosen, in the order in which they are preferred.
    pub(super) candidates: Vec<Candidate>,
    /// The candidates that are in the tree now.
    pub(super) present: Vec<usize>,
    /// Whether packages have it as a peer.
    pub(super) is_peer: bool,
}

/// A version that may be chosen.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) version: Version,
    /// The positions of the ranges that it asks for.
    pub(super) asks: Vec<usize>,
    /// Whether it is older than the version that is tagged as the latest.
    pub(super) is_outdated: bool,
}

/// Versions of a package that a requirement allows.
#[derive(Clone, Debug)]
pub(super) struct Range {
    pub(super) package: usize,
    /// The candidates, in ascending order.
    pub(super) allowed: Vec<usize>,
}

/// Candidates of each package, in ascending order.
pub(super) type Selection = Vec<Vec<usize>>;

impl Problem {
    /// Returns the candidates that are in the tree now.
    pub(super) fn present(&self) -> Selection {
        self.packages.iter().map(|package| package.present.clone()).collect()
    }

    /// Returns those of the candidates for which `has` holds that are needed; `before` tells which
    /// are taken first. `None` where something that is asked for is not among them.
    pub(super) fn needed(
        &self,
        has: impl Fn(usize, usize) -> bool,
        before: &dyn Fn(usize, usize) -> bool,
    ) -> Option<Selection> {
        let mut needed: Selection = vec![Vec::new(); self.packages.len()];
        let mut seen: FxHashSet<usize> = self.roots.iter().copied().collect();
        let mut waiting: Vec<usize> = self.roots.iter().rev().copied().collect();
        while let Some(range) = waiting.pop() {
            let Range { package, allowed } = &self.ranges[range];
            if allowed.iter().any(|candidate| needed[*package].contains(candidate)) {
                continue;
            }
            let mut all = allowed.iter().copied().filter(|candidate| has(*package, *candidate));
            let first = all.clone().find(|candidate| before(*package, *candidate));
            let candidate = first.or_else(|| all.next())?;
            needed[*package].push(candidate);
            let asks = self.packages[*package].candidates[candidate].asks.iter().rev();
            waiting.extend(asks.copied().filter(|range| seen.insert(*range)));
        }
        needed.iter_mut().for_each(|candidates| candidates.sort_unstable());
        Some(needed)
    }

    /// Returns how many versions a selection has, and how many of them are outdated.
    #[cfg(test)]
    pub(super) fn counts(&self, selection: &Selection) -> (usize, usize) {
        let is_outdated = |(package, candidate): (usize, usize)| {
            self.packages[package].candidates[candidate].is_outdated
        };
        let chosen = || {
            let packages = selection.iter().enumerate();
            packages.flat_map(|(package, chosen)| chosen.iter().map(move |one| (package, *one)))
        };
        (chosen().count(), chosen().filter(|one| is_outdated(*one)).count())
    }

    /// Restricts packages that others have as peers to the versions that are in the tree.
    pub(super) fn keep_peers(&mut self) {
        let kept = |package: &Package, candidate: usize| {
            !package.is_peer || package.present.contains(&candidate)
        };
        for range in &mut self.ranges {
            let package = &self.packages[range.package];
            range.allowed.retain(|candidate| kept(package, *candidate));
        }
    }
}
