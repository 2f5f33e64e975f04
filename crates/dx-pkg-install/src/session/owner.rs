//! Whose a project's `.npmrc` is. A file that another user has put into a folder above must not
//! decide what happens here, as git's `safe.directory` has it for repositories.

use std::path::Path;

use dx_pkg_os::files::is_of_others;

use crate::Environment;

/// Returns whether a project's `.npmrc` is there and belongs to somebody who has no say in the
/// folder in which the command was started.
pub(super) fn is_foreign(environment: &Environment, file: &Path) -> bool {
    is_of_others(file, &environment.folder).unwrap_or(false)
}
