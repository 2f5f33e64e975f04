//! Open directories, below which entries are named: what a name leads to is beneath the directory,
//! and no symbolic link is followed on the way to it.

#[cfg(not(unix))]
mod portable;
#[cfg(unix)]
mod reach;
#[cfg(unix)]
mod unix;

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::identity::Identity;
use super::{TEMPORARY, unique_name};

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

    /// Opens a directory that is to be there: one is created if missing, and anything else of that
    /// name is removed first, such as a link.
    pub fn make_real_dir(&self, name: impl AsRef<Path>) -> io::Result<Self> {
        let name = name.as_ref();
        if let Ok(there) = self.open_dir(name) {
            return Ok(there);
        }
        if self.kind(name)?.is_some_and(|kind| kind != EntryKind::Directory) {
            self.remove_file(name)?;
        }
        self.make_or_open_dir(name)
    }

    /// Replaces what is called `name`, whatever it is, by a file of `mode` with these contents. A
    /// reader sees the one or the other, and a link is not followed.
    pub fn replace(&self, name: impl AsRef<Path>, contents: &[u8], mode: u32) -> io::Result<()> {
        let name = name.as_ref();
        let draft = name.with_file_name(unique_name(TEMPORARY));
        let replaced = self
            .write_file(&draft, contents, mode)
            .and_then(|()| self.rename_over(&draft, self, name));
        if replaced.is_err() {
            let _ = self.remove_file(&draft);
        }
        replaced
    }

    /// Renames the file `name` to `new_name` in `target`, replacing whatever is there.
    pub fn rename_over(
        &self,
        name: impl AsRef<Path>,
        target: &Self,
        new_name: impl AsRef<Path>,
    ) -> io::Result<()> {
        let (name, new_name) = (name.as_ref(), new_name.as_ref());
        match self.rename(name, target, new_name) {
            Err(_) if target.kind(new_name)? == Some(EntryKind::Directory) => {
                target.remove_tree(new_name)?;
                self.rename(name, target, new_name)
            }
            renamed => renamed,
        }
    }

    /// Returns when the contents of an entry were last changed, links not followed; `None` if it is
    /// missing.
    #[must_use]
    pub fn modified(&self, name: impl AsRef<Path>) -> Option<SystemTime> {
        let nanoseconds = self.identity(name).ok()??.mtime_ns;
        let since = Duration::from_nanos(nanoseconds.unsigned_abs());
        if nanoseconds < 0 { UNIX_EPOCH.checked_sub(since) } else { UNIX_EPOCH.checked_add(since) }
    }

    /// Returns the contents of a plain file of at most `most` bytes.
    ///
    /// # Errors
    /// `InvalidData` for anything but a plain file, `FileTooLarge` for a larger one, and any
    /// refusal of the system.
    pub fn read_file(&self, name: impl AsRef<Path>, most: u64) -> io::Result<Vec<u8>> {
        let file = self.open_file(name)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it is no plain file"));
        }
        if metadata.len() > most {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let mut contents = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default());
        // It may have grown since.
        file.take(most.saturating_add(1)).read_to_end(&mut contents)?;
        if contents.len() as u64 > most {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(contents)
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
