//! Advisory locks between processes, on lock files.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

/// A lock, held until it is dropped or its process ends in any way.
///
/// The lock file is never removed: another process could then lock a file that has no name any
/// more.
#[derive(Debug)]
pub struct FileLock {
    file: File,
}

impl FileLock {
    /// Locks `path`. Calls `waits` once if another process holds the lock.
    pub fn exclusive(path: &Path, waits: impl FnOnce()) -> io::Result<Self> {
        let file = open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                waits();
                file.lock()?;
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
        Ok(Self { file })
    }

    /// Locks `path`, or returns `None` at once if another process holds the lock.
    pub fn try_exclusive(path: &Path) -> io::Result<Option<Self>> {
        let file = open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Writes a text into the lock file if it is empty: the file says what it is the lock of.
    pub fn label(&self, text: &[u8]) -> io::Result<()> {
        if self.file.metadata()?.len() > 0 {
            return Ok(());
        }
        (&self.file).write_all(text)
    }
}

/// A lock on a folder itself, so that no lock file lies in it: held while one of its files is read,
/// changed and replaced. It only keeps out who asks for it, too.
///
/// Where a folder cannot be locked, as on Windows and on some network file systems, it locks
/// nothing.
#[derive(Debug)]
pub struct FolderLock {
    _folder: Option<File>,
}

impl FolderLock {
    /// The longest that another process is waited for.
    const LONGEST: Duration = Duration::from_secs(10);

    /// Locks a folder as soon as no other process does.
    ///
    /// # Errors
    /// `TimedOut` after ten seconds.
    pub fn wait(folder: &Path) -> io::Result<Self> {
        Self::wait_for(folder, Self::LONGEST)
    }

    fn wait_for(folder: &Path, longest: Duration) -> io::Result<Self> {
        let Ok(folder) = File::open(folder) else { return Ok(Self { _folder: None }) };
        let began = Instant::now();
        loop {
            match folder.try_lock() {
                Ok(()) => return Ok(Self { _folder: Some(folder) }),
                Err(TryLockError::Error(_)) => return Ok(Self { _folder: None }),
                Err(TryLockError::WouldBlock) if began.elapsed() < longest => {
                    std::thread::sleep(Duration::from_millis(2));
                }
                Err(TryLockError::WouldBlock) => {
                    let message = "another process keeps its folder locked";
                    return Err(io::Error::new(io::ErrorKind::TimedOut, message));
                }
            }
        }
    }
}

/// Opens the lock file, which is no link: the file that it leads to would be created.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NOFOLLOW);
    options.open(path)
}

#[cfg(test)]
mod tests;
