//! Adds a resolution to a chain.

use std::cmp::Reverse;
use std::collections::HashMap;

use dx_pkg_format::FormatError;
use dx_pkg_format::chain::{Chain, ChainData, StateData, Step};

/// The number of resolutions that a likelihood averages; older ones fade.
const MEMORY: u32 = 16;
/// The likelihood in 255ths below which a step is dropped.
const FORGOTTEN: u8 = 13;
/// The most states in a chain, about 500 kB; those not seen for the longest time are dropped.
const MOST_STATES: usize = 8192;

/// One package of a resolution, in one of its majors, with its dependencies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation<'a> {
    /// The package's name.
    pub name: &'a str,
    /// Its major version.
    pub major: u32,
    /// Names and majors of its dependencies.
    pub next: Vec<(&'a str, u32)>,
}

type Key<'a> = (&'a str, u32);

/// Returns the bytes of `before` with one more resolution learnt, at `now_ms` since 1970.
///
/// # Errors
/// There is more to learn than a chain can hold.
pub fn learn(
    before: Option<Chain<'_>>,
    resolution: &[Observation<'_>],
    now_ms: u64,
) -> Result<Vec<u8>, FormatError> {
    let number = before.map_or(0, |chain| chain.resolutions()).saturating_add(1);
    let mut states = before.map(known).unwrap_or_default();
    for (key, next) in joined(resolution) {
        let known = states.entry(key).or_default();
        let weight = known.observations.min(MEMORY - 1) + 1;
        for name in next.keys() {
            known.steps.entry(*name).or_insert(0);
        }
        for (target, likelihood) in &mut known.steps {
            let observed = if next.contains_key(target) { 255 } else { 0 };
            *likelihood = moved(*likelihood, observed, weight);
        }
        known.steps.retain(|_, likelihood| *likelihood >= FORGOTTEN);
        known.observations = known.observations.saturating_add(1);
        known.seen = number;
        next.into_keys().for_each(|target| {
            states.entry(target).or_default().seen = number;
        });
    }
    write(states, number, now_ms)
}

#[derive(Default)]
struct Known<'a> {
    seen: u32,
    observations: u32,
    steps: HashMap<Key<'a>, u8>,
}

fn known(chain: Chain<'_>) -> HashMap<Key<'_>, Known<'_>> {
    let key = |id| {
        let state = chain.state(id);
        (state.name, state.major)
    };
    let known = |id| {
        let state = chain.state(id);
        let steps = chain.steps(id).map(|(to, likelihood)| (key(to), likelihood)).collect();
        Known { seen: state.seen, observations: state.observations, steps }
    };
    chain.ids().map(|id| (key(id), known(id))).collect()
}

/// Merges the dependencies of a package that is there several times.
fn joined<'a>(resolution: &[Observation<'a>]) -> HashMap<Key<'a>, HashMap<Key<'a>, ()>> {
    let mut joined: HashMap<Key<'a>, HashMap<Key<'a>, ()>> = HashMap::new();
    for Observation { name, major, next } in resolution {
        joined.entry((name, *major)).or_default().extend(next.iter().map(|target| (*target, ())));
    }
    joined
}

/// Returns the mean of `weight` values: `observed`, and others with the mean `before`.
fn moved(before: u8, observed: u8, weight: u32) -> u8 {
    let sum = u32::from(before) * (weight - 1) + u32::from(observed);
    u8::try_from((sum + weight / 2) / weight).unwrap_or(u8::MAX)
}

fn write<'w>(
    states: HashMap<Key<'w>, Known<'w>>,
    number: u32,
    now_ms: u64,
) -> Result<Vec<u8>, FormatError> {
    let mut states: Vec<(Key<'w>, Known<'w>)> = states.into_iter().collect();
    states.sort_unstable_by_key(|(key, known)| (Reverse(known.seen), *key));
    states.truncate(MOST_STATES);
    let positions: HashMap<Key<'_>, usize> =
        states.iter().enumerate().map(|(position, (key, _))| (*key, position)).collect();
    let steps_of = |known: &Known<'_>| {
        let step = |(target, likelihood): (&Key<'_>, &u8)| {
            positions.get(target).map(|to| Step { to: *to, likelihood: *likelihood })
        };
        known.steps.iter().filter_map(step).collect()
    };
    let state = |((name, major), known): &(Key<'w>, Known<'w>)| StateData {
        name,
        major: *major,
        seen: known.seen,
        observations: known.observations,
        steps: steps_of(known),
    };
    let states = states.iter().map(state).collect();
    ChainData { trained_ms: now_ms, resolutions: number, states }.encode()
}
