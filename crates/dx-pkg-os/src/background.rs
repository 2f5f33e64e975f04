//! What a process that works while nobody waits does to be in nobody's way, and how a process is asked to end.

use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

static ENDING: AtomicBool = AtomicBool::new(false);
/// The signal that set it.
static SIGNAL: AtomicI32 = AtomicI32::new(0);
/// The process whose end this one waits for; 0 for none.
static CHILD: AtomicI32 = AtomicI32::new(0);

/// Leaves the terminal's session and gives way to every other process: the lowest priority for the processor, and for
/// the disk where the system has one. To be called before other threads are started, which inherit it. What the system
/// refuses is left as it is.
pub fn work_in_background() {
    #[cfg(unix)]
    {
        let _ = rustix::process::setsid();
        let _ = rustix::process::setpriority_process(None, 19);
    }
    #[cfg(target_os = "linux")]
    linux::be_idle();
}

/// A flag that is set once the process has been asked to end (SIGTERM, SIGINT, SIGHUP), from the first call on: work is
/// then left off at the next good moment instead of in the middle. Whoever asks twice ends the process at once. A signal
/// that was ignored stays so. Elsewhere than on Unix the flag is never set.
#[must_use]
pub fn asked_to_end() -> &'static AtomicBool {
    #[cfg(unix)]
    unix::catch();
    &ENDING
}

/// The number of the signal that asked the process to end, 0 before one did.
#[must_use]
pub fn ended_by() -> i32 {
    SIGNAL.load(Ordering::Relaxed)
}

/// Says which process this one waits for, `None` for none: a SIGTERM is passed on to it. What a terminal sends reaches
/// both by itself.
pub fn waits_for(process: Option<u32>) {
    CHILD.store(
        process.and_then(|process| i32::try_from(process).ok()).unwrap_or_default(),
        Ordering::SeqCst,
    );
    // One that came while the process was being started was passed on to nobody.
    #[cfg(unix)]
    if SIGNAL.load(Ordering::SeqCst) == libc::SIGTERM
        && let Some(child) =
            process.and_then(|process| rustix::process::Pid::from_raw(i32::try_from(process).ok()?))
    {
        let _ = rustix::process::kill_process(child, rustix::process::Signal::TERM);
    }
}

#[cfg(unix)]
mod unix {
    use std::sync::Once;
    use std::sync::atomic::Ordering;

    #[expect(unsafe_code, reason = "what a signal handler may call has no safe form")]
    extern "C" fn note(signal: libc::c_int) {
        if super::ENDING.swap(true, Ordering::Relaxed) {
            // SAFETY: _exit(2) may be called at any moment.
            unsafe { libc::_exit(128 + signal) };
        }
        super::SIGNAL.store(signal, Ordering::Relaxed);
        let child = super::CHILD.load(Ordering::Relaxed);
        if signal == libc::SIGTERM && child > 0 {
            // SAFETY: kill(2) may be called at any moment; the number is that of a child.
            unsafe { libc::kill(child, signal) };
        }
    }

    #[expect(unsafe_code, reason = "signal handlers are set by a system call without a safe form")]
    pub(super) fn catch() {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            let handler = note as extern "C" fn(libc::c_int) as libc::sighandler_t;
            for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP] {
                // SAFETY: the handler stores to atomics and calls what is allowed at any moment.
                unsafe {
                    if libc::signal(signal, handler) == libc::SIG_IGN {
                        libc::signal(signal, libc::SIG_IGN);
                    }
                }
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
