//! A [`Problem`] as clauses.

use std::collections::BTreeMap;

use super::problem::{Distinct, Peer, Problem};
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

/// The clauses of a problem, with the variables that mean something in it.
pub(super) struct Encoded {
    pub(super) sat: Sat,
    /// For each package, the candidates that can be in a best solution, each with the variable that
    /// chooses it.
    pub(super) chosen: Vec<Vec<(usize, Literal)>>,
    /// The facts, each with the variable that makes it count.
    pub(super) facts: Vec<(Fact, Literal)>,
    /// For each package that can be an escape, the variable that allows it to be one.
    pub(super) escapes: Vec<Literal>,
}

impl Encoded {
    pub(super) fn new(problem: &Problem) -> Self {
        let mut sat = Sat::new();
        let distinct = problem.distinct();
        let chosen: Vec<Vec<(usize, Literal)>> = distinct
            .iter()
            .map(|kept| kept.iter().map(|(candidate, _)| (*candidate, sat.variable())).collect())
            .collect();
        let mut encoded = Encoded { sat, chosen, facts: Vec::new(), escapes: Vec::new() };
        for (position, kept) in distinct.iter().enumerate() {
            encoded.choice(problem, position);
            encoded.peers(problem, position);
            encoded.escape(position, kept);
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
        if problem.packages[position].is_direct {
            let fact = self.fact(Fact::Required(position));
            self.sat.clause(literals.into_iter().chain([!fact]));
        }
    }

    /// Demands the peers of the candidates that are chosen.
    fn peers(&mut self, problem: &Problem, position: usize) {
        let mut by_peer: BTreeMap<Peer, Vec<Literal>> = BTreeMap::new();
        for (candidate, literal) in &self.chosen[position] {
            for peer in &problem.packages[position].candidates[*candidate].peers {
                by_peer.entry(*peer).or_default().push(*literal);
            }
        }
        for (peer, having) in by_peer {
            let fact = self.fact(Fact::Peer { dependent: position, peer });
            let counts = self.sat.variable();
            for literal in having {
                self.sat.clause([!literal, !fact, counts]);
            }
            let range = &problem.ranges[peer.range];
            let (allowed, others): (Vec<_>, Vec<_>) = self.chosen[range.package]
                .iter()
                .copied()
                .partition(|(candidate, _)| range.allowed[*candidate]);
            for (_, other) in others {
                self.sat.clause([!counts, !other]);
            }
            if !peer.is_optional {
                let allowed = allowed.into_iter().map(|(_, literal)| literal);
                self.sat.clause(allowed.chain([!counts]));
            }
        }
    }

    /// Lets a package be an escape only where that is allowed.
    fn escape(&mut self, position: usize, kept: &[Distinct]) {
        let mut allows = None;
        let literals: Vec<Literal> =
            self.chosen[position].iter().map(|(_, literal)| *literal).collect();
        for (literal, (_, escapes)) in literals.into_iter().zip(kept) {
            for (package, other) in escapes {
                let beside = self.chosen[*package].iter().find(|(known, _)| known == other);
                let Some((_, beside)) = beside.copied() else { continue };
                let allows = *allows.get_or_insert_with(|| self.sat.variable());
                self.sat.clause([allows, !literal, !beside]);
            }
        }
        self.escapes.extend(allows);
    }
}
