//! Following chains from what a project asks for.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, HashMap, HashSet};

use dx_pkg_format::chain::{Chain, StateId};

use super::{CERTAIN, Seed};

/// What is left of a likelihood where the major asked for is unknown and another one tells what it may need, in 255ths.
const OTHER_MAJOR: u8 = 192;

/// A package that is likely to be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prediction<'a> {
    /// The package's name.
    pub name: &'a str,
    /// Its likeliest major version.
    pub major: u32,
    /// How likely it is, of [`CERTAIN`].
    pub likelihood: u32,
    /// How many steps it is from what is asked for.
    pub depth: u32,
}

/// Where a way has come to; the likeliest goes on first, of those the shortest.
#[derive(Debug, PartialEq, Eq)]
struct Way<'a> {
    likelihood: u32,
    depth: u32,
    name: &'a str,
    major: u32,
}

/// What is likely to follow the seeds, as the first of `chains` that knows a package tells; each name once, and no
/// seed. Those nearest to the seeds come first, of those the likeliest. Nothing less likely than `least` is told.
#[must_use]
pub fn predict<'a>(chains: &[Chain<'a>], seeds: &[Seed], least: u32) -> Vec<Prediction<'a>> {
    let mut ways = BinaryHeap::new();
    let mut told: HashSet<&str> = seeds.iter().map(|seed| seed.name.as_str()).collect();
    for Seed { name, major } in seeds {
        if let Some((chain, id, discount)) = find(chains, name, *major) {
            step(chain, id, scaled(CERTAIN, discount), 0, least, &mut ways);
        }
    }
    let mut followed: HashMap<(&'a str, u32), u32> = HashMap::new();
    let mut predictions = Vec::new();
    while let Some(Way { likelihood, depth, name, major }) = ways.pop() {
        if followed.insert((name, major), likelihood).is_some() {
            continue;
        }
        if told.insert(name) {
            predictions.push(Prediction { name, major, likelihood, depth });
        }
        if let Some((chain, id, discount)) = find(chains, name, Some(major)) {
            step(chain, id, scaled(likelihood, discount), depth, least, &mut ways);
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
    ways: &mut BinaryHeap<Way<'a>>,
) {
    for (to, share) in chain.steps(from) {
        let likelihood = scaled(likelihood, share);
        if likelihood >= least {
            let state = chain.state(to);
            ways.push(Way { likelihood, depth: depth + 1, name: state.name, major: state.major });
        }
    }
}

/// The state of a package, in the first chain that has this major of it; else of the nearest major, with a discount.
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

impl Ord for Way<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |way: &Self| (way.likelihood, Reverse(way.depth));
        key(self)
            .cmp(&key(other))
            .then_with(|| (other.name, other.major).cmp(&(self.name, self.major)))
    }
}

impl PartialOrd for Way<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
