//! The names of files and folders as text. Never looks at what a package takes.

use std::fs;

/// Returns the name of an entry, and whether it is its name: in one that is not Unicode, as in what
/// Node.js reads, U+FFFD stands for what is not.
pub(super) fn name_of(entry: &fs::DirEntry) -> (String, bool) {
    match entry.file_name().into_string() {
        Ok(name) => (name, true),
        Err(name) => (name.to_string_lossy().into_owned(), false),
    }
}
