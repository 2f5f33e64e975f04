//! Waves of requests: those of the first depend on no answer, those of another on one of the wave
//! before it.

use super::{Kind, Request, Timing};
use std::collections::HashMap;
use std::fmt::Write;

/// The wave of every request, from 1.
pub(super) fn of(timing: &Timing) -> Vec<usize> {
    let mut answered: HashMap<&str, Vec<(u64, usize)>> = HashMap::new();
    let mut waves = Vec::with_capacity(timing.requests.len());
    for request in &timing.requests {
        let before = |name: &str| {
            let answers = answered.get(name).into_iter().flatten();
            answers.filter(|(done, _)| *done <= request.queued).map(|(_, wave)| *wave).max()
        };
        // A second request for the same document is one that the first answer did not satisfy.
        let again = if request.kind == Kind::Metadata { before(&request.name) } else { None };
        let cause = again.or_else(|| before(request.caused_by.as_deref()?));
        let wave = cause.map_or(1, |wave| wave + 1);
        waves.push(wave);
        if request.kind == Kind::Metadata {
            answered.entry(&request.name).or_default().push((request.done, wave));
        }
    }
    waves
}

/// The totals of a group of requests.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) kind: Option<Kind>,
    pub(super) wave: usize,
    /// Positions in the timing, in the order in which they were asked for.
    pub(super) requests: Vec<usize>,
}

/// The metadata by waves, then all tarballs.
pub(super) fn groups(timing: &Timing) -> Vec<Group> {
    let waves = of(timing);
    let mut groups: Vec<Group> = Vec::new();
    for (position, request) in timing.requests.iter().enumerate() {
        let wave = if request.kind == Kind::Metadata { waves[position] } else { usize::MAX };
        match groups.iter_mut().find(|group| group.wave == wave) {
            Some(group) => group.requests.push(position),
            None => groups.push(Group { kind: Some(request.kind), wave, requests: vec![position] }),
        }
    }
    groups.sort_by_key(|group| group.wave);
    for group in &mut groups {
        group.requests.sort_by_key(|position| timing.requests[*position].queued);
    }
    groups
}

/// Returns the number of waves of metadata.
pub(super) fn count(timing: &Timing) -> usize {
    groups(timing).iter().filter(|group| group.kind == Some(Kind::Metadata)).count()
}

/// The groups in words.
pub(super) fn table(timing: &Timing) -> String {
    let mut text = String::new();
    for group in groups(timing) {
        let requests = || group.requests.iter().map(|position| &timing.requests[*position]);
        let first = requests().map(|request| request.queued).min().unwrap_or(0);
        let last = requests().map(|request| request.done).max().unwrap_or(0);
        let bytes: u64 = requests().map(|request| request.bytes).sum();
        let _ = writeln!(
            text,
            "  {:<10} {:>5} requests {:>8.2} MB  from {:>6.1} to {:>6.1} ms",
            name(&group),
            group.requests.len(),
            bytes as f64 / 1e6,
            first as f64 / 1e3,
            last as f64 / 1e3
        );
    }
    let _ = writeln!(
        text,
        "  {} waves of metadata; {:.1} ms in all",
        count(timing),
        timing.ended as f64 / 1e3
    );
    let chain: Vec<&str> =
        longest_chain(timing).into_iter().map(|request| request.name.as_str()).collect();
    let _ = writeln!(text, "  the last of them: {}", chain.join(" > "));
    text
}

/// Returns the name of a group.
pub(super) fn name(group: &Group) -> String {
    if group.kind == Some(Kind::Metadata) {
        format!("wave {}", group.wave)
    } else {
        "tarballs".to_owned()
    }
}

/// The requests that led to the metadata that came last, from the first.
fn longest_chain(timing: &Timing) -> Vec<&Request> {
    let metadata = || timing.requests.iter().filter(|request| request.kind == Kind::Metadata);
    let mut chain: Vec<&Request> =
        metadata().max_by_key(|request| request.done).into_iter().collect();
    while let Some(cause) = chain.last().and_then(|last| {
        let cause = last.caused_by.as_deref()?;
        metadata()
            .filter(|request| request.name == cause && request.done <= last.queued)
            .max_by_key(|request| request.done)
    }) {
        chain.push(cause);
    }
    chain.reverse();
    chain
}
