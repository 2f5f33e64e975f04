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

use super::reach::{self, Parent};
use super::{DirEntry, EntryKind, Status};
use crate::files::identity::{Identity, missing_is_none};
use crate::files::umask;
use crate::process::wait_for_descriptors;

/// An open directory. Names are relative to it. What they name is beneath it, and reached through
/// no symbolic link, whatever other processes do meanwhile; only [`Dir::trust`] makes an
/// exception for the segments before the last.
#[derive(Debug)]
pub struct Dir {
    fd: OwnedFd,
    trusts: bool,
}

/// The mode of directories that [`Dir::create_dir`] creates.
const DIRECTORY_MODE: u32 = 0o755;

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

impl Dir {
    /// Opens the directory at `path`, following symbolic links.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let open = || Ok(rustix::fs::open(path.as_ref(), DIRECTORY, Mode::empty())?);
        Ok(Self { fd: wait_for_descriptors(open)?, trusts: false })
    }

    /// Opens the directory at `path`, but not through a link at its end.
    pub fn open_real(path: impl AsRef<Path>) -> io::Result<Self> {
        let flags = DIRECTORY | OFlags::NOFOLLOW;
        let open = || Ok(rustix::fs::open(path.as_ref(), flags, Mode::empty())?);
        Ok(Self { fd: wait_for_descriptors(open)?, trusts: false })
    }

    /// Says that only dx has written what is in this directory, and in those that are opened by it:
    /// a name of several segments then costs no call more than one of a single one.
    pub fn trust(&mut self) {
        self.trusts = true;
    }

    /// Opens a directory below this one.
    pub fn open_dir(&self, name: impl AsRef<Path>) -> io::Result<Self> {
        let fd = self.open_at(name.as_ref(), DIRECTORY, Mode::empty())?;
        Ok(Self { fd, trusts: self.trusts })
    }

    /// Opens a directory of this one, unless a file system is mounted there.
    ///
    /// # Errors
    /// Those of [`Self::open_dir`], and [`io::ErrorKind::ResourceBusy`] for a mount. Without
    /// openat2(2), only one of another device is seen.
    pub fn open_dir_unmounted(&self, name: impl AsRef<Path>) -> io::Result<Self> {
        let open = || reach::open_unmounted(self.fd.as_fd(), name.as_ref(), DIRECTORY);
        Ok(Self { fd: wait_for_descriptors(open)?, trusts: self.trusts })
    }

    /// Creates a directory below this one, of mode 0755 whatever the umask.
    pub fn create_dir(&self, name: impl AsRef<Path>) -> io::Result<()> {
        let (parent, name) = self.parent(name.as_ref())?;
        rustix::fs::mkdirat(&parent, name, Mode::from_raw_mode(DIRECTORY_MODE as _))?;
        if umask::withholds(DIRECTORY_MODE) {
            change_mode(parent.as_fd(), name, DIRECTORY_MODE)?;
        }
        Ok(())
    }

    /// Creates a directory below this one, mode 0777 less the umask.
    pub fn create_dir_by_umask(&self, name: impl AsRef<Path>) -> io::Result<()> {
        let (parent, name) = self.parent(name.as_ref())?;
        Ok(rustix::fs::mkdirat(parent, name, Mode::from_raw_mode(0o777))?)
    }

    /// Opens a file for reading. Opening a pipe does not wait for its other end.
    pub fn open_file(&self, name: impl AsRef<Path>) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        Ok(self.open_at(name.as_ref(), flags, Mode::empty())?.into())
    }

    /// Creates a new file of `mode`, whatever the umask, for writing; an existing one is an error.
    pub fn create_file(&self, name: impl AsRef<Path>, mode: u32) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let raw = Mode::from_raw_mode(mode as _);
        let file = self.open_at(name.as_ref(), flags, raw)?;
        if umask::withholds(mode) {
            rustix::fs::fchmod(&file, raw)?;
        }
        Ok(file.into())
    }

    fn open_at(&self, name: &Path, flags: OFlags, mode: Mode) -> io::Result<OwnedFd> {
        wait_for_descriptors(|| {
            if self.trusts {
                Ok(rustix::fs::openat(&self.fd, name, flags | OFlags::NOFOLLOW, mode)?)
            } else {
                reach::open(self.fd.as_fd(), name, flags, mode)
            }
        })
    }

    /// Returns the folder around `name`, and the name within it.
    fn parent<'n>(&self, name: &'n Path) -> io::Result<(Parent<'_>, &'n Path)> {
        if self.trusts {
            return Ok((Parent::Of(self.fd.as_fd()), name));
        }
        wait_for_descriptors(|| reach::parent(self.fd.as_fd(), name))
    }

    /// Creates a hard link to the file `source_name` of `source`.
    pub fn link_from(
        &self,
        source: &Self,
        source_name: impl AsRef<Path>,
        name: impl AsRef<Path>,
    ) -> io::Result<()> {
        let (source, source_name) = source.parent(source_name.as_ref())?;
        let (parent, name) = self.parent(name.as_ref())?;
        Ok(rustix::fs::linkat(source, source_name, parent, name, AtFlags::empty())?)
    }

    /// Creates a symbolic link called `name` with the text `target`.
    pub fn symlink(&self, target: impl AsRef<Path>, name: impl AsRef<Path>) -> io::Result<()> {
        let (parent, name) = self.parent(name.as_ref())?;
        Ok(rustix::fs::symlinkat(target.as_ref(), parent, name)?)
    }

    /// Returns the text of the symbolic link `name`.
    pub fn read_link(&self, name: impl AsRef<Path>) -> io::Result<PathBuf> {
        let (parent, name) = self.parent(name.as_ref())?;
        let target = rustix::fs::readlinkat(parent, name, Vec::new())?;
        Ok(OsStr::from_bytes(target.as_bytes()).into())
    }

    /// Renames `name` to `new_name` in `target`, replacing a file or an empty directory there.
    pub fn rename(
        &self,
        name: impl AsRef<Path>,
        target: &Self,
        new_name: impl AsRef<Path>,
    ) -> io::Result<()> {
        let (parent, name) = self.parent(name.as_ref())?;
        let (new_parent, new_name) = target.parent(new_name.as_ref())?;
        Ok(rustix::fs::renameat(parent, name, new_parent, new_name)?)
    }

    /// Exchanges `name` and `other` in `target` in one step; `Unsupported` where the system or the
    /// file system cannot.
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    pub(in crate::files) fn exchange(
        &self,
        name: &Path,
        target: &Self,
        other: &Path,
    ) -> io::Result<()> {
        use rustix::io::Errno;
        let (parent, name) = self.parent(name)?;
        let (other_parent, other) = target.parent(other)?;
        let flags = rustix::fs::RenameFlags::EXCHANGE;
        rustix::fs::renameat_with(parent, name, other_parent, other, flags).map_err(|errno| {
            match errno {
                // File systems refuse the flag by the first, kernels the call by the others.
                Errno::INVAL | Errno::NOSYS | Errno::NOTSUP => io::ErrorKind::Unsupported.into(),
                other => other.into(),
            }
        })
    }

    #[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
    pub(in crate::files) fn exchange(
        &self,
        _name: &Path,
        _target: &Self,
        _other: &Path,
    ) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Sets the modification time of a file to the file system's present time, which may be some
    /// milliseconds behind the clock. A file that is changed later is never older.
    pub fn touch(&self, name: impl AsRef<Path>) -> io::Result<()> {
        let (parent, name) = self.parent(name.as_ref())?;
        let time = |nanoseconds| Timespec { tv_sec: 0, tv_nsec: nanoseconds };
        let times =
            Timestamps { last_access: time(UTIME_OMIT), last_modification: time(UTIME_NOW) };
        Ok(rustix::fs::utimensat(parent, name, &times, AtFlags::SYMLINK_NOFOLLOW)?)
    }

    /// Removes a file or symbolic link.
    pub fn remove_file(&self, name: impl AsRef<Path>) -> io::Result<()> {
        let (parent, name) = self.parent(name.as_ref())?;
        Ok(rustix::fs::unlinkat(parent, name, AtFlags::empty())?)
    }

    /// Removes an empty directory.
    pub fn remove_dir(&self, name: impl AsRef<Path>) -> io::Result<()> {
        let (parent, name) = self.parent(name.as_ref())?;
        Ok(rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR)?)
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

    /// Returns the kind of an entry, links not followed; `None` if it is missing.
    pub fn kind(&self, name: impl AsRef<Path>) -> io::Result<Option<EntryKind>> {
        let stat = self.stat(name.as_ref())?;
        Ok(stat.map(|stat| kind_of(FileType::from_raw_mode(stat.st_mode))))
    }

    /// Returns the identity of an entry, links not followed; `None` if it is missing.
    pub fn identity(&self, name: impl AsRef<Path>) -> io::Result<Option<Identity>> {
        Ok(self.stat(name.as_ref())?.map(|stat| Identity::from_stat(&stat)))
    }

    /// Returns identity, mode and number of names of an entry, links not followed; `None` if it is
    /// missing.
    #[allow(
        clippy::unnecessary_cast,
        clippy::useless_conversion,
        reason = "the widths of these fields differ between systems"
    )]
    pub fn status(&self, name: impl AsRef<Path>) -> io::Result<Option<Status>> {
        Ok(self.stat(name.as_ref())?.map(|stat| Status {
            identity: Identity::from_stat(&stat),
            mode: Some(stat.st_mode as u32 & 0o7777),
            links: stat.st_nlink as u64,
        }))
    }

    fn stat(&self, name: &Path) -> io::Result<Option<rustix::fs::Stat>> {
        let found = self.parent(name).and_then(|(parent, name)| {
            Ok(rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)?)
        });
        found.map(Some).or_else(missing_is_none)
    }

    /// Opens an existing file for reading and writing.
    pub fn open_file_to_write(&self, name: impl AsRef<Path>) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CLOEXEC;
        Ok(self.open_at(name.as_ref(), flags, Mode::empty())?.into())
    }

    /// Sets the permission bits of a file or directory.
    pub(in crate::files) fn set_mode(&self, name: impl AsRef<Path>, mode: u32) -> io::Result<()> {
        let (parent, name) = self.parent(name.as_ref())?;
        change_mode(parent.as_fd(), name, mode)
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

/// Sets the permission bits of an entry that may not be opened for reading. The call that takes a
/// name follows a link; a descriptor of the entry itself, named by its path in `/proc`, is none.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn change_mode(parent: BorrowedFd<'_>, name: &Path, mode: u32) -> io::Result<()> {
    use std::os::fd::AsRawFd;
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let entry = rustix::fs::openat(parent, name, flags, Mode::empty())?;
    if FileType::from_raw_mode(rustix::fs::fstat(&entry)?.st_mode) == FileType::Symlink {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    let mode = Mode::from_raw_mode(mode as _);
    match rustix::fs::chmod(format!("/proc/self/fd/{}", entry.as_raw_fd()), mode) {
        Err(rustix::io::Errno::NOENT) => {
            // There is no `/proc` here.
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            Ok(rustix::fs::fchmod(rustix::fs::openat(parent, name, flags, Mode::empty())?, mode)?)
        }
        changed => Ok(changed?),
    }
}

/// Sets the permission bits of an entry, links not followed.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn change_mode(parent: BorrowedFd<'_>, name: &Path, mode: u32) -> io::Result<()> {
    let mode = Mode::from_raw_mode(mode as _);
    Ok(rustix::fs::chmodat(parent, name, mode, AtFlags::SYMLINK_NOFOLLOW)?)
}

fn kind_of(file_type: FileType) -> EntryKind {
    match file_type {
        FileType::RegularFile => EntryKind::File,
        FileType::Directory => EntryKind::Directory,
        FileType::Symlink => EntryKind::Symlink,
        _ => EntryKind::Other,
    }
}
