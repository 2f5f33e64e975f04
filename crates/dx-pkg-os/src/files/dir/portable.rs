//! Directories by path, for systems without descriptor-relative calls. Never run.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Component, Path, PathBuf};

use super::{DirEntry, EntryKind, Status};
use crate::files::identity::{Identity, missing_is_none};

/// A directory by its path. Names are relative to it. What they name is beneath it, and reached
/// through no link, unless another process swaps a folder for a link at that moment.
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

    /// Opens the directory at `path`, but not through a link at its end.
    pub fn open_real(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        if fs::symlink_metadata(path)?.is_dir() {
            Ok(Self { path: path.to_owned() })
        } else {
            Err(io::ErrorKind::NotADirectory.into())
        }
    }

    /// Says that only dx has written what is in this directory.
    pub fn trust(&mut self) {}

    /// Returns the path of an entry.
    fn at(&self, name: impl AsRef<Path>) -> io::Result<PathBuf> {
        let name = name.as_ref();
        let leaves = |part| !matches!(part, Component::Normal(_) | Component::CurDir);
        if name.components().any(leaves) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let around = name.ancestors().skip(1).filter(|around| !around.as_os_str().is_empty());
        for around in around {
            match fs::symlink_metadata(self.path.join(around)) {
                Ok(found) if !found.is_dir() => return Err(io::ErrorKind::NotADirectory.into()),
                _ => {}
            }
        }
        Ok(self.path.join(name))
    }

    /// Opens a directory below this one.
    pub fn open_dir(&self, name: impl AsRef<Path>) -> io::Result<Self> {
        let path = self.at(name)?;
        if fs::symlink_metadata(&path)?.is_dir() {
            Ok(Self { path })
        } else {
            Err(io::ErrorKind::NotADirectory.into())
        }
    }

    /// Opens a directory of this one, unless a file system is mounted there, as far as the system
    /// lets that be seen.
    pub fn open_dir_unmounted(&self, name: impl AsRef<Path>) -> io::Result<Self> {
        self.open_dir(name)
    }

    /// Creates a directory below this one.
    pub fn create_dir(&self, name: impl AsRef<Path>) -> io::Result<()> {
        fs::create_dir(self.at(name)?)
    }

    /// Creates a directory below this one.
    pub fn create_dir_by_umask(&self, name: impl AsRef<Path>) -> io::Result<()> {
        self.create_dir(name)
    }

    /// Opens a file for reading.
    pub fn open_file(&self, name: impl AsRef<Path>) -> io::Result<File> {
        File::open(self.at(name)?)
    }

    /// Creates a new file for writing; an existing one is an error. The mode has no meaning here.
    pub fn create_file(&self, name: impl AsRef<Path>, _mode: u32) -> io::Result<File> {
        OpenOptions::new().write(true).create_new(true).open(self.at(name)?)
    }

    /// Creates a hard link to the file `source_name` of `source`.
    pub fn link_from(
        &self,
        source: &Self,
        source_name: impl AsRef<Path>,
        name: impl AsRef<Path>,
    ) -> io::Result<()> {
        fs::hard_link(source.at(source_name)?, self.at(name)?)
    }

    /// Creates a symbolic link called `name` with the text `target`: a link to a directory if
    /// `target` is one.
    pub fn symlink(&self, target: impl AsRef<Path>, name: impl AsRef<Path>) -> io::Result<()> {
        #[cfg(windows)]
        {
            let link = self.at(name)?;
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
        fs::read_link(self.at(name)?)
    }

    /// Renames `name` to `new_name` in `target`.
    pub fn rename(
        &self,
        name: impl AsRef<Path>,
        target: &Self,
        new_name: impl AsRef<Path>,
    ) -> io::Result<()> {
        fs::rename(self.at(name)?, target.at(new_name)?)
    }

    /// Sets the modification time of a file to the present.
    pub fn touch(&self, name: impl AsRef<Path>) -> io::Result<()> {
        OpenOptions::new()
            .write(true)
            .open(self.at(name)?)?
            .set_modified(std::time::SystemTime::now())
    }

    /// Removes a file or symbolic link.
    pub fn remove_file(&self, name: impl AsRef<Path>) -> io::Result<()> {
        fs::remove_file(self.at(name)?)
    }

    /// Removes an empty directory.
    pub fn remove_dir(&self, name: impl AsRef<Path>) -> io::Result<()> {
        fs::remove_dir(self.at(name)?)
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

    /// Exchanges nothing: the system cannot.
    pub(in crate::files) fn exchange(
        &self,
        _name: &Path,
        _target: &Self,
        _other: &Path,
    ) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Returns the kind of an entry, links not followed; `None` if it is missing.
    pub fn kind(&self, name: impl AsRef<Path>) -> io::Result<Option<EntryKind>> {
        match self.at(name).and_then(fs::symlink_metadata) {
            Ok(metadata) if metadata.is_symlink() => Ok(Some(EntryKind::Symlink)),
            Ok(metadata) if metadata.is_dir() => Ok(Some(EntryKind::Directory)),
            Ok(_) => Ok(Some(EntryKind::File)),
            Err(error) => missing_is_none(error),
        }
    }

    /// Returns the identity of an entry, links not followed; `None` if it is missing.
    pub fn identity(&self, name: impl AsRef<Path>) -> io::Result<Option<Identity>> {
        match self.at(name).and_then(fs::symlink_metadata) {
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
        OpenOptions::new().read(true).write(true).open(self.at(name)?)
    }

    /// Does nothing: permission bits have no meaning here.
    pub(in crate::files) fn set_mode(&self, _name: impl AsRef<Path>, _mode: u32) -> io::Result<()> {
        Ok(())
    }

    pub(in crate::files) fn set_own_mode(&self, _mode: u32) -> io::Result<()> {
        Ok(())
    }
}
