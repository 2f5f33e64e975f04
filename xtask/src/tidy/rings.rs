//! Import rings: modules of a crate that need each other, directly or through others.
//!
//! The modules beside each other in one folder are compared: each counts with everything below it.
//! A reference from a module to its parent or to its own children makes no ring.

mod imports;

use super::{Tree, source::Source};
use imports::Modules;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The modules that each module needs, by the names they have in their folder.
type Edges = BTreeMap<String, BTreeSet<String>>;

/// Checks the modules of every crate outside tests.
pub(super) fn check(tree: &Tree) -> Vec<String> {
    let mut violations = Vec::new();
    for manifest in &tree.crates {
        let folder = manifest.path.trim_end_matches("Cargo.toml");
        let of_crate = |source: &&Source| source.path.starts_with(&format!("{folder}src/"));
        let sources: Vec<&Source> = tree.sources.iter().filter(of_crate).collect();
        for (parent, edges) in siblings(&Modules::new(folder, &sources)) {
            for ring in rings(without_exceptions(tree, &manifest.name, &parent, edges)) {
                let names: Vec<String> = ring.iter().map(|name| joined(&parent, name)).collect();
                violations.push(format!("{folder}src: import ring {}", names.join(" -> ")));
            }
        }
    }
    violations
}

/// Returns, for every module with children, which of the children need which.
fn siblings(modules: &Modules) -> BTreeMap<String, Edges> {
    let mut levels: BTreeMap<String, Edges> = BTreeMap::new();
    for (from, to) in modules.references() {
        let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
        if let (Some(user), Some(used)) = (from.get(shared), to.get(shared)) {
            let edges = levels.entry(from[..shared].join("::")).or_default();
            edges.entry(user.clone()).or_default().insert(used.clone());
        }
    }
    levels
}

/// Drops the edges that are allowed; an exception counts as used where its edge is part of a ring.
fn without_exceptions(tree: &Tree, package: &str, parent: &str, edges: Edges) -> Edges {
    let mut kept = edges.clone();
    for (from, targets) in &edges {
        for to in targets {
            let in_ring = path(&edges, to, from).is_some();
            let [user, used] = [from, to].map(|name| joined(parent, name));
            if in_ring
                && tree.allowed.ring(package, &user, &used)
                && let Some(targets) = kept.get_mut(from)
            {
                targets.remove(to);
            }
        }
    }
    kept
}

/// Returns one ring, a shortest, for each group of modules that need each other.
fn rings(edges: Edges) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut told: BTreeSet<String> = BTreeSet::new();
    for (from, targets) in &edges {
        if told.contains(from) {
            continue;
        }
        let back = targets.iter().filter_map(|to| path(&edges, to, from));
        if let Some(back) = back.min_by_key(Vec::len) {
            // All that are in a ring with this module belong to one group.
            told.extend(
                edges
                    .keys()
                    .filter(|other| {
                        path(&edges, from, other).is_some() && path(&edges, other, from).is_some()
                    })
                    .cloned(),
            );
            found.push([vec![from.clone()], back].concat());
        }
    }
    found
}

/// Returns a shortest path from a module to another, both included.
fn path(edges: &Edges, from: &str, to: &str) -> Option<Vec<String>> {
    let mut reached = BTreeSet::from([from.to_owned()]);
    let mut queue = VecDeque::from([vec![from.to_owned()]]);
    while let Some(path) = queue.pop_front() {
        let last = path.last()?;
        if last == to {
            return Some(path);
        }
        for next in edges.get(last).into_iter().flatten() {
            if reached.insert(next.clone()) {
                queue.push_back([path.clone(), vec![next.clone()]].concat());
            }
        }
    }
    None
}

fn joined(parent: &str, name: &str) -> String {
    if parent.is_empty() { name.to_owned() } else { format!("{parent}::{name}") }
}
