//! The size of entries on their device.

use std::io;
use std::path::Path;
use std::time::SystemTime;

use super::EntryKind;
use super::identity::missing_is_none;

/// The size of an entry on its device, and the links it shares that with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Footprint {
    /// The kind of the entry.
    pub kind: EntryKind,
    /// The device; 0 where the system has no such number.
    pub device: u64,
    /// The inode; 0 where the system has no such number.
    pub inode: u64,
    /// The bytes allocated, or the size where the system does not report that.
    pub bytes: u64,
    /// The number of its hard links.
    pub names: u64,
    /// The time of the last change of its contents.
    pub modified: SystemTime,
}

/// Returns the footprint of the entry at `path`, links not followed; `None` if there is none.
pub fn footprint(path: &Path) -> io::Result<Option<Footprint>> {
    let metadata = match std::fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) => return missing_is_none(error),
    };
    let kind = match metadata.file_type() {
        kind if kind.is_dir() => EntryKind::Directory,
        kind if kind.is_symlink() => EntryKind::Symlink,
        kind if kind.is_file() => EntryKind::File,
        _ => EntryKind::Other,
    };
    let modified = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let (device, inode, names) = (metadata.dev(), metadata.ino(), metadata.nlink());
        Ok(Some(Footprint { kind, device, inode, bytes: metadata.blocks() * 512, names, modified }))
    }
    #[cfg(not(unix))]
    Ok(Some(Footprint { kind, device: 0, inode: 0, bytes: metadata.len(), names: 1, modified }))
}

#[cfg(test)]
mod tests;
