//! Peer sets: a package and its peers are gathered in a scratch tree before any of them is placed.
//!
//! The root of a scratch tree (Arborist's virtual root) stands for a node of the project's tree and
//! has its edges. The packages gathered for that node are its children, so their peer requirements
//! find each other there as they would in the node's `node_modules`.

use rustc_hash::FxHashSet;

use crate::explain::Clash;
use crate::growth::MAX_PEER_DEPTH;
use crate::manifest::EdgeKind;
use crate::tree::{EdgeId, NodeId};

use super::Builder;

impl Builder<'_, '_> {
    /// Returns the scratch tree of `node`; makes one where there is none.
    pub(super) fn scratch_of(&mut self, node: NodeId) -> NodeId {
        let scratch = match self.scratch.get(&node) {
            Some(scratch) => *scratch,
            None => self.new_scratch(node),
        };
        self.fill_scratch(scratch);
        scratch
    }

    /// Makes a scratch tree for `node`, in place of an earlier one.
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

    /// Adds the edges of the node that a scratch tree stands for. Only packages with peers need
    /// them, so this is put off until one is gathered: making them at once made the resolution of a
    /// large project a tenth slower.
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

    /// Finds a package for `edge` and gathers its peers beside it in `parent`, by default a new
    /// scratch tree.
    ///
    /// `second` is another requirement for the same name: the package it picks is taken where it
    /// satisfies `edge` too. `required` are the dependent and the packages that it needs by other
    /// edges than optional peers.
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
        self.peer_depth += 1;
        if self.peer_depth > MAX_PEER_DEPTH {
            self.peer_depth_exceeded.get_or_insert(node);
        } else {
            self.gather_peers(node, required);
        }
        self.peer_depth -= 1;
        node
    }

    /// Gathers the unmet peers of `node` beside it, in npm's order of names.
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
            if self.peer_depth_exceeded.is_some() {
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

    /// Returns whether npm refuses a conflict that is found while gathering for `parent`.
    fn refused(&self, parent: NodeId) -> bool {
        self.options.strict_peer_deps
            || self.tree[parent].source.is_some_and(|source| self.tree.is_importer(source))
    }

    /// Gathers a peer that is not in the scratch tree yet.
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
            Clash::record(&mut self.clashes, edge, true);
        }
        self.tree[edge].peer_conflicted = true;
    }

    /// Gathers a peer where the scratch tree has a package of that name that does not satisfy it.
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
            Clash::record(&mut self.clashes, edge, true);
        }
    }
}
