//! The queue of nodes whose edges are to be met: by depth, then by path.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use rustc_hash::FxHashSet;

use crate::tree::{DependencyTree, NodeId};

/// The queued nodes, each at most once.
#[derive(Default)]
pub(crate) struct Queue {
    heap: BinaryHeap<Waiting>,
    members: FxHashSet<NodeId>,
}

struct Waiting {
    depth: u32,
    path: String,
    order: usize,
    node: NodeId,
}

impl Queue {
    pub(crate) fn push(&mut self, tree: &DependencyTree<'_>, node: NodeId) {
        if self.members.insert(node) {
            let waiting = Waiting {
                depth: tree.depth(node),
                path: tree.path(node),
                order: self.heap.len(),
                node,
            };
            self.heap.push(waiting);
        }
    }

    pub(crate) fn pop(&mut self) -> Option<NodeId> {
        let Waiting { node, .. } = self.heap.pop()?;
        self.members.remove(&node);
        Some(node)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }
}

impl Ord for Waiting {
    /// Orders the node to take first as the greatest, because the heap pops its greatest.
    fn cmp(&self, other: &Self) -> Ordering {
        other
            .depth
            .cmp(&self.depth)
            .then_with(|| dx_pkg_lock::locale_compare(&other.path, &self.path))
            .then_with(|| other.order.cmp(&self.order))
    }
}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Waiting {}
