//! What the system offers for faults; the error says what is missing.

use super::seccomp;
use crate::require::output;
use std::thread;

/// Returns whether system calls can be answered by another process.
pub fn seccomp() -> Result<(), String> {
    // The filter binds the thread for as long as it lives.
    let installed = thread::spawn(|| seccomp::install(&[]).map(drop));
    let installed = installed.join().map_err(|_| "the attempt panicked".to_owned())?;
    installed.map_err(|error| format!("seccomp with user notification: {error}"))
}

/// Returns whether a program can be made to believe that the machine was started a moment ago.
pub fn time_namespace() -> Result<(), String> {
    output("unshare", ["--time", "--boottime=1", "--", "true"]).map(drop)
}
