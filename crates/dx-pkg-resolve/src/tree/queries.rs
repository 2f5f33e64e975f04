//! Queries on a tree; nothing here changes it.

use dx_pkg_core::Version;

use crate::intern::NameId;
use crate::manifest::{EdgeKind, Manifest};

use super::{DependencyTree, EdgeId, NodeId};

impl<'l> DependencyTree<'l> {
    /// Returns the package that Node's lookup finds for `name`: the nearest at or above `node`.
    pub(crate) fn resolve(&self, node: NodeId, name: NameId) -> Option<NodeId> {
        self.ancestry(node).find_map(|at| self.child(at, name))
    }

    /// Returns the node where lookup continues after `node`.
    pub(crate) fn above(&self, node: NodeId) -> Option<NodeId> {
        self[node].parent.or(self[node].folder_parent)
    }

    /// Returns `node` and the nodes above it.
    pub(crate) fn ancestry(&self, node: NodeId) -> impl Iterator<Item = NodeId> {
        std::iter::successors(Some(node), |at| self.above(*at))
    }

    /// Returns whether `node` is `top` or below it.
    pub(crate) fn is_below(&self, node: NodeId, top: NodeId) -> bool {
        self.ancestry(node).any(|at| at == top)
    }

    /// Returns whether `node` is in no `node_modules`: the project, a workspace, the root of a
    /// scratch tree.
    pub(crate) fn is_top(&self, node: NodeId) -> bool {
        self[node].parent.is_none()
    }

    /// Returns whether `node` is the root of its tree, Arborist's `isProjectRoot`.
    pub(crate) fn is_project(&self, node: NodeId) -> bool {
        self[node].root == node
    }

    /// Returns whether `node` is a declared workspace of its tree's project, or a link to one.
    pub(crate) fn is_workspace(&self, node: NodeId) -> bool {
        if self.is_project(node) {
            return false;
        }
        let root = self[node].root;
        let Some(name) = self.manifest(node).name else { return false };
        let key = self.interner.fold(name);
        if !self.workspace_names.contains(&key) {
            return false;
        }
        // The project of a repository has hundreds of edges; few lead here.
        let is_found = |to: NodeId| {
            self[to].edges_in.iter().map(|edge| &self[*edge]).any(|edge| {
                edge.from == root && edge.kind == EdgeKind::Workspace && edge.key == key
            })
        };
        is_found(node) || self[node].links_in.iter().any(|link| is_found(*link))
    }

    /// Returns whether `node` is an importer: the project (or the root of a scratch tree) or a
    /// workspace, whose manifest the user can edit.
    pub(crate) fn is_importer(&self, node: NodeId) -> bool {
        self.is_project(node) || self.is_workspace(node)
    }

    /// Returns the node that the root of a scratch tree stands for, and any other node itself.
    pub(crate) fn source_or_self(&self, node: NodeId) -> NodeId {
        self[node].source.unwrap_or(node)
    }

    pub(crate) fn manifest(&self, node: NodeId) -> &Manifest<'l> {
        &self.manifests[self[node].manifest]
    }

    pub(crate) fn version(&self, node: NodeId) -> Option<&Version> {
        self.manifest(node).version.as_ref()
    }

    /// Returns whether the version of `node` is to be replaced where that is possible.
    pub(crate) fn is_avoided(&self, node: NodeId) -> bool {
        if self.avoided.is_empty() {
            return false;
        }
        let name = self.manifest(node).name.map(|name| self.text(name));
        let own = name.zip(self.version(node));
        own.is_some_and(|(name, version)| {
            self.avoided.iter().any(|(known, exact)| known == name && exact == version)
        })
    }

    /// Returns how many `node_modules` folders `node` is nested in.
    pub(crate) fn depth(&self, node: NodeId) -> u32 {
        std::iter::successors(self[node].parent, |at| self[*at].parent)
            .fold(0, |depth, _| depth + 1)
    }

    /// Returns the path relative to the project root, `/`-separated; empty for the project.
    pub(crate) fn path(&self, node: NodeId) -> String {
        let mut path = String::new();
        self.write_path(node, 0, &mut path);
        path
    }

    /// Writes the path of `node`, followed by `more` bytes, which get room.
    fn write_path(&self, node: NodeId, more: usize, path: &mut String) {
        const FOLDER: &str = "/node_modules/";
        let Some(parent) = self[node].parent else {
            let folder = self[node].folder.as_deref().unwrap_or_default();
            path.reserve(folder.len() + more);
            path.push_str(folder);
            return;
        };
        let name = self.text(self[node].name);
        self.write_path(parent, more + FOLDER.len() + name.len(), path);
        path.push_str(if path.is_empty() { &FOLDER[1..] } else { FOLDER });
        path.push_str(name);
    }

    /// Returns whether `node` satisfies every dependent of `other`, apart from dependents beside it
    /// that have it as a peer and whose names are in `ignored`.
    pub(crate) fn can_replace(&self, node: NodeId, other: NodeId, ignored: &[NameId]) -> bool {
        if self[node].name != self[other].name
            || self.manifest(node).name != self.manifest(other).name
        {
            return false;
        }
        if !self[other].edges_out.is_empty() && self[node].rules != self[other].rules {
            return false;
        }
        let dependents_gone = self
            .dep_set(&[other], |tree, edge| tree[edge].to != Some(other) && tree.is_valid(edge));
        self[other].edges_in.iter().all(|edge| {
            let from = self[*edge].from;
            let is_replaced_peer = !self.is_top(other)
                && self[from].parent == self[other].parent
                && self[*edge].kind.is_peer()
                && ignored.contains(&self[from].name);
            is_replaced_peer || dependents_gone.contains(&from) || self.satisfied_by(*edge, node)
        })
    }

    /// Returns whether two nodes are the same package.
    pub(crate) fn same_package(&self, a: NodeId, b: NodeId) -> bool {
        if a == b {
            return true;
        }
        if self[a].name != self[b].name {
            return false;
        }
        match (self[a].target, self[b].target) {
            (Some(a), Some(b)) => return self.same_package(a, b),
            (Some(_), None) => return false,
            _ => {}
        }
        let (a, b) = (self.manifest(a), self.manifest(b));
        if let (Some(a), Some(b)) = (&a.integrity, &b.integrity) {
            return a == b;
        }
        if let (Some(a), Some(b)) = (&a.resolved, &b.resolved) {
            return a == b;
        }
        a.name.is_some() && a.name == b.name && a.version.is_some() && a.version == b.version
    }

    /// Returns whether a copy further up can replace `node`.
    pub(crate) fn can_dedupe(&self, node: NodeId, prefer_dedupe: bool, explicit: bool) -> bool {
        if self[node].in_bundle {
            return false;
        }
        let Some(grandparent) = self.above(node).and_then(|parent| self.above(parent)) else {
            return false;
        };
        if self[node].edges_in.is_empty() {
            return true;
        }
        let Some(other) = self.resolve(grandparent, self[node].name) else { return false };
        if self.same_package(other, node) {
            return true;
        }
        if !self.can_replace(other, node, &[]) {
            return false;
        }
        let newer = match (self.version(other), self.version(node)) {
            (Some(theirs), Some(ours)) => {
                theirs == ours || (theirs > ours && !self.is_overridden(node))
            }
            _ => false,
        };
        prefer_dedupe || newer || explicit
    }

    /// Returns whether an override brought `node` to exactly its version.
    pub(crate) fn is_overridden(&self, node: NodeId) -> bool {
        let Some(rules) = self[node].rules else { return false };
        if self.rules.name(rules) != Some(self[node].name) {
            return false;
        }
        let Some(version) = self.version(node).map(ToString::to_string) else { return false };
        self[node].edges_in.iter().any(|edge| {
            let edge = &self[*edge];
            edge.rules.is_some_and(|rules| {
                self.rules.name(rules) == Some(self[node].name)
                    && self.interner.spec_text(self.rules.value(rules)) == version
                    && self[edge.from].rules != Some(rules)
            })
        })
    }

    /// Returns the edges to `node`.
    pub(crate) fn dependents(&self, node: NodeId) -> impl Iterator<Item = EdgeId> {
        self[node].edges_in.iter().copied()
    }
}
