//! Who a folder belongs to, and folders that only their owner may enter.

use std::io;
use std::path::Path;

use super::Dir;

/// Who may change what is in a folder, by its owner and mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// This user alone. Systems without such modes say so of every folder.
    Own,
    /// This user, who is its owner, while others may read it.
    Readable,
    /// This user, who is its owner, and others, who cannot replace what is not theirs, as in
    /// `/tmp`.
    Sticky,
    /// This user, who is its owner, and others.
    Shared,
    /// Another user, who is its owner.
    Foreign {
        /// That user.
        owner: u32,
    },
}

/// The number of the system's administrator.
pub const ROOT: u32 = 0;

#[cfg(unix)]
mod system {
    use rustix::fs::{Mode, RawMode};

    use super::{Access, Dir, Path, io};
    use crate::files::secret::effective_user;

    impl Dir {
        /// Returns who may change what is in this directory.
        ///
        /// # Errors
        /// When the system refuses.
        pub fn access(&self) -> io::Result<Access> {
            Ok(access_of(&rustix::fs::fstat(self)?))
        }

        /// Closes this directory to everybody but its owner.
        ///
        /// # Errors
        /// When the system refuses.
        pub fn make_private(&self) -> io::Result<()> {
            self.set_own_mode(0o700)
        }

        /// Takes from everybody but its owner the right to change what is in this directory.
        ///
        /// # Errors
        /// When the system refuses.
        pub fn forbid_writing(&self) -> io::Result<()> {
            let mode = Mode::from_raw_mode(rustix::fs::fstat(self)?.st_mode as RawMode & 0o7755);
            Ok(rustix::fs::fchmod(self, mode)?)
        }

        /// Creates a directory below this one that only its owner may enter.
        ///
        /// # Errors
        /// When it exists, or the system refuses.
        pub fn create_private_dir(&self, name: impl AsRef<Path>) -> io::Result<()> {
            Ok(rustix::fs::mkdirat(self, name.as_ref(), Mode::from_raw_mode(0o700))?)
        }
    }

    /// Returns who may change what is in the folder at `path`, links followed or not.
    ///
    /// # Errors
    /// When the system refuses; `NotADirectory` for anything but a folder.
    pub fn access(path: &Path, follow: bool) -> io::Result<Access> {
        let stat = if follow { rustix::fs::stat(path)? } else { rustix::fs::lstat(path)? };
        match rustix::fs::FileType::from_raw_mode(stat.st_mode) {
            rustix::fs::FileType::Directory => Ok(access_of(&stat)),
            _ => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    /// Creates the folder at `path`, which only its owner may enter.
    ///
    /// # Errors
    /// When it exists, or the system refuses.
    pub fn create_private_dir(path: &Path) -> io::Result<()> {
        Ok(rustix::fs::mkdir(path, Mode::from_raw_mode(0o700))?)
    }

    fn access_of(stat: &rustix::fs::Stat) -> Access {
        match stat.st_mode & 0o077 {
            _ if stat.st_uid != effective_user() => Access::Foreign { owner: stat.st_uid },
            0 => Access::Own,
            others if others & 0o022 == 0 => Access::Readable,
            _ if stat.st_mode & 0o1000 != 0 => Access::Sticky,
            _ => Access::Shared,
        }
    }

    /// Returns whether a file belongs to the effective user.
    #[must_use]
    pub fn is_own_file(metadata: &std::fs::Metadata) -> bool {
        std::os::unix::fs::MetadataExt::uid(metadata) == effective_user()
    }

    /// Returns the effective user.
    #[must_use]
    pub fn user() -> u32 {
        effective_user()
    }
}

/// Users' own folders are closed to others by the system's access lists.
#[cfg(not(unix))]
mod system {
    use super::{Access, Dir, Path, io};

    impl Dir {
        /// Returns [`Access::Own`].
        ///
        /// # Errors
        /// None.
        pub fn access(&self) -> io::Result<Access> {
            Ok(Access::Own)
        }

        /// Does nothing.
        ///
        /// # Errors
        /// None.
        pub fn make_private(&self) -> io::Result<()> {
            Ok(())
        }

        /// Does nothing.
        ///
        /// # Errors
        /// None.
        pub fn forbid_writing(&self) -> io::Result<()> {
            Ok(())
        }

        /// Creates a directory below this one.
        ///
        /// # Errors
        /// When it exists, or the system refuses.
        pub fn create_private_dir(&self, name: impl AsRef<Path>) -> io::Result<()> {
            self.create_dir(name)
        }
    }

    /// Returns [`Access::Own`] for a folder, links followed or not.
    ///
    /// # Errors
    /// When the system refuses; `NotADirectory` for anything but a folder.
    pub fn access(path: &Path, follow: bool) -> io::Result<Access> {
        let metadata = if follow { path.metadata()? } else { path.symlink_metadata()? };
        if metadata.is_dir() { Ok(Access::Own) } else { Err(io::ErrorKind::NotADirectory.into()) }
    }

    /// Creates the folder at `path`.
    ///
    /// # Errors
    /// When it exists, or the system refuses.
    pub fn create_private_dir(path: &Path) -> io::Result<()> {
        std::fs::create_dir(path)
    }

    /// Returns `true`.
    #[must_use]
    pub fn is_own_file(_metadata: &std::fs::Metadata) -> bool {
        true
    }

    /// Returns 0: there are no such numbers.
    #[must_use]
    pub fn user() -> u32 {
        0
    }
}

pub use system::{access, create_private_dir, is_own_file, user};

/// Returns whether `file` belongs to somebody who has no say over what a command does in the
/// folder `here`: neither to root, nor to the user of this process, nor to the owner of `here`. The
/// last is for a project that is mounted into a container, where the process is often root and the
/// files are all of one other user.
///
/// On Windows nothing is known of owners, and the answer is `false`.
///
/// # Errors
/// The file cannot be looked at.
#[cfg(unix)]
pub fn is_of_others(file: &Path, here: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;

    let here = std::fs::metadata(here).ok().map(|here| here.uid());
    let is_of_others = |owner: u32| owner != ROOT && owner != user() && Some(owner) != here;
    // Of a link both its own owner and that of the file count.
    let own = std::fs::symlink_metadata(file)?;
    let target = std::fs::metadata(file);
    Ok(is_of_others(own.uid()) || target.is_ok_and(|target| is_of_others(target.uid())))
}

/// Returns whether what is called `name` in a folder is another user's, or, where there is no such
/// thing, whether every user could put one there. `here` is as in [`is_of_others`].
#[cfg(unix)]
#[must_use]
pub fn may_be_of_others(folder: &Path, name: &str, here: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;

    const WRITABLE_BY_ALL: u32 = 0o002;
    match is_of_others(&folder.join(name), here) {
        Ok(is_of_others) => is_of_others,
        Err(_) => std::fs::metadata(folder)
            .is_ok_and(|found| found.permissions().mode() & WRITABLE_BY_ALL != 0),
    }
}

/// Returns `false`: nothing is known of owners here.
#[cfg(not(unix))]
#[must_use]
pub fn may_be_of_others(_folder: &Path, _name: &str, _here: &Path) -> bool {
    false
}

/// Returns `false`: nothing is known of owners here.
#[cfg(not(unix))]
pub fn is_of_others(_file: &Path, _here: &Path) -> io::Result<bool> {
    Ok(false)
}

#[cfg(all(test, unix))]
mod tests;
