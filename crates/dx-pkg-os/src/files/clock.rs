//! The clock that files are given their times by.

use std::time::SystemTime;

/// Waits until what is changed from now on has a later change time than `time`, which is at most
/// now. On Linux files get the time of the kernel's last tick, which may be 10 ms old; elsewhere
/// their times are exact, and nothing is waited for.
#[cfg(target_os = "linux")]
pub fn wait_for_later_times(time: SystemTime) {
    use std::thread::sleep;
    use std::time::{Duration, UNIX_EPOCH};

    /// More than a tick of the slowest kernels.
    const MOST: u32 = 25;
    for _ in 0..MOST {
        let last_tick = crate::clock::read(libc::CLOCK_REALTIME_COARSE);
        if last_tick.is_none_or(|tick| UNIX_EPOCH + tick > time) {
            return;
        }
        sleep(Duration::from_millis(1));
    }
}

/// See above.
#[cfg(not(target_os = "linux"))]
pub fn wait_for_later_times(_: SystemTime) {}

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
