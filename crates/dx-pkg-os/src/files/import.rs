//! Copies of files that share their blocks, where the file systems can.
//!
//! The new file is one of its own: a write to either leaves the other unchanged. Where the file
//! systems cannot share blocks, the error is [`io::ErrorKind::Unsupported`]. Hard links are made by
//! [`Dir::link_from`].

use std::fs::File;
use std::io;
use std::path::Path;

use super::Dir;

/// Whether the system can clone whole folders ([`clone_tree`]).
pub const CLONES_TREES: bool = cfg!(target_vendor = "apple");

/// Creates `name` in `target` as a file of `mode` that shares the blocks of `source_name` in
/// `source`, which has that mode too. On failure no file stays.
pub fn reflink(
    source: &Dir,
    source_name: impl AsRef<Path>,
    target: &Dir,
    name: impl AsRef<Path>,
    mode: u32,
) -> io::Result<()> {
    reflink_file(&source.open_file(source_name)?, target, name.as_ref(), mode)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn reflink_file(source: &File, target: &Dir, name: &Path, mode: u32) -> io::Result<()> {
    let file = target.create_file(name, mode)?;
    rustix::fs::ioctl_ficlone(&file, source).map_err(|errno| {
        // The file is this call's own: it was just created, and only if there was none.
        let _ = target.remove_file(name);
        unsupported(errno)
    })
}

#[cfg(target_vendor = "apple")]
fn reflink_file(source: &File, target: &Dir, name: &Path, _mode: u32) -> io::Result<()> {
    rustix::fs::fclonefileat(source, target, name, rustix::fs::CloneFlags::empty())
        .map_err(unsupported)
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn reflink_file(_source: &File, _target: &Dir, _name: &Path, _mode: u32) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Creates `name` in `target` as a copy of the folder `source_name` in `source` with all its
/// contents, sharing every file's blocks, by one call of clonefile(2) of macOS. Its manual page
/// allows folders. Never run.
#[cfg(target_vendor = "apple")]
pub fn clone_tree(
    source: &Dir,
    source_name: impl AsRef<Path>,
    target: &Dir,
    name: impl AsRef<Path>,
) -> io::Result<()> {
    let source = source.open_dir(source_name)?;
    rustix::fs::fclonefileat(&source, target, name.as_ref(), rustix::fs::CloneFlags::empty())
        .map_err(unsupported)
}

/// Returns the error `Unsupported`: only macOS clones folders.
#[cfg(not(target_vendor = "apple"))]
pub fn clone_tree(
    _source: &Dir,
    _source_name: impl AsRef<Path>,
    _target: &Dir,
    _name: impl AsRef<Path>,
) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Shares `length` bytes of `source` at `offset` with the beginning of `target`. `offset` and
/// `length` are multiples of the file system's block size.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[expect(unsafe_code, reason = "no safe wrapper exists for this call")]
pub fn clone_range(source: &File, offset: u64, length: u64, target: &File) -> io::Result<()> {
    use std::os::fd::{AsFd, AsRawFd};

    /// `struct file_clone_range` of ioctl_ficlonerange(2).
    #[repr(C)]
    struct Range {
        source: i64,
        offset: u64,
        length: u64,
        target_offset: u64,
    }
    type CloneRange =
        rustix::ioctl::Setter<{ rustix::ioctl::opcode::write::<Range>(0x94, 13) }, Range>;

    let range =
        Range { source: source.as_fd().as_raw_fd().into(), offset, length, target_offset: 0 };
    // SAFETY: the code and the structure are those of `FICLONERANGE`, which only reads it; the
    // descriptor in it stays open for the call.
    unsafe { rustix::ioctl::ioctl(target, CloneRange::new(range)) }.map_err(unsupported)
}

/// Returns the error `Unsupported`.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub fn clone_range(_source: &File, _offset: u64, _length: u64, _target: &File) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Maps the refusals to share blocks, as listed in ioctl_ficlone(2) and clonefile(2), to
/// `Unsupported`. A file system that does not know the call returns `NOTTY`.
#[cfg(unix)]
fn unsupported(errno: rustix::io::Errno) -> io::Error {
    use rustix::io::Errno;
    match errno {
        Errno::NOTSUP | Errno::XDEV | Errno::INVAL | Errno::NOTTY | Errno::NOSYS => {
            io::Error::new(io::ErrorKind::Unsupported, io::Error::from(errno))
        }
        other => other.into(),
    }
}

#[cfg(test)]
mod tests;
