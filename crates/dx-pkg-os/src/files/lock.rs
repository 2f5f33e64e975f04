//! Advisory locks between processes, on lock files.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::Path;

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
