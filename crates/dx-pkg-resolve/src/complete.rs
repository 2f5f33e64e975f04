//! The check whether a lock is complete: only of a complete one can a part be resolved.

use crate::build::Builder;
use crate::explain::Conflict;
use crate::manifest::EdgeKind;
use crate::tree::{DependencyTree, EdgeId, NodeId};
use crate::{Options, Provider, Requirements, Resolution, resolve_once};

/// Returns whether an edge is optional and unmet, so another resolution would look for its package
/// again.
pub(crate) fn is_left_open(tree: &DependencyTree<'_>, edge: EdgeId) -> bool {
    tree[edge].kind == EdgeKind::Optional && tree[edge].to.is_none()
}

/// Returns the accepted peer conflicts of the builder's tree, which are all that it has; `None` if
/// the tree is incomplete.
pub(crate) fn accepted_conflicts(
    builder: &Builder<'_, '_>,
    requirements: &Requirements,
    conflicts: &[Conflict],
) -> Option<Vec<Conflict>> {
    let tree = &builder.tree;
    let is_plain = |node: NodeId| {
        tree[node].target.is_none() && tree[node].folder.as_deref().is_none_or(str::is_empty)
    };
    let nothing_special = requirements.workspaces.is_empty()
        && requirements.overrides.is_empty()
        && requirements.pins.is_empty()
        && builder.failures.is_empty();
    let nodes = tree.project_nodes();
    if !nothing_special || !nodes.iter().all(|node| is_plain(*node)) {
        return None;
    }
    for node in nodes {
        for edge in tree[node].edges_out.iter().copied() {
            if is_left_open(tree, edge) {
                return None;
            }
            if tree.is_valid(edge) {
                continue;
            }
            if !tree[edge].kind.is_peer() || tree[edge].to.is_none() || tree.is_importer(node) {
                return None;
            }
        }
    }
    Some(conflicts.to_vec())
}

/// Returns whether a requirement of an installed package is not met, other than a peer that is
/// there in another version, or an optional package that could not be loaded.
pub(crate) fn has_unmet(tree: &DependencyTree<'_>) -> bool {
    let is_excused = |edge: EdgeId| match (tree[edge].kind, tree[edge].to) {
        (EdgeKind::PeerOptional, _) => true,
        (kind, Some(to)) => kind.is_peer() || kind.is_optional() && tree[to].failure.is_some(),
        (_, None) => false,
    };
    let is_unmet = |edge: EdgeId| !tree.is_valid(edge) && !is_excused(edge);
    // What is optional may lack anything where it is not installed; what nothing needs may not.
    let counts = |node: NodeId| {
        let this = &tree[node];
        !this.inert || !this.flags.optional || this.flags.extraneous
    };
    tree.project_nodes()
        .into_iter()
        .any(|node| counts(node) && tree[node].edges_out.iter().any(|edge| is_unmet(*edge)))
}

/// Returns whether one of these conflicts was not there before.
pub(crate) fn has_new(conflicts: &[Conflict], options: &Options) -> bool {
    let is_known = |conflict: &Conflict| options.known_conflicts.contains(&conflict.to_string());
    !conflicts.iter().all(is_known)
}

/// Returns the peer conflicts that every further resolution reports: it looks at those of the lock
/// again. `None` where that would change the lock.
pub(crate) fn standing(
    resolution: &Resolution,
    requirements: &Requirements,
    provider: &dyn Provider,
    options: &Options,
) -> Option<Vec<Conflict>> {
    if !resolution.changed {
        return Some(resolution.conflicts.clone());
    }
    let options = Options { update: Vec::new(), explicit: Vec::new(), ..options.clone() };
    let again = resolve_once(requirements, Some(&resolution.lock), provider, &options).ok()?;
    (!again.changed).then_some(again.conflicts)
}
