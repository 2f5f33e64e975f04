//! Subvolumes of Btrfs: trees that are copied at once, sharing every block, by a snapshot.
//!
//! The calls are those of the kernel's header `linux/btrfs.h`. A subvolume is renamed like a folder, also into another
//! subvolume of the same file system; for hard links and for tools that stay on one device it is a device of its own.

use std::ffi::OsStr;
use std::io;

use crate::Dir;

/// Whether the folder lies on Btrfs, by `statfs`.
#[must_use]
pub fn is_btrfs(folder: &Dir) -> bool {
    calls::is_btrfs(folder)
}

/// Makes an empty subvolume called `name`, one path segment, in `parent`. Users need no privilege.
pub fn subvolume_create(parent: &Dir, name: impl AsRef<OsStr>) -> io::Result<()> {
    calls::create(parent, name.as_ref())
}

/// Makes `name` in `parent` a writable copy of the subvolume whose root `source` is. Users need no privilege for
/// their own subvolumes. The file system commits its running transaction, which is where the time goes.
pub fn snapshot(source: &Dir, parent: &Dir, name: impl AsRef<OsStr>) -> io::Result<()> {
    calls::snapshot(source, parent, name.as_ref())
}

/// Removes a subvolume with all that is in it; the blocks are freed later by the kernel.
///
/// Only root may, unless the file system is mounted with `user_subvol_rm_allowed`; anyone may empty a subvolume of
/// their own and remove it as a folder ([`crate::remove_tree`]).
pub fn subvolume_delete(parent: &Dir, name: impl AsRef<OsStr>) -> io::Result<()> {
    calls::delete(parent, name.as_ref())
}

#[cfg(target_os = "linux")]
mod calls {
    use std::ffi::OsStr;
    use std::io;
    use std::os::fd::{AsFd, AsRawFd};
    use std::os::unix::ffi::OsStrExt;

    use rustix::ioctl::{Setter, opcode};

    use crate::Dir;

    /// `BTRFS_SUPER_MAGIC`.
    const MAGIC: u64 = 0x9123_683e;
    const GROUP: u8 = 0x94;

    /// `struct btrfs_ioctl_vol_args`.
    #[repr(C)]
    struct Arguments {
        fd: i64,
        name: [u8; 4088],
    }

    /// `struct btrfs_ioctl_vol_args_v2`.
    #[repr(C)]
    struct Arguments2 {
        fd: i64,
        transaction: u64,
        flags: u64,
        unused: [u64; 4],
        name: [u8; 4040],
    }

    const _: () = assert!(size_of::<Arguments>() == 4096 && size_of::<Arguments2>() == 4096);

    type Create = Setter<{ opcode::write::<Arguments>(GROUP, 14) }, Arguments>;
    type Destroy = Setter<{ opcode::write::<Arguments>(GROUP, 15) }, Arguments>;
    type Snapshot = Setter<{ opcode::write::<Arguments2>(GROUP, 23) }, Arguments2>;

    pub(super) fn is_btrfs(folder: &Dir) -> bool {
        rustix::fs::fstatfs(folder).is_ok_and(|facts| facts.f_type as u64 & 0xffff_ffff == MAGIC)
    }

    #[expect(unsafe_code, reason = "no safe wrapper exists for this call")]
    pub(super) fn create(parent: &Dir, name: &OsStr) -> io::Result<()> {
        let arguments = Arguments { fd: 0, name: terminated(name)? };
        // SAFETY: the code and the structure are those of `BTRFS_IOC_SUBVOL_CREATE`, which only reads it; another
        // file system refuses the code.
        unsafe { Ok(rustix::ioctl::ioctl(parent, Create::new(arguments))?) }
    }

    #[expect(unsafe_code, reason = "no safe wrapper exists for this call")]
    pub(super) fn delete(parent: &Dir, name: &OsStr) -> io::Result<()> {
        let arguments = Arguments { fd: 0, name: terminated(name)? };
        // SAFETY: the code and the structure are those of `BTRFS_IOC_SNAP_DESTROY`, as above.
        unsafe { Ok(rustix::ioctl::ioctl(parent, Destroy::new(arguments))?) }
    }

    #[expect(unsafe_code, reason = "no safe wrapper exists for this call")]
    pub(super) fn snapshot(source: &Dir, parent: &Dir, name: &OsStr) -> io::Result<()> {
        let fd = i64::from(source.as_fd().as_raw_fd());
        let arguments =
            Arguments2 { fd, transaction: 0, flags: 0, unused: [0; 4], name: terminated(name)? };
        // SAFETY: the code and the structure are those of `BTRFS_IOC_SNAP_CREATE_V2`, as above; the descriptor in it
        // stays open for the call.
        unsafe { Ok(rustix::ioctl::ioctl(parent, Snapshot::new(arguments))?) }
    }

    /// The name, closed by at least one NUL. Btrfs names have at most 255 bytes.
    fn terminated<const LENGTH: usize>(name: &OsStr) -> io::Result<[u8; LENGTH]> {
        let name = name.as_bytes();
        let plain = !name.is_empty()
            && name.len() <= 255
            && !name.iter().any(|byte| matches!(byte, 0 | b'/'));
        let mut text = [0; LENGTH];
        match text.get_mut(..name.len()) {
            Some(start) if plain => start.copy_from_slice(name),
            _ => return Err(io::ErrorKind::InvalidInput.into()),
        }
        Ok(text)
    }
}

#[cfg(not(target_os = "linux"))]
mod calls {
    use std::ffi::OsStr;
    use std::io;

    use crate::Dir;

    pub(super) fn is_btrfs(_folder: &Dir) -> bool {
        false
    }

    pub(super) fn create(_parent: &Dir, _name: &OsStr) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn delete(_parent: &Dir, _name: &OsStr) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn snapshot(_source: &Dir, _parent: &Dir, _name: &OsStr) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[cfg(test)]
mod tests;
