//! Files with their identities at the time they were read.

use std::path::{Path, PathBuf};

use dx_pkg_acquire::files::{read_text, read_text_to_edit, read_trusted_text};
use dx_pkg_os::files::Identity;

use crate::InstallError;

/// Files with their identities when they were read; `None` for one that did not exist.
pub type Seen = Vec<(PathBuf, Option<Identity>)>;

/// Returns a file with its present identity.
pub(crate) fn see(path: &Path) -> (PathBuf, Option<Identity>) {
    (path.to_owned(), dx_pkg_os::files::identity(path).ok().flatten())
}

/// Reads a text file after recording its identity; `None` where there is none.
pub(crate) fn read_seen(path: &Path, seen: &mut Seen) -> Result<Option<String>, InstallError> {
    seen.push(see(path));
    Ok(read_text(path)?)
}

/// Reads a text file that the user named, as [`read_seen`] does.
pub(crate) fn read_seen_trusted(
    path: &Path,
    seen: &mut Seen,
) -> Result<Option<String>, InstallError> {
    seen.push(see(path));
    Ok(read_trusted_text(path)?)
}

/// Reads a text file that may be edited, as [`read_seen`] does.
pub(crate) fn read_seen_to_edit(
    path: &Path,
    seen: &mut Seen,
) -> Result<Option<String>, InstallError> {
    seen.push(see(path));
    Ok(read_text_to_edit(path)?)
}
