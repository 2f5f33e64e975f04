//! Detection of mount points: a mounted `node_modules`, as in containers, cannot be renamed.

use std::fs;
use std::path::Path;

/// Returns whether the folder is a mount point, by `statx` or Linux's `/proc/self/mountinfo`
/// (proc_pid_mountinfo(5)); false elsewhere.
pub(super) fn is_mount_point(folder: &Path) -> bool {
    if let Some(is_mounted) = dx_pkg_os::files::is_mount_point(folder) {
        return is_mounted;
    }
    let is_folder = || folder.symlink_metadata().is_ok_and(|metadata| metadata.is_dir());
    if !cfg!(target_os = "linux") || !is_folder() {
        return false;
    }
    let Ok(folder) = folder.canonicalize() else {
        return false;
    };
    let Some(folder) = folder.to_str() else {
        return false;
    };
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    mounts.lines().any(|line| line.split(' ').nth(4).is_some_and(|point| point == escaped(folder)))
}

/// Escapes a path as the kernel does there.
fn escaped(path: &str) -> String {
    path.replace('\\', "\\134").replace(' ', "\\040").replace('\t', "\\011").replace('\n', "\\012")
}
