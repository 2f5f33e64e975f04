//! Replaced trees that could not be moved into the store's trash.

use std::path::PathBuf;

/// Removes replaced trees that the store could not take. Returns a warning for each that this user
/// may not remove; the next install tries again.
pub(super) fn remove_folders(leftovers: &[PathBuf]) -> Vec<String> {
    let is_refused = |path: &&PathBuf| {
        let removed = dx_pkg_os::files::remove_tree(path);
        removed.is_err_and(|error| error.kind() == std::io::ErrorKind::PermissionDenied)
    };
    let refused = leftovers.iter().filter(is_refused);
    let warning = |path: &PathBuf| {
        format!(
            "the replaced packages in {} could not be removed, as they belong to another user: \
             remove that folder as that user, or as root",
            path.display()
        )
    };
    refused.map(warning).collect()
}
