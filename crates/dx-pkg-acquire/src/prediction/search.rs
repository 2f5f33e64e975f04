//! Follows chains from a project's requirements.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, HashMap, HashSet};

use dx_pkg_format::chain::{Chain, StateId};

use super::{CERTAIN, Seed};

/// The discount in 255ths for predicting from another major than the required one.
const OTHER_MAJOR: u8 = 192;

/// A package that will probably be needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prediction<'a> {
    /// The package's name.
    pub name: &'a str,
    /// Its likeliest major version.
    pub major: u32,
    /// Its likelihood, of [`CERTAIN`].
    pub likelihood: u32,
    /// Its distance from the seeds, in steps.
    pub depth: u32,
}

/// A candidate on the search frontier; the likeliest is expanded first, of those the nearest.
#[derive(Debug, PartialEq, Eq)]
struct Candidate<'a> {
    likelihood: u32,
    depth: u32,
    name: &'a str,
    major: u32,
}

/// Returns the packages that probably follow the seeds: each name once, without the seeds, the
/// nearest first, of those the likeliest, and none below the likelihood `least`. The first of
/// `chains` that knows a package decides.
#[must_use]
pub fn predict<'a>(chains: &[Chain<'a>], seeds: &[Seed], least: u32) -> Vec<Prediction<'a>> {
    let mut frontier = BinaryHeap::new();
    let mut predicted: HashSet<&str> = seeds.iter().map(|seed| seed.name.as_str()).collect();
    for Seed { name, major } in seeds {
        if let Some((chain, id, discount)) = find(chains, name, *major) {
            step(chain, id, scaled(CERTAIN, discount), 0, least, &mut frontier);
        }
    }
    let mut followed: HashMap<(&'a str, u32), u32> = HashMap::new();
    let mut predictions = Vec::new();
    while let Some(Candidate { likelihood, depth, name, major }) = frontier.pop() {
        if followed.insert((name, major), likelihood).is_some() {
            continue;
        }
        if predicted.insert(name) {
            predictions.push(Prediction { name, major, likelihood, depth });
        }
        if let Some((chain, id, discount)) = find(chains, name, Some(major)) {
            step(chain, id, scaled(likelihood, discount), depth, least, &mut frontier);
        }
    }
    predictions.sort_by_key(|prediction| {
        (prediction.depth, Reverse(prediction.likelihood), prediction.name)
    });
    predictions
}

fn step<'a>(
    chain: Chain<'a>,
    from: StateId,
    likelihood: u32,
    depth: u32,
    least: u32,
    frontier: &mut BinaryHeap<Candidate<'a>>,
) {
    for (to, share) in chain.steps(from) {
        let likelihood = scaled(likelihood, share);
        if likelihood >= least {
            let state = chain.state(to);
            frontier.push(Candidate {
                likelihood,
                depth: depth + 1,
                name: state.name,
                major: state.major,
            });
        }
    }
}

/// Finds the state of a package in the first chain that has its major, else of the nearest major,
/// at a discount.
fn find<'a>(
    chains: &[Chain<'a>],
    name: &str,
    major: Option<u32>,
) -> Option<(Chain<'a>, StateId, u8)> {
    if let Some(major) = major {
        let exact = |chain: &Chain<'a>| Some((*chain, chain.find(name, major)?, u8::MAX));
        if let Some(found) = chains.iter().find_map(exact) {
            return Some(found);
        }
    }
    chains.iter().find_map(|chain| {
        let known = chain.majors(name);
        let newest = StateId(known.clone().last()?);
        let Some(wanted) = major else { return Some((*chain, newest, u8::MAX)) };
        let distance = |id: &u32| chain.state(StateId(*id)).major.abs_diff(wanted);
        Some((*chain, StateId(known.min_by_key(distance)?), OTHER_MAJOR))
    })
}

fn scaled(likelihood: u32, share: u8) -> u32 {
    likelihood * u32::from(share) / u32::from(u8::MAX)
}

impl Ord for Candidate<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |candidate: &Self| (candidate.likelihood, Reverse(candidate.depth));
        key(self)
            .cmp(&key(other))
            .then_with(|| (other.name, other.major).cmp(&(self.name, self.major)))
    }
}

impl PartialOrd for Candidate<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
