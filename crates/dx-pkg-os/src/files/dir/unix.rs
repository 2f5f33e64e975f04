//! Directories by descriptor.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, FileType, FlockOperation, Mode, OFlags, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT,
};

use super::{DirEntry, EntryKind, Status};
use crate::files::identity::{Identity, missing_is_none};
use crate::files::umask;
use crate::process::wait_for_descriptors;

/// An open directory. Names are single path segments below it, and symbolic links are not followed.
#[derive(Debug)]
pub struct Dir {
    fd: OwnedFd,
}

/// The mode of directories that [`Dir::create_dir`] creates.
const DIRECTORY_MODE: u32 = 0o755;

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

impl Dir {
    /// Opens the directory at `path`, following symbolic links.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let open = || Ok(rustix::fs::open(path.as_ref(), DIRECTORY, Mode::empty())?);
        Ok(Self { fd: wait_for_descriptors(open)? })
    }

    /// Returns the directory of an open descriptor.
    pub(in crate::files) fn of_descriptor(fd: OwnedFd) -> Self {
        Self { fd }
    }

    /// Opens a directory below this one.
    pub fn open_dir(&self, name: impl AsRef<Path>) -> io::Result<Self> {
        let flags = DIRECTORY | OFlags::NOFOLLOW;
        Ok(Self { fd: self.open_at(name.as_ref(), flags, Mode::empty())? })
    }

    /// Creates a directory below this one, of mode 0755 whatever the umask.
    pub fn create_dir(&self, name: impl AsRef<Path>) -> io::Result<()> {
        let name = name.as_ref();
        rustix::fs::mkdirat(&self.fd, name, Mode::from_raw_mode(DIRECTORY_MODE as _))?;
        if umask::withholds(DIRECTORY_MODE) {
            self.set_mode(name, DIRECTORY_MODE)?;
        }
        Ok(())
    }

    /// Creates a directory below this one, mode 0777 less the umask.
    pub fn create_dir_by_umask(&self, name: impl AsRef<Path>) -> io::Result<()> {
        Ok(rustix::fs::mkdirat(&self.fd, name.as_ref(), Mode::from_raw_mode(0o777))?)
    }

    /// Opens a file for reading.
    pub fn open_file(&self, name: impl AsRef<Path>) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        Ok(self.open_at(name.as_ref(), flags, Mode::empty())?.into())
    }

    /// Creates a new file of `mode`, whatever the umask, for writing; an existing one is an error.
    pub fn create_file(&self, name: impl AsRef<Path>, mode: u32) -> io::Result<File> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let raw = Mode::from_raw_mode(mode as _);
        let file = self.open_at(name.as_ref(), flags, raw)?;
        if umask::withholds(mode) {
            rustix::fs::fchmod(&file, raw)?;
        }
        Ok(file.into())
    }

    fn open_at(&self, name: &Path, flags: OFlags, mode: Mode) -> io::Result<OwnedFd> {
        wait_for_descriptors(|| Ok(rustix::fs::openat(&self.fd, name, flags, mode)?))
    }

    /// Creates a hard link to the file `source_name` of `source`.
    pub fn link_from(
        &self,
        source: &Self,
        source_name: impl AsRef<Path>,
        name: impl AsRef<Path>,
    ) -> io::Result<()> {
        Ok(rustix::fs::linkat(
            &source.fd,
            source_name.as_ref(),
            &self.fd,
            name.as_ref(),
            AtFlags::empty(),
        )?)
    }

    /// Creates a symbolic link called `name` with the text `target`.
    pub fn symlink(&self, target: impl AsRef<Path>, name: impl AsRef<Path>) -> io::Result<()> {
        Ok(rustix::fs::symlinkat(target.as_ref(), &self.fd, name.as_ref())?)
    }

    /// Returns the text of the symbolic link `name`.
    pub fn read_link(&self, name: impl AsRef<Path>) -> io::Result<PathBuf> {
        let target = rustix::fs::readlinkat(&self.fd, name.as_ref(), Vec::new())?;
        Ok(OsStr::from_bytes(target.as_bytes()).into())
    }

    /// Renames `name` to `new_name` in `target`, replacing a file or an empty directory there.
    pub fn rename(
        &self,
        name: impl AsRef<Path>,
        target: &Self,
        new_name: impl AsRef<Path>,
    ) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.fd, name.as_ref(), &target.fd, new_name.as_ref())?)
    }

    /// Sets the modification time of a file to the file system's present time, which may be some
    /// milliseconds behind the clock. A file that is changed later is never older.
    pub fn touch(&self, name: impl AsRef<Path>) -> io::Result<()> {
        let time = |nanoseconds| Timespec { tv_sec: 0, tv_nsec: nanoseconds };
        let times =
            Timestamps { last_access: time(UTIME_OMIT), last_modification: time(UTIME_NOW) };
        Ok(rustix::fs::utimensat(&self.fd, name.as_ref(), &times, AtFlags::SYMLINK_NOFOLLOW)?)
    }

    /// Removes a file or symbolic link.
    pub fn remove_file(&self, name: impl AsRef<Path>) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.fd, name.as_ref(), AtFlags::empty())?)
    }

    /// Removes an empty directory.
    pub fn remove_dir(&self, name: impl AsRef<Path>) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.fd, name.as_ref(), AtFlags::REMOVEDIR)?)
    }

    /// Locks the directory until it is closed or the process ends in any way; returns `false` if
    /// another open one is locked.
    pub fn try_lock(&self) -> io::Result<bool> {
        match rustix::fs::flock(&self.fd, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(true),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the entries except `.` and `..`, in the file system's order.
    pub fn entries(&self) -> io::Result<Vec<DirEntry>> {
        let mut entries = Vec::new();
        for entry in rustix::fs::Dir::read_from(&self.fd)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            let name = OsStr::from_bytes(name);
            let file_type = match entry.file_type() {
                FileType::Unknown => {
                    let stat = rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW)?;
                    FileType::from_raw_mode(stat.st_mode)
                }
                known => known,
            };
            entries.push(DirEntry { name: name.to_owned(), kind: kind_of(file_type) });
        }
        Ok(entries)
    }

    /// Returns the identity of an entry, links not followed; `None` if it is missing.
    pub fn identity(&self, name: impl AsRef<Path>) -> io::Result<Option<Identity>> {
        match rustix::fs::statat(&self.fd, name.as_ref(), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(Identity::from_stat(&stat))),
            Err(error) => missing_is_none(error.into()),
        }
    }

    /// Returns identity, mode and number of names of an entry, links not followed; `None` if it is
    /// missing.
    #[allow(
        clippy::unnecessary_cast,
        clippy::useless_conversion,
        reason = "the widths of these fields differ between systems"
    )]
    pub fn status(&self, name: impl AsRef<Path>) -> io::Result<Option<Status>> {
        match rustix::fs::statat(&self.fd, name.as_ref(), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(Status {
                identity: Identity::from_stat(&stat),
                mode: Some(stat.st_mode as u32 & 0o7777),
                links: stat.st_nlink as u64,
            })),
            Err(error) => missing_is_none(error.into()),
        }
    }

    /// Opens an existing file for reading and writing.
    pub fn open_file_to_write(&self, name: impl AsRef<Path>) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        Ok(rustix::fs::openat(&self.fd, name.as_ref(), flags, Mode::empty())?.into())
    }

    /// Sets the permission bits of a file, links followed.
    pub(in crate::files) fn set_mode(&self, name: impl AsRef<Path>, mode: u32) -> io::Result<()> {
        Ok(rustix::fs::chmodat(
            &self.fd,
            name.as_ref(),
            Mode::from_raw_mode(mode as _),
            AtFlags::empty(),
        )?)
    }

    /// Sets the permission bits of this directory itself.
    pub(in crate::files) fn set_own_mode(&self, mode: u32) -> io::Result<()> {
        Ok(rustix::fs::fchmod(&self.fd, Mode::from_raw_mode(mode as _))?)
    }
}

impl AsFd for Dir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn kind_of(file_type: FileType) -> EntryKind {
    match file_type {
        FileType::RegularFile => EntryKind::File,
        FileType::Directory => EntryKind::Directory,
        FileType::Symlink => EntryKind::Symlink,
        _ => EntryKind::Other,
    }
}
