//! Resolutions by npm's rules with the versions that were chosen.

use dx_pkg_core::Version;
use dx_pkg_lock::{Lock, LockPackage, name_of_path};

use super::problem::{Problem, Selection};
use crate::{Options, Provider, Requirements, Resolution, resolve_once};

/// The input of the resolutions in which a choice is tried.
pub(super) struct Trial<'t> {
    pub(super) requirements: &'t Requirements,
    pub(super) provider: &'t dyn Provider,
    pub(super) options: &'t Options,
}

impl Trial<'_> {
    /// Returns the resolutions with the versions of a selection: one that starts from the tree, in
    /// which everything else stays, and one that starts from nothing.
    pub(super) fn resolutions<'s>(
        &'s self,
        problem: &'s Problem,
        selection: &'s Selection,
        tree: &'s Lock,
    ) -> impl Iterator<Item = Resolution> + 's {
        let mut options = Options { prefer_dedupe: true, ..self.options.clone() };
        options.solves_conflicts = false;
        for (package, chosen) in problem.packages.iter().zip(selection) {
            let mut versions: Vec<&Version> =
                chosen.iter().map(|one| &package.candidates[*one].version).collect();
            versions.sort_by(|a, b| b.cmp(a));
            let pins = versions.into_iter().map(|version| (package.name.clone(), version.clone()));
            options.pick.pins.extend(pins);
        }
        let renewed = renewed_names(problem, selection, tree);
        let from_tree = Options { update: renewed, ..options.clone() };
        [(from_tree, Some(tree)), (options, None)].into_iter().filter_map(|(options, start)| {
            resolve_once(self.requirements, start, self.provider, &options).ok()
        })
    }

    /// Returns whether a resolution has nothing to complain of that another one has not.
    pub(super) fn is_clean(&self, resolution: &Resolution, base: &Resolution) -> bool {
        (base.refused_by_npm || !resolution.refused_by_npm)
            && resolution.conflicts.len() <= base.conflicts.len()
            && resolution.unfit.len() <= base.unfit.len()
            && resolution.skipped.len() <= base.skipped.len()
    }
}

/// Returns the names under which packages are installed that get other versions.
fn renewed_names(problem: &Problem, selection: &Selection, tree: &Lock) -> Vec<String> {
    let packages = problem.packages.iter().zip(selection);
    let changed: Vec<&str> = packages
        .filter(|(package, chosen)| !chosen.is_empty() && package.present != **chosen)
        .map(|(package, _)| package.name.as_str())
        .collect();
    let is_changed = |entry: &&LockPackage| changed.contains(&entry.package_name());
    let entries = tree.packages.iter().filter(is_changed);
    let mut names: Vec<String> =
        entries.map(|entry| name_of_path(&entry.path).to_owned()).collect();
    names.extend(changed.iter().map(|name| (*name).to_owned()));
    names.sort_unstable();
    names.dedup();
    names
}
