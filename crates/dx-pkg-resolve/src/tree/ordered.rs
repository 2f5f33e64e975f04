//! Moving nodes between trees in npm's order, which matters where there are overrides.
//!
//! An override reaches a package with the first edge that finds it, and combines with what further
//! edges bring. npm moves a subtree node by node, and lets the edges that may find a node look for
//! it in the order of the tree. The order here is the same; without rules it makes no difference.

use super::{DependencyTree, EdgeId, NodeId};

impl DependencyTree<'_> {
    /// Moves `node` and its subtree to the tree of `root`, one node after the other.
    pub(super) fn move_in_order(&mut self, node: NodeId, root: NodeId) {
        if self[node].root == self.root {
            self.forget(node);
        }
        self.attachments += 1;
        let order = self.attachments;
        let this = &mut self[node];
        this.root = root;
        this.attached = order;
        if root == self.root {
            self.register(node);
        }
        if let Some(parent) = self[node].parent.filter(|parent| self[*parent].root == root) {
            self.reload_named(parent, self[node].name);
        }
        self.reload_crossing(node);
        self.move_family(node, root);
    }

    /// Moves what is below `node`. As with npm, none of it is in place before its turn.
    fn move_family(&mut self, node: NodeId, root: NodeId) {
        let mut family: Vec<NodeId> = self[node].folder_children.clone();
        family.extend(self.children(node));
        family.retain(|child| self[*child].root != root);
        let places: Vec<(NodeId, bool)> =
            family.into_iter().map(|child| (child, self[child].parent.is_some())).collect();
        for (child, is_package) in places.iter().copied() {
            if is_package {
                let key = self.interner.fold(self[child].name);
                self[node].children.remove(&key);
                self[child].parent = None;
            } else {
                self[node].folder_children.retain(|other| *other != child);
                self[child].folder_parent = None;
            }
        }
        for (child, is_package) in places {
            if is_package {
                let key = self.interner.fold(self[child].name);
                self[node].children.insert(key, child);
                self[child].parent = Some(node);
            } else {
                self[node].folder_children.push(child);
                self[child].folder_parent = Some(node);
            }
            self.move_in_order(child, root);
        }
    }

    /// Reloads the edges of `node` that lead from one tree to another, and those that find nothing.
    fn reload_crossing(&mut self, node: NodeId) {
        let root = self[node].root;
        for edge in self[node].edges_in.clone() {
            if self[self[edge].from].root != root {
                self.reload(edge, false);
            }
        }
        for edge in self[node].edges_out.clone() {
            if self[edge].to.is_none_or(|to| self[to].root != root) {
                self.reload(edge, false);
            }
        }
    }

    /// Sorts edges for one name by where in the subtree of `top` they start, parents first.
    pub(super) fn sort_by_place(&self, edges: &mut [EdgeId], top: NodeId) {
        edges.sort_by_cached_key(|edge| {
            let above = self.ancestry(self[*edge].from).take_while(|at| *at != top);
            let mut place: Vec<(bool, u32)> =
                above.map(|at| (self[at].parent.is_none(), self[at].attached)).collect();
            place.reverse();
            place
        });
    }

    /// Moves the children of `old`, without those that came in its tarball, to `new`, which is in
    /// no tree yet.
    pub(super) fn hand_over(&mut self, old: NodeId, new: NodeId) {
        let mut children: Vec<NodeId> = self.children(old);
        children.retain(|child| !self[*child].in_bundle);
        for child in children {
            let key = self.interner.fold(self[child].name);
            self[old].children.remove(&key);
            self[new].children.insert(key, child);
            self[child].parent = Some(new);
            self.move_in_order(child, new);
        }
    }
}
