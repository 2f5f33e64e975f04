//! The peer requirements that a finished tree does not meet.

use std::cmp::Reverse;

use dx_pkg_lock::locale_compare;
use rustc_hash::FxHashSet;

use crate::intern::NameId;
use crate::manifest::EdgeKind;
use crate::tree::{DependencyTree, EdgeId, EdgeState, NodeId};

use super::{Conflict, label, version_text};

/// Returns the peer conflicts of the tree, by the dependent's path and the required name.
///
/// There are two kinds: a package finds a version that does not suit it, or it suits the package
/// but not the workspace that requires both, which has another version for itself.
pub(crate) fn conflicts(tree: &DependencyTree<'_>) -> Vec<Conflict> {
    let mut found = Vec::new();
    for node in tree.project_nodes() {
        if is_left_out(tree, node) {
            continue;
        }
        let unmet = tree[node].edges_out.iter().filter(|edge| is_unmet(tree, **edge));
        found.extend(unmet.map(|edge| of_edge(tree, *edge)));
        if tree.is_top(node) && node != tree.root {
            found.extend(of_workspace(tree, node));
        }
    }
    found.sort_by(|a, b| {
        locale_compare(&a.path, &b.path)
            .then_with(|| locale_compare(&a.name, &b.name))
            .then_with(|| (&a.path, &a.name, &a.used_by).cmp(&(&b.path, &b.name, &b.used_by)))
    });
    merged(found)
}

/// Returns whether nothing is to be said of a package's peers: it is not installed, or comes inside
/// another's tarball, so that nobody but its author can change them.
fn is_left_out(tree: &DependencyTree<'_>, node: NodeId) -> bool {
    tree[node].inert || tree[node].in_bundle || tree[node].target.is_some()
}

/// Returns whether an edge is a peer that finds no package, or one of another version.
fn is_unmet(tree: &DependencyTree<'_>, edge: EdgeId) -> bool {
    let this = &tree[edge];
    this.kind.is_peer()
        && match this.to {
            Some(to) => tree.edge_state(edge) == EdgeState::Invalid && !tree.satisfied_by(edge, to),
            None => tree.edge_state(edge) == EdgeState::Missing,
        }
}

fn of_edge(tree: &DependencyTree<'_>, edge: EdgeId) -> Conflict {
    let this = &tree[edge];
    Conflict {
        dependent: label(tree, this.from),
        path: tree.path(this.from),
        places: 1,
        name: tree.text(this.name).to_owned(),
        wants: wants(tree, edge),
        found: this.to.map(|found| version_text(tree, found)),
        found_because: this.to.and_then(|found| reason(tree, found, this.name, edge)),
        used_by: None,
    }
}

/// Returns the versions that an edge requires. An override does not apply to what is bundled.
fn wants(tree: &DependencyTree<'_>, edge: EdgeId) -> String {
    let is_bundled = tree[edge].to.is_some_and(|to| tree[to].in_bundle);
    let spec = if is_bundled { tree[edge].declared } else { tree.spec(edge) };
    tree.interner.spec_text(spec).to_owned()
}

/// Returns, in words, the dependent that `found` is there for: the project or a workspace, else the
/// first by path.
fn reason(
    tree: &DependencyTree<'_>,
    found: NodeId,
    name: NameId,
    except: EdgeId,
) -> Option<String> {
    let is_there = |edge: &EdgeId| {
        let from = tree[*edge].from;
        *edge != except && tree[from].root == tree.root && tree.is_valid(*edge)
    };
    let edge = tree.dependents(found).filter(is_there).max_by_key(|edge| {
        (tree.is_importer(tree[*edge].from), Reverse(tree.path(tree[*edge].from)))
    })?;
    let wants = tree.interner.spec_text(tree.spec(edge));
    Some(format!("{} requires {}@{wants}", label(tree, tree[edge].from), tree.text(name)))
}

/// Returns the conflicts of the packages that a workspace requires, and of their peers, with what
/// it requires itself.
fn of_workspace(tree: &DependencyTree<'_>, importer: NodeId) -> Vec<Conflict> {
    let mut found = Vec::new();
    let mut seen: FxHashSet<NodeId> = FxHashSet::default();
    let own = tree[importer].edges_out.iter();
    let mut waiting: Vec<NodeId> = own.filter_map(|edge| tree[*edge].to).collect();
    while let Some(node) = waiting.pop() {
        if is_left_out(tree, node) || !seen.insert(node) {
            continue;
        }
        let peers = tree[node].edges_out.iter().copied();
        for edge in peers.filter(|edge| tree[*edge].kind == EdgeKind::Peer) {
            let Some(to) = tree[edge].to.filter(|_| tree.is_valid(edge)) else { continue };
            waiting.push(to);
            let own = tree.edge_named(importer, tree[edge].name).filter(|own| tree.is_valid(*own));
            let Some(own) = own.and_then(|own| tree[own].to) else { continue };
            if own == to || tree[own].target.is_some() || tree.satisfied_by(edge, own) {
                continue;
            }
            found.push(Conflict {
                found: Some(version_text(tree, own)),
                found_because: None,
                used_by: Some(tree.path(importer)),
                ..of_edge(tree, edge)
            });
        }
    }
    found
}

/// Merges the conflicts that differ in the dependent's place only; the first place stays.
fn merged(conflicts: Vec<Conflict>) -> Vec<Conflict> {
    let mut merged: Vec<Conflict> = Vec::with_capacity(conflicts.len());
    for conflict in conflicts {
        match merged.iter_mut().find(|other| other.is_same(&conflict)) {
            Some(other) => other.places += 1,
            None => merged.push(conflict),
        }
    }
    merged
}
