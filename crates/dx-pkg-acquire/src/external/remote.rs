//! Tarballs at an `http:` or `https:` address.

use dx_pkg_core::PackageName;
use dx_pkg_lock::LockPackage;

use super::{Externals, Wanted};
use crate::AcquireError;

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
    let name = wanted.name.unwrap_or_else(|| name_in(url));
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

/// Returns a name for messages from an address: that of the file, without its ending.
fn name_in(url: &str) -> &str {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let file = path.rsplit('/').next().unwrap_or_default();
    let stem = file.strip_suffix(".tgz").or_else(|| file.strip_suffix(".tar.gz")).unwrap_or(file);
    if PackageName::parse(stem).is_ok() { stem } else { "package" }
}
