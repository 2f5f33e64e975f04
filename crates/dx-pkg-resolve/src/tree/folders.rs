//! Requirements for folders: which folder a path means, and which of them are no requirements.

use dx_pkg_core::Spec;

use crate::intern::{NameId, SpecId};
use crate::manifest::Declared;
use crate::places::is_below;

use super::{DependencyTree, EdgeId, NodeId};

impl DependencyTree<'_> {
    /// Returns the folder that a path of a requirement of `from` means, relative to the project.
    pub(crate) fn relative_to_root(&self, path: &str, from: NodeId) -> String {
        self.places.relative(&self.base_path(from), path)
    }

    /// Returns the folder, relative to the project, that paths in the requirements of `from` are
    /// relative to: for the copy of a folder that folder itself.
    pub(crate) fn base_path(&self, from: NodeId) -> String {
        let from = self.source_or_self(from);
        self.copied_from(from).unwrap_or_else(|| self.path(from))
    }

    /// Returns the folder that `node` is a copy of.
    fn copied_from(&self, node: NodeId) -> Option<String> {
        if !self.install_links || self.is_top(node) || self[node].target.is_some() {
            return None;
        }
        match Spec::parse(self.manifest(node).resolved.as_deref()?) {
            Ok(Spec::Directory(path)) => Some(path.into()),
            _ => None,
        }
    }

    /// Returns whether the folder at `path` is copied where a requirement `spec` of `from` asks for
    /// it under `name`. As for npm, workspaces are linked, and folders of the project if they are
    /// written with a dot; what a copy requires is copied too.
    pub(crate) fn is_copied(&self, name: NameId, spec: SpecId, path: &str, from: NodeId) -> bool {
        if !self.install_links || self.workspace_names.contains(&self.interner.fold(name)) {
            return false;
        }
        let text = self.interner.spec_text(spec);
        let has_dot = ["file:./", "file:../"].iter().any(|start| text.starts_with(start));
        let is_inside = || !self.relative_to_root(path, from).starts_with("..");
        !(has_dot && is_inside()) || self.copied_from(self.source_or_self(from)).is_some()
    }

    /// Returns the node whose folder a path in the requirement of `edge` is relative to: the
    /// project's where an override or a pin of it applies, which is written there, else the
    /// dependent's.
    pub(crate) fn base_of(&self, edge: EdgeId) -> NodeId {
        let this = &self[edge];
        let overrides = this.rules.is_some_and(|rules| {
            self.rules.name(rules) == Some(this.name)
                && self.interner.spec_text(self.rules.value(rules)) != "*"
        });
        if overrides || this.is_pinned { self.root } else { self.source_or_self(this.from) }
    }

    /// Returns whether a dependency of the published package `node` is a folder that its author
    /// had: one that is not in the package itself. An override may put another in its place.
    pub(super) fn is_authors_folder(&self, node: NodeId, item: Declared) -> bool {
        let Ok(Spec::Directory(path)) = self.interner.parsed(item.spec) else { return false };
        if item.is_pinned {
            return false;
        }
        let is_published = self
            .manifest(node)
            .resolved
            .as_deref()
            .is_none_or(|resolved| resolved.starts_with("http"));
        is_published && !is_below(path) && !self.rules.mentions(item.name)
    }
}
