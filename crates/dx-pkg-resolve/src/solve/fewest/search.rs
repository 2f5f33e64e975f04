//! The search for a better selection: many small questions to the SAT solver.
//!
//! First no package may have more versions than it has, and one after the other is asked to have
//! fewer. A package for which that is impossible need not be asked again, as the bounds only become
//! tighter. Then packages may have one more version each if the sum becomes smaller. Last, versions
//! that changed are moved back as near to what they were as the sums allow.

use super::problem::{Package, Problem, Selection};
use super::score::Aim;
use crate::solve::sat::{Answer, Literal, Sat};

/// The most counters of a whole sum, whose clauses grow with the square of their number.
const MOST_COUNTED: usize = 700;

/// The most versions that a package may have in a sum beside those it has.
const MORE: usize = 1;

/// Tells whether so many shares of the time are used up: a search may use the one after `used`, and
/// what follows it another.
#[derive(Clone, Copy)]
pub(super) struct Over<'o> {
    pub(super) is_over: &'o dyn Fn(u32) -> bool,
    pub(super) used: u32,
}

/// The result of a search.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) selection: Selection,
    /// Whether it is known that there is none better.
    pub(super) is_best: bool,
}

/// Searches for the best selection; `over` tells when the time is up.
pub(super) fn search(problem: &Problem, aim: Aim, over: Over<'_>) -> Found {
    let mut search = Search::new(problem, aim, problem.present(), over);
    if aim == Aim::Newest {
        search.bound(Kind::Outdated);
        search.reduce_each(0);
    }
    let first = search.groups.len();
    search.bound(Kind::All);
    search.reduce_each(first);
    search.reduce_sums();
    search.prefer();
    Found { selection: search.best, is_best: search.is_best }
}

/// Which candidates are counted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    All,
    Outdated,
}

/// Candidates of a package, of which at most `most` may be chosen.
struct Group {
    package: usize,
    kind: Kind,
    /// See [`Sat::counters`].
    counters: Vec<Literal>,
    most: usize,
}

struct Search<'s> {
    problem: &'s Problem,
    aim: Aim,
    over: Over<'s>,
    clauses: Clauses,
    groups: Vec<Group>,
    best: Selection,
    is_best: bool,
    /// Whether only what differs from the tree is still moved back to it.
    is_at_end: bool,
}

/// The counters of a sum.
struct Sum {
    counters: Vec<Literal>,
    /// The number of versions that are not part of it, as they cannot be fewer.
    apart: usize,
}

/// The clauses of a problem, with the variable of each candidate.
struct Clauses {
    sat: Sat,
    chosen: Vec<Vec<Literal>>,
}

impl Clauses {
    fn new(problem: &Problem) -> Self {
        let mut sat = Sat::new();
        let variables = |sat: &mut Sat, count| (0..count).map(|_| sat.variable()).collect();
        let packages = problem.packages.iter();
        let chosen: Vec<Vec<Literal>> =
            packages.map(|package| variables(&mut sat, package.candidates.len())).collect();
        let asked: Vec<Literal> = variables(&mut sat, problem.ranges.len());
        for (range, asked) in problem.ranges.iter().zip(&asked) {
            let allowed = range.allowed.iter().map(|candidate| chosen[range.package][*candidate]);
            sat.clause(allowed.chain([!*asked]));
        }
        for range in &problem.roots {
            sat.clause([asked[*range]]);
        }
        for (package, chosen) in problem.packages.iter().zip(&chosen) {
            for (candidate, chosen) in package.candidates.iter().zip(chosen) {
                candidate.asks.iter().for_each(|range| sat.clause([!*chosen, asked[*range]]));
            }
        }
        Clauses { sat, chosen }
    }

    /// Returns the variables of those candidates of a package that are counted.
    fn counted(&self, problem: &Problem, package: usize, kind: Kind) -> Vec<Literal> {
        let candidates = problem.packages[package].candidates.iter().zip(&self.chosen[package]);
        let is_counted = |is_outdated| kind == Kind::All || is_outdated;
        candidates
            .filter(|(candidate, _)| is_counted(candidate.is_outdated))
            .map(|(_, literal)| *literal)
            .collect()
    }
}

impl<'s> Search<'s> {
    fn new(problem: &'s Problem, aim: Aim, best: Selection, over: Over<'s>) -> Self {
        let clauses = Clauses::new(problem);
        Search {
            problem,
            aim,
            over,
            clauses,
            groups: Vec::new(),
            best,
            is_best: true,
            is_at_end: false,
        }
    }

    fn is_over(&self) -> bool {
        let Over { is_over, used } = self.over;
        is_over(used + 1 + u32::from(self.is_at_end))
    }

    /// Returns how many candidates of a package the best selection has.
    fn count(&self, package: usize, kind: Kind) -> usize {
        let candidates = &self.problem.packages[package].candidates;
        let chosen = self.best[package].iter();
        chosen.filter(|one| kind == Kind::All || candidates[**one].is_outdated).count()
    }

    /// Lets no package have more candidates than it has in the best selection.
    fn bound(&mut self, kind: Kind) {
        for package in 0..self.problem.packages.len() {
            let literals = self.clauses.counted(self.problem, package, kind);
            let counters = self.clauses.sat.counters(&literals);
            let most = counters.len();
            self.groups.push(Group { package, kind, counters, most });
        }
        self.tighten();
    }

    /// Lets each group have no more than it has in the best selection.
    fn tighten(&mut self) {
        for at in 0..self.groups.len() {
            let Group { package, kind, most, .. } = self.groups[at];
            let count = self.count(package, kind);
            for more in count..most {
                let counter = self.groups[at].counters[more];
                self.clauses.sat.clause([!counter]);
            }
            self.groups[at].most = count.min(most);
        }
    }

    /// Asks whether all of `assumed` can be true, and takes the selection that shows it.
    fn ask(&mut self, assumed: &[Literal]) -> bool {
        if self.is_over() {
            self.is_best = false;
            return false;
        }
        match self.clauses.sat.solve(assumed) {
            Answer::Possible => match selection(self.problem, self.aim, &self.clauses) {
                Some(selection) => {
                    self.best = selection;
                    true
                }
                None => false,
            },
            Answer::Impossible => false,
            Answer::GivenUp => {
                self.is_best = false;
                false
            }
        }
    }

    /// Asks each group from the position `first` on for fewer, those with most first.
    fn reduce_each(&mut self, first: usize) {
        let mut order: Vec<usize> = (first..self.groups.len()).collect();
        let name = |group: &Group| &self.problem.packages[group.package].name;
        order.sort_by(|a, b| {
            let (a, b) = (&self.groups[*a], &self.groups[*b]);
            b.most.cmp(&a.most).then_with(|| name(a).cmp(name(b)))
        });
        for at in order {
            while self.groups[at].most > 0 {
                let fewer = !self.groups[at].counters[self.groups[at].most - 1];
                if !self.ask(&[fewer]) {
                    break;
                }
                self.tighten();
            }
        }
    }

    /// Makes the sums smaller, though single packages may have more for it.
    fn reduce_sums(&mut self) {
        let kinds: &[Kind] = match self.aim {
            Aim::Fewest => &[Kind::All],
            Aim::Newest => &[Kind::Outdated, Kind::All],
        };
        let mut loose = Search::new(self.problem, self.aim, self.best.clone(), self.over);
        for kind in kinds {
            let Some(Sum { counters, apart }) = loose.sum(*kind) else {
                loose.is_best = false;
                break;
            };
            // The step grows while there is a solution, so that a much smaller sum takes few.
            let mut step = 1;
            loop {
                let total = loose.total(*kind).saturating_sub(apart);
                if total == 0 {
                    break;
                }
                step = step.min(total);
                if loose.ask(&[!counters[total - step]]) {
                    step *= 2;
                } else if step > 1 {
                    step /= 2;
                } else {
                    break;
                }
            }
            let total = loose.total(*kind).saturating_sub(apart);
            counters.iter().skip(total).for_each(|more| loose.clauses.sat.clause([!*more]));
        }
        self.is_best &= loose.is_best;
        // What follows keeps the bounds that were found.
        self.best = loose.best;
        self.clauses = Clauses::new(self.problem);
        self.groups.clear();
        kinds.iter().for_each(|kind| self.bound(*kind));
    }

    fn total(&self, kind: Kind) -> usize {
        (0..self.problem.packages.len()).map(|package| self.count(package, kind)).sum()
    }

    /// Returns the counters of all packages together; `None` where there would be too many even
    /// without those that cannot be fewer.
    fn sum(&mut self, kind: Kind) -> Option<Sum> {
        let packages = 0..self.problem.packages.len();
        let mut parts: Vec<(usize, Vec<Literal>)> = Vec::new();
        for package in packages {
            let literals = self.clauses.counted(self.problem, package, kind);
            let mut counters = self.clauses.sat.counters(&literals);
            let most = self.count(package, Kind::All) + MORE;
            counters.iter().skip(most).for_each(|more| self.clauses.sat.clause([!*more]));
            counters.truncate(most);
            parts.push((package, counters));
        }
        let count = |parts: &[(usize, Vec<Literal>)]| -> usize {
            parts.iter().map(|(_, counters)| counters.len()).sum()
        };
        let mut apart = 0;
        if count(&parts) > MOST_COUNTED {
            parts.retain(|(package, counters)| {
                let stays = self.stays_one(*package, kind, counters);
                apart += usize::from(stays);
                !stays
            });
        }
        if count(&parts) > MOST_COUNTED {
            return None;
        }
        let counted: Vec<Literal> = parts.into_iter().flat_map(|(_, counters)| counters).collect();
        Some(Sum { counters: self.clauses.sat.counters(&counted), apart })
    }

    /// Lets a package have no second version where it has one and cannot be without; returns
    /// whether that is so.
    fn stays_one(&mut self, package: usize, kind: Kind, counters: &[Literal]) -> bool {
        let Some(first) = counters.first().filter(|_| self.count(package, kind) == 1) else {
            return false;
        };
        let stays = !self.is_over() && self.clauses.sat.solve(&[!*first]) == Answer::Impossible;
        if stays {
            counters.iter().skip(1).for_each(|more| self.clauses.sat.clause([!*more]));
        }
        stays
    }

    /// Moves what differs from the tree as near to it as the bounds allow; with [`Aim::Newest`] to
    /// the newest.
    fn prefer(&mut self) {
        self.is_at_end = true;
        let mut changed = Vec::new();
        for package in 0..self.problem.packages.len() {
            let present = &self.problem.packages[package].present;
            let is_kept = match self.aim {
                Aim::Fewest => self.best[package].iter().all(|one| present.contains(one)),
                Aim::Newest => self.best[package].iter().all(|one| *one == 0),
            };
            if is_kept {
                self.fix(package, &self.best[package].clone());
            } else {
                changed.push(package);
            }
        }
        let name = |package: &usize| &self.problem.packages[*package].name;
        changed.sort_by(|a, b| name(a).cmp(name(b)));
        for package in changed {
            self.prefer_in(package);
        }
    }

    fn prefer_in(&mut self, package: usize) {
        let most = self.best[package].len();
        let mut order: Vec<usize> = (0..self.problem.packages[package].candidates.len()).collect();
        if self.aim == Aim::Fewest {
            let present = &self.problem.packages[package].present;
            order.sort_by_key(|candidate| !present.contains(candidate));
        }
        let mut fixed = Vec::new();
        for candidate in order {
            if fixed.len() >= most.min(self.best[package].len()) {
                break;
            }
            let literal = self.clauses.chosen[package][candidate];
            if self.best[package].contains(&candidate) || self.ask(&[literal]) {
                self.clauses.sat.clause([literal]);
                fixed.push(candidate);
            }
        }
    }

    fn fix(&mut self, package: usize, candidates: &[usize]) {
        for candidate in candidates {
            let literal = self.clauses.chosen[package][*candidate];
            self.clauses.sat.clause([literal]);
        }
    }
}

/// Returns what is needed of the candidates that the last solution has.
fn selection(problem: &Problem, aim: Aim, clauses: &Clauses) -> Option<Selection> {
    let has =
        |package: usize, candidate: usize| clauses.sat.is_true(clauses.chosen[package][candidate]);
    let is_present = |package: usize, candidate: usize| {
        aim == Aim::Fewest && problem.packages[package].present.contains(&candidate)
    };
    problem.needed(has, &is_present)
}

/// Returns a selection with one version at most of each package in `names`, and otherwise with as
/// few as possible that are not in the tree; `None` where there is none.
pub(super) fn one_of_each(problem: &Problem, names: &[&str]) -> Option<Selection> {
    let mut clauses = Clauses::new(problem);
    let single = |package: &usize| names.contains(&problem.packages[*package].name.as_str());
    let (ones, others): (Vec<usize>, Vec<usize>) =
        (0..problem.packages.len()).partition(|package| single(package));
    ones.iter().for_each(|package| clauses.sat.at_most_one(&clauses.chosen[*package]));
    if clauses.sat.solve(&[]) != Answer::Possible {
        return None;
    }
    ones.iter().for_each(|package| clauses.take_first(problem, *package));
    let mut changed = Vec::new();
    for package in others {
        let new = clauses.chosen[package].iter().enumerate();
        let is_new = |at: &usize| !problem.packages[package].present.contains(at);
        let none: Vec<Literal> =
            new.filter(|(at, _)| is_new(at)).map(|(_, literal)| !*literal).collect();
        if clauses.sat.solve(&none) == Answer::Possible {
            none.into_iter().for_each(|literal| clauses.sat.clause([literal]));
        } else {
            changed.push(package);
        }
    }
    changed.into_iter().for_each(|package| clauses.take_first(problem, package));
    // The last answer may have been that something is impossible.
    if clauses.sat.solve(&[]) != Answer::Possible {
        return None;
    }
    selection(problem, Aim::Fewest, &clauses)
}

impl Clauses {
    /// Demands the first version of a package that is possible, those in the tree first.
    fn take_first(&mut self, problem: &Problem, package: usize) {
        let Package { present, candidates, .. } = &problem.packages[package];
        let mut order: Vec<usize> = (0..candidates.len()).collect();
        order.sort_by_key(|candidate| !present.contains(candidate));
        for candidate in order {
            let literal = self.chosen[package][candidate];
            if self.sat.solve(&[literal]) == Answer::Possible {
                self.sat.clause([literal]);
                return;
            }
        }
    }
}
