//! What an entry takes on its device.

use std::io;
use std::path::Path;
use std::time::SystemTime;

use crate::EntryKind;
use crate::identity::missing_is_none;

/// What an entry takes, and who else has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Footprint {
    /// What it is.
    pub kind: EntryKind,
    /// The device it is on; 0 where the system does not say.
    pub device: u64,
    /// Its inode; 0 where the system does not say.
    pub inode: u64,
    /// The bytes allocated to it; its size where the system does not say.
    pub bytes: u64,
    /// How many names it has.
    pub names: u64,
    /// When its contents changed.
    pub modified: SystemTime,
}

/// The footprint of what is at `path`, links not followed; `None` when there is nothing.
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
