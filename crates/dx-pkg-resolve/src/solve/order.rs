//! The best solution of a problem.
//!
//! Solutions are compared by these criteria, each only where those before it leave a tie. They do
//! not depend on the order of anything, and names decide last.
//!
//! 1. the fewest escapes: packages that fit only because an older range is looser;
//! 2. the fewest direct dependencies that go to another major version;
//! 3. the fewest locked packages that move;
//! 4. the fewest direct dependencies that move;
//! 5. the smallest steps of direct dependencies: the fewest that take the largest step, then the
//!    fewest that take the next one, and so on, a step being counted in candidates;
//! 6. the same of packages that are there only as peers;
//! 7. by name, no package rather than one that is not needed, then the first candidate.

use std::collections::BTreeMap;

use super::encode::{Encoded, Fact, Grain};
use super::problem::{Package, Problem};
use super::sat::{Answer, Literal};

/// The answer to a problem.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    /// The best solution.
    Solved(Solution),
    /// There is none, and these facts contradict each other; without any one of them they do not.
    Contradiction(Vec<Fact>),
    /// The question was too hard.
    GivenUp,
}

/// A choice of candidates that meets all requirements.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Solution {
    /// For each package the position of its candidate; `None` where the package is not needed.
    pub(crate) chosen: Vec<Option<usize>>,
    /// Whether a package fits only because an older range is looser.
    pub(crate) has_escapes: bool,
}

/// Returns the best solution of a problem.
pub(crate) fn solve(problem: &Problem) -> Outcome {
    solve_with(problem, Grain::Requirements)
}

/// Returns the best solution of a problem, or a contradiction whose facts are of this grain.
pub(super) fn solve_with(problem: &Problem, grain: Grain) -> Outcome {
    let mut encoded = Encoded::new(problem, grain);
    let facts = encoded.all_facts();
    match encoded.sat.solve(&facts) {
        Answer::Possible => {}
        Answer::Impossible => return contradiction(&mut encoded, &facts),
        Answer::GivenUp => return Outcome::GivenUp,
    }
    for groups in criteria(problem, &encoded) {
        if encoded.sat.minimise(&groups, &facts) == Answer::GivenUp {
            return Outcome::GivenUp;
        }
    }
    for is_direct in [true, false] {
        let steps = steps(problem, &encoded, is_direct);
        if encoded.sat.minimise_steps(&steps, &facts) == Answer::GivenUp {
            return Outcome::GivenUp;
        }
    }
    if by_name(problem, &mut encoded, &facts) == Answer::GivenUp {
        return Outcome::GivenUp;
    }
    let has_escapes = encoded.escapes.iter().any(|escape| encoded.sat.is_true(*escape));
    let positions = 0..problem.packages.len();
    let chosen = positions.map(|at| encoded.choice_of(at)).collect();
    Outcome::Solved(Solution { chosen, has_escapes })
}

/// Returns what is to be true as seldom as possible, in the order of the first criteria. A group of
/// literals, as those of a package, counts once.
fn criteria(problem: &Problem, encoded: &Encoded) -> Vec<Vec<Vec<Literal>>> {
    let steps: Vec<Vec<usize>> = problem.packages.iter().map(Package::steps).collect();
    let packages = || problem.packages.iter().zip(&steps).zip(&encoded.chosen);
    let by_package = |is_meant: &dyn Fn(&Package, &[usize], usize) -> bool| -> Vec<Vec<Literal>> {
        let groups = packages().map(|((package, steps), chosen)| {
            let meant = chosen.iter().filter(|(candidate, _)| is_meant(package, steps, *candidate));
            meant.map(|(_, literal)| *literal).collect()
        });
        groups.filter(|group: &Vec<Literal>| !group.is_empty()).collect()
    };
    vec![
        encoded.escapes.iter().map(|escape| vec![*escape]).collect(),
        by_package(&|package, _, candidate| package.is_direct && package.is_other_major(candidate)),
        by_package(&|package, steps, candidate| {
            package.locked.is_some_and(|locked| steps[locked] != steps[candidate])
        }),
        by_package(&|package, steps, candidate| package.is_direct && steps[candidate] != 0),
    ]
}

/// Returns the choices that are no first ones, by their step; the smallest steps first.
fn steps(problem: &Problem, encoded: &Encoded, is_direct: bool) -> Vec<Vec<Literal>> {
    let mut by_step: BTreeMap<usize, Vec<Literal>> = BTreeMap::new();
    let packages = problem.packages.iter().zip(&encoded.chosen);
    for (package, chosen) in packages.filter(|(package, _)| package.is_direct == is_direct) {
        let steps = package.steps();
        for (candidate, literal) in chosen.iter().filter(|(one, _)| steps[*one] > 0) {
            by_step.entry(steps[*candidate]).or_default().push(*literal);
        }
    }
    by_step.into_values().collect()
}

/// Decides between solutions that are equally good by the names of the packages.
fn by_name(problem: &Problem, encoded: &mut Encoded, facts: &[Literal]) -> Answer {
    let mut names: Vec<usize> = (0..problem.packages.len()).collect();
    names.sort_by(|a, b| problem.packages[*a].name.cmp(&problem.packages[*b].name));
    for position in names {
        let none = (!problem.packages[position].is_direct).then(|| encoded.absent[position]);
        let chosen = encoded.chosen[position].iter().map(|(_, literal)| *literal);
        let options: Vec<Literal> = none.into_iter().chain(chosen).collect();
        let held = |encoded: &Encoded| options.iter().position(|one| encoded.sat.is_true(*one));
        let Some(mut best) = held(encoded) else { continue };
        while best > 0 {
            let is_asked = encoded.sat.variable();
            encoded.sat.clause(options[..best].iter().copied().chain([!is_asked]));
            let assumed: Vec<Literal> = facts.iter().copied().chain([is_asked]).collect();
            match encoded.sat.solve(&assumed) {
                Answer::Possible => best = held(encoded).unwrap_or(0),
                Answer::Impossible => break,
                Answer::GivenUp => return Answer::GivenUp,
            }
        }
        encoded.sat.clause([options[best]]);
    }
    Answer::Possible
}

/// Returns facts that contradict each other, none of which can be left out.
fn contradiction(encoded: &mut Encoded, facts: &[Literal]) -> Outcome {
    let mut core = encoded.sat.contradicting(facts);
    let mut next = 0;
    while next < core.len() {
        let mut without = core.clone();
        without.remove(next);
        match encoded.sat.solve(&without) {
            Answer::Possible => next += 1,
            // The facts before `next` are needed whatever is left out after them.
            Answer::Impossible => core = encoded.sat.contradicting(&without),
            Answer::GivenUp => return Outcome::GivenUp,
        }
    }
    let is_in = |(_, literal): &&(Fact, Literal)| core.contains(literal);
    Outcome::Contradiction(encoded.facts.iter().filter(is_in).map(|(fact, _)| *fact).collect())
}
