//! The process's umask: files that several projects share must not have modes that depend on it.

use std::sync::OnceLock;

use rustix::fs::Mode;

/// Returns whether the umask withholds a permission of `mode` from new files and directories.
///
/// The umask is read once: nothing in dx changes it.
pub(super) fn withholds(mode: u32) -> bool {
    static UMASK: OnceLock<u32> = OnceLock::new();
    mode & UMASK.get_or_init(umask) != 0
}

#[allow(clippy::unnecessary_cast, reason = "the width of modes differs between systems")]
fn umask() -> u32 {
    told().unwrap_or_else(|| {
        // The call that returns the umask also sets it. For that moment it is the usual one.
        let umask = rustix::process::umask(Mode::from_raw_mode(0o022));
        rustix::process::umask(umask);
        umask.as_raw_mode() as u32
    })
}

/// Returns the umask as Linux tells it, by a read that changes nothing.
fn told() -> Option<u32> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    umask_in(&status)
}

fn umask_in(status: &str) -> Option<u32> {
    let umask = status.lines().find_map(|line| line.strip_prefix("Umask:"))?;
    u32::from_str_radix(umask.trim(), 8).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn umask_is_read_from_the_status_of_the_process() {
        assert_eq!(umask_in("Name:\tdx\nUmask:\t0077\nState:\tR\n"), Some(0o077));
        assert_eq!(umask_in("Name:\tdx\nState:\tR\n"), None);
        assert_eq!(umask_in("Umask:\tnone\n"), None);
    }

    #[test]
    fn umask_that_takes_nothing_away_withholds_nothing() {
        assert!(!withholds(0));
        assert_eq!(withholds(0o777), umask() & 0o777 != 0);
    }
}
