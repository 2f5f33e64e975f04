//! The search for versions that agree, for one importer.

use dx_pkg_core::Version;

use super::consent::{Asking, asking, is_excluded};
use super::gather::{Gathered, TooMany, gather};
use super::order::{Outcome, Solution, solve};
use super::packages::Source;
use super::told::Contradiction;

/// The most contradictions and exclusions of one importer.
const MOST_STEPS: usize = 24;

/// The outcome for one importer.
#[derive(Default)]
pub(super) struct Part {
    /// Versions that agree but for the contradictions.
    pub(super) solution: Option<(Gathered, Solution)>,
    /// Versions that agree, about which the project is asked.
    pub(super) offer: Option<(Gathered, Solution, Asking)>,
    pub(super) contradictions: Vec<Contradiction>,
    /// The number of packages of a problem that was given up.
    pub(super) given_up: Option<usize>,
    /// Whether a package could not be loaded, or the caller has given up.
    pub(super) is_incomplete: bool,
}

impl Part {
    /// Returns whether a package is part of its problem.
    pub(super) fn has(&self, name: &str) -> bool {
        let solved = self.solution.iter().map(|(gathered, _)| gathered);
        let offered = self.offer.iter().map(|(gathered, ..)| gathered);
        let others = self.contradictions.iter().map(|one| &one.gathered);
        let mut all = solved.chain(offered).chain(others).flat_map(|gathered| &gathered.known);
        self.given_up.is_some() || all.any(|known| known.name == name)
    }

    /// Returns the same without its contradictions, where they rest on versions that were left out.
    pub(super) fn without_contradictions(&self) -> Part {
        Part {
            solution: self.solution.clone(),
            offer: self.offer.clone(),
            given_up: self.given_up,
            ..Part::default()
        }
    }

    /// Returns whether versions were found that agree, or nothing was wrong.
    pub(super) fn is_settled(&self) -> bool {
        self.given_up.is_none()
            && self.contradictions.is_empty()
            && (self.solution.is_some() || self.offer.is_none())
    }
}

/// Solves the problem of one importer. What the project would be asked about is left out after it
/// was found, and each contradiction once it is known.
pub(super) fn search(source: &Source<'_>, banned: &[(String, Version)]) -> Part {
    let mut part = Part { is_incomplete: source.provider.is_cancelled(), ..Part::default() };
    if part.is_incomplete {
        return part;
    }
    let mut current = match gather(source, &[]) {
        Ok(None) => return part,
        Ok(Some(gathered)) => gathered,
        Err(TooMany(packages)) => {
            part.given_up = Some(packages);
            return part;
        }
    };
    part.is_incomplete = current.known.iter().any(|known| known.is_unreachable);
    if part.is_incomplete {
        return part;
    }
    if !banned.is_empty() {
        current = current.without(|package, candidate| {
            let known = &current.known[package];
            let version = known.version(candidate);
            banned.iter().any(|(name, one)| *name == known.name && one == version)
        });
    }
    for _ in 0..MOST_STEPS {
        match solve(&current.problem) {
            Outcome::GivenUp => {
                part.given_up = Some(current.known.len());
                return part;
            }
            Outcome::Contradiction(core) => {
                let contradiction = Contradiction { core, gathered: current };
                let pairs = contradiction.named_pairs();
                if pairs.is_empty() {
                    return part;
                }
                current = contradiction.gathered.relaxed(&pairs);
                part.contradictions.push(contradiction);
            }
            Outcome::Solved(solution) => {
                let asked = asking(&current, &solution);
                if asked.is_empty() {
                    part.solution = Some((current, solution));
                    return part;
                }
                let next = current.without(|package, candidate| {
                    is_excluded(&current, (&solution, &asked), package, candidate)
                });
                if part.offer.is_none() && part.contradictions.is_empty() {
                    part.offer = Some((current, solution, asked));
                }
                current = next;
            }
        }
    }
    part
}
