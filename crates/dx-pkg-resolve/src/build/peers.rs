//! Gathers a package and its peer set in a scratch tree before anything is placed.
//!
//! The root of a scratch tree stands for a node of the project's tree and has its edges; the packages gathered for it are
//! its children, so that their peer requirements find each other there as they would in the dependent's `node_modules`.

use rustc_hash::FxHashSet;

use crate::explain::Conflict;
use crate::manifest::EdgeKind;
use crate::tree::{EdgeId, NodeId};

use super::Builder;

/// Peers of peers are gathered this deep: where two packages displace each other in turn there is no end. The 2 MiB of a test's
/// stack, without optimisation, were full at some 4,600.
const MOST_GATHERED: usize = 300;

impl Builder<'_> {
    /// The scratch tree that stands for `node`; made where there is none.
    pub(super) fn scratch_of(&mut self, node: NodeId) -> NodeId {
        let scratch = match self.scratch.get(&node) {
            Some(scratch) => *scratch,
            None => self.new_scratch(node),
        };
        self.fill_scratch(scratch);
        scratch
    }

    fn new_scratch(&mut self, node: NodeId) -> NodeId {
        let (name, manifest, rules) =
            (self.tree[node].name, self.tree[node].manifest, self.tree[node].rules);
        let scratch = self.tree.add_node(name, manifest);
        self.tree[scratch].source = Some(node);
        self.tree[scratch].rules = rules;
        if rules.is_some() {
            self.fill_scratch(scratch);
        }
        self.scratch.insert(node, scratch);
        scratch
    }

    /// Gives a scratch tree its root's edges. Most packages have no peers and need none of them, and making them is
    /// what a scratch tree costs: without this the resolution of a large project takes a tenth longer.
    fn fill_scratch(&mut self, scratch: NodeId) {
        let Some(node) =
            self.tree[scratch].source.filter(|_| self.tree[scratch].edges_out.is_empty())
        else {
            return;
        };
        let with_dev = self.tree.is_top(node);
        self.tree.load_edges(scratch, with_dev);
        self.load_workspace_edges(node, scratch);
    }

    /// Finds a package for `edge` and gathers its peers beside it in `parent` (a new scratch tree where none is given).
    /// `second` is another requirement for the same name: its choice is taken where that satisfies `edge` too.
    pub(super) fn package_for_edge(
        &mut self,
        edge: EdgeId,
        parent: Option<NodeId>,
        second: Option<EdgeId>,
        required: &mut FxHashSet<NodeId>,
    ) -> NodeId {
        let parent = match parent {
            Some(parent) => parent,
            None => self.new_scratch(self.tree[edge].from),
        };
        let first = self.package_for_spec(edge, edge, parent);
        if self.tree.manifest(first).has_peers() {
            self.fill_scratch(parent);
        }
        let mut node = first;
        if let Some(second) = second.filter(|second| !self.tree.is_valid(*second)) {
            let other = self.package_for_spec(edge, second, parent);
            if self.tree.is_valid(edge) {
                node = other;
            }
        }
        self.tree.attach(node, parent);
        let asks = |edge: EdgeId| {
            required.contains(&self.tree[edge].from)
                && self.tree[edge].kind != EdgeKind::PeerOptional
        };
        if asks(edge) || second.is_some_and(asks) {
            required.insert(node);
        }
        self.gathering += 1;
        if self.gathering > MOST_GATHERED {
            self.bottomless.get_or_insert(node);
        } else {
            self.gather_peers(node, required);
        }
        self.gathering -= 1;
        node
    }

    fn gather_peers(&mut self, node: NodeId, required: &mut FxHashSet<NodeId>) {
        let tree = &self.tree;
        let mut edges: Vec<EdgeId> = tree[node]
            .edges_out
            .iter()
            .copied()
            .filter(|edge| {
                tree[*edge].kind.is_peer() && !(tree.is_valid(*edge) && tree[*edge].to.is_some())
            })
            .collect();
        edges.sort_by(|a, b| {
            dx_pkg_lock::locale_compare(tree.text(tree[*a].name), tree.text(tree[*b].name))
        });
        for edge in edges {
            if self.bottomless.is_some() {
                break;
            }
            let Some(parent) = self.tree[node].parent else { break };
            if self.tree[edge].to.is_some() && self.tree.is_valid(edge) {
                continue;
            }
            match self.tree[edge].to {
                None => self.gather_missing(edge, node, parent, required),
                Some(current) => self.gather_instead(edge, current, parent, required),
            }
        }
    }

    /// Whether a conflict found while gathering for `parent` is one that npm refuses.
    fn refused(&self, parent: NodeId) -> bool {
        self.options.strict_peer_deps
            || self.tree[parent].source.is_some_and(|source| self.tree.is_mine(source))
    }

    /// A peer that nothing in the scratch tree provides yet.
    fn gather_missing(
        &mut self,
        edge: EdgeId,
        node: NodeId,
        parent: NodeId,
        required: &mut FxHashSet<NodeId>,
    ) {
        let name = self.tree[edge].name;
        let Some(parent_edge) = self.tree.edge_named(parent, name) else {
            if self.tree[edge].kind == EdgeKind::PeerOptional {
                let source = self.tree.source_or_self(parent);
                let met = self
                    .tree
                    .resolve(source, name)
                    .is_none_or(|current| self.tree.satisfied_by(edge, current));
                if met {
                    return;
                }
            }
            self.package_for_edge(edge, Some(parent), None, required);
            return;
        };
        let dep = self.package_for_edge(parent_edge, Some(parent), Some(edge), required);
        if self.tree.is_valid(edge) {
            return;
        }
        if self.refused(parent) && required.contains(&dep) && self.tree[node].parent.is_some() {
            self.note_refused(edge, dep);
        }
        self.tree[edge].peer_conflicted = true;
    }

    /// A peer for which the scratch tree has a package that does not satisfy it.
    fn gather_instead(
        &mut self,
        edge: EdgeId,
        current: NodeId,
        parent: NodeId,
        required: &mut FxHashSet<NodeId>,
    ) {
        let dep = self.package_for_edge(edge, None, None, required);
        if self.tree.can_replace(dep, current, &[]) {
            self.package_for_edge(edge, Some(parent), None, required);
        } else if self.refused(parent) && required.contains(&self.tree[edge].from) {
            self.note_refused(edge, dep);
        }
    }

    fn note_refused(&mut self, edge: EdgeId, dep: NodeId) {
        let conflict = Conflict::new(&self.tree, edge, dep, true);
        Conflict::note(&mut self.conflicts, conflict);
    }
}
