//! Attaching, replacing and detaching nodes, with the edges that must be resolved again.

use std::ops::Bound;

use crate::intern::NameId;

use super::{DependencyTree, EdgeId, NodeId};

impl DependencyTree<'_> {
    /// Puts `child` into the `node_modules` of `parent`, in place of any package of that name.
    pub(crate) fn attach(&mut self, child: NodeId, parent: NodeId) {
        let parent = self[parent].target.unwrap_or(parent);
        let name = self[child].name;
        if let Some(old) = self.child(parent, name) {
            if old == child {
                return;
            }
            self.detach(old);
        }
        if self[child].parent.is_some() || self[child].folder_parent.is_some() {
            self.detach(child);
        }
        self[child].parent = Some(parent);
        let key = self.interner.fold(name);
        self[parent].children.insert(key, child);
        self.set_root(child, self[parent].root);
        if self.rules.is_empty() {
            self.reload_named(parent, name);
        }
    }

    /// Adds the workspace or linked folder `node` to the tree, under the project whose folder
    /// contains it.
    pub(crate) fn attach_folder(&mut self, node: NodeId) {
        let folder = self[node].folder.clone().unwrap_or_default();
        let outside = folder.starts_with("..") || folder.starts_with('/');
        if !outside {
            let holder = self.folder_parent_of(&folder);
            let inner =
                if self.holds_folders(&folder) { &*self[holder].folder_children } else { &[] };
            let inner = inner.iter().copied();
            let inner: Vec<NodeId> = inner
                .filter(|other| {
                    lies_in(self[*other].folder.as_deref().unwrap_or_default(), &folder)
                })
                .collect();
            for other in inner {
                self[holder].folder_children.retain(|child| *child != other);
                self[node].folder_children.push(other);
                self[other].folder_parent = Some(node);
            }
            self[node].folder_parent = Some(holder);
            self[holder].folder_children.push(node);
            self.folders.insert(folder);
        }
        self.set_root(node, self.root);
    }

    /// Returns whether a folder of the tree may lie in `folder`.
    fn holds_folders(&self, folder: &str) -> bool {
        let start = format!("{folder}/");
        let after =
            self.folders.range::<str, _>((Bound::Included(start.as_str()), Bound::Unbounded));
        after.take(1).any(|first| first.starts_with(&start))
    }

    fn folder_parent_of(&self, folder: &str) -> NodeId {
        let mut holder = self.root;
        // There are hundreds of folders in some projects, and few lie in each other.
        if !folder.match_indices('/').any(|(end, _)| self.folders.contains(&folder[..end])) {
            return holder;
        }
        while let Some(inner) = self[holder].folder_children.iter().copied().find(|child| {
            let above = self[*child].folder.as_deref().unwrap_or_default();
            lies_in(folder, above)
        }) {
            holder = inner;
        }
        holder
    }

    /// Takes `node` and everything below it out of its tree.
    pub(crate) fn detach(&mut self, node: NodeId) {
        let name = self[node].name;
        if let Some(parent) = self[node].parent.take()
            && self.child(parent, name) == Some(node)
        {
            let key = self.interner.fold(name);
            self[parent].children.remove(&key);
        }
        if let Some(parent) = self[node].folder_parent.take() {
            self[parent].folder_children.retain(|child| *child != node);
        }
        self.set_root(node, node);
    }

    /// Puts `new` in the place of `old`, whose children it takes over, but not those that came in
    /// its tarball.
    pub(crate) fn replace(&mut self, new: NodeId, old: NodeId) {
        let Some(parent) = self[old].parent else { return };
        if !self.rules.is_empty() {
            self.hand_over(old, new);
            self.attach(new, parent);
            return;
        }
        let mut children = self.children(old);
        children.retain(|child| !self[*child].in_bundle);
        for child in children {
            let key = self.interner.fold(self[child].name);
            self[old].children.remove(&key);
            self[child].parent = Some(new);
            self[new].children.insert(key, child);
        }
        self.attach(new, parent);
    }

    /// Moves `node` and its subtree to the tree of `root` and reloads every edge that leads from
    /// one tree to the other.
    fn set_root(&mut self, node: NodeId, root: NodeId) {
        if !self.rules.is_empty() {
            self.move_in_order(node, root);
            return;
        }
        let subtree = self.subtree(node);
        for member in &subtree {
            if self[*member].root == self.root {
                self.forget(*member);
            }
        }
        for member in &subtree {
            self.attachments += 1;
            let order = self.attachments;
            let node = &mut self[*member];
            node.root = root;
            node.attached = order;
        }
        if root == self.root {
            for member in &subtree {
                self.register(*member);
            }
        }
        for member in subtree {
            let crossing: Vec<EdgeId> = self[member]
                .edges_in
                .iter()
                .copied()
                .filter(|edge| self[self[*edge].from].root != root)
                .chain(
                    self[member]
                        .edges_out
                        .iter()
                        .copied()
                        .filter(|edge| self[*edge].to.is_none_or(|to| self[to].root != root)),
                )
                .collect();
            for edge in crossing {
                self.reload(edge, false);
            }
        }
    }

    /// Adds a node of the project's tree, and its edges, to the indexes by name.
    pub(super) fn register(&mut self, node: NodeId) {
        let name = self[node].name;
        let edges = std::mem::take(&mut self[node].edges_out);
        for edge in &edges {
            let key = self[*edge].key;
            self.edges_of_key_mut(key).push(*edge);
        }
        self[node].edges_out = edges;
        self.nodes_of_name_mut(name).push(node);
    }

    /// Removes a node, and its edges, from the indexes by name.
    pub(super) fn forget(&mut self, node: NodeId) {
        let name = self[node].name;
        let edges = std::mem::take(&mut self[node].edges_out);
        for edge in &edges {
            let key = self[*edge].key;
            self.edges_of_key_mut(key).retain(|other| other != edge);
        }
        self[node].edges_out = edges;
        self.nodes_of_name_mut(name).retain(|other| *other != node);
    }

    /// Returns `node` and everything below it, parents first.
    pub(crate) fn subtree(&self, node: NodeId) -> Vec<NodeId> {
        let mut members = vec![node];
        let mut next = 0;
        while next < members.len() {
            let member = members[next];
            if self.has_children(member) {
                members.extend(self.children(member));
            }
            members.extend(self[member].folder_children.iter().copied());
            next += 1;
        }
        members
    }

    /// Reloads the edges for `name` in the subtree of `top` that find another node now.
    pub(super) fn reload_named(&mut self, top: NodeId, name: NameId) {
        let placed = self.child(top, name);
        let key = self.interner.fold(name);
        let mut affected: Vec<EdgeId> = if self[top].root == self.root {
            let edges = self.edges_by_name.get(key.index()).map_or(&[][..], Vec::as_slice);
            edges.iter().copied().filter(|edge| self.is_below(self[*edge].from, top)).collect()
        } else {
            self.subtree(top).into_iter().filter_map(|node| self.edge_named(node, name)).collect()
        };
        affected.retain(|edge| {
            let to = self[*edge].to;
            to == placed || self.resolve(self[*edge].from, name) != to
        });
        if !self.rules.is_empty() {
            self.sort_by_place(&mut affected, top);
        }
        for edge in affected {
            self.reload(edge, true);
        }
    }

    /// Returns the nodes of the project's tree with this name, in the order they were attached.
    pub(crate) fn nodes_of_name(&self, name: NameId) -> &[NodeId] {
        self.nodes_by_name.get(name.index()).map_or(&[], Vec::as_slice)
    }

    fn nodes_of_name_mut(&mut self, name: NameId) -> &mut Vec<NodeId> {
        if self.nodes_by_name.len() <= name.index() {
            self.nodes_by_name
                .resize_with(self.interner.name_count().max(name.index() + 1), Vec::new);
        }
        &mut self.nodes_by_name[name.index()]
    }

    pub(super) fn edges_of_key_mut(&mut self, key: NameId) -> &mut Vec<EdgeId> {
        if self.edges_by_name.len() <= key.index() {
            self.edges_by_name
                .resize_with(self.interner.name_count().max(key.index() + 1), Vec::new);
        }
        &mut self.edges_by_name[key.index()]
    }
}

fn lies_in(folder: &str, above: &str) -> bool {
    folder.strip_prefix(above).is_some_and(|rest| rest.starts_with('/'))
}
