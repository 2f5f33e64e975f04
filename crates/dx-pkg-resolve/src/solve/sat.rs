//! Clauses, counters and assumptions over the SAT solver.

use batsat::{
    Callbacks, ClauseKind, Lit, Solver as Batsat, SolverInterface, SolverOpts, Var, lbool,
};

/// Work of the solver after which a question is given up, in learnt clauses: a count, so that the
/// answer does not depend on the machine.
const MOST_LEARNT: u64 = 200_000;

/// A literal: a variable or its negation.
pub(super) type Literal = Lit;

/// The answer to a question.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Answer {
    Possible,
    Impossible,
    GivenUp,
}

#[derive(Default)]
struct Budget {
    learnt: u64,
}

impl Callbacks for Budget {
    fn on_new_clause(&mut self, _clause: &[Lit], _source: ClauseKind) {
        self.learnt += 1;
    }

    fn stop(&self) -> bool {
        self.learnt > MOST_LEARNT
    }
}

/// A SAT solver with the model of its last solution.
pub(super) struct Sat {
    solver: Batsat<Budget>,
    model: Vec<bool>,
    /// The clause that is being added.
    clause: Vec<Literal>,
}

impl Sat {
    pub(super) fn new() -> Self {
        let solver = Batsat::new(SolverOpts::default(), Budget::default());
        Sat { solver, model: Vec::new(), clause: Vec::new() }
    }

    /// Returns a new variable.
    pub(super) fn variable(&mut self) -> Literal {
        let variable: Var = self.solver.new_var_default();
        Lit::new(variable, true)
    }

    /// Demands that one of the literals is true.
    pub(super) fn clause(&mut self, literals: impl IntoIterator<Item = Literal>) {
        self.clause.clear();
        self.clause.extend(literals);
        self.solver.add_clause_reuse(&mut self.clause);
    }

    /// Demands that at most one of the literals is true.
    pub(super) fn at_most_one(&mut self, literals: &[Literal]) {
        // Each variable of the chain tells whether a literal up to there is true.
        let mut before: Option<Literal> = None;
        for literal in literals {
            let here = self.variable();
            self.clause([!*literal, here]);
            if let Some(before) = before {
                self.clause([!before, here]);
                self.clause([!before, !*literal]);
            }
            before = Some(here);
        }
    }

    /// Returns counters of the literals: the one at position `n` is true if more than `n` of them
    /// are. It is the totaliser of Bailleux and Boufkhad, "Efficient CNF encoding of boolean
    /// cardinality constraints" (2003), in the direction that bounds from above.
    pub(super) fn counters(&mut self, literals: &[Literal]) -> Vec<Literal> {
        if literals.len() <= 1 {
            return literals.to_vec();
        }
        let (left, right) = literals.split_at(literals.len() / 2);
        let (left, right) = (self.counters(left), self.counters(right));
        let sums: Vec<Literal> = (0..left.len() + right.len()).map(|_| self.variable()).collect();
        for more in 0..=left.len() {
            for others in 0..=right.len() {
                let Some(sum) = (more + others).checked_sub(1) else { continue };
                let parts = [
                    more.checked_sub(1).map(|at| !left[at]),
                    others.checked_sub(1).map(|at| !right[at]),
                ];
                self.clause(parts.into_iter().flatten().chain([sums[sum]]));
            }
        }
        sums
    }

    /// Looks for a solution in which all of `assumed` are true, and keeps it.
    pub(super) fn solve(&mut self, assumed: &[Literal]) -> Answer {
        let answer = self.solver.solve_limited(assumed);
        if answer == lbool::TRUE {
            let values = self.solver.get_model().iter();
            self.model = values.map(|value| *value == lbool::TRUE).collect();
            Answer::Possible
        } else if answer == lbool::FALSE {
            Answer::Impossible
        } else {
            Answer::GivenUp
        }
    }

    /// Returns which of the assumptions of an impossible question contradict each other.
    pub(super) fn contradicting(&self, assumed: &[Literal]) -> Vec<Literal> {
        // The solver tells their negations.
        let is_in = |literal: &Literal| self.solver.unsat_core_contains_var(literal.var());
        assumed.iter().copied().filter(is_in).collect()
    }

    /// Returns whether a literal is true in the solution that was kept; what a variable made later
    /// would be is not known, and counts as false.
    pub(super) fn is_true(&self, literal: Literal) -> bool {
        let index = literal.var().idx() as usize;
        self.model.get(index).is_some_and(|value| *value == literal.sign())
    }

    /// Finds a solution in which as few of `groups` as there can be have a true literal under
    /// `assumed`, and demands that from then on.
    pub(super) fn minimise(&mut self, groups: &[Vec<Literal>], assumed: &[Literal]) -> Answer {
        let count = |sat: &Sat| {
            let has_true = |group: &&Vec<Literal>| group.iter().any(|one| sat.is_true(*one));
            groups.iter().filter(has_true).count()
        };
        let mut least = count(self);
        if least > 0 {
            let literals: Vec<Literal> = groups.iter().map(|group| self.any_of(group)).collect();
            let counters = self.counters(&literals);
            while least > 0 {
                let mut bounded = assumed.to_vec();
                bounded.push(!counters[least - 1]);
                match self.solve(&bounded) {
                    Answer::Possible => least = count(self),
                    Answer::Impossible => break,
                    Answer::GivenUp => return Answer::GivenUp,
                }
            }
            if let Some(more) = counters.get(least) {
                self.clause([!*more]);
            }
        }
        if least == 0 {
            groups.iter().flatten().for_each(|literal| self.clause([!*literal]));
        }
        Answer::Possible
    }

    /// Finds a solution in which the last of `steps` that has a true literal comes as early as it
    /// can, with as few of its literals as there can be, then the last one before it, and so on
    /// under `assumed`, and demands that from then on.
    pub(super) fn minimise_steps(&mut self, steps: &[Vec<Literal>], assumed: &[Literal]) -> Answer {
        let mut rest = steps;
        loop {
            let last = |sat: &Sat| {
                let is_taken = |step: &Vec<Literal>| step.iter().any(|one| sat.is_true(*one));
                rest.iter().rposition(is_taken)
            };
            // Each variable tells whether a literal from there on is true.
            let mut from: Vec<Literal> = Vec::with_capacity(rest.len());
            for step in rest.iter().rev() {
                let here = self.variable();
                step.iter().chain(from.last()).for_each(|one| self.clause([!*one, here]));
                from.push(here);
            }
            from.reverse();
            let (mut low, mut high) = (0, last(self).map_or(0, |last| last + 1));
            while low < high {
                let middle = low + (high - low) / 2;
                let bounded: Vec<Literal> =
                    assumed.iter().copied().chain([!from[middle]]).collect();
                match self.solve(&bounded) {
                    Answer::Possible => high = last(self).map_or(0, |last| last + 1),
                    Answer::Impossible => low = middle + 1,
                    Answer::GivenUp => return Answer::GivenUp,
                }
            }
            if let Some(beyond) = from.get(high) {
                self.clause([!*beyond]);
            }
            let Some(needed) = high.checked_sub(1) else { return Answer::Possible };
            let groups: Vec<Vec<Literal>> = rest[needed].iter().map(|one| vec![*one]).collect();
            if self.minimise(&groups, assumed) == Answer::GivenUp {
                return Answer::GivenUp;
            }
            rest = &rest[..needed];
        }
    }

    /// Returns a literal that is true where one of a group is.
    fn any_of(&mut self, group: &[Literal]) -> Literal {
        if let [only] = group {
            return *only;
        }
        let any = self.variable();
        group.iter().for_each(|literal| self.clause([!*literal, any]));
        any
    }
}
