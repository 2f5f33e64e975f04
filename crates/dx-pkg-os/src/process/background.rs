//! The priority of a process, or of a thread, that works in the background.

/// Leaves the terminal's session and takes the lowest priority for the processor, and for the disk
/// where the system has one.
///
/// Call it before other threads are started, which inherit the priority. A refusal of
/// the system is no error.
pub fn work_in_background() {
    #[cfg(unix)]
    {
        let _ = rustix::process::setsid();
        let _ = rustix::process::setpriority_process(None, 19);
    }
    #[cfg(target_os = "linux")]
    linux::set_idle_priority();
}

/// Gives the calling thread the lowest priority for the processor, where threads have priorities of
/// their own: on Linux. A refusal of the system is no error.
pub fn thread_in_background() {
    #[cfg(target_os = "linux")]
    {
        let _ = rustix::process::setpriority_process(None, 19);
    }
}

#[cfg(target_os = "linux")]
mod linux {
    /// `IOPRIO_WHO_PROCESS` and `IOPRIO_CLASS_IDLE`, of ioprio_set(2).
    const PROCESS: libc::c_int = 1;
    const IDLE: libc::c_int = 3 << 13;

    #[expect(unsafe_code, reason = "these system calls have no safe form")]
    pub(super) fn set_idle_priority() {
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
