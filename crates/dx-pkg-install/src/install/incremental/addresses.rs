//! The addresses of tarballs in lockfiles that are to be without those that registries give.

use std::collections::HashSet;

use dx_pkg_compat::npmrc::Config;
use dx_pkg_lock::dxl::{DxlView, Package};

use super::Effect;
use crate::InstallError;
use crate::install::link::omit_resolved;
use crate::project::Project;

/// Returns whether the addresses of a lockfile may stay as they are. Of those that may be a
/// registry's, all packages decide which go.
pub(super) fn may_stay(config: &Config, locked: &DxlView<'_>) -> Result<bool, InstallError> {
    let may_go = |entry: Package<'_>| {
        !entry.link() && entry.resolved().is_some_and(|url| url.starts_with("http"))
    };
    Ok(!config.omit_lockfile_registry_resolved()? || !locked.packages().any(may_go))
}

/// Removes the addresses that registries gave from what a change writes.
pub(super) fn omit(
    config: &Config,
    effect: &mut Effect,
    project: &Project,
) -> Result<(), InstallError> {
    if !config.omit_lockfile_registry_resolved()? {
        return Ok(());
    }
    omit_resolved(&mut effect.entries, project)?;
    let without = effect.entries.iter().filter(|entry| entry.resolved.is_none());
    let without: HashSet<&str> = without.map(|entry| entry.path.as_str()).collect();
    for package in effect.installed.iter_mut() {
        if without.contains(package.path.as_str()) {
            package.resolved = None;
        }
    }
    Ok(())
}
