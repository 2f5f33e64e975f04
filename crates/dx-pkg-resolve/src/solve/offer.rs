//! The command that takes versions about which the project is asked.
//!
//! Nearest first: the requirements for those versions alone; then also those for whatever moves
//! with them, which npm's rules may not find by themselves. A peer that no requirement names gets
//! one. Each is tried before it is told.

use std::rc::Rc;

use super::consent::Asking;
use super::gather::Gathered;
use super::helpful::{Search, Trial, caution};
use super::order::Solution;
use super::packages::{Source, keep_first};
use super::search::Part;
use super::told::{Contradiction, given_up};
use crate::Requirements;
use crate::explanation::{Change, Explanation, Finding, MOST_CHANGES, Party, Statement, Wanted};

/// The most requirements of an offer.
const MOST_REQUIREMENTS: usize = 8;

/// Returns the change that takes the versions that are only offered, as far as they concern these
/// pairs of dependent and peer.
pub(super) fn offer(
    part: &Part,
    search: &Search<'_>,
    pairs: &[(String, String)],
) -> Option<Change> {
    let (gathered, solution, asked) = part.offer.as_ref()?;
    let is_meant = |at: &usize| {
        let known = &gathered.known[*at];
        known.direct.is_some()
            && pairs.iter().any(|(of, peer)| *of == known.name || *peer == known.name)
    };
    let moved: Vec<usize> = asked.all().into_iter().filter(is_meant).collect();
    search.change(gathered, solution, &moved, true)
}

/// Makes the explanations of an importer an offer, where one change takes all versions that are
/// only offered and ends all its conflicts. `trial` tells whether it does.
pub(super) fn offer_all(
    part: &Part,
    source: &Source<'_>,
    requirements: &Requirements,
    trial: &Trial<'_>,
    explanations: &mut Vec<Explanation>,
) {
    if part.offer.is_none() || explanations.iter().any(|one| one.finding == Finding::Offered) {
        return;
    }
    let Some((gathered, solution, asked)) = part.offer.as_ref() else { return };
    let search = Search { source, requirements, contradictions: &[], others: &[], trial };
    let share = Share { search, gathered, solution, asked };
    let Some(change) = whole(&[share]) else { return };
    let pairs = source.unmet_pairs();
    let peers = peers(source, &pairs);
    let told = explanations_of(source, &pairs);
    tell(change, (pairs, peers), explanations, told);
}

/// Makes the explanations of a project an offer, where one change of several manifests takes all
/// versions that are only offered and ends all conflicts. `trial` tells whether it does.
pub(super) fn offer_jointly(
    parts: &[Rc<Part>],
    sources: &[Source<'_>],
    requirements: &Requirements,
    trial: &Trial<'_>,
    explanations: &mut Vec<Explanation>,
) {
    if explanations.iter().any(|one| one.finding == Finding::Offered) {
        return;
    }
    let none: [&Contradiction; 0] = [];
    let shares: Vec<Share<'_>> = parts
        .iter()
        .zip(sources)
        .filter_map(|(part, source)| {
            let (gathered, solution, asked) = part.offer.as_ref()?;
            let search = Search { source, requirements, contradictions: &none, others: &[], trial };
            Some(Share { search, gathered, solution, asked })
        })
        .collect();
    let Some(change) = whole(&shares) else { return };
    let mut pairs: Vec<(String, String)> = Vec::new();
    let mut peers: Vec<Party> = Vec::new();
    for source in sources {
        let own = source.unmet_pairs();
        peers.extend(self::peers(source, &own));
        pairs.extend(own);
    }
    let first = sources.iter().find(|source| !source.unmet_pairs().is_empty());
    let Some(first) = first.or(sources.first()) else { return };
    let told = explanations_of(first, &first.unmet_pairs());
    tell(change, (pairs, peers), explanations, told);
}

/// Returns the explanation of unmet peer requirements that has no facts.
fn explanations_of(source: &Source<'_>, pairs: &[(String, String)]) -> Explanation {
    Explanation {
        parties: parties(source, pairs),
        ..given_up(&source.importer.path, Statement::Contradiction)
    }
}

/// Tells of a change that ends all conflicts in one explanation: the first, else `told`.
fn tell(
    change: Change,
    (pairs, peers): (Vec<(String, String)>, Vec<Party>),
    explanations: &mut Vec<Explanation>,
    told: Explanation,
) {
    if explanations.is_empty() {
        explanations.push(told);
    }
    let rest = explanations.split_off(1);
    for first in explanations {
        first.finding = Finding::Offered;
        first.changes.insert(0, change.clone());
        first.changes.truncate(MOST_CHANGES);
        first.pairs.extend(rest.iter().flat_map(|one| one.pairs.iter().cloned()));
        first.pairs.extend(pairs.iter().cloned());
        keep_first(&mut first.pairs);
        first.peers.extend(rest.iter().flat_map(|one| one.peers.iter().cloned()));
        first.peers.extend(peers.iter().cloned());
        keep_first(&mut first.peers);
    }
}

/// Returns the packages of unmet peer requirements.
fn parties(source: &Source<'_>, pairs: &[(String, String)]) -> Vec<Party> {
    found(source, pairs.iter().flat_map(|(of, peer)| [of.clone(), peer.clone()]).collect())
}

/// Returns the peers of pairs of dependent and peer, with the versions that the importer finds.
pub(super) fn peers(source: &Source<'_>, pairs: &[(String, String)]) -> Vec<Party> {
    found(source, pairs.iter().map(|(_, peer)| peer.clone()).collect())
}

fn found(source: &Source<'_>, mut names: Vec<String>) -> Vec<Party> {
    keep_first(&mut names);
    let version = |name: &str| source.found(name).and_then(|found| found.version.clone());
    names.into_iter().map(|name| Party { version: version(&name), name }).collect()
}

/// What an importer's part in an offer is.
struct Share<'o> {
    search: Search<'o>,
    gathered: &'o Gathered,
    solution: &'o Solution,
    asked: &'o Asking,
}

/// The packages of an offer: for each share, positions.
type Set = Vec<Vec<usize>>;

impl Share<'_> {
    fn is_direct(&self, at: usize) -> bool {
        self.gathered.known[at].direct.is_some()
    }

    fn moves(&self, at: usize) -> bool {
        let known = &self.gathered.known[at];
        let Some(candidate) = self.solution.chosen[at] else { return false };
        let found = self.search.source.found(&known.name).and_then(|found| found.version.clone());
        found != Some(known.version(candidate).to_string())
    }

    /// Returns the positions that are asked about, and others that are meant; own requirements
    /// first, then by name.
    fn with(&self, is_meant: &dyn Fn(&Self, usize) -> bool) -> Vec<usize> {
        let asked = self.asked.all();
        let all = 0..self.gathered.known.len();
        let mut set: Vec<usize> =
            all.filter(|at| asked.contains(at) || is_meant(self, *at)).collect();
        set.sort_by_key(|at| (!self.is_direct(*at), self.gathered.known[*at].name.clone()));
        set
    }
}

/// Returns the nearest change that takes all versions that are only offered.
fn whole(shares: &[Share<'_>]) -> Option<Change> {
    let with = |is_meant: &dyn Fn(&Share<'_>, usize) -> bool| -> Set {
        shares.iter().map(|share| share.with(is_meant)).collect()
    };
    let mut sets = vec![
        with(&|_, _| false),
        with(&|share, at| share.is_direct(at) && share.moves(at)),
        with(&|share, at| share.moves(at)),
        with(&|share, at| share.solution.chosen[at].is_some()),
    ];
    sets.dedup();
    let size = |set: &Set| set.iter().map(Vec::len).sum::<usize>();
    let mut fitting = sets.into_iter().filter(|set| size(set) <= MOST_REQUIREMENTS);
    let (mut set, mut change) = fitting.find_map(|set| {
        let change = change_of(shares, &set)?;
        Some((set, change))
    })?;
    // What is not needed is left out, peers first.
    for (share, own) in set.clone().iter().enumerate() {
        for at in own.iter().rev() {
            let mut fewer = set.clone();
            fewer[share].retain(|other| other != at);
            if let Some(smaller) = change_of(shares, &fewer) {
                (set, change) = (fewer, smaller);
            }
        }
    }
    Some(change)
}

/// Returns the change that asks for the versions of a set, if it ends the conflicts.
fn change_of(shares: &[Share<'_>], set: &Set) -> Option<Change> {
    let parts = || shares.iter().zip(set).filter(|(_, own)| !own.is_empty());
    if let [(share, own)] = parts().collect::<Vec<_>>().as_slice() {
        return share.search.change(share.gathered, share.solution, own, true);
    }
    let (first, _) = parts().next()?;
    let wanted: Vec<(&Share<'_>, Vec<Vec<Wanted>>)> = parts()
        .map(|(share, own)| (share, share.search.wanted(share.gathered, share.solution, own)))
        .collect();
    let most = wanted.iter().map(|(_, levels)| levels.len()).max().unwrap_or_default();
    (0..most).find_map(|level| {
        let mut changed = first.search.requirements.clone();
        let mut edits: Vec<(String, Vec<Wanted>)> = Vec::new();
        for (share, levels) in &wanted {
            let own = levels.get(level).or_else(|| levels.last())?;
            share.search.change_in(&mut changed, own);
            edits.push((share.search.source.importer.path.clone(), own.clone()));
        }
        let mut names: Vec<String> =
            edits.iter().flat_map(|(_, own)| own).map(|one| one.name.clone()).collect();
        keep_first(&mut names);
        let unmet = (first.search.trial)(&changed, &names)?;
        let mut edits = edits.into_iter();
        let (importer, requirements) = edits.next()?;
        let cautions = shares.iter().map(|share| caution(share.gathered, share.solution, &[]));
        let caution = cautions.flatten().next();
        let further = edits.collect();
        Some(Change { importer, requirements, further, is_offer: true, caution, unmet })
    })
}
