//! The search beside brute force, on small random problems.

use dx_pkg_core::Version;

use super::super::dice::Dice;
use super::problem::{Candidate, Package, Problem, Range, Selection};
use super::score::Aim;
use super::search::{Over, search};

const NEVER: Over<'static> = Over { is_over: &|_| false, used: 0 };

/// Makes a problem of up to five packages with up to three versions each, whose tree has the first
/// version for each range, as npm's has the newest.
fn random(seed: u64) -> Problem {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let count = 2 + dice.below(4);
    let mut problem = Problem::default();
    for at in 0..count {
        let versions = 1 + dice.below(3);
        let latest = dice.below(2);
        let candidate = |at: usize| Candidate {
            version: Version::new(9 - at as u64, 0, 0),
            asks: Vec::new(),
            is_outdated: at > latest,
        };
        let candidates = (0..versions).map(candidate).collect();
        problem.packages.push(Package { name: format!("p{at}"), candidates, ..Package::default() });
    }
    for _ in 0..2 + dice.below(8) {
        let package = dice.below(count);
        let all = 0..problem.packages[package].candidates.len();
        let mut allowed: Vec<usize> = all.filter(|_| !dice.one_in(3)).collect();
        if allowed.is_empty() {
            allowed.push(0);
        }
        problem.ranges.push(Range { package, allowed });
    }
    for package in 0..count {
        for candidate in 0..problem.packages[package].candidates.len() {
            for range in 0..problem.ranges.len() {
                if problem.ranges[range].package != package && dice.one_in(4) {
                    problem.packages[package].candidates[candidate].asks.push(range);
                }
            }
        }
    }
    problem.roots = (0..problem.ranges.len()).filter(|_| dice.one_in(3)).collect();
    let mut tree: Selection = vec![Vec::new(); count];
    let mut waiting = problem.roots.clone();
    while let Some(range) = waiting.pop() {
        let Range { package, allowed } = &problem.ranges[range];
        if !tree[*package].contains(&allowed[0]) {
            tree[*package].push(allowed[0]);
            waiting.extend(&problem.packages[*package].candidates[allowed[0]].asks);
        }
    }
    for (package, mut present) in problem.packages.iter_mut().zip(tree) {
        present.sort_unstable();
        package.present = present;
    }
    problem
}

/// Returns whether all that a selection asks for is in it.
fn is_whole(problem: &Problem, selection: &Selection) -> bool {
    let is_met = |range: &usize| {
        let Range { package, allowed } = &problem.ranges[*range];
        selection[*package].iter().any(|candidate| allowed.contains(candidate))
    };
    let chosen = selection.iter().zip(&problem.packages);
    let mut asks = chosen.flat_map(|(chosen, package)| {
        chosen.iter().flat_map(|candidate| &package.candidates[*candidate].asks)
    });
    problem.roots.iter().all(is_met) && asks.all(is_met)
}

/// Returns the least counts of all selections, by `key`.
fn least(problem: &Problem, key: impl Fn((usize, usize)) -> (usize, usize)) -> (usize, usize) {
    let mut all: Vec<Selection> = vec![Vec::new()];
    for package in &problem.packages {
        let subsets = 0..1usize << package.candidates.len();
        let subset = |bits: usize| -> Vec<usize> {
            (0..package.candidates.len()).filter(|at| bits >> at & 1 == 1).collect()
        };
        all = all
            .into_iter()
            .flat_map(|begun| subsets.clone().map(move |bits| (begun.clone(), bits)))
            .map(|(mut begun, bits)| {
                begun.push(subset(bits));
                begun
            })
            .collect();
    }
    let whole = all.into_iter().filter(|selection| is_whole(problem, selection));
    whole.map(|selection| key(problem.counts(&selection))).min().unwrap()
}

#[test]
fn the_fewest_versions_are_found() {
    let mut better = 0;
    for seed in 1..1_500 {
        let problem = random(seed);
        let found = search(&problem, Aim::Fewest, NEVER);
        assert!(found.is_best && is_whole(&problem, &found.selection), "seed {seed}");
        let (versions, _) = problem.counts(&found.selection);
        let least = least(&problem, |(versions, _)| (versions, 0));
        assert_eq!((versions, 0), least, "seed {seed}: {problem:?}");
        better += usize::from(versions < problem.counts(&problem.present()).0);
    }
    assert!(better > 150, "{better}");
}

#[test]
fn the_fewest_outdated_versions_are_found_and_of_those_the_fewest() {
    let mut better = 0;
    for seed in 1..1_500 {
        let problem = random(seed);
        let found = search(&problem, Aim::Newest, NEVER);
        assert!(is_whole(&problem, &found.selection), "seed {seed}");
        let key = |(versions, outdated)| (outdated, versions);
        let own = key(problem.counts(&found.selection));
        assert_eq!(own, least(&problem, key), "seed {seed}: {problem:?}");
        better += usize::from(own < key(problem.counts(&problem.present())));
    }
    assert!(better > 150, "{better}");
}

#[test]
fn what_was_found_counts_when_the_time_is_up() {
    let problem = random(7);
    let found = search(&problem, Aim::Fewest, Over { is_over: &|_| true, used: 0 });
    assert_eq!((found.selection, found.is_best), (problem.present(), false));
}

#[test]
fn a_version_stays_where_another_would_not_make_fewer() {
    for seed in 1..300 {
        let problem = random(seed);
        let found = search(&problem, Aim::Fewest, NEVER);
        let present = problem.present();
        if problem.counts(&found.selection).0 == problem.counts(&present).0 {
            assert_eq!(found.selection, present, "seed {seed}");
        }
    }
}
