//! The clock that files are given their times by.

use std::time::SystemTime;

/// Waits until what is changed from now on has a later change time than `time`, which is at most
/// now. On Linux files get the time of the kernel's last tick, which may be 10 ms old; elsewhere
/// their times are exact, and nothing is waited for.
#[cfg(target_os = "linux")]
pub fn wait_for_later_times(time: SystemTime) {
    use std::thread::sleep;
    use std::time::Duration;

    /// More than a tick of the slowest kernels.
    const MOST: u32 = 25;
    for _ in 0..MOST {
        if last_tick().is_none_or(|tick| tick > time) {
            return;
        }
        sleep(Duration::from_millis(1));
    }
}

/// See above.
#[cfg(not(target_os = "linux"))]
pub fn wait_for_later_times(_: SystemTime) {}

/// Returns the time of the last tick.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "the standard library does not read this clock")]
fn last_tick() -> Option<SystemTime> {
    use std::time::{Duration, UNIX_EPOCH};

    let mut tick = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call writes one `timespec`, to which the pointer leads.
    let read = unsafe { libc::clock_gettime(libc::CLOCK_REALTIME_COARSE, &raw mut tick) };
    let seconds = u64::try_from(tick.tv_sec).ok().filter(|_| read == 0)?;
    UNIX_EPOCH.checked_add(Duration::new(seconds, u32::try_from(tick.tv_nsec).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_after_the_wait_is_later() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..20 {
            let time = SystemTime::now();
            wait_for_later_times(time);
            let path = folder.path().join(number.to_string());
            std::fs::write(&path, "").unwrap();
            assert!(std::fs::metadata(&path).unwrap().modified().unwrap() > time);
        }
    }
}
