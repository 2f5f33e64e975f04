//! The lockfile's tree, built in npm's order.
//!
//! An override reaches a package through the first of its dependents, and combines with those that
//! come through others. Where rules overlap, or packages depend on each other in a circle, the
//! order of that decides which rule applies. So the edges of a package are added with it, as by
//! npm's `loadVirtual`, and not once all packages are there.

use dx_pkg_lock::locale_compare;

use crate::ResolveError;
use crate::tree::NodeId;

use super::Builder;
use super::locked::{Entry, Locked, Places};

impl<'l> Builder<'_, 'l> {
    /// Adds the nodes of the lockfile's entries and the edges of all nodes: packages and folders in
    /// the order of the lockfile, then the links.
    pub(super) fn load_in_order(&mut self, lock: Locked<'_, 'l>) -> Result<(), ResolveError> {
        let project = self.tree.root;
        self.load_workspace_edges(project, project);
        self.tree.load_edges(project, true);
        let mut entries: Vec<Entry<'_, 'l>> = lock.entries().collect();
        entries.sort_by(|a, b| locale_compare(a.path(), b.path()));
        let outline = lock.outline();
        let mut places = Places::new(&outline, project);
        let (links, others): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(|entry| entry.is_link());
        for entry in others {
            if places.is_folder(entry) || self.folders.contains_key(entry.path()) {
                let (node, _) = self.folder_of(entry);
                places.nodes.insert(entry.path(), node);
                self.tree.attach_folder(node);
                self.tree.load_edges(node, true);
            } else if let Some(node) = self.load_entry((entry.path(), entry), &mut places)? {
                self.tree.load_edges(node, false);
            }
        }
        for link in links {
            if let Some(link) = self.load_entry((link.path(), link), &mut places)? {
                self.read_anew(link);
            }
        }
        self.load_other_folders(project);
        Ok(())
    }

    /// Replaces the edges of the folder that a link leads to: npm reads its `package.json` then.
    fn read_anew(&mut self, link: NodeId) {
        let Some(folder) = self.tree[link].target.filter(|target| self.tree.is_top(*target)) else {
            return;
        };
        for edge in self.tree[folder].edges_out.clone() {
            self.tree.drop_edge(edge);
        }
        self.tree.load_edges(folder, true);
    }

    /// Adds the edges of folders that the lockfile lacks.
    fn load_other_folders(&mut self, project: NodeId) {
        let is_other = |node: &NodeId| *node != project && self.tree[*node].root != project;
        let mut others: Vec<NodeId> = self.folders.values().copied().filter(is_other).collect();
        others.sort_unstable();
        for node in others {
            self.tree.load_edges(node, true);
        }
    }
}
