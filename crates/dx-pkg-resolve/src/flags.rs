//! The lockfile's flags `dev`, `optional`, `devOptional` and `peer`, and extraneous packages:
//! Arborist's `calcDepFlags`.
//!
//! Every flag starts out set. It is cleared on each node that is reached from the project by a path
//! without an edge of that kind.

use rustc_hash::FxHashSet;

use crate::manifest::EdgeKind;
use crate::tree::{DependencyTree, EdgeId, Flags, NodeId};

/// Recalculates the flags of every node of the project's tree.
pub(crate) fn calculate(tree: &mut DependencyTree<'_>) {
    for node in tree.project_nodes() {
        tree[node].flags = Flags::ALL;
    }
    let root = tree.root;
    tree[root].flags = Flags::NONE;
    let mut seen: FxHashSet<NodeId> = FxHashSet::default();
    let mut queue = vec![root];
    while let Some(node) = queue.pop() {
        seen.insert(node);
        keep_parents(tree, node);
        if let Some(target) = tree[node].target {
            if clear_by_link(tree, node, target) || !seen.contains(&target) {
                queue.push(target);
            }
            continue;
        }
        for edge in tree[node].edges_out.clone() {
            let counts = !tree[edge].is_without_effect || tree.is_valid(edge);
            if let Some(to) = tree[edge].to.filter(|_| counts)
                && clear_by_edge(tree, node, edge, to)
            {
                queue.push(to);
            }
        }
    }
    seen.remove(&root);
    for node in seen {
        let flags = &mut tree[node].flags;
        if flags.dev || flags.optional {
            flags.dev_optional = false;
        }
    }
}

/// Clears `extraneous` on the packages that a needed node is nested in.
pub(crate) fn keep_parents(tree: &mut DependencyTree<'_>, node: NodeId) {
    if tree[node].flags.extraneous {
        return;
    }
    let mut at = tree.above(node);
    while let Some(holder) = at {
        if !tree[holder].flags.extraneous {
            break;
        }
        tree[holder].flags.extraneous = false;
        at = tree.above(holder);
    }
}

/// Clears the flags of a link's target that the link does not have; returns whether that changed
/// any.
fn clear_by_link(tree: &mut DependencyTree<'_>, link: NodeId, target: NodeId) -> bool {
    let (from, to) = (tree[link].flags, tree[target].flags);
    let cleared = Flags {
        dev: to.dev && from.dev,
        optional: to.optional && from.optional,
        dev_optional: to.dev_optional && from.dev_optional,
        peer: to.peer && from.peer,
        extraneous: to.extraneous && from.extraneous,
    };
    tree[target].flags = cleared;
    cleared != to
}

/// Clears flags of an edge's node; returns whether that changed any.
fn clear_by_edge(
    tree: &mut DependencyTree<'_>,
    node: NodeId,
    edge: EdgeId,
    target: NodeId,
) -> bool {
    let (from, to) = (tree[node].flags, tree[target].flags);
    let cleared = cleared_by_edge(from, tree[edge].kind, to);
    tree[target].flags = cleared;
    cleared != to
}

/// Returns the flags that remain of `to` when an edge of this kind leads to it from a node with the
/// flags `from`.
pub(crate) fn cleared_by_edge(from: Flags, kind: EdgeKind, to: Flags) -> Flags {
    let dev = kind == EdgeKind::Dev;
    let (optional, peer) = (kind.is_optional(), kind.is_peer());
    let mut cleared = to;
    cleared.extraneous &= from.extraneous || (peer && optional);
    cleared.dev &= from.dev || dev;
    cleared.optional &= from.optional || optional;
    cleared.dev_optional &= from.dev_optional || from.dev || from.optional || dev || optional;
    cleared.peer &= from.peer || peer;
    cleared
}
