//! The command that takes versions about which the project is asked.
//!
//! Nearest first: the requirements for those versions alone; then also those for whatever moves
//! with them, which npm's rules may not find by themselves. A peer that no requirement names gets
//! one. Each is tried before it is told.

use super::helpful::{Search, Trial};
use super::packages::{Source, keep_first};
use super::search::Part;
use super::told::given_up;
use crate::Requirements;
use crate::explanation::{Change, Explanation, Finding, MOST_CHANGES, Party, Statement};

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
    let search = Search { source, requirements, contradictions: &[], others: &[], trial };
    let Some(change) = whole(part, &search) else { return };
    let pairs = source.unmet_pairs();
    let peers = peers(source, &pairs);
    if explanations.is_empty() {
        explanations.push(Explanation {
            parties: parties(source, &pairs),
            ..given_up(&source.importer.path, Statement::Contradiction)
        });
    }
    // One change ends them all, so that one is told.
    let rest = explanations.split_off(1);
    for first in explanations {
        first.finding = Finding::Offered;
        first.changes.insert(0, change.clone());
        first.changes.truncate(MOST_CHANGES);
        first.pairs.extend(rest.iter().flat_map(|one| one.pairs.iter().cloned()));
        first.pairs.extend(pairs.iter().cloned());
        keep_first(&mut first.pairs);
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

/// Returns the nearest change that takes all versions that are only offered.
fn whole(part: &Part, search: &Search<'_>) -> Option<Change> {
    let (gathered, solution, asked) = part.offer.as_ref()?;
    let asked = asked.all();
    let moves = |at: usize| {
        let known = &gathered.known[at];
        let Some(candidate) = solution.chosen[at] else { return false };
        let found = search.source.found(&known.name).and_then(|found| found.version.clone());
        found != Some(known.version(candidate).to_string())
    };
    let with = |is_meant: &dyn Fn(usize) -> bool| -> Vec<usize> {
        let all = 0..gathered.known.len();
        all.filter(|at| asked.contains(at) || is_meant(*at)).collect()
    };
    let is_direct = |at: usize| gathered.known[at].direct.is_some();
    let mut sets = vec![
        with(&|_| false),
        with(&|at| is_direct(at) && moves(at)),
        with(&moves),
        with(&|at| solution.chosen[at].is_some()),
    ];
    sets.dedup();
    for set in &mut sets {
        // Own requirements first, then by name.
        set.sort_by_key(|at| (!is_direct(*at), gathered.known[*at].name.clone()));
    }
    let mut fitting = sets.iter().filter(|set| set.len() <= MOST_REQUIREMENTS);
    let (set, change) = fitting.find_map(|set| {
        let change = search.change(gathered, solution, set, true)?;
        Some((set.clone(), change))
    })?;
    // What is not needed is left out, peers first.
    let (mut set, mut change) = (set, change);
    for at in set.clone().into_iter().rev() {
        let fewer: Vec<usize> = set.iter().copied().filter(|other| *other != at).collect();
        if let Some(smaller) = search.change(gathered, solution, &fewer, true) {
            (set, change) = (fewer, smaller);
        }
    }
    Some(change)
}
