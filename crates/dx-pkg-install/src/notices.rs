//! Notices that the next command in a project shows: what happened to its tree meanwhile.
//!
//! They are lines of `node_modules/.dx/notices`, written by the background process or by a command
//! in another project, and removed by the command that shows them.

use std::fs;
use std::io::Write;
use std::path::Path;

use crate::state;

/// The path of the notices in a project.
const PATH: &str = "node_modules/.dx/notices";
/// The size of a file of notices from which on nothing is added, in bytes.
const LARGEST: u64 = 64 * 1024;

/// Adds a notice for the project in `root`, unless it has the same one already.
pub(crate) fn add(root: &Path, notice: &str) {
    let path = root.join(PATH);
    let present = fs::read_to_string(&path).unwrap_or_default();
    if present.len() as u64 > LARGEST || present.lines().any(|line| line == notice) {
        return;
    }
    // A notice that cannot be written is about a file that the project has, as it is.
    let file = fs::OpenOptions::new().append(true).create(true).open(&path);
    let _ = file.and_then(|mut file| writeln!(file, "{}", notice.replace('\n', " ")));
    // Without a state the next install is a full one, which shows notices: looking for them costs
    // an install with nothing to do no system call.
    let _ = fs::remove_file(root.join(state::PATH));
}

/// Removes and returns the notices of the project in `root`.
pub fn take(root: &Path) -> Vec<String> {
    let path = root.join(PATH);
    let Ok(text) = fs::read_to_string(&path) else { return Vec::new() };
    // Notices that cannot be removed are shown again.
    let _ = fs::remove_file(&path);
    text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}
