//! Packages with a `binding.gyp`: npm builds them without a script of their own, and registries do
//! not tell of it. Once a package is unpacked its entry says that it has install scripts.

use std::collections::HashSet;

use dx_pkg_acquire::package::package_id;
use dx_pkg_core::PackageId;
use dx_pkg_lock::LockPackage;

use crate::InstallError;

/// Marks the entries of packages that are `known` to have a `binding.gyp`; returns whether an entry
/// is marked for the first time.
pub(super) fn mark<'p>(
    known: &HashSet<PackageId>,
    packages: impl Iterator<Item = &'p mut LockPackage>,
) -> Result<bool, InstallError> {
    let mut is_news = false;
    if known.is_empty() {
        return Ok(is_news);
    }
    for package in packages.filter(|package| !package.has_install_script && !package.link) {
        if package_id(package)?.is_some_and(|id| known.contains(&id)) {
            package.has_install_script = true;
            is_news = true;
        }
    }
    Ok(is_news)
}
