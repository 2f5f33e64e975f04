//! Cancellation of the process by signals, and passing SIGTERM on to a child.

use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

static CANCELLED: AtomicBool = AtomicBool::new(false);
/// The signal that set the flag; 0 for none.
static SIGNAL: AtomicI32 = AtomicI32::new(0);
/// The child that this process waits for; 0 for none.
static CHILD: AtomicI32 = AtomicI32::new(0);

/// Makes SIGTERM, SIGINT and SIGHUP set [`cancellation_flag`] instead of ending the process.
///
/// The second signal ends the process at once. A signal that was ignored stays ignored. Calls after
/// the first have no effect, nor has any call on other systems than Unix.
pub fn install_signal_handlers() {
    #[cfg(unix)]
    unix::install();
}

/// Returns the flag that is set once a signal has cancelled the process.
///
/// It stays unset until [`install_signal_handlers`] was called. Work then stops at its next safe
/// point.
#[must_use]
pub fn cancellation_flag() -> &'static AtomicBool {
    &CANCELLED
}

/// Returns the number of the signal that cancelled the process; 0 if none has.
#[must_use]
pub fn cancelled_by_signal() -> i32 {
    SIGNAL.load(Ordering::Relaxed)
}

/// Passes a SIGTERM on to this child from now on, `None` to none.
///
/// A terminal's own signals reach parent and child alike, so they are not passed on.
pub fn forward_sigterm_to(child: Option<u32>) {
    CHILD.store(
        child.and_then(|child| i32::try_from(child).ok()).unwrap_or_default(),
        Ordering::SeqCst,
    );
    // A SIGTERM that came while the child was being started has not been passed on.
    #[cfg(unix)]
    if SIGNAL.load(Ordering::SeqCst) == libc::SIGTERM
        && let Some(child) =
            child.and_then(|child| rustix::process::Pid::from_raw(i32::try_from(child).ok()?))
    {
        let _ = rustix::process::kill_process(child, rustix::process::Signal::TERM);
    }
}

#[cfg(unix)]
pub(super) use unix::fail_on_file_size_limit;

#[cfg(unix)]
mod unix {
    use std::sync::Once;
    use std::sync::atomic::Ordering;

    #[expect(unsafe_code, reason = "functions a signal handler may call have no safe form")]
    extern "C" fn on_signal(signal: libc::c_int) {
        if super::CANCELLED.swap(true, Ordering::Relaxed) {
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

    extern "C" fn on_nothing(_: libc::c_int) {}

    #[expect(unsafe_code, reason = "signal handlers are set by a system call without a safe form")]
    pub(in super::super) fn fail_on_file_size_limit() {
        let handler = on_nothing as extern "C" fn(libc::c_int) as libc::sighandler_t;
        // SAFETY: the handler does nothing. An ignored signal, unlike it, would stay ignored in
        // programs that are started.
        unsafe { libc::signal(libc::SIGXFSZ, handler) };
    }

    #[expect(unsafe_code, reason = "signal handlers are set by a system call without a safe form")]
    pub(super) fn install() {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            let handler = on_signal as extern "C" fn(libc::c_int) as libc::sighandler_t;
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

#[cfg(all(test, unix))]
mod tests;
