//! Which solutions are taken without asking.
//!
//! A solution lies within the ranges of the project, but a range can be wider than its author
//! meant. The project is asked before
//!
//! - an escape, that is an older version that fits only because its range is looser;
//! - a direct dependency that goes to another major version than that of npm's pick and of the
//!   lockfile, unless the project leaves that open: its range has no bound (`*`), it has an
//!   alternative for that major (`^15 || ^16`), or the version follows from a sibling that the
//!   project requires too: packages that are released together and name each other's versions.

use dx_pkg_core::{Range, Version};

use super::gather::Gathered;
use super::order::Solution;
use super::packages::Known;
use super::problem::major;

/// The packages of a solution that the project is asked about.
#[derive(Clone, Default)]
pub(super) struct Asking {
    /// Those that go to another major version.
    pub(super) other_major: Vec<usize>,
    /// The escapes.
    pub(super) escapes: Vec<usize>,
}

impl Asking {
    pub(super) fn is_empty(&self) -> bool {
        self.other_major.is_empty() && self.escapes.is_empty()
    }

    /// Returns all of them.
    pub(super) fn all(&self) -> Vec<usize> {
        let mut all: Vec<usize> = self.other_major.iter().chain(&self.escapes).copied().collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// Returns the packages of a solution that the project is asked about.
pub(super) fn asking(gathered: &Gathered, solution: &Solution) -> Asking {
    let (known, chosen) = (&gathered.known, &solution.chosen);
    let choice = |at: usize| chosen[at].filter(|candidate| *candidate < known[at].in_range);
    let escapes = |at: &usize| {
        choice(*at)
            .is_some_and(|candidate| gathered.problem.escaped((*at, candidate), chosen).is_some())
    };
    // Siblings of which one is settled settle each other.
    let mut is_settled: Vec<bool> = (0..known.len())
        .map(|at| match choice(at) {
            Some(candidate) => !is_moved(&known[at], candidate) || is_open(&known[at], candidate),
            None => chosen[at].is_none(),
        })
        .collect();
    loop {
        let follows = |at: &usize| {
            let other = |other: &usize| {
                *other != *at
                    && is_settled[*other]
                    && known[*other].direct.is_some()
                    && are_siblings(known, (*at, chosen[*at]), (*other, chosen[*other]))
            };
            !is_settled[*at] && (0..known.len()).any(|at| other(&at))
        };
        let settled: Vec<usize> = (0..known.len()).filter(follows).collect();
        if settled.is_empty() {
            break;
        }
        settled.into_iter().for_each(|at| is_settled[at] = true);
    }
    let is_asked = |at: &usize| choice(*at).is_some() && !is_settled[*at];
    Asking {
        other_major: (0..known.len()).filter(is_asked).collect(),
        escapes: (0..known.len()).filter(escapes).collect(),
    }
}

/// Returns whether a candidate is not to be chosen because the project would be asked about it: it
/// is of the major version of one that it would be asked about, or an escape.
pub(super) fn is_excluded(
    gathered: &Gathered,
    (solution, asking): (&Solution, &Asking),
    package: usize,
    candidate: usize,
) -> bool {
    let known = &gathered.known[package];
    let is_alike = |chosen: usize| {
        major(known.version(chosen)) == major(known.version(candidate))
            && !is_open(known, candidate)
    };
    asking.other_major.contains(&package) && solution.chosen[package].is_some_and(is_alike)
        || asking.escapes.contains(&package)
            && !gathered.problem.escapes(package, candidate).is_empty()
}

/// Returns whether a candidate of a direct dependency is of another major version than the locked
/// one, than npm's pick and than what npm has placed, or would place without the lockfile.
fn is_moved(package: &Known, candidate: usize) -> bool {
    let of = |candidate: usize| major(package.version(candidate));
    let usual = [Some(0), package.pick, package.placed, package.unlocked];
    package.direct.is_some()
        && candidate < package.in_range
        && usual.into_iter().flatten().all(|usual| of(usual) != of(candidate))
}

/// Returns whether the range of the project leaves the major version open, or speaks of it.
fn is_open(package: &Known, candidate: usize) -> bool {
    let Some(direct) = &package.direct else { return true };
    let text = direct.spec.rsplit_once('@').map_or(direct.spec.as_str(), |(_, range)| range);
    let Ok(whole) = Range::parse(text) else { return false };
    if whole.is_any() {
        return true;
    }
    let usual = package.version(package.pick.unwrap_or(0));
    text.split("||")
        .filter_map(|one| Range::parse(one.trim()).ok())
        .any(|one| one.satisfies(package.version(candidate)) && !one.satisfies(usual))
}

/// Returns whether one of two chosen versions names the other's as its own.
fn are_siblings(
    known: &[Known],
    (one, its): (usize, Option<usize>),
    (other, others): (usize, Option<usize>),
) -> bool {
    let names = |from: usize, candidate: Option<usize>, to: usize| {
        let Some(candidate) = candidate else { return false };
        let own = known[from].version(candidate);
        let Some(asked) = known[from].asked(candidate, &known[to].name) else { return false };
        let Ok(range) = Range::parse(&asked.spec) else { return false };
        let next = if own.major() == 0 {
            Version::new(0, own.minor() + 1, 0)
        } else {
            Version::new(own.major() + 1, 0, 0)
        };
        let before = match (own.major(), own.minor()) {
            (0, 0) => None,
            (0, minor) => Some(Version::new(0, minor - 1, u64::from(u32::MAX))),
            (major, _) => Some(Version::new(major - 1, u64::from(u32::MAX), 0)),
        };
        range.satisfies(own)
            && !range.satisfies(&next)
            && !before.is_some_and(|before| range.satisfies(&before))
    };
    names(one, its, other) || names(other, others, one)
}
