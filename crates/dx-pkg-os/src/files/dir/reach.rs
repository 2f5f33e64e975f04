//! Names of several segments below a directory: what is beneath it, and reached through no link.
//!
//! Linux does that in one call, openat2(2) with `RESOLVE_BENEATH` and `RESOLVE_NO_SYMLINKS`. Where
//! there is none (other systems, Linux before 5.6, sandboxes that refuse calls they do not know),
//! each segment is opened for itself, without following a link. Either way another process that
//! swaps a folder for a link meanwhile gets an error, and nothing from beyond the link.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

/// An open directory, of the caller or of a call.
pub(super) enum Parent<'d> {
    Of(BorrowedFd<'d>),
    Opened(OwnedFd),
}

impl AsFd for Parent<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Parent::Of(fd) => *fd,
            Parent::Opened(fd) => fd.as_fd(),
        }
    }
}

/// The flags for a folder that is only passed through.
#[cfg(any(target_os = "linux", target_os = "android"))]
const PASSED: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const PASSED: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// Returns the folder around `name`, and the last segment of it.
pub(super) fn parent<'d, 'n>(
    dir: BorrowedFd<'d>,
    name: &'n Path,
) -> io::Result<(Parent<'d>, &'n Path)> {
    let (around, last) = split(name)?;
    match around {
        None => Ok((Parent::Of(dir), last)),
        Some(around) => Ok((Parent::Opened(open(dir, around, PASSED, Mode::empty())?), last)),
    }
}

/// Opens `name`.
pub(super) fn open(
    dir: BorrowedFd<'_>,
    name: &Path,
    flags: OFlags,
    mode: Mode,
) -> io::Result<OwnedFd> {
    let flags = flags | OFlags::NOFOLLOW;
    let (around, last) = split(name)?;
    let Some(around) = around else {
        return rustix::fs::openat(dir, last, flags, mode).map_err(error);
    };
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if let Some(opened) = at_once::open(dir, name, flags, mode, at_once::BENEATH) {
        return opened.map_err(error);
    }
    by_segments(dir, around, last, flags, mode)
}

/// Opens the folder `name`, unless a file system is mounted at its last segment.
pub(super) fn open_unmounted(
    dir: BorrowedFd<'_>,
    name: &Path,
    flags: OFlags,
) -> io::Result<OwnedFd> {
    let (around, name) = parent(dir, name)?;
    let around = around.as_fd();
    #[cfg(any(target_os = "linux", target_os = "android"))]
    match at_once::open(around, name, flags | OFlags::NOFOLLOW, Mode::empty(), at_once::UNMOUNTED) {
        Some(Err(Errno::XDEV)) => return Err(mounted()),
        Some(opened) => return opened.map_err(error),
        None => {}
    }
    let opened = open(around, name, flags, Mode::empty())?;
    if rustix::fs::fstat(&opened)?.st_dev == rustix::fs::fstat(around)?.st_dev {
        Ok(opened)
    } else {
        Err(mounted())
    }
}

fn mounted() -> io::Error {
    io::Error::new(io::ErrorKind::ResourceBusy, "a file system is mounted there")
}

/// Opens `last` in `around`, one segment after the other.
fn by_segments(
    dir: BorrowedFd<'_>,
    around: &Path,
    last: &Path,
    flags: OFlags,
    mode: Mode,
) -> io::Result<OwnedFd> {
    let mut at = Parent::Of(dir);
    for segment in around.components() {
        let next = rustix::fs::openat(
            at.as_fd(),
            Path::new(segment.as_os_str()),
            PASSED | OFlags::NOFOLLOW,
            Mode::empty(),
        );
        at = Parent::Opened(next.map_err(error)?);
    }
    rustix::fs::openat(at.as_fd(), last, flags, mode).map_err(error)
}

/// Splits off the last segment. A name that leaves the directory is an error.
fn split(name: &Path) -> io::Result<(Option<&Path>, &Path)> {
    let leaves = |component| !matches!(component, Component::Normal(_) | Component::CurDir);
    if name.as_os_str().is_empty() || name.components().any(leaves) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the path leaves its folder"));
    }
    match (name.parent(), name.file_name()) {
        (Some(around), Some(last)) if !around.as_os_str().is_empty() => {
            Ok((Some(around), Path::new(last)))
        }
        // A `/` at the end would have a link followed.
        (_, Some(last)) => Ok((None, Path::new(last))),
        _ => Ok((None, name)),
    }
}

/// Turns the error of a link on the way into one that says so, of the kind that a file on the way
/// has.
fn error(errno: Errno) -> io::Error {
    match errno {
        Errno::LOOP => {
            io::Error::new(io::ErrorKind::NotADirectory, "there is a link on the way to it")
        }
        other => other.into(),
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod at_once {
    use std::os::fd::{BorrowedFd, OwnedFd};
    use std::path::Path;
    use std::sync::atomic::{AtomicBool, Ordering};

    use rustix::fs::{Mode, OFlags, ResolveFlags};
    use rustix::io::Errno;

    /// Whether the system has refused the call.
    static IS_MISSING: AtomicBool = AtomicBool::new(false);

    pub(super) const BENEATH: ResolveFlags = ResolveFlags::BENEATH.union(ResolveFlags::NO_SYMLINKS);

    /// The same, and through no mount.
    pub(super) const UNMOUNTED: ResolveFlags = BENEATH.union(ResolveFlags::NO_XDEV);

    /// Opens `name` by one call; `None` where the system has none, or could not tell because
    /// folders were moved meanwhile.
    pub(super) fn open(
        dir: BorrowedFd<'_>,
        name: &Path,
        flags: OFlags,
        mode: Mode,
        how: ResolveFlags,
    ) -> Option<Result<OwnedFd, Errno>> {
        if IS_MISSING.load(Ordering::Relaxed) {
            return None;
        }
        match rustix::fs::openat2(dir, name, flags, mode, how) {
            // The second is what some sandboxes answer to calls that they do not know.
            Err(Errno::NOSYS | Errno::PERM) => {
                IS_MISSING.store(true, Ordering::Relaxed);
                None
            }
            Err(Errno::AGAIN) => None,
            opened => Some(opened),
        }
    }
}

#[cfg(test)]
mod tests;
