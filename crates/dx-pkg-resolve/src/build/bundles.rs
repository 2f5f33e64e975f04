//! Bundled packages, which come inside another package's tarball.

use rustc_hash::FxHashSet;

use crate::manifest::Manifest;
use crate::tree::NodeId;
use crate::{ResolveError, flags};

use super::Builder;

impl Builder<'_, '_> {
    /// Adds the packages that bundling packages contain. Bundled packages of the lockfile are in
    /// the tree already. Packages that were placed for what proves to be bundled are dropped.
    pub(crate) fn load_bundles(&mut self) -> Result<(), ResolveError> {
        let bundlers: Vec<NodeId> = self
            .tree
            .project_nodes()
            .into_iter()
            .filter(|node| {
                !self.tree.is_importer(*node)
                    && !self.tree[*node].inert
                    && self.tree[*node].target.is_none()
                    && !self.tree.manifest(*node).bundled.is_empty()
                    && self.tree.children(*node).iter().all(|child| !self.tree[*child].in_bundle)
            })
            .collect();
        if bundlers.is_empty() {
            return Ok(());
        }
        let before: FxHashSet<NodeId> = self.superfluous().collect();
        for bundler in bundlers.iter().copied() {
            let mut record = self.tree.manifest(bundler).record();
            record.path = self.tree.path(bundler);
            record.name.get_or_insert_with(|| self.tree.text(self.tree[bundler].name).to_owned());
            let contents = match self.provider.bundled(&record) {
                Ok(contents) => contents,
                Err(_) if self.tree[bundler].flags.optional => continue,
                Err(source) => {
                    return Err(ResolveError::Load {
                        name: self.tree.text(self.tree[bundler].name).to_owned(),
                        spec: record.version.unwrap_or_default(),
                        required_by: record.path,
                        source,
                    });
                }
            };
            self.add_bundled(bundler, contents);
        }
        flags::calculate(&mut self.tree);
        let shadowed: Vec<NodeId> =
            self.superfluous().filter(|node| !before.contains(node)).collect();
        for node in shadowed {
            self.tree.detach(node);
        }
        self.keep_required(&bundlers);
        Ok(())
    }

    /// Makes packages necessary that bundled ones hide from their bundlers, with what these depend
    /// on, where another package depends on them, be it as an optional peer only: npm looks no
    /// closer at what a bundle does not replace.
    fn keep_required(&mut self, bundlers: &[NodeId]) {
        let mut hidden = self.hidden(bundlers);
        loop {
            let is_required = |node: &NodeId| {
                let mut dependents = self.tree[*node].edges_in.iter().map(|edge| &self.tree[*edge]);
                dependents.any(|edge| !hidden.contains(&edge.from))
            };
            let required: Vec<NodeId> = hidden.iter().copied().filter(is_required).collect();
            if required.is_empty() {
                return;
            }
            for node in required {
                hidden.remove(&node);
                self.tree[node].flags.extraneous = false;
            }
        }
    }

    /// Returns the packages that bundled ones hide from their bundlers, with what these depend on.
    fn hidden(&self, bundlers: &[NodeId]) -> FxHashSet<NodeId> {
        let mut waiting = Vec::new();
        for bundler in bundlers {
            let Some(holder) = self.tree.above(*bundler) else { continue };
            for child in self.tree.children(*bundler) {
                let name = self.tree[child].name;
                waiting.extend(self.tree.ancestry(holder).find_map(|at| self.tree.child(at, name)));
            }
        }
        let mut hidden = FxHashSet::default();
        while let Some(node) = waiting.pop() {
            if hidden.insert(node) {
                let edges = self.tree[node].edges_out.iter();
                waiting.extend(edges.filter_map(|edge| self.tree[*edge].to));
            }
        }
        hidden
    }

    /// Returns the packages, apart from bundled ones, that nothing depends on.
    fn superfluous(&self) -> impl Iterator<Item = NodeId> {
        self.tree.project_nodes().into_iter().filter(|node| {
            let node = &self.tree[*node];
            node.flags.extraneous && !node.in_bundle
        })
    }

    /// Adds the contents of a bundling package's tarball below it.
    fn add_bundled(&mut self, bundler: NodeId, mut contents: Vec<dx_pkg_lock::LockPackage>) {
        contents.sort_by(|a, b| a.path.cmp(&b.path));
        let mut added = Vec::new();
        for record in contents {
            let Some((parent, name)) = super::split_path(&record.path) else { continue };
            let parent = parent.split("node_modules/").skip(1).try_fold(bundler, |at, name| {
                let name = self.tree.interner.find_name(name.trim_end_matches('/'))?;
                self.tree.child(at, name)
            });
            let Some(parent) = parent else { continue };
            let name_id = self.tree.interner.name(name);
            let name = name.to_owned();
            let manifest = Manifest::from_record(record, Some(&name), &mut self.tree.interner);
            let manifest = self.tree.manifests.push(manifest, &self.tree.interner);
            let node = self.tree.add_node(name_id, manifest);
            self.tree[node].in_bundle = true;
            self.tree.attach(node, parent);
            added.push(node);
        }
        for node in added {
            self.tree.load_edges(node, false);
        }
    }
}
