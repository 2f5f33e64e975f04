//! Whose a file is.

use std::io;
use std::path::Path;

/// Returns whether `file` belongs to somebody who has no say over what a command does in the
/// folder `here`: neither to root, nor to the user of this process, nor to the owner of `here`. The
/// last is for a project that is mounted into a container, where the process is often root and the
/// files are all of one other user.
///
/// On Windows nothing is known of owners, and the answer is `false`.
///
/// # Errors
/// File or folder cannot be looked at.
#[cfg(unix)]
pub fn is_of_others(file: &Path, here: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;

    let owner = std::fs::metadata(file)?.uid();
    let is_ours = owner == 0 || owner == rustix::process::geteuid().as_raw();
    Ok(!is_ours && owner != std::fs::metadata(here)?.uid())
}

/// Returns `false`: nothing is known of owners here.
#[cfg(not(unix))]
pub fn is_of_others(_file: &Path, _here: &Path) -> io::Result<bool> {
    Ok(false)
}
