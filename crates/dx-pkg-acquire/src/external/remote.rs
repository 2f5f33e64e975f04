//! Tarballs at an `http:` or `https:` address.

use dx_pkg_lock::LockPackage;

use super::{Externals, Wanted};
use crate::AcquireError;

/// The name of a package that only its own manifest tells the name of.
const UNKNOWN: &str = "package";

/// Fetches and loads the package in the tarball at `url`.
///
/// # Errors
/// There is no answer, or no package.
pub(super) fn load(
    externals: &Externals<'_>,
    wanted: &Wanted<'_>,
    url: &str,
) -> Result<LockPackage, AcquireError> {
    let downloads = externals.downloads()?;
    if externals.context.config.offline()? {
        return Err(AcquireError::Offline { what: wanted.label(), place: "the lockfile" });
    }
    let name = wanted.name.unwrap_or(UNKNOWN);
    let asked = LockPackage {
        path: format!("node_modules/{name}"),
        name: Some(name.to_owned()),
        resolved: Some(url.to_owned()),
        ..LockPackage::default()
    };
    let taken = downloads.first(&[&asked])?.pop().unwrap_or(Err(AcquireError::Panicked))?;
    let package = downloads.manifest_of_kept(&wanted.label(), &taken)?;
    Ok(LockPackage { resolved: Some(url.to_owned()), ..package })
}
