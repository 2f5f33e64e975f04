//! Open directories, whose entries are named by one path segment instead of a long path.

#[cfg(not(unix))]
mod portable;
#[cfg(unix)]
mod unix;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;

use super::identity::Identity;

#[cfg(not(unix))]
pub use portable::Dir;
#[cfg(unix)]
pub use unix::Dir;

/// The kind of a directory entry, links not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A socket, device or pipe.
    Other,
}

/// One entry of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirEntry {
    /// The name within the directory.
    pub name: OsString,
    /// The kind of the entry.
    pub kind: EntryKind,
}

/// What one look at an entry tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// The identity.
    pub identity: Identity,
    /// The permission bits; `None` where the system has none.
    pub mode: Option<u32>,
    /// The number of its names, on systems that tell; else 1.
    pub links: u64,
}

impl Dir {
    /// Creates a directory and opens it; an existing one is an error.
    pub fn make_dir(&self, name: impl AsRef<Path>) -> io::Result<Self> {
        let name = name.as_ref();
        self.create_dir(name)?;
        self.open_dir(name)
    }

    /// Opens a directory, which is created if missing.
    pub fn make_or_open_dir(&self, name: impl AsRef<Path>) -> io::Result<Self> {
        let name = name.as_ref();
        self.create_dir(name).or_else(existing)?;
        self.open_dir(name)
    }

    /// Opens a directory, which is created if missing, mode 0777 less the umask.
    pub fn make_or_open_dir_by_umask(&self, name: impl AsRef<Path>) -> io::Result<Self> {
        let name = name.as_ref();
        self.create_dir_by_umask(name).or_else(existing)?;
        self.open_dir(name)
    }

    /// Creates a new file of `mode`, whatever the umask, with these contents; an existing one is an
    /// error.
    pub fn write_file(&self, name: impl AsRef<Path>, contents: &[u8], mode: u32) -> io::Result<()> {
        self.create_file(name, mode)?.write_all(contents)
    }
}

/// Creates the directory at `path` and its parents where they are missing, of mode 0755 whatever
/// the umask.
pub fn make_dirs(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::NotFound.into());
    };
    make_dirs(parent)?;
    Dir::open(parent)?.create_dir(name).or_else(existing)
}

fn existing(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::AlreadyExists { Ok(()) } else { Err(error) }
}

#[cfg(test)]
mod tests;
