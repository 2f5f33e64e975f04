//! Files and folders of a benchmark: the space they take, writing and removing them.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

/// The bytes that the files below some folders take, each file once however many names it has.
#[cfg(unix)]
pub(crate) fn usage(folders: &[&Path]) -> u64 {
    use std::os::unix::fs::MetadataExt;
    fn visit(folder: &Path, seen: &mut HashSet<u64>) -> u64 {
        // An entry that vanished meanwhile takes no space.
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
    let mut seen = HashSet::new();
    folders.iter().map(|folder| visit(folder, &mut seen)).sum()
}

#[cfg(not(unix))]
pub(crate) fn usage(_: &[&Path]) -> u64 {
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

/// Writes a file unless it says the same already: its times are part of what managers look at.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), String> {
    if fs::read_to_string(path).is_ok_and(|present| present == text) {
        return Ok(());
    }
    crate::dx::write(path, text)
}
