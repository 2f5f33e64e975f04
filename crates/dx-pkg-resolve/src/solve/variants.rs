//! Overrides that dependents pass on.
//!
//! A rule that is written below a package applies to all that it requires, at any depth, and so to
//! its peers and to theirs. The rules of a package therefore follow from the versions of its
//! dependents. Where a project has such rules, a version is one candidate for each set of rules
//! that can come to it, and such a candidate needs a dependent that brings them.

use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::alterations::{Alterations, Asked};
use super::packages::{Known, Source};
use crate::overrides::RuleId;

/// The most sets of rules that a package can have; where there are more, each has its own alone.
const MOST_SETS: usize = 8;
/// The most candidates of all packages together, likewise.
const MOST_CANDIDATES: usize = 20_000;

/// Which rules a package can have beside those that a dependent brings.
#[derive(Debug, Default)]
pub(super) struct Suits(FxHashSet<(RuleId, RuleId)>);

impl Suits {
    /// Returns whether a package with the rules `own` can have a dependent that brings `incoming`.
    pub(super) fn suit(&self, own: RuleId, incoming: RuleId) -> bool {
        self.0.contains(&(own, incoming))
    }
}

/// The candidates that bring rules, by the package and the rules.
#[derive(Default)]
pub(super) struct Supports {
    pub(super) all: Vec<Vec<(usize, usize)>>,
    positions: FxHashMap<(usize, RuleId), usize>,
}

impl Supports {
    /// Returns the position of those that bring a package its rules.
    pub(super) fn of(&mut self, package: usize, rules: RuleId) -> usize {
        *self.positions.entry((package, rules)).or_insert_with(|| {
            self.all.push(Vec::new());
            self.all.len() - 1
        })
    }

    /// Adds a candidate, given with its package, that has the package at `to` as a peer.
    pub(super) fn add(&mut self, asked: &Asked, to: usize, candidate: (usize, usize)) {
        if let Some(rules) = asked.rules {
            let at = self.of(to, rules);
            self.all[at].push(candidate);
        }
    }
}

/// Makes of each version one candidate for each set of rules that can come to it; `None`, and
/// nothing is changed, where that is one set.
pub(super) fn with_rules(source: &Source<'_>, known: &mut [Known]) -> Option<Rc<Suits>> {
    let alterations = source.alterations;
    let importer = alterations.rules_of_importer(source.importer)?;
    let sets = reaching(alterations, importer, known)?;
    let total = known.iter().zip(&sets).map(|(known, sets)| known.candidates.len() * sets.len());
    if sets.iter().all(|sets| sets.len() == 1) || total.sum::<usize>() > MOST_CANDIDATES {
        return None;
    }
    let all: FxHashSet<RuleId> = sets.iter().flatten().copied().collect();
    let pairs = all.iter().flat_map(|own| all.iter().map(|incoming| (*own, *incoming)));
    let suits = pairs.filter(|(own, incoming)| alterations.suits(*own, *incoming)).collect();
    for (package, sets) in known.iter_mut().zip(&sets) {
        let expanded = package.candidates.iter().flat_map(|(version, asked)| {
            sets.iter().map(|rules| {
                let asked = asked.iter().map(|asked| alterations.under(*rules, asked)).collect();
                (version.clone(), asked)
            })
        });
        package.candidates = expanded.collect();
        package.rules = sets.iter().copied().cycle().take(package.candidates.len()).collect();
        package.own_rules = sets.first().copied();
        let moved = |at: Option<usize>| at.map(|at| at * sets.len());
        (package.locked, package.pick) = (moved(package.locked), moved(package.pick));
        package.placed = moved(package.placed);
        package.in_range *= sets.len();
    }
    Some(Rc::new(Suits(suits)))
}

/// Returns the sets of rules that can come to each package, its own first; `None` where there are
/// too many.
fn reaching(
    alterations: &Alterations<'_>,
    importer: RuleId,
    known: &[Known],
) -> Option<Vec<Vec<RuleId>>> {
    let positions: FxHashMap<&str, usize> =
        known.iter().enumerate().map(|(at, package)| (package.name.as_str(), at)).collect();
    let own = |package: &Known| match &package.direct {
        Some(direct) => alterations.onward(importer, &package.name, &direct.spec),
        None => importer,
    };
    let mut sets: Vec<Vec<RuleId>> = known.iter().map(|package| vec![own(package)]).collect();
    let asked: Vec<FxHashSet<(usize, &str)>> = known
        .iter()
        .map(|package| {
            let all = package.candidates.iter().flat_map(|(_, asked)| asked.iter());
            let found = all.filter_map(|asked| {
                Some((*positions.get(asked.name.as_str())?, asked.declared.as_str()))
            });
            found.collect()
        })
        .collect();
    let mut waiting: Vec<(usize, RuleId)> =
        sets.iter().enumerate().map(|(at, sets)| (at, sets[0])).collect();
    while let Some((at, rules)) = waiting.pop() {
        for (to, declared) in &asked[at] {
            let incoming = alterations.onward(rules, &known[*to].name, declared);
            let is_known = sets[*to].contains(&incoming);
            let fits = known[*to].direct.is_none() || alterations.suits(incoming, sets[*to][0]);
            if !is_known && fits {
                sets[*to].push(incoming);
                waiting.push((*to, incoming));
                if sets[*to].len() > MOST_SETS {
                    return None;
                }
            }
        }
    }
    sets.iter_mut().for_each(|sets| sets[1..].sort_unstable());
    Some(sets)
}
