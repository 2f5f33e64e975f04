//! Detection of mount points: a mounted `node_modules`, as in containers, cannot be renamed.

use std::fs;
use std::path::{Path, PathBuf};

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
    folder.canonicalize().is_ok_and(|folder| {
        let folder = escaped(&folder);
        points(&mounts()).any(|point| point == folder)
    })
}

/// Returns the mount points below the folder, relative to it, by `/proc/self/mountinfo`; none where
/// that cannot be told.
pub(super) fn mounts_below(folder: &Path) -> Vec<PathBuf> {
    let Some(folder) = folder.canonicalize().ok().filter(|_| cfg!(target_os = "linux")) else {
        return Vec::new();
    };
    let around = [&escaped(&folder)[..], b"/"].concat();
    let mounts = mounts();
    let below = points(&mounts).filter_map(|point| point.strip_prefix(&around[..]));
    below.map(|point| PathBuf::from(String::from_utf8_lossy(point).as_ref())).collect()
}

fn mounts() -> Vec<u8> {
    fs::read("/proc/self/mountinfo").unwrap_or_default()
}

fn points(mounts: &[u8]) -> impl Iterator<Item = &[u8]> {
    mounts.split(|byte| *byte == b'\n').filter_map(|line| line.split(|byte| *byte == b' ').nth(4))
}

/// Escapes a path as the kernel does there.
fn escaped(path: &Path) -> Vec<u8> {
    let mut escaped = Vec::new();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'\\' | b' ' | b'\t' | b'\n' => escaped.extend(format!("\\{byte:03o}").bytes()),
            plain => escaped.push(*plain),
        }
    }
    escaped
}
