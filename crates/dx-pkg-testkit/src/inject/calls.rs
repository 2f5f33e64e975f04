//! The system calls that count as operations, where their files are named, and how they may fail.

use libc::{
    EACCES, EDQUOT, EINTR, EIO, EMFILE, EMLINK, ENOLCK, ENOMEM, ENOSPC, EOPNOTSUPP, EPERM, EXDEV,
    O_CREAT, c_long,
};

/// Which arguments name the file of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The descriptor in this argument.
    Descriptor(usize),
    /// A path in this argument, from the current folder.
    Path(usize),
    /// A path in the second argument, from the folder in the first.
    At(usize, usize),
    /// Two of these.
    Two((usize, usize), (usize, usize)),
}

/// A kind of call, which decides about its failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Open,
    Read,
    Write,
    /// Bytes that the kernel copies from one file to another.
    Copy,
    Clone,
    Resize,
    Sync,
    SyncAll,
    Rename,
    Link,
    Symlink,
    Remove,
    MakeFolder,
    Mode,
    Times,
    Lock,
    List,
    Look,
    Map,
}

/// A system call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    pub(super) name: &'static str,
    pub(super) number: c_long,
    pub(super) kind: Kind,
    pub(super) place: Place,
}

const fn call(name: &'static str, number: c_long, kind: Kind, place: Place) -> Call {
    Call { name, number, kind, place }
}

/// The calls of every architecture.
const COMMON: &[Call] = &[
    call("openat", libc::SYS_openat, Kind::Open, Place::At(0, 1)),
    call("openat2", libc::SYS_openat2, Kind::Open, Place::At(0, 1)),
    call("read", libc::SYS_read, Kind::Read, Place::Descriptor(0)),
    call("pread64", libc::SYS_pread64, Kind::Read, Place::Descriptor(0)),
    call("write", libc::SYS_write, Kind::Write, Place::Descriptor(0)),
    call("pwrite64", libc::SYS_pwrite64, Kind::Write, Place::Descriptor(0)),
    call("writev", libc::SYS_writev, Kind::Write, Place::Descriptor(0)),
    call("pwritev", libc::SYS_pwritev, Kind::Write, Place::Descriptor(0)),
    call("pwritev2", libc::SYS_pwritev2, Kind::Write, Place::Descriptor(0)),
    call("sendfile", libc::SYS_sendfile, Kind::Copy, Place::Descriptor(0)),
    call("copy_file_range", libc::SYS_copy_file_range, Kind::Copy, Place::Descriptor(2)),
    call("ioctl", libc::SYS_ioctl, Kind::Clone, Place::Descriptor(0)),
    call("ftruncate", libc::SYS_ftruncate, Kind::Resize, Place::Descriptor(0)),
    call("truncate", libc::SYS_truncate, Kind::Resize, Place::Path(0)),
    call("fallocate", libc::SYS_fallocate, Kind::Resize, Place::Descriptor(0)),
    call("fsync", libc::SYS_fsync, Kind::Sync, Place::Descriptor(0)),
    call("fdatasync", libc::SYS_fdatasync, Kind::Sync, Place::Descriptor(0)),
    call("syncfs", libc::SYS_syncfs, Kind::SyncAll, Place::Descriptor(0)),
    call("renameat2", libc::SYS_renameat2, Kind::Rename, Place::Two((0, 1), (2, 3))),
    call("linkat", libc::SYS_linkat, Kind::Link, Place::Two((0, 1), (2, 3))),
    call("symlinkat", libc::SYS_symlinkat, Kind::Symlink, Place::At(1, 2)),
    call("unlinkat", libc::SYS_unlinkat, Kind::Remove, Place::At(0, 1)),
    call("mkdirat", libc::SYS_mkdirat, Kind::MakeFolder, Place::At(0, 1)),
    call("fchmod", libc::SYS_fchmod, Kind::Mode, Place::Descriptor(0)),
    call("fchmodat", libc::SYS_fchmodat, Kind::Mode, Place::At(0, 1)),
    call("utimensat", libc::SYS_utimensat, Kind::Times, Place::At(0, 1)),
    call("flock", libc::SYS_flock, Kind::Lock, Place::Descriptor(0)),
    call("getdents64", libc::SYS_getdents64, Kind::List, Place::Descriptor(0)),
    call("statx", libc::SYS_statx, Kind::Look, Place::At(0, 1)),
    call("fstat", libc::SYS_fstat, Kind::Look, Place::Descriptor(0)),
    call("readlinkat", libc::SYS_readlinkat, Kind::Look, Place::At(0, 1)),
    call("faccessat", libc::SYS_faccessat, Kind::Look, Place::At(0, 1)),
    call("mmap", libc::SYS_mmap, Kind::Map, Place::Descriptor(4)),
];

/// The older calls of this architecture, and those with another name there.
#[cfg(target_arch = "x86_64")]
const OLDER: &[Call] = &[
    call("open", libc::SYS_open, Kind::Open, Place::Path(0)),
    call("rename", libc::SYS_rename, Kind::Rename, Place::Two((HERE, 0), (HERE, 1))),
    call("renameat", libc::SYS_renameat, Kind::Rename, Place::Two((0, 1), (2, 3))),
    call("link", libc::SYS_link, Kind::Link, Place::Two((HERE, 0), (HERE, 1))),
    call("symlink", libc::SYS_symlink, Kind::Symlink, Place::Path(1)),
    call("unlink", libc::SYS_unlink, Kind::Remove, Place::Path(0)),
    call("rmdir", libc::SYS_rmdir, Kind::Remove, Place::Path(0)),
    call("mkdir", libc::SYS_mkdir, Kind::MakeFolder, Place::Path(0)),
    call("chmod", libc::SYS_chmod, Kind::Mode, Place::Path(0)),
    call("stat", libc::SYS_stat, Kind::Look, Place::Path(0)),
    call("lstat", libc::SYS_lstat, Kind::Look, Place::Path(0)),
    call("newfstatat", libc::SYS_newfstatat, Kind::Look, Place::At(0, 1)),
    call("readlink", libc::SYS_readlink, Kind::Look, Place::Path(0)),
    call("access", libc::SYS_access, Kind::Look, Place::Path(0)),
];
#[cfg(target_arch = "aarch64")]
const OLDER: &[Call] = &[
    call("renameat", libc::SYS_renameat, Kind::Rename, Place::Two((0, 1), (2, 3))),
    call("newfstatat", libc::SYS_newfstatat, Kind::Look, Place::At(0, 1)),
];
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const OLDER: &[Call] = &[];

/// The place of a folder argument that a call does not have: the current folder.
pub(super) const HERE: usize = usize::MAX;
/// The request of ioctl(2) that shares the blocks of a file: `FICLONE` of `linux/fs.h`.
pub(super) const SHARE_BLOCKS: u64 = 0x4004_9409;

/// Returns every listed call.
pub(super) fn all() -> impl Iterator<Item = Call> {
    COMMON.iter().chain(OLDER).copied()
}

impl Call {
    /// Whether the call can change what is on the disk.
    pub(super) fn changes(self) -> bool {
        !matches!(
            self.kind,
            Kind::Read | Kind::Lock | Kind::List | Kind::Look | Kind::Map | Kind::SyncAll
        ) && self.kind != Kind::Sync
    }

    /// Returns the numbers with which the call fails in turn, by its arguments.
    pub(super) fn failures(self, arguments: [u64; 6]) -> &'static [i32] {
        match self.kind {
            Kind::Open => {
                let flags = match (self.name, self.place) {
                    ("openat2", _) => None,
                    (_, Place::Path(_)) => Some(arguments[1]),
                    _ => Some(arguments[2]),
                };
                match flags {
                    Some(flags) if flags & O_CREAT as u64 == 0 => &[EACCES, EIO, EMFILE, EINTR],
                    _ => &[EACCES, EIO, EMFILE, EINTR, ENOSPC],
                }
            }
            Kind::Read => &[EIO, EINTR],
            Kind::Write => &[ENOSPC, EIO, EINTR, EDQUOT],
            Kind::Copy => &[ENOSPC, EIO, EXDEV],
            Kind::Clone => &[EOPNOTSUPP, EXDEV, EIO, ENOSPC],
            Kind::Resize => &[ENOSPC, EIO, EINTR],
            Kind::Sync | Kind::SyncAll => &[EIO, ENOSPC],
            Kind::Rename => &[EACCES, EXDEV, ENOSPC, EIO],
            Kind::Link => &[EPERM, EXDEV, EMLINK, ENOSPC, EIO],
            Kind::Symlink => &[EPERM, ENOSPC, EIO],
            Kind::Remove => &[EACCES, EIO],
            Kind::MakeFolder => &[EACCES, ENOSPC, EMLINK, EIO],
            Kind::Mode | Kind::Times => &[EPERM, EIO],
            Kind::Lock => &[ENOLCK, EINTR],
            Kind::List => &[EIO],
            Kind::Look => &[EACCES, EIO],
            Kind::Map => &[ENOMEM],
        }
    }
}

/// Returns the name of an error number that calls are made to fail with.
pub(super) fn name(error: i32) -> &'static str {
    match error {
        EACCES => "EACCES",
        EDQUOT => "EDQUOT",
        EINTR => "EINTR",
        EIO => "EIO",
        EMFILE => "EMFILE",
        EMLINK => "EMLINK",
        ENOLCK => "ENOLCK",
        ENOMEM => "ENOMEM",
        ENOSPC => "ENOSPC",
        EOPNOTSUPP => "EOPNOTSUPP",
        EPERM => "EPERM",
        EXDEV => "EXDEV",
        _ => "another",
    }
}
