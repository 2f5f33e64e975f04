//! Commits of git repositories.

use dx_pkg_core::spec::GitSpec;
use dx_pkg_lock::LockPackage;

use super::{Externals, Wanted};
use crate::AcquireError;

/// Fetches the commit that `git` means, packs it, and loads the package. A packed tarball is put
/// into the store by [`crate::Downloads::keep_bytes`] or [`crate::Downloads::keep_file`], and its
/// manifest read by [`crate::Downloads::manifest_of_kept`].
///
/// # Errors
/// Packages from git are not supported.
pub(super) fn load(
    _externals: &Externals<'_>,
    wanted: &Wanted<'_>,
    _git: &GitSpec,
) -> Result<LockPackage, AcquireError> {
    Err(wanted.unsupported())
}
