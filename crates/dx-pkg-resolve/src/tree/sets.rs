//! Sets of nodes that are placed or removed together.

use rustc_hash::FxHashSet;

use crate::intern::NameId;

use super::{DependencyTree, EdgeId, NodeId};

impl DependencyTree<'_> {
    /// Returns `start` and everything that only these nodes need, by the edges that `counts`
    /// accepts.
    pub(crate) fn dep_set(
        &self,
        start: &[NodeId],
        counts: impl Fn(&DependencyTree<'_>, EdgeId) -> bool,
    ) -> FxHashSet<NodeId> {
        let mut order: Vec<NodeId> = Vec::new();
        let mut set: FxHashSet<NodeId> = FxHashSet::default();
        for node in start {
            if set.insert(*node) {
                order.push(*node);
            }
        }
        let mut next = 0;
        while next < order.len() {
            for edge in &self[order[next]].edges_out {
                if let Some(to) = self[*edge].to
                    && counts(self, *edge)
                    && set.insert(to)
                {
                    order.push(to);
                }
            }
            next += 1;
        }
        let mut changed = true;
        while changed && !set.is_empty() {
            changed = false;
            for node in &order {
                let needed_outside = set.contains(node)
                    && self[*node]
                        .edges_in
                        .iter()
                        .any(|edge| !set.contains(&self[*edge].from) && counts(self, *edge));
                if needed_outside {
                    set.remove(node);
                    changed = true;
                }
            }
        }
        set
    }

    /// Returns the peer sets that `node` is in: for each edge into such a set from outside, the
    /// edge and the members.
    pub(crate) fn peer_entry_sets(&self, node: NodeId) -> Vec<(EdgeId, Vec<NodeId>)> {
        let mut union = vec![node];
        let mut next = 0;
        while next < union.len() {
            let member = union[next];
            let outward = self[member]
                .edges_out
                .iter()
                .filter_map(|edge| self.peer_link(*edge, self[*edge].to));
            let inward = self[member]
                .edges_in
                .iter()
                .filter_map(|edge| self.peer_link(*edge, Some(self[*edge].from)));
            let found: Vec<NodeId> = outward.chain(inward).collect();
            for other in found {
                if !union.contains(&other) {
                    union.push(other);
                }
            }
            next += 1;
        }
        let mut sets = Vec::new();
        for peer in union {
            for edge in &self[peer].edges_in {
                if self.is_valid(*edge)
                    && (!self[*edge].kind.is_peer() || self.is_top(self[*edge].from))
                {
                    let members = self.peers_from(peer);
                    if members.contains(&node) {
                        sets.push((*edge, members));
                    }
                }
            }
        }
        sets
    }

    /// Returns `start` and the peers reached from it.
    fn peers_from(&self, start: NodeId) -> Vec<NodeId> {
        let mut members = vec![start];
        let mut next = 0;
        while next < members.len() {
            for edge in &self[members[next]].edges_out {
                if let Some(to) = self.peer_link(*edge, self[*edge].to)
                    && !members.contains(&to)
                {
                    members.push(to);
                }
            }
            next += 1;
        }
        members
    }

    /// Returns `other` if `edge` is a peer edge that is satisfied by a package.
    fn peer_link(&self, edge: EdgeId, other: Option<NodeId>) -> Option<NodeId> {
        other
            .filter(|_| self[edge].kind.is_peer() && self.is_valid(edge) && self[edge].to.is_some())
    }

    /// Returns the deepest place at or above `start` for a dependency `name`: not in a package that
    /// has it as a peer.
    pub(crate) fn deepest_target(&self, start: NodeId, name: NameId) -> NodeId {
        self.ancestry(start)
            .find(|at| {
                self.above(*at).is_none()
                    || self.edge_named(*at, name).is_none_or(|edge| !self[edge].kind.is_peer())
            })
            .unwrap_or(start)
    }

    /// Returns the optional node `node` and everything that must go with it: its dependents up to
    /// an optional edge, and the packages that only these need. Flags must have been calculated.
    pub(crate) fn optional_set(&self, node: NodeId) -> FxHashSet<NodeId> {
        let mut boundary = vec![node];
        let mut next = 0;
        while next < boundary.len() {
            for edge in &self[boundary[next]].edges_in {
                let from = self[*edge].from;
                if !self[*edge].kind.is_optional() && !boundary.contains(&from) {
                    boundary.push(from);
                }
            }
            next += 1;
        }
        let members: FxHashSet<NodeId> = boundary.iter().copied().collect();
        self.dep_set(&boundary, |tree, edge| {
            !tree[edge].to.is_some_and(|to| members.contains(&to)) && !tree[tree[edge].from].inert
        })
    }
}
