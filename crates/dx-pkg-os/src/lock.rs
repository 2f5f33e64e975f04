//! Advisory locks between processes, on a file of their own.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

/// A lock held until it is dropped or its process ends, however it ends.
///
/// The lock file stays: removing it would let a third process lock a file that has no name any more.
#[derive(Debug)]
pub struct FileLock {
    _file: File,
}

impl FileLock {
    /// Locks `path` against all others; `waits` is called once when another process holds it.
    pub fn exclusive(path: &Path, waits: impl FnOnce()) -> io::Result<Self> {
        Self::acquire(path, waits, File::try_lock, File::lock)
    }

    /// Locks `path` against exclusive holders; `waits` is called once when there is one.
    pub fn shared(path: &Path, waits: impl FnOnce()) -> io::Result<Self> {
        Self::acquire(path, waits, File::try_lock_shared, File::lock_shared)
    }

    /// Locks `path` against all others, or gives `None` at once when another process holds it.
    pub fn try_exclusive(path: &Path) -> io::Result<Option<Self>> {
        let file = open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn acquire(
        path: &Path,
        waits: impl FnOnce(),
        attempt: fn(&File) -> Result<(), TryLockError>,
        block: fn(&File) -> io::Result<()>,
    ) -> io::Result<Self> {
        let file = open(path)?;
        match attempt(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                waits();
                block(&file)?;
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
        Ok(Self { _file: file })
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

#[cfg(test)]
mod tests;
