//! The limit on open files: raised as far as it may be, and waited for where it is reached.

use std::io;
use std::thread;
use std::time::Duration;

/// The longest wait for a descriptor, and the pause before the first look, which doubles up to the
/// longest one.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// Raises this process's limit on open files to the highest that is allowed without privileges, as
/// Node.js does. The processes it starts inherit it.
pub fn raise_open_files_limit() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let limit = getrlimit(Resource::Nofile);
        let highest = limit.maximum.map_or(HIGHEST, |maximum| maximum.min(HIGHEST));
        if limit.current.is_some_and(|current| current < highest) {
            // Refused, it stays as it is.
            let raised = Rlimit { current: Some(highest), maximum: limit.maximum };
            let _ = setrlimit(Resource::Nofile, raised);
        }
    }
}

/// The highest limit that is of any use. macOS refuses more than `OPEN_MAX`.
#[cfg(unix)]
const HIGHEST: u64 = if cfg!(target_os = "macos") { 10_240 } else { 1 << 20 };

/// Returns the most files that this process may have open; `None` where there is no limit.
#[must_use]
pub fn open_files_limit() -> Option<u64> {
    #[cfg(unix)]
    {
        rustix::process::getrlimit(rustix::process::Resource::Nofile).current
    }
    #[cfg(not(unix))]
    {
        None
    }
}

/// Returns the result of `open`; while it fails because too many files are open, here or in the
/// whole system, waits until others are closed and tries again.
///
/// # Errors
/// Those of `open`.
pub fn wait_for_descriptors<T>(open: impl Fn() -> io::Result<T>) -> io::Result<T> {
    let (mut waited, mut pause) = (Duration::ZERO, FIRST_PAUSE);
    loop {
        match open() {
            Err(error) if waited < LONGEST_WAIT && is_exhausted(&error) => {
                thread::sleep(pause);
                waited += pause;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            result => return result,
        }
    }
}

fn is_exhausted(error: &io::Error) -> bool {
    #[cfg(unix)]
    {
        matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE))
    }
    #[cfg(not(unix))]
    {
        let _ = error;
        false
    }
}
