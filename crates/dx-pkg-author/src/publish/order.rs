//! The order in which workspaces are published: each after those that it requires, so that nobody
//! can install one whose requirements are not there yet.

use serde_json::Value;

use crate::members::{Member, written_manifest};

/// Sorts workspaces by their requirements; otherwise they stay in their order. Those that require
/// one another stay so, too.
#[must_use]
pub fn in_order(members: &[Member]) -> Vec<Member> {
    let manifests: Vec<Value> =
        members.iter().map(|member| written_manifest(&member.folder).unwrap_or_default()).collect();
    let requires = |at: usize, name: &str| {
        ["dependencies", "optionalDependencies", "peerDependencies"].iter().any(|section| {
            manifests[at].get(*section).is_some_and(|section| section.get(name).is_some())
        })
    };
    let mut found: Vec<usize> = Vec::new();
    let mut open: Vec<usize> = (0..members.len()).collect();
    while !open.is_empty() {
        let is_free = |at: &usize| {
            open.iter().all(|other| other == at || !requires(*at, &members[*other].name))
        };
        let place = open.iter().position(is_free).unwrap_or_default();
        found.push(open.remove(place));
    }
    found.into_iter().map(|at| members[at].clone()).collect()
}
