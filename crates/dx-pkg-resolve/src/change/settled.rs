//! Whether a resolution left nothing open: only then can a later change be told from what it touches.

use dx_pkg_lock::locale_compare;

use crate::Requirements;
use crate::build::Builder;
use crate::explain::Conflict;
use crate::manifest::EdgeKind;
use crate::tree::{EdgeId, NodeId, Tree};

/// Whether what an edge asks for is missing without harm, but would be looked for again by another resolution.
pub(super) fn is_left_open(tree: &Tree, edge: EdgeId) -> bool {
    tree[edge].kind == EdgeKind::Optional && tree[edge].to.is_none()
}

/// Whether a lock made of the builder's tree would be kept as it is by another resolution of the same requirements; then,
/// the conflicts that it would note: requirements for peers that were not met and are lived with.
pub(crate) fn settled(builder: &Builder<'_>, requirements: &Requirements) -> Option<Vec<Conflict>> {
    let tree = &builder.tree;
    let is_plain = |node: NodeId| {
        tree[node].target.is_none() && tree[node].folder.as_deref().is_none_or(str::is_empty)
    };
    let nothing_special = requirements.workspaces.is_empty()
        && requirements.overrides.is_empty()
        && builder.failures.is_empty();
    let nodes = tree.project_nodes();
    if !nothing_special || !nodes.iter().all(|node| is_plain(*node)) {
        return None;
    }
    let mut unmet: Vec<(String, EdgeId)> = Vec::new();
    for node in nodes {
        for edge in tree[node].edges_out.iter().copied() {
            if is_left_open(tree, edge) {
                return None;
            }
            if tree.is_valid(edge) {
                continue;
            }
            if !tree[edge].kind.is_peer() || tree[edge].to.is_none() || tree.is_mine(node) {
                return None;
            }
            unmet.push((tree.path(node), edge));
        }
    }
    let name = |edge: EdgeId| tree.text(tree[edge].name);
    unmet.sort_by(|(a, one), (b, other)| {
        let optional = |edge: EdgeId| tree[edge].kind.is_optional();
        let by_kind = optional(*one).cmp(&optional(*other));
        a.cmp(b).then(by_kind).then_with(|| locale_compare(name(*one), name(*other)))
    });
    let mut conflicts = Vec::new();
    for (_, edge) in unmet {
        if let Some(to) = tree[edge].to {
            Conflict::note(&mut conflicts, Conflict::new(tree, edge, to, false));
        }
    }
    Some(conflicts)
}
