//! Whether this machine runs on a battery.
//!
//! The branches for macOS and Windows follow those systems' documentation and have never been run.

/// Returns whether the machine runs on its battery; `false` where that cannot be found out, and on
/// a machine without one.
#[must_use]
pub fn on_battery() -> bool {
    #[cfg(target_os = "linux")]
    return linux::on_battery_by(std::path::Path::new("/sys/class/power_supply"));
    #[cfg(target_os = "macos")]
    return macos::on_battery();
    #[cfg(windows)]
    return windows::on_battery();
    #[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
    false
}

#[cfg(target_os = "linux")]
mod linux {
    use std::ffi::OsStr;
    use std::mem::MaybeUninit;
    use std::os::unix::ffi::OsStrExt;
    use std::path::Path;

    use rustix::fs::{Mode, OFlags, RawDir};

    /// Returns whether the supplies in a folder, as `sysfs` has them, are a battery that is being
    /// discharged, and none that takes power from outside. Batteries of devices, such as a mouse,
    /// do not count.
    ///
    /// A machine without supplies costs three system calls.
    pub(super) fn on_battery_by(folder: &Path) -> bool {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let Ok(opened) = rustix::fs::open(folder, flags, Mode::empty()) else { return false };
        let mut buffer = [MaybeUninit::<u8>::uninit(); 4096];
        let mut entries = RawDir::new(&opened, &mut buffer);
        let mut is_discharging = false;
        // The kernel lists as many as the buffer holds, and that is more than any machine has.
        while let Some(Ok(entry)) = entries.next() {
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name != "." && name != ".." {
                match supply(&folder.join(name)) {
                    Supply::Online => return false,
                    Supply::Discharging => is_discharging = true,
                    Supply::Other => {}
                }
            }
            if entries.is_buffer_empty() {
                break;
            }
        }
        is_discharging
    }

    enum Supply {
        /// Power from outside.
        Online,
        /// A battery of the machine, which gives power.
        Discharging,
        Other,
    }

    fn supply(folder: &Path) -> Supply {
        let is = |file: &str, value: &str| {
            std::fs::read_to_string(folder.join(file)).is_ok_and(|text| text.trim() == value)
        };
        if !is("type", "Battery") {
            return if is("online", "1") { Supply::Online } else { Supply::Other };
        }
        if is("status", "Discharging") && !is("scope", "Device") {
            return Supply::Discharging;
        }
        Supply::Other
    }
}

#[cfg(target_os = "macos")]
#[expect(unsafe_code, reason = "the framework's function has no safe form")]
mod macos {
    #[link(name = "IOKit", kind = "framework")]
    unsafe extern "C" {
        /// The seconds for which the power lasts, of `IOKit/ps/IOPowerSources.h`.
        fn IOPSGetTimeRemainingEstimate() -> f64;
    }

    /// `kIOPSTimeRemainingUnlimited`: power comes from outside.
    const UNLIMITED: f64 = -2.0;

    pub(super) fn on_battery() -> bool {
        // SAFETY: the function takes nothing and returns a number.
        let remaining = unsafe { IOPSGetTimeRemainingEstimate() };
        remaining > UNLIMITED
    }
}

#[cfg(windows)]
#[expect(unsafe_code, reason = "the system's function has no safe form")]
mod windows {
    /// `SYSTEM_POWER_STATUS` of `winbase.h`.
    #[repr(C)]
    #[derive(Default)]
    struct PowerStatus {
        /// 0 on battery, 1 on mains, 255 unknown.
        line: u8,
        battery: u8,
        percent: u8,
        saver: u8,
        seconds_left: u32,
        seconds_full: u32,
    }

    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn GetSystemPowerStatus(status: *mut PowerStatus) -> i32;
    }

    pub(super) fn on_battery() -> bool {
        let mut status = PowerStatus { line: 255, ..PowerStatus::default() };
        // SAFETY: the structure has the documented layout and outlives the call.
        let answered = unsafe { GetSystemPowerStatus(&raw mut status) } != 0;
        answered && status.line == 0
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
