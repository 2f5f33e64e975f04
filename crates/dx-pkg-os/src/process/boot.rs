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
    let Ok(written) = path.symlink_metadata().and_then(|file| file.modified()) else {
        return false;
    };
    boot_time().is_none_or(|boot| written >= boot + TOLERANCE)
}

/// Returns the time of the start. Both clocks are read without a system call.
#[cfg(target_os = "linux")]
fn boot_time() -> Option<SystemTime> {
    use rustix::time::{ClockId, clock_gettime};

    let running = Duration::try_from(clock_gettime(ClockId::Boottime)).ok()?;
    SystemTime::now().checked_sub(running)
}

#[cfg(not(target_os = "linux"))]
fn boot_time() -> Option<SystemTime> {
    None
}

#[cfg(test)]
mod tests;
