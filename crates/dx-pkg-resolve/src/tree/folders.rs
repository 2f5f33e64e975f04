//! Requirements for folders: which folder a path means, and which of them are no requirements.

use dx_pkg_core::Spec;

use crate::manifest::Declared;
use crate::places::is_below;

use super::{DependencyTree, EdgeId, NodeId};

impl DependencyTree<'_> {
    /// Returns the folder that a path of a requirement of `from` means, relative to the project.
    pub(crate) fn relative_to_root(&self, path: &str, from: NodeId) -> String {
        let base = self.path(self.source_or_self(from));
        self.places.relative(&base, path)
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
