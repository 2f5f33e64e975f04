//! Processes: cancellation by signals, background priority, facts about this host and its start.

use std::num::NonZeroUsize;
use std::sync::OnceLock;

mod asked;
mod background;
mod boot;
mod group;
mod host;
mod open_files;
mod power;
mod secret_line;
mod signals;
mod typed_line;

pub use asked::{Asked, NoAnswer};
pub use background::{thread_in_background, work_in_background};
pub use boot::{is_since_boot, written_since_boot};
pub use group::{ask_to_end, kill_group, own_group};
pub use host::libc_family;
pub use open_files::{
    RUNTIME_DESCRIPTORS, open_files_limit, raise_open_files_limit, spare_descriptors,
    wait_for_descriptors,
};
pub use power::on_battery;
pub use secret_line::read_secret_line;
pub use signals::{
    cancellation_flag, cancelled_by_signal, forward_sigterm_to, install_signal_handlers,
};
pub use typed_line::{is_cancelled, read_typed_line};

/// Raises the limit on open files as [`raise_open_files_limit`] does, and lets a write beyond the
/// limit on the size of files (`ulimit -f`) fail with an error, instead of ending the process.
/// Programs that it starts have the system's own rule for the latter.
pub fn meet_limits() {
    raise_open_files_limit();
    #[cfg(unix)]
    signals::fail_on_file_size_limit();
}

/// Returns the number of processors that this process may use; 1 where that cannot be found out.
/// The system is asked once: on Linux, files of control groups are read for it.
#[must_use]
pub fn processors() -> usize {
    static PROCESSORS: OnceLock<usize> = OnceLock::new();
    *PROCESSORS.get_or_init(|| std::thread::available_parallelism().map_or(1, NonZeroUsize::get))
}

/// Returns whether a process with this number exists; true also where that cannot be found out.
#[must_use]
pub fn process_alive(pid: u32) -> bool {
    #[cfg(unix)]
    {
        let Some(pid) = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw) else {
            return false;
        };
        !matches!(rustix::process::test_kill_process(pid), Err(rustix::io::Errno::SRCH))
    }
    #[cfg(not(unix))]
    {
        let _ = pid;
        true
    }
}

#[cfg(test)]
mod tests;
