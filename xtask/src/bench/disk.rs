//! How much disk a folder takes.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

/// The bytes that the files below `folder` take, each file once however many names it has.
#[cfg(unix)]
pub(crate) fn usage(folder: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    fn visit(folder: &Path, seen: &mut HashSet<u64>) -> u64 {
        // What vanishes meanwhile takes no disk.
        let Ok(entries) = fs::read_dir(folder) else { return 0 };
        let mut bytes = 0;
        for entry in entries.flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.nlink() == 1 || metadata.is_dir() || seen.insert(metadata.ino()) {
                bytes += metadata.blocks() * 512;
            }
            if metadata.is_dir() {
                bytes += visit(&entry.path(), seen);
            }
        }
        bytes
    }
    visit(folder, &mut HashSet::new())
}

#[cfg(not(unix))]
pub(crate) fn usage(_: &Path) -> u64 {
    0
}

/// Removes files and folders that may not be there.
pub(crate) fn remove(path: &Path) -> Result<(), String> {
    let outcome = match fs::symlink_metadata(path) {
        Err(_) => return Ok(()),
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
    };
    outcome.map_err(|error| format!("remove {}: {error}", path.display()))
}
