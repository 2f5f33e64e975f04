//! Directories by path, for systems without descriptor-relative calls. Never run.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::{DirEntry, EntryKind, Status};
use crate::files::identity::{Identity, missing_is_none};

/// A directory by its path. Names are single path segments below it.
#[derive(Debug)]
pub struct Dir {
    path: PathBuf,
}

impl Dir {
    /// Opens the directory at `path`, following symbolic links.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        if fs::metadata(path)?.is_dir() {
            Ok(Self { path: path.to_owned() })
        } else {
            Err(io::ErrorKind::NotADirectory.into())
        }
    }

    /// Opens a directory below this one.
    pub fn open_dir(&self, name: impl AsRef<Path>) -> io::Result<Self> {
        let path = self.path.join(name);
        if fs::symlink_metadata(&path)?.is_dir() {
            Ok(Self { path })
        } else {
            Err(io::ErrorKind::NotADirectory.into())
        }
    }

    /// Creates a directory below this one.
    pub fn create_dir(&self, name: impl AsRef<Path>) -> io::Result<()> {
        fs::create_dir(self.path.join(name))
    }

    /// Creates a directory below this one.
    pub fn create_dir_by_umask(&self, name: impl AsRef<Path>) -> io::Result<()> {
        self.create_dir(name)
    }

    /// Opens a file for reading.
    pub fn open_file(&self, name: impl AsRef<Path>) -> io::Result<File> {
        File::open(self.path.join(name))
    }

    /// Creates a new file for writing; an existing one is an error. The mode has no meaning here.
    pub fn create_file(&self, name: impl AsRef<Path>, _mode: u32) -> io::Result<File> {
        OpenOptions::new().write(true).create_new(true).open(self.path.join(name))
    }

    /// Creates a hard link to the file `source_name` of `source`.
    pub fn link_from(
        &self,
        source: &Self,
        source_name: impl AsRef<Path>,
        name: impl AsRef<Path>,
    ) -> io::Result<()> {
        fs::hard_link(source.path.join(source_name), self.path.join(name))
    }

    /// Creates a symbolic link called `name` with the text `target`: a link to a directory if
    /// `target` is one.
    pub fn symlink(&self, target: impl AsRef<Path>, name: impl AsRef<Path>) -> io::Result<()> {
        #[cfg(windows)]
        {
            let link = self.path.join(name);
            if self.path.join(target.as_ref()).is_dir() {
                return std::os::windows::fs::symlink_dir(target, link);
            }
            std::os::windows::fs::symlink_file(target, link)
        }
        #[cfg(not(windows))]
        {
            let _ = (target, name);
            Err(io::ErrorKind::Unsupported.into())
        }
    }

    /// Returns the text of the symbolic link `name`.
    pub fn read_link(&self, name: impl AsRef<Path>) -> io::Result<PathBuf> {
        fs::read_link(self.path.join(name))
    }

    /// Renames `name` to `new_name` in `target`.
    pub fn rename(
        &self,
        name: impl AsRef<Path>,
        target: &Self,
        new_name: impl AsRef<Path>,
    ) -> io::Result<()> {
        fs::rename(self.path.join(name), target.path.join(new_name))
    }

    /// Sets the modification time of a file to the present.
    pub fn touch(&self, name: impl AsRef<Path>) -> io::Result<()> {
        OpenOptions::new()
            .write(true)
            .open(self.path.join(name))?
            .set_modified(std::time::SystemTime::now())
    }

    /// Removes a file or symbolic link.
    pub fn remove_file(&self, name: impl AsRef<Path>) -> io::Result<()> {
        fs::remove_file(self.path.join(name))
    }

    /// Removes an empty directory.
    pub fn remove_dir(&self, name: impl AsRef<Path>) -> io::Result<()> {
        fs::remove_dir(self.path.join(name))
    }

    /// Returns an error: such a system locks no directories.
    pub fn try_lock(&self) -> io::Result<bool> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Returns the entries, in the file system's order.
    pub fn entries(&self) -> io::Result<Vec<DirEntry>> {
        let entry = |entry: io::Result<fs::DirEntry>| {
            let entry = entry?;
            let kind = entry.file_type()?;
            let kind = if kind.is_symlink() {
                EntryKind::Symlink
            } else if kind.is_dir() {
                EntryKind::Directory
            } else {
                EntryKind::File
            };
            Ok(DirEntry { name: entry.file_name(), kind })
        };
        fs::read_dir(&self.path)?.map(entry).collect()
    }

    /// Returns the identity of an entry, links not followed; `None` if it is missing.
    pub fn identity(&self, name: impl AsRef<Path>) -> io::Result<Option<Identity>> {
        match fs::symlink_metadata(self.path.join(name)) {
            Ok(metadata) => Ok(Some(Identity::from_metadata(&metadata))),
            Err(error) => missing_is_none(error),
        }
    }

    /// Returns identity, mode and number of names of an entry; `None` if it is missing.
    pub fn status(&self, name: impl AsRef<Path>) -> io::Result<Option<Status>> {
        let identity = self.identity(name)?;
        Ok(identity.map(|identity| Status { identity, mode: None, links: 1 }))
    }

    /// Opens an existing file for reading and writing.
    pub fn open_file_to_write(&self, name: impl AsRef<Path>) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).open(self.path.join(name))
    }

    /// Does nothing: permission bits have no meaning here.
    pub(in crate::files) fn set_mode(&self, _name: impl AsRef<Path>, _mode: u32) -> io::Result<()> {
        Ok(())
    }

    pub(in crate::files) fn set_own_mode(&self, _mode: u32) -> io::Result<()> {
        Ok(())
    }
}
