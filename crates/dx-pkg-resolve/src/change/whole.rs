//! The effect of changed requirements on any lock, by a resolution of the whole.
//!
//! It is the resolution that [`crate::resolve`] makes. What it spares is the lock as plain data:
//! packages are read in place from the compiled lockfile, and only entries that come out different
//! are written down.

use dx_pkg_lock::dxl::DxlView;

use crate::build;
use crate::complete::{accepted_conflicts, has_unmet};
use crate::entry::{is_as_read, is_entry_of_folder, same_entry};
use crate::explain::conflicts;
use crate::finish::{Recorded, authors_folders, complete_tree, recorded};
use crate::tree::DependencyTree;
use crate::{Options, Provider, Requirements};

use super::{Change, Findings, in_order};

/// Resolves `requirements` from the lock `locked`; `installed` are those of its packages that are
/// installed.
///
/// Returns `None` where the resolution fails, comes upon packages that cannot be loaded, or changes
/// which of the packages are for this platform.
pub(super) fn change(
    requirements: &Requirements,
    locked: &DxlView<'_>,
    installed: &DxlView<'_>,
    provider: &dyn Provider,
    options: &Options,
) -> Option<Change> {
    let mut builder = build::start_compiled(requirements, *locked, provider, options).ok()?;
    builder.run().ok()?;
    let (_, unfit) = complete_tree(&mut builder, true, options).ok()?;
    if !builder.failures.is_empty() {
        return None;
    }
    let conflicts = conflicts(&builder.tree);
    // Whether another resolution keeps them is not looked at here.
    let accepted = accepted_conflicts(&builder, requirements, &conflicts);
    let is_complete = accepted.as_ref().is_some_and(Vec::is_empty);
    let mut change = difference(&builder.tree, locked, installed)?;
    let is_changed = !change.entries.is_empty() || !change.removed.is_empty();
    if is_changed && accepted.is_none() && has_unmet(&builder.tree) {
        // A frozen install might refuse it.
        return None;
    }
    let authors_folders = authors_folders(&builder.tree);
    change.findings = Some(Findings { conflicts, unfit, authors_folders, is_complete });
    Some(change)
}

/// Returns the entries that differ from those of the lock; `None` where one of them is not
/// installed here, or an unchanged one is no longer, or only now.
fn difference(
    tree: &DependencyTree<'_>,
    locked: &DxlView<'_>,
    installed: &DxlView<'_>,
) -> Option<Change> {
    let mut change = Change::default();
    let mut is_present = vec![false; locked.len()];
    for recorded in recorded(tree).filter(|recorded| recorded.node != tree.root) {
        let path = tree.path(recorded.node);
        let position = locked.position(&path);
        if let Some(place) = position.and_then(|position| is_present.get_mut(position)) {
            *place = true;
        }
        let before = position.and_then(|position| locked.package(position));
        let Recorded { node, in_bundle, .. } = recorded;
        let is_as_known = is_as_read(tree, node, in_bundle, &path)
            || before
                .is_some_and(|before| is_entry_of_folder(tree, node, in_bundle, (&path, before)));
        if is_as_known {
            if recorded.is_installed != installed.position(&path).is_some() {
                return None;
            }
            continue;
        }
        let entry = recorded.entry(tree);
        if before
            .is_some_and(|before| before.is(&entry) || same_entry(&before.to_package(), &entry))
        {
            if recorded.is_installed != installed.position(&path).is_some() {
                return None;
            }
        } else if recorded.is_installed {
            change.entries.push(entry);
        } else {
            return None;
        }
    }
    let gone = locked.packages().zip(&is_present).filter(|(_, is_present)| !**is_present);
    let gone = gone.map(|(package, _)| package.path()).filter(|path| !path.is_empty());
    change.removed = gone.map(str::to_owned).collect();
    change.removed.sort_unstable();
    change.entries.sort_by(in_order);
    Some(change)
}
