//! Detection of mount points.

use std::path::Path;

/// Returns whether something is mounted at `folder`, by one `statx` (Linux 5.8 and later); `None`
/// where the system does not report that. A link to a mount is none.
#[must_use]
pub fn is_mount_point(folder: &Path) -> Option<bool> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags, statx};
        let found = match statx(CWD, folder, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::empty()) {
            Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => return Some(false),
            found => found.ok()?,
        };
        let is_known = found.stx_attributes_mask.contains(StatxAttributes::MOUNT_ROOT);
        is_known.then(|| found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = folder;
        None
    }
}

#[cfg(test)]
mod tests;
