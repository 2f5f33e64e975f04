//! The time at which the system was started.

use std::path::Path;

/// The time that files written before the start may seem younger by, in nanoseconds: times of files
/// are coarse, and the clock may have been set by a little since.
const TOLERANCE: i64 = 2_000_000_000;

/// Returns whether the file was written since the system was started; false for one that is not
/// there.
///
/// What was written before may have been lost in part: a loss of power keeps names, sizes of
/// folders and times of files whose bytes had not reached the device. Where the start is not known,
/// every file counts as written since.
#[must_use]
pub fn written_since_boot(path: &Path) -> bool {
    let Ok(Some(file)) = crate::files::identity(path) else { return false };
    boot_time().is_none_or(|boot| file.mtime_ns >= boot.saturating_add(TOLERANCE))
}

/// Returns the time of the start, in nanoseconds since 1970. Both clocks are read without a system
/// call.
#[cfg(target_os = "linux")]
fn boot_time() -> Option<i64> {
    use rustix::time::{ClockId, clock_gettime};

    let read = |clock| {
        let time = clock_gettime(clock);
        time.tv_sec.checked_mul(1_000_000_000)?.checked_add(time.tv_nsec)
    };
    read(ClockId::Realtime)?.checked_sub(read(ClockId::Boottime)?)
}

#[cfg(not(target_os = "linux"))]
fn boot_time() -> Option<i64> {
    None
}

#[cfg(test)]
mod tests;
