//! A change of the tree that can be undone, and the way back to the tree before it.

use std::path::Path;

use dx_pkg_core::PackageId;
use dx_pkg_store::Store;

use crate::materialise::materialise_with;
use crate::retired::{Retired, Undo};
use crate::tree::{NODE_MODULES, Sites};
use crate::{LinkError, LinkOptions, LinkReport, NoProgress, Progress, Tree};

impl Retired {
    /// Makes the project's `node_modules` folders the given tree, as [`crate::materialise`] does,
    /// and keeps what is taken out of the tree in place. A tree that is built anew replaces the old
    /// one without that.
    ///
    /// # Errors
    /// Those of [`crate::materialise`].
    pub fn materialise(
        &self,
        project: &Path,
        store: &Store,
        (tree, previous): (&Tree, Option<&Tree>),
        options: &LinkOptions<'_>,
        progress: &dyn Progress,
    ) -> Result<LinkReport, LinkError> {
        let undo = Undo { keeps: Some(self), restores: None };
        materialise_with(project, store, (tree, previous), (options, undo), progress)
    }

    /// Makes the tree in place, `now`, what it was `before` the change that has retired these
    /// packages: without packages where there was none. `options` names the files that describe it,
    /// and the packages that this command has fetched.
    ///
    /// # Errors
    /// Those of [`crate::materialise`].
    pub fn put_back(
        self,
        project: &Path,
        store: &Store,
        (now, before): (&Tree, &Tree),
        options: &LinkOptions<'_>,
    ) -> Result<LinkReport, LinkError> {
        let undone = Self::default();
        let fetched: Vec<PackageId> = now.placed_once(options.movable).into_iter().collect();
        let options = LinkOptions { movable: &[], ..*options };
        let undo = Undo { keeps: Some(&undone), restores: Some(&self) };
        let change = ((before, Some(now)), (&options, undo));
        let changed = materialise_with(project, store, change.0, change.1, &NoProgress);
        undone.give_back(store, &Sites::of(now, true)?, &fetched);
        let mut report = changed?;
        report.leftovers.extend(undone.discard(store));
        report.leftovers.extend(self.discard(store));
        if before.placements.is_empty() {
            // The system refuses unless the folder is empty.
            let _ = std::fs::remove_dir(project.join(NODE_MODULES));
        }
        Ok(report)
    }
}
