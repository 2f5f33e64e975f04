//! Links to folders: the folder that a requirement means, and its node.

use dx_pkg_core::Spec;
use dx_pkg_lock::LockPackage;

use crate::ResolveError;
use crate::intern::{NameId, SpecId};
use crate::manifest::EdgeKind;
use crate::provider::External;
use crate::tree::{EdgeId, NodeId};

use super::Builder;

impl Builder<'_, '_> {
    /// Adds a link to a folder to `parent`.
    pub(super) fn link_for_spec(
        &mut self,
        name: NameId,
        spec: SpecId,
        edge: EdgeId,
        parent: NodeId,
    ) -> NodeId {
        let base = self.tree.base_of(edge);
        let is_workspace = self.tree[edge].kind == EdgeKind::Workspace;
        let path = match self.tree.interner.parsed(spec) {
            Ok(Spec::Directory(path)) => self.tree.relative_to_root(path, base),
            _ => String::new(),
        };
        if let Some(target) = self.folders.get(&path) {
            return self.link_to(name, *target, parent);
        }
        if !self.tree.is_top(base) {
            // A folder in a package, which is not there yet.
            let target = self.add_folder(&path, LockPackage::default(), true);
            return self.link_to(name, target, parent);
        }
        let text = self.tree.interner.spec_text(spec).to_owned();
        let base_path = self.tree.path(base);
        let name_text = self.tree.text(name).to_owned();
        match self.provider.manifest(&name_text, &text, &base_path) {
            Ok(External { package, .. }) => {
                let target = self.add_folder(&path, package, is_workspace);
                self.link_to(name, target, parent)
            }
            Err(source) => {
                let required_by = self.required_by(edge);
                let error = ResolveError::Load { name: name_text, spec: text, required_by, source };
                let failure = self.fail(name, error);
                self.failed_node(name, failure, parent)
            }
        }
    }

    fn link_to(&mut self, name: NameId, target: NodeId, parent: NodeId) -> NodeId {
        let link = self.tree.add_node(name, self.tree[target].manifest);
        self.tree[link].target = Some(target);
        self.tree.attach(link, parent);
        link
    }
}
