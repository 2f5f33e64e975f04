//! From a contradiction to the sentence and the facts of its explanation.

use dx_pkg_core::Version;

use super::encode::Fact as Part;
use super::gather::Gathered;
use super::packages::{Known, Source, keep_first};
use super::words::versions_in_words;
use crate::explanation::{Explanation, Fact, Finding, MOST_FACTS, Need, Party, Statement};

/// Requirements that contradict each other, with the problem that they are part of.
pub(super) struct Contradiction {
    pub(super) core: Vec<Part>,
    pub(super) gathered: Gathered,
}

impl Contradiction {
    /// Returns the pairs of dependent and peer, by position, in the order of the core.
    fn pairs(&self) -> Vec<(usize, usize)> {
        let mut pairs = Vec::new();
        for part in &self.core {
            if let Part::Peer { dependent, peer } = part {
                let pair = (*dependent, self.gathered.problem.ranges[peer.range].package);
                if !pairs.contains(&pair) {
                    pairs.push(pair);
                }
            }
        }
        pairs
    }

    /// Returns the names of dependents and peers.
    pub(super) fn named_pairs(&self) -> Vec<(String, String)> {
        let name = |at: usize| self.gathered.known[at].name.clone();
        self.pairs().into_iter().map(|(dependent, peer)| (name(dependent), name(peer))).collect()
    }

    /// Returns the names of the packages whose requirement by the importer is part of it. That for
    /// a peer is where its candidates are limited by it.
    pub(super) fn required(&self) -> Vec<String> {
        required_in(&self.core, &self.gathered)
    }

    /// Returns the explanation, but for what would help. `added` are the names that the command
    /// adds.
    pub(super) fn explained(&self, source: &Source<'_>, added: &[String]) -> Explanation {
        let pairs = self.pairs();
        let known = &self.gathered.known;
        let mut positions: Vec<usize> = Vec::new();
        for at in pairs.iter().map(|(dependent, _)| *dependent) {
            if !positions.contains(&at) {
                positions.push(at);
            }
        }
        let target = pairs.first().map(|(_, peer)| *peer);
        let have_one_target = pairs.iter().all(|(_, peer)| Some(*peer) == target);
        let statement = match (pairs.as_slice(), target) {
            ([(dependent, peer)], _) => {
                self.acceptance(source, &known[*dependent], &known[*peer]).0
            }
            (_, Some(target)) if have_one_target && !positions.contains(&target) => {
                Statement::NotTheSame
            }
            _ => Statement::Contradiction,
        };
        for (_, peer) in &pairs {
            if !positions.contains(peer) {
                positions.push(*peer);
            }
        }
        let party = |at: usize| Party {
            name: known[at].name.clone(),
            version: self.installed(source, &known[at]).map(|version| version.to_string()),
        };
        let mut facts = Vec::new();
        let is_required = |at: usize| known[at].direct.is_some();
        if let Some(target) = target.filter(|target| have_one_target && is_required(*target)) {
            facts.push(self.fact(source, target, None, added));
        }
        for (dependent, peer) in &pairs {
            facts.push(self.fact(source, *dependent, Some(*peer), added));
        }
        facts.truncate(MOST_FACTS);
        Explanation {
            importer: source.importer.path.clone(),
            finding: Finding::NoSolution,
            parties: positions.into_iter().map(party).collect(),
            statement,
            facts,
            likewise: Vec::new(),
            changes: Vec::new(),
            exception: Vec::new(),
            is_refused_by_npm: false,
            pairs: self.named_pairs(),
            peers: Vec::new(),
        }
    }

    /// Returns its first pair of dependent and peer.
    pub(super) fn likewise(&self, source: &Source<'_>) -> Option<(Party, Party)> {
        let (dependent, peer) = *self.pairs().first()?;
        let party = |at: usize| {
            let known = &self.gathered.known[at];
            let version = self.installed(source, known).map(|version| version.to_string());
            Party { name: known.name.clone(), version }
        };
        Some((party(dependent), party(peer)))
    }

    /// Returns the version that is in the tree, else the first candidate.
    fn installed(&self, source: &Source<'_>, package: &Known) -> Option<Version> {
        let found = source.found(&package.name).and_then(|found| found.version.clone());
        let parsed = found.and_then(|version| Version::parse(&version).ok());
        parsed.or_else(|| package.candidates.first().map(|(version, _)| version.clone()))
    }

    /// Returns whether any published version of a package accepts the peer that is there, and the
    /// newest prerelease that does.
    fn acceptance(
        &self,
        source: &Source<'_>,
        package: &Known,
        peer: &Known,
    ) -> (Statement, Option<Version>) {
        let (own, beside) = (self.installed(source, package), self.installed(source, peer));
        let loaded = source.provider.packument(&package.registry_name).ok();
        let (Some(own), Some(beside), Some(packument)) =
            (own, beside, loaded.filter(|_| package.is_of_registry))
        else {
            return (Statement::NotAccepted, None);
        };
        let mut accepting = Vec::new();
        let mut is_too_new = false;
        let place = peer.published.position(&beside);
        for (version, all) in source.all_asked(package, &packument) {
            let Some(asked) = all.iter().find(|asked| asked.name == peer.name) else {
                // A newer version that asks for nothing takes what is there.
                if *version > own {
                    accepting.push(version);
                }
                continue;
            };
            let verdict = peer.published.verdict(asked);
            let is_accepted = match place {
                Some(place) => verdict.allowed.binary_search(&place).is_ok(),
                None => peer.published.allowing(asked)(&beside),
            };
            if is_accepted {
                if *version == own {
                    // What npm has placed agrees; other versions were looked at.
                    return (Statement::Contradiction, None);
                }
                accepting.push(version);
            } else if *version == own {
                is_too_new = verdict.highest.as_ref().is_none_or(|highest| *highest < beside);
            }
        }
        // An older version that accepts what a newer one has become too old for did not know it.
        accepting.retain(|version| **version > own || !is_too_new);
        let (newer, releases): (Vec<_>, Vec<_>) =
            accepting.into_iter().partition(|version| version.is_prerelease());
        if !releases.is_empty() {
            return (Statement::NotAccepted, None);
        }
        let newest = package.published.versions.iter().filter(|one| !one.is_prerelease()).max();
        let newest = newest.filter(|newest| **newest != own).map(ToString::to_string);
        (Statement::NeverAccepted { newest }, newer.into_iter().max().cloned())
    }

    /// Returns the requirement for a package, with what its versions need of a peer.
    fn fact(&self, source: &Source<'_>, at: usize, peer: Option<usize>, added: &[String]) -> Fact {
        let package = &self.gathered.known[at];
        Fact {
            importer: source.importer.path.clone(),
            package: package.name.clone(),
            range: package.direct.as_ref().map(|direct| direct.written.clone()),
            is_added: added.contains(&package.name),
            needs: peer.and_then(|peer| self.need(source, package, peer)),
        }
    }

    /// Returns what the versions of a package in the range need of a peer: of those that need the
    /// same as the first.
    fn need(&self, source: &Source<'_>, package: &Known, peer: usize) -> Option<Need> {
        let peer = &self.gathered.known[peer];
        let in_range = 0..package.in_range;
        let mut groups: Vec<(&str, bool, Vec<&Version>)> = Vec::new();
        for candidate in in_range {
            let Some(asked) = package.asked(candidate, &peer.name) else { continue };
            let version = package.version(candidate);
            match groups.iter_mut().find(|(spec, ..)| *spec == asked.spec) {
                // A version is there once for each set of overrides.
                Some((_, _, versions)) if versions.last() == Some(&version) => {}
                Some((_, _, versions)) => versions.push(version),
                None => groups.push((&asked.spec, asked.is_optional, vec![version])),
            }
        }
        let (range, is_optional, versions) = groups.first()?.clone();
        let others: Vec<&str> = groups.iter().skip(1).map(|(spec, ..)| *spec).collect();
        let prerelease = match self.acceptance(source, package, peer) {
            (_, Some(version)) => Some(format!("the prerelease {version} accepts it")),
            _ => None,
        };
        let others = match others.as_slice() {
            [] => None,
            [one] => Some(format!("others in the range: {one}")),
            [one, rest @ ..] => Some(format!("others in the range: {one} and {} more", rest.len())),
        };
        Some(Need {
            versions: versions_in_words(&versions, &package.published.versions),
            peer: peer.name.clone(),
            range: range.to_owned(),
            is_optional,
            note: prerelease.or(others),
        })
    }
}

/// Returns the names of the direct dependencies of a core, and of the peers in it.
pub(super) fn required_in(core: &[Part], gathered: &Gathered) -> Vec<String> {
    let positions = core.iter().map(|part| match part {
        Part::Required(at) => *at,
        Part::Peer { peer, .. } => gathered.problem.ranges[peer.range].package,
    });
    let known = positions.map(|at| &gathered.known[at]);
    let direct = known.filter(|known| known.direct.is_some() && known.is_of_registry);
    let mut names = direct.map(|known| known.name.clone()).collect();
    keep_first(&mut names);
    names
}

/// Returns the explanation of a search that was given up.
pub(crate) fn given_up(importer: &str, statement: Statement) -> Explanation {
    Explanation {
        importer: importer.to_owned(),
        finding: Finding::GivenUp,
        parties: Vec::new(),
        statement,
        facts: Vec::new(),
        likewise: Vec::new(),
        changes: Vec::new(),
        exception: Vec::new(),
        is_refused_by_npm: false,
        pairs: Vec::new(),
        peers: Vec::new(),
    }
}
