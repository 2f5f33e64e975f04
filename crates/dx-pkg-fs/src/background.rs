//! What a process that works while nobody waits does to be in nobody's way.

use std::sync::atomic::AtomicBool;

static ENDING: AtomicBool = AtomicBool::new(false);

/// Leaves the terminal's session and gives way to every other process: the lowest priority for the processor, and for
/// the disk where the system has one. To be called before other threads are started, which inherit it. What the system
/// refuses is left as it is.
pub fn work_in_background() {
    #[cfg(unix)]
    {
        let _ = rustix::process::setsid();
        let _ = rustix::process::nice(19);
    }
    #[cfg(target_os = "linux")]
    linux::be_idle();
}

/// A flag that is set once the process has been asked to end (SIGTERM, SIGINT, SIGHUP), from the first call on: work is
/// then left off at the next good moment instead of in the middle. Elsewhere than on Unix it is never set.
#[must_use]
pub fn asked_to_end() -> &'static AtomicBool {
    #[cfg(unix)]
    unix::catch();
    &ENDING
}

#[cfg(unix)]
mod unix {
    use std::sync::Once;
    use std::sync::atomic::Ordering;

    extern "C" fn note(_signal: libc::c_int) {
        super::ENDING.store(true, Ordering::Relaxed);
    }

    #[expect(unsafe_code, reason = "signal handlers are set by a system call without a safe form")]
    pub(super) fn catch() {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            let handler = note as extern "C" fn(libc::c_int) as libc::sighandler_t;
            for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP] {
                // SAFETY: the handler only stores to an atomic, which is allowed at any moment.
                unsafe { libc::signal(signal, handler) };
            }
        });
    }
}

#[cfg(target_os = "linux")]
mod linux {
    /// `IOPRIO_WHO_PROCESS` and `IOPRIO_CLASS_IDLE`, of ioprio_set(2).
    const PROCESS: libc::c_int = 1;
    const IDLE: libc::c_int = 3 << 13;

    #[expect(unsafe_code, reason = "these system calls have no safe form")]
    pub(super) fn be_idle() {
        // SAFETY: both change only how this process is scheduled; the structure outlives the call.
        unsafe {
            libc::syscall(libc::SYS_ioprio_set, PROCESS, 0, IDLE);
            let parameter: libc::sched_param = std::mem::zeroed();
            libc::sched_setscheduler(0, libc::SCHED_IDLE, &raw const parameter);
        }
    }
}

#[cfg(test)]
mod tests;
