//! The time at which the system was started.

use std::path::Path;
use std::time::{Duration, SystemTime};

/// How much older than it says a file may be: times of files are coarse, and the clock may have
/// been set by a little since.
const TOLERANCE: Duration = Duration::from_secs(2);

/// Returns whether the file was written since the system was started; false for one that is not
/// there.
///
/// What was written before may have been lost in part: a loss of power keeps names and times of
/// files whose bytes had not reached the device. Where the start is not known, every file counts as
/// written since.
#[must_use]
pub fn written_since_boot(path: &Path) -> bool {
    path.symlink_metadata().and_then(|file| file.modified()).is_ok_and(is_since_boot)
}

/// Returns whether a time is one since the system was started, as [`written_since_boot`] does.
#[must_use]
pub fn is_since_boot(time: SystemTime) -> bool {
    boot_time().is_none_or(|boot| time >= boot + TOLERANCE)
}

/// Returns the time of the start. Both clocks are read without a system call.
#[cfg(target_os = "linux")]
fn boot_time() -> Option<SystemTime> {
    SystemTime::now().checked_sub(crate::clock::read(libc::CLOCK_BOOTTIME)?)
}

#[cfg(not(target_os = "linux"))]
fn boot_time() -> Option<SystemTime> {
    None
}

#[cfg(test)]
mod tests;
