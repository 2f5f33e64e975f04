//! The solver beside brute force: on small random problems it finds the best solution whenever
//! there is one, and a contradiction that is true and minimal where there is none.
//!
//! `RESOLVE_PROBLEMS=<first>-<last>` looks at other problems than the default ones.

use std::rc::Rc;

use dx_pkg_core::Version;

use super::dice::Dice;
use super::encode::Fact;
use super::order::{Outcome, Solution, solve};
use super::places::Places;
use super::problem::{Candidate, Package, Peer, PeerRange, Problem};

/// Makes a problem of up to five packages, each with up to five versions of up to three majors.
fn random(seed: u64) -> Problem {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let count = 2 + dice.below(4);
    let mut packages: Vec<Package> = (0..count)
        .map(|position| {
            let mut versions: Vec<Version> = (0..1 + dice.below(5))
                .map(|_| Version::new(1 + dice.below(3) as u64, dice.below(3) as u64, 0))
                .collect();
            versions.sort_by(|a, b| b.cmp(a));
            versions.dedup();
            // What is above `latest` comes last.
            let above = if dice.one_in(4) { dice.below(versions.len()) } else { 0 };
            versions.rotate_left(above);
            let candidates: Vec<Candidate> = versions
                .into_iter()
                .map(|version| Candidate { version, peers: Vec::new(), support: None })
                .collect();
            let locked = dice.one_in(3).then(|| dice.below(candidates.len()));
            Package {
                name: format!("p{}", (position * 7 + 3) % 11),
                is_direct: position == 0 || dice.one_in(2),
                candidates,
                locked,
            }
        })
        .collect();
    let mut ranges: Vec<PeerRange> = Vec::new();
    for dependent in 0..count {
        for candidate in 0..packages[dependent].candidates.len() {
            for package in (0..count).filter(|package| *package != dependent) {
                if !dice.one_in(3) {
                    continue;
                }
                let range = if ranges.is_empty() || dice.one_in(2) {
                    let candidates = &packages[package].candidates;
                    let allowed: Places =
                        (0..candidates.len()).filter(|_| dice.one_in(2)).collect();
                    let versions = || allowed.iter().map(|at| &candidates[at].version);
                    let highest = versions().max().cloned();
                    let majors: Vec<u64> = versions().map(Version::major).collect();
                    let is_other = |at: &usize| {
                        !majors.is_empty() && !majors.contains(&candidates[*at].version.major())
                    };
                    let other_majors = Rc::new((0..candidates.len()).filter(is_other).collect());
                    let is_any = allowed.iter().count() == candidates.len();
                    ranges.push(PeerRange { package, allowed, highest, other_majors, is_any });
                    ranges.len() - 1
                } else {
                    dice.below(ranges.len())
                };
                let peers = &mut packages[dependent].candidates[candidate].peers;
                let is_own = ranges[range].package == dependent;
                let is_known =
                    peers.iter().any(|peer| ranges[peer.range].package == ranges[range].package);
                if !is_own && !is_known {
                    peers.push(Peer { range, is_optional: dice.one_in(4), unless: None });
                }
            }
        }
    }
    Problem::new(packages, ranges)
}

/// Returns every choice of candidates of which the direct dependencies have one.
fn all(problem: &Problem) -> Vec<Vec<Option<usize>>> {
    let mut found = vec![Vec::new()];
    for package in &problem.packages {
        let none = (!package.is_direct).then_some(None);
        let options: Vec<Option<usize>> =
            none.into_iter().chain((0..package.candidates.len()).map(Some)).collect();
        found = found
            .iter()
            .flat_map(|start: &Vec<Option<usize>>| {
                options.iter().map(|option| [start.as_slice(), &[*option]].concat())
            })
            .collect();
    }
    found
}

fn peers<'p>(
    problem: &'p Problem,
    chosen: &'p [Option<usize>],
) -> impl Iterator<Item = (usize, &'p Peer)> {
    problem.packages.iter().zip(chosen).enumerate().flat_map(|(at, (package, choice))| {
        let peers = choice.map(|choice| package.candidates[choice].peers.as_slice());
        peers.unwrap_or_default().iter().map(move |peer| (at, peer))
    })
}

fn is_met(problem: &Problem, chosen: &[Option<usize>], peer: &Peer) -> bool {
    let range = &problem.ranges[peer.range];
    chosen[range.package].map_or(peer.is_optional, |choice| range.allowed.contains(choice))
}

/// Returns whether every package is there because of the importer.
fn is_needed(problem: &Problem, chosen: &[Option<usize>]) -> bool {
    let mut needed: Vec<bool> = problem.packages.iter().map(|package| package.is_direct).collect();
    loop {
        let before = needed.clone();
        for (dependent, peer) in peers(problem, chosen) {
            if needed[dependent] && !peer.is_optional {
                needed[problem.ranges[peer.range].package] = true;
            }
        }
        if before == needed {
            return chosen.iter().zip(needed).all(|(choice, needed)| choice.is_none() || needed);
        }
    }
}

fn escapes(problem: &Problem, chosen: &[Option<usize>]) -> usize {
    let is_escape = |at: &usize| {
        let Some(choice) = chosen[*at] else { return false };
        problem.escaped((*at, choice), chosen).is_some()
    };
    (0..chosen.len()).filter(is_escape).count()
}

/// Returns how good a solution is, by the criteria of [`super::order`]; less is better.
fn cost(problem: &Problem, chosen: &[Option<usize>]) -> Vec<usize> {
    let count = |is_meant: &dyn Fn(&Package, usize) -> bool| {
        let packages = problem.packages.iter().zip(chosen);
        packages.filter(|(package, choice)| choice.is_some_and(|at| is_meant(package, at))).count()
    };
    let mut cost = vec![
        escapes(problem, chosen),
        count(&|package, at| package.is_direct && package.is_other_major(at)),
        count(&|package, at| package.locked.is_some_and(|locked| locked != at)),
        count(&|package, at| package.is_direct && at != 0),
    ];
    for is_direct in [true, false] {
        for step in (1..6).rev() {
            cost.push(count(&|package, at| package.is_direct == is_direct && at == step));
        }
    }
    let mut names: Vec<usize> = (0..chosen.len()).collect();
    names.sort_by_key(|at| &problem.packages[*at].name);
    cost.extend(names.into_iter().map(|at| chosen[at].map_or(0, |choice| choice + 1)));
    cost
}

fn best(problem: &Problem) -> Option<Vec<Option<usize>>> {
    let fits = |chosen: &Vec<Option<usize>>| {
        peers(problem, chosen).all(|(_, peer)| is_met(problem, chosen, peer))
            && is_needed(problem, chosen)
    };
    all(problem).into_iter().filter(fits).min_by_key(|chosen| cost(problem, chosen))
}

/// Returns the problem of which only these facts count.
fn only(problem: &Problem, facts: &[Fact]) -> Problem {
    let mut problem = Problem::new(problem.packages.clone(), problem.ranges.clone());
    for (position, package) in problem.packages.iter_mut().enumerate() {
        package.is_direct &= facts.contains(&Fact::Required(position));
        for candidate in &mut package.candidates {
            candidate
                .peers
                .retain(|peer| facts.contains(&Fact::Peer { dependent: position, peer: *peer }));
        }
    }
    problem
}

#[test]
fn it_is_as_good_as_brute_force() {
    let (mut solved, mut contradictions, mut with_escapes) = (0, 0, 0);
    let wanted = std::env::var("RESOLVE_PROBLEMS").ok();
    let range = wanted.as_deref().and_then(|text| text.split_once('-'));
    let (first, last) =
        range.map_or((1, 12_000), |(a, b)| (a.parse().unwrap(), b.parse().unwrap()));
    for seed in first..=last {
        let problem = random(seed);
        match (solve(&problem), best(&problem)) {
            (Outcome::Solved(Solution { chosen, has_escapes }), Some(best)) => {
                assert_eq!(chosen, best, "seed {seed}: {problem:#?}");
                assert_eq!(has_escapes, escapes(&problem, &best) > 0, "seed {seed}");
                solved += 1;
                with_escapes += usize::from(has_escapes);
            }
            (Outcome::Contradiction(facts), None) => {
                assert_eq!(best_of(&problem, &facts), None, "seed {seed}: {facts:?}");
                for left_out in 0..facts.len() {
                    let mut fewer = facts.clone();
                    fewer.remove(left_out);
                    assert!(best_of(&problem, &fewer).is_some(), "seed {seed}: {facts:?}");
                }
                contradictions += 1;
            }
            (outcome, best) => panic!("seed {seed}: {outcome:?} beside {best:?}"),
        }
    }
    let all = solved + contradictions;
    let has_all = solved * 4 > all && contradictions * 12 > all && with_escapes * 120 > all;
    assert!(has_all, "solved {solved}, with escapes {with_escapes}, of {all}");
}

fn best_of(problem: &Problem, facts: &[Fact]) -> Option<Vec<Option<usize>>> {
    best(&only(problem, facts))
}
