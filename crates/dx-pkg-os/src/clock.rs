//! The kernel's clocks that the standard library does not read.

use std::time::Duration;

/// Returns what a clock of Linux shows, without a system call.
#[expect(unsafe_code, reason = "the standard library does not read these clocks")]
pub(crate) fn read(clock: libc::clockid_t) -> Option<Duration> {
    let mut shown = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call writes one `timespec`, to which the pointer leads.
    let read = unsafe { libc::clock_gettime(clock, &raw mut shown) };
    let seconds = u64::try_from(shown.tv_sec).ok().filter(|_| read == 0)?;
    Some(Duration::new(seconds, u32::try_from(shown.tv_nsec).ok()?))
}
