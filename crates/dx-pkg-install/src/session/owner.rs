//! Whose a project's `.npmrc` is. A file that another user has put into a folder above must not
//! decide what happens here, as git's `safe.directory` has it for repositories.

use std::path::Path;

use crate::Environment;

/// Returns whether a project's `.npmrc` belongs to somebody who has no say here: neither to the
/// user who runs the command, nor to root, nor to the owner of the folder in which the command was
/// started. The last lets a container run as root in a folder of the host's user.
#[cfg(unix)]
pub(super) fn is_foreign(environment: &Environment, file: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let user = dx_pkg_os::process::effective_user();
    let here = environment.folder.metadata().ok().map(|metadata| metadata.uid());
    // Of a link both its own owner and that of the file count.
    [file.symlink_metadata(), file.metadata()].into_iter().flatten().any(|metadata| {
        let own = metadata.uid();
        own != 0 && Some(own) != user && Some(own) != here
    })
}

/// Returns false: whose a file is takes more than its metadata here.
#[cfg(not(unix))]
pub(super) fn is_foreign(_: &Environment, _: &Path) -> bool {
    false
}
