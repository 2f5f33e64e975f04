//! The limit on open files: raised as far as it may be, and waited for where it is reached.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The longest wait for a descriptor, and the pause before the first look, which doubles up to the
/// longest one.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// The time after a wait in vain in which others are as short as a pause: with a limit that is too
/// low for what a command does, many would follow one another.
const HOPELESS: Duration = Duration::from_secs(60);

/// The end of the last wait in vain.
static IN_VAIN: Mutex<Option<Instant>> = Mutex::new(None);

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

/// The descriptors that starting an async runtime takes. Tokio panics where some of them are
/// lacking (`tokio::signal::unix`).
pub const RUNTIME_DESCRIPTORS: usize = 8;

/// Returns an error if this process cannot open `count` more files now. Others of its threads may
/// take them before the caller does.
///
/// # Errors
/// That of the system when it cannot, such as `EMFILE`.
pub fn spare_descriptors(count: usize) -> io::Result<()> {
    #[cfg(unix)]
    {
        let (one, _other) = io::pipe()?;
        (1..count).map(|_| one.try_clone()).collect::<io::Result<Vec<_>>>().map(drop)
    }
    #[cfg(not(unix))]
    {
        let _ = count;
        Ok(())
    }
}

/// Returns the result of `open`; while it fails because too many files are open, here or in the
/// whole system, waits until others are closed and tries again, for ten seconds; for a moment only
/// if a wait was in vain a minute ago or less.
///
/// # Errors
/// Those of `open`.
pub fn wait_for_descriptors<T>(open: impl Fn() -> io::Result<T>) -> io::Result<T> {
    match open() {
        Err(error) if is_exhausted(&error) => wait(open, error),
        result => result,
    }
}

fn wait<T>(open: impl Fn() -> io::Result<T>, mut error: io::Error) -> io::Result<T> {
    let in_vain = || IN_VAIN.lock().unwrap_or_else(PoisonError::into_inner);
    let is_hopeless = in_vain().is_some_and(|at| at.elapsed() < HOPELESS);
    let longest = if is_hopeless { LONGEST_PAUSE } else { LONGEST_WAIT };
    let (mut waited, mut pause) = (Duration::ZERO, FIRST_PAUSE);
    loop {
        if waited >= longest {
            if !is_hopeless {
                *in_vain() = Some(Instant::now());
            }
            return Err(error);
        }
        thread::sleep(pause);
        waited += pause;
        pause = (pause * 2).min(LONGEST_PAUSE);
        match open() {
            Err(again) if is_exhausted(&again) => error = again,
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
