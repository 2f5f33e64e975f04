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

use super::encode::{Encoded, Fact};
use super::problem::Problem;
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
    let mut encoded = Encoded::new(problem);
    let facts = encoded.all_facts();
    match encoded.sat.solve(&facts) {
        Answer::Possible => {}
        Answer::Impossible => return contradiction(&mut encoded, &facts),
        Answer::GivenUp => return Outcome::GivenUp,
    }
    for literals in criteria(problem, &encoded) {
        if encoded.sat.minimise(&literals, &facts) == Answer::GivenUp {
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

/// Returns what is to be true as seldom as possible, in the order of the criteria.
fn criteria(problem: &Problem, encoded: &Encoded) -> Vec<Vec<Literal>> {
    let all = || {
        let packages = problem.packages.iter().zip(&encoded.chosen);
        packages.flat_map(|(package, chosen)| chosen.iter().map(move |item| (package, *item)))
    };
    let literals = |is_meant: &dyn Fn(&super::problem::Package, usize) -> bool| -> Vec<Literal> {
        let meant = all().filter(|(package, (candidate, _))| is_meant(package, *candidate));
        meant.map(|(_, (_, literal))| literal).collect()
    };
    let mut criteria = vec![
        encoded.escapes.clone(),
        literals(&|package, candidate| package.is_direct && package.is_other_major(candidate)),
        literals(&|package, candidate| package.locked.is_some_and(|locked| locked != candidate)),
        literals(&|package, candidate| package.is_direct && candidate != 0),
    ];
    for is_direct in [true, false] {
        let of_kind = all().filter(|(package, _)| package.is_direct == is_direct);
        let mut steps: Vec<usize> = of_kind.map(|(_, (candidate, _))| candidate).collect();
        steps.sort_unstable_by(|a, b| b.cmp(a));
        steps.dedup();
        for step in steps.into_iter().filter(|step| *step > 0) {
            criteria.push(literals(&|package, candidate| {
                package.is_direct == is_direct && candidate == step
            }));
        }
    }
    criteria
}

/// Decides between solutions that are equally good by the names of the packages.
fn by_name(problem: &Problem, encoded: &mut Encoded, facts: &[Literal]) -> Answer {
    let mut names: Vec<usize> = (0..problem.packages.len()).collect();
    names.sort_by(|a, b| problem.packages[*a].name.cmp(&problem.packages[*b].name));
    for position in names {
        let literals: Vec<Literal> =
            encoded.chosen[position].iter().map(|(_, literal)| *literal).collect();
        let none: Vec<Literal> = literals.iter().map(|literal| !*literal).collect();
        let mut options: Vec<Vec<Literal>> = literals.iter().map(|one| vec![*one]).collect();
        if !problem.packages[position].is_direct {
            options.insert(0, none);
        }
        for option in options {
            let holds = option.iter().all(|literal| encoded.sat.is_true(*literal));
            let assumed: Vec<Literal> = facts.iter().chain(&option).copied().collect();
            let answer = if holds { Answer::Possible } else { encoded.sat.solve(&assumed) };
            match answer {
                Answer::Possible => {
                    option.iter().for_each(|literal| encoded.sat.clause([*literal]));
                    break;
                }
                Answer::Impossible => {}
                Answer::GivenUp => return Answer::GivenUp,
            }
        }
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
