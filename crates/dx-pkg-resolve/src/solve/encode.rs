//! A [`Problem`] as clauses.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::places::Places;
use super::problem::{Peer, Problem};
use super::sat::{Literal, Sat};

/// A statement of a problem, which an explanation can name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Fact {
    /// The importer requires the package at this position.
    Required(usize),
    /// Candidates of the package `dependent` have this peer.
    Peer {
        /// The position of the package.
        dependent: usize,
        /// The peer.
        peer: Peer,
    },
}

/// What the facts of a problem are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Grain {
    /// Each requirement for a peer.
    Requirements,
    /// All requirements of a package for a peer together. There can be hundreds, one of each
    /// version, and a core with all of them takes long to find.
    Pairs,
}

/// The clauses of a problem, with the variables that mean something in it.
pub(super) struct Encoded {
    pub(super) sat: Sat,
    /// For each package, the candidates that can be in a best solution, each with the variable that
    /// chooses it.
    pub(super) chosen: Vec<Vec<(usize, Literal)>>,
    /// For each package, the variable that is true where none of its candidates is chosen.
    pub(super) absent: Vec<Literal>,
    /// The facts, each with the variable that makes it count.
    pub(super) facts: Vec<(Fact, Literal)>,
    /// For each package that can be an escape, the variable that allows it to be one.
    pub(super) escapes: Vec<Literal>,
    /// By package and candidate, the variable that chooses it.
    by_candidate: Vec<Vec<Option<Literal>>>,
}

impl Encoded {
    /// Returns the clauses of a problem, with a fact for each requirement or, where `grain` says
    /// so, for all that the candidates of a package need of a peer.
    pub(super) fn new(problem: &Problem, grain: Grain) -> Self {
        let mut sat = Sat::new();
        let distinct = problem.distinct().into_iter();
        let chosen: Vec<Vec<(usize, Literal)>> = distinct
            .map(|kept| kept.into_iter().map(|candidate| (candidate, sat.variable())).collect())
            .collect();
        let absent = chosen.iter().map(|_| sat.variable()).collect();
        let by_candidate = problem.packages.iter().zip(&chosen).map(|(package, chosen)| {
            let mut all = vec![None; package.candidates.len()];
            chosen.iter().for_each(|(candidate, literal)| all[*candidate] = Some(*literal));
            all
        });
        let mut encoded = Encoded {
            by_candidate: by_candidate.collect(),
            sat,
            chosen,
            absent,
            facts: Vec::new(),
            escapes: Vec::new(),
        };
        for position in 0..problem.packages.len() {
            encoded.choice(problem, position);
            encoded.peers(problem, position, grain);
            encoded.supports(problem, position);
        }
        let mut others = FxHashMap::default();
        for position in 0..problem.packages.len() {
            encoded.escape(problem, position, &mut others);
        }
        encoded
    }

    /// Returns the variables that make all facts count.
    pub(super) fn all_facts(&self) -> Vec<Literal> {
        self.facts.iter().map(|(_, literal)| *literal).collect()
    }

    /// Returns the candidate of a package that the solution has.
    pub(super) fn choice_of(&self, position: usize) -> Option<usize> {
        let mut chosen = self.chosen[position].iter();
        chosen.find(|(_, literal)| self.sat.is_true(*literal)).map(|(candidate, _)| *candidate)
    }

    fn fact(&mut self, fact: Fact) -> Literal {
        let literal = self.sat.variable();
        self.facts.push((fact, literal));
        literal
    }

    /// Demands at most one version of a package, and one of what the importer requires.
    fn choice(&mut self, problem: &Problem, position: usize) {
        let literals: Vec<Literal> =
            self.chosen[position].iter().map(|(_, literal)| *literal).collect();
        self.sat.at_most_one(&literals);
        let absent = self.absent[position];
        literals.iter().for_each(|literal| self.sat.clause([!absent, !*literal]));
        self.sat.clause(literals.iter().copied().chain([absent]));
        if problem.packages[position].is_direct {
            let fact = self.fact(Fact::Required(position));
            self.sat.clause(literals.into_iter().chain([!fact]));
        }
    }

    /// Demands the peers of the candidates that are chosen.
    fn peers(&mut self, problem: &Problem, position: usize, grain: Grain) {
        let mut by_peer: BTreeMap<Peer, Vec<Literal>> = BTreeMap::new();
        for (candidate, literal) in &self.chosen[position] {
            for peer in &problem.packages[position].candidates[*candidate].peers {
                by_peer.entry(*peer).or_default().push(*literal);
            }
        }
        let mut coarse: BTreeMap<usize, Literal> = BTreeMap::new();
        for (peer, having) in by_peer {
            let named = Fact::Peer { dependent: position, peer };
            let fact = match grain {
                Grain::Requirements => self.fact(named),
                Grain::Pairs => *coarse
                    .entry(problem.ranges[peer.range].package)
                    .or_insert_with(|| self.fact(named)),
            };
            let counts = self.sat.variable();
            for literal in having {
                self.sat.clause([!literal, !fact, counts]);
            }
            // At most one candidate is chosen, so that no other is beside one of these.
            let range = &problem.ranges[peer.range];
            let own = &self.by_candidate[range.package];
            let allowed = range.allowed.iter().filter_map(|candidate| own[candidate]);
            let absent = peer.is_optional.then(|| self.absent[range.package]);
            let instead = peer.unless.map(|at| &problem.ranges[at]).into_iter().flat_map(|other| {
                let own = &self.by_candidate[other.package];
                other.allowed.iter().filter_map(|candidate| own[candidate])
            });
            self.sat.clause(allowed.chain(absent).chain(instead).chain([!counts]));
        }
    }

    /// Demands one of the candidates that a candidate needs.
    fn supports(&mut self, problem: &Problem, position: usize) {
        for (candidate, literal) in self.chosen[position].clone() {
            let Some(support) = problem.packages[position].candidates[candidate].support else {
                continue;
            };
            let needed = problem.supports[support].iter();
            let chosen =
                needed.filter_map(|(package, candidate)| self.by_candidate[*package][*candidate]);
            self.sat.clause(chosen.chain([!literal]));
        }
    }

    /// Lets a package be an escape only where that is allowed. `others` has, by package and
    /// candidates, the variable that demands another candidate, or none.
    fn escape<'p>(
        &mut self,
        problem: &'p Problem,
        position: usize,
        others: &mut FxHashMap<(usize, &'p Places), Option<Literal>>,
    ) {
        let mut allows = None;
        for (candidate, literal) in self.chosen[position].clone() {
            for (package, escaped) in problem.escapes(position, candidate) {
                let demands = others
                    .entry((*package, escaped))
                    .or_insert_with(|| self.other(*package, escaped));
                let Some(demands) = *demands else { continue };
                let allows = *allows.get_or_insert_with(|| self.sat.variable());
                self.sat.clause([allows, !literal, demands]);
            }
        }
        self.escapes.extend(allows);
    }

    /// Returns a variable that demands none of these candidates of a package; `None` where there is
    /// none of them.
    fn other(&mut self, package: usize, excluded: &Places) -> Option<Literal> {
        let others = self.chosen[package].iter();
        let others = others.filter(|(candidate, _)| !excluded.contains(*candidate));
        let mut clause: Vec<Literal> = others.map(|(_, literal)| *literal).collect();
        if clause.len() == self.chosen[package].len() {
            return None;
        }
        let demands = self.sat.variable();
        clause.extend([self.absent[package], !demands]);
        self.sat.clause(clause);
        Some(demands)
    }
}
