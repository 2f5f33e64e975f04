//! The packages of a tree that a change affects, before and after it.

use std::collections::HashSet;

use dx_pkg_link::{Placement, PlacementSource, Tree};
use dx_pkg_lock::dxl::{DxlView, Package};
use dx_pkg_lock::{Lock, LockPackage, name_of_path};

use super::links;
use crate::InstallError;
use crate::plan::tree_of;

/// Returns the affected packages before and after the change: those `removed` or `changed`, the
/// packages around and inside them, and in the same folders those with commands, which may be
/// linked differently.
pub(super) fn trees(
    record: &DxlView<'_>,
    removed: &[String],
    changed: &[LockPackage],
) -> Result<(Tree, Tree), InstallError> {
    let new = tree_of(&Lock { packages: changed.to_vec(), ..Lock::default() })?;
    let touched: HashSet<&str> = removed
        .iter()
        .map(String::as_str)
        .chain(changed.iter().map(|package| package.path.as_str()))
        .collect();
    let mut above: HashSet<&str> = HashSet::new();
    let mut folders: HashSet<&str> = HashSet::new();
    for path in &touched {
        above.extend(path.match_indices("/node_modules/").map(|(end, _)| &path[..end]));
        folders.insert(folder(path));
    }
    let has_commands = |package: &Package<'_>| {
        let target = if package.link() { links::target(record, *package) } else { None };
        !target.unwrap_or(*package).bin().is_empty()
    };
    let is_affected = |package: &Package<'_>| {
        let path = package.path();
        touched.contains(path)
            || above.contains(path)
            || is_nested(path)
                && path
                    .match_indices("/node_modules/")
                    .any(|(end, _)| touched.contains(&path[..end]))
            || folders.contains(folder(path)) && has_commands(package)
    };
    let before =
        record.packages().filter(is_affected).filter_map(|package| placement(record, package));
    let before: Vec<Placement> = before.collect();
    let stays = |placement: &&Placement| !touched.contains(placement.path.as_str());
    let after = before.iter().filter(stays).cloned().chain(new.placements).collect();
    Ok((Tree::new(before), Tree::new(after)))
}

/// Returns the `node_modules` that a package lies in.
fn folder(path: &str) -> &str {
    path.strip_suffix(name_of_path(path)).unwrap_or_default()
}

/// Returns whether a package is in another's folder, or in that of a workspace.
fn is_nested(path: &str) -> bool {
    folder(path) != "node_modules/"
}

/// Returns the placement of a package or link as [`tree_of`] has it; workspaces and packages inside
/// another's tarball are not placed.
fn placement(record: &DxlView<'_>, package: Package<'_>) -> Option<Placement> {
    let bins = |package: Package<'_>| {
        package.bin().iter().map(|(name, file)| (name.to_owned(), file.to_owned())).collect()
    };
    if package.link() {
        let source = PlacementSource::Symlink { target: package.resolved()?.to_owned() };
        let bins = bins(links::target(record, package).unwrap_or(package));
        return Some(Placement {
            path: package.path().to_owned(),
            source,
            bins,
            private_copy: false,
        });
    }
    if !links::is_in_modules(package.path()) {
        return None;
    }
    // What the project itself bundles is placed like any other package.
    let is_in_tarball = package.in_bundle() && package.path().contains("/node_modules/");
    let source = PlacementSource::Package(package.id().filter(|_| !is_in_tarball)?);
    Some(Placement {
        path: package.path().to_owned(),
        source,
        bins: bins(package),
        private_copy: false,
    })
}
