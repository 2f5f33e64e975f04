//! Notices that the next command in a project shows: what happened to its tree meanwhile.
//!
//! They are lines of `node_modules/.dx/notices`, written by the background process or by a command
//! in another project, and removed by the command that shows them.

use std::path::Path;

use crate::{own_files, state};

/// The name of the file, and its path below `node_modules`.
const NAME: &str = "notices";
const PATH: &str = ".dx/notices";
/// The size of a file of notices from which on nothing is added, in bytes.
const LARGEST: u64 = 64 * 1024;

/// Adds a notice for the project in `root`, unless it has the same one already.
pub(crate) fn add(root: &Path, notice: &str) {
    let mut present = text(root).unwrap_or_default();
    if present.len() as u64 > LARGEST || present.lines().any(|line| line == notice) {
        return;
    }
    // A notice that cannot be written is about a file that the project has, as it is.
    present.push_str(&notice.replace('\n', " "));
    present.push('\n');
    let _ = own_files::replace(root, NAME, present.as_bytes());
    // Without a state the next install is a full one, which shows notices: looking for them costs
    // an install with nothing to do no system call.
    state::forget(root);
}

fn text(root: &Path) -> Option<String> {
    own_files::text(root, PATH).ok().map(|(text, _)| text)
}

/// Removes and returns the notices of the project in `root`.
pub fn take(root: &Path) -> Vec<String> {
    let Some(text) = text(root) else { return Vec::new() };
    // Notices that cannot be removed are shown again.
    let _ = own_files::remove(root, NAME);
    text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}
