//! Tarballs on this machine.

use dx_pkg_lock::LockPackage;

use super::{Externals, Wanted};
use crate::AcquireError;

/// Loads the package in the tarball at `path`.
///
/// # Errors
/// The file is missing, or is no package.
pub(super) fn load(
    externals: &Externals<'_>,
    wanted: &Wanted<'_>,
    path: &str,
) -> Result<LockPackage, AcquireError> {
    let file = externals.on_disk(wanted.from, path);
    let unusable = |source| AcquireError::LocalTarball {
        package: wanted.name.unwrap_or("the package").to_owned(),
        place: wanted.spec.to_owned(),
        source: Box::new(source),
    };
    let downloads = externals.downloads()?;
    let integrity = downloads.keep_file(&file).map_err(unusable)?;
    let package = downloads.manifest_of_kept(&wanted.label(), &integrity).map_err(unusable)?;
    let resolved = format!("file:{}", externals.places.relative(wanted.from, path));
    Ok(LockPackage { resolved: Some(resolved), ..package })
}
