//! The revisions of git repositories that the lockfile's requirements name.
//!
//! Which commit a branch or tag is now, only its repository knows. A locked commit stands for it as
//! long as the requirement names the revision that it named when the commit was locked. That is
//! known of the project and its folders, whose manifests may differ from the lockfile's entries.

use dx_pkg_core::Spec;

use crate::intern::NameId;
use crate::tree::NodeId;

use super::Builder;
use super::locked::Locked;

impl Builder<'_, '_> {
    /// Reads the revisions that the lockfile's entries of the project and its folders name.
    pub(super) fn load_revisions(&mut self, lock: Locked<'_, '_>) {
        let folders: Vec<(String, NodeId)> =
            self.folders.iter().map(|(path, node)| (path.clone(), *node)).collect();
        for (path, node) in folders {
            let names = self.git_requirements(node);
            if names.is_empty() {
                continue;
            }
            let Some(entry) = lock.entry_at(&path) else { continue };
            for name in names {
                let before = entry.requirement_for(self.tree.text(name));
                if let Some(Ok(Spec::Git(before))) = before.map(Spec::parse) {
                    let revision = before.committish.unwrap_or_default();
                    self.tree.locked_revisions.insert((node, name), revision);
                }
            }
        }
    }

    /// Returns the names of what `node` requires from git repositories.
    fn git_requirements(&self, node: NodeId) -> Vec<NameId> {
        let manifest = self.tree.manifest(node);
        let all = manifest.declared.iter().chain(&manifest.dev);
        let is_git = |spec| {
            // A range of versions, which most are, is not parsed here.
            self.tree.interner.spec_text(spec).contains(['/', ':'])
                && matches!(self.tree.interner.parsed(spec), Ok(Spec::Git(_)))
        };
        all.filter(|item| is_git(item.spec)).map(|item| item.name).collect()
    }
}
