//! Getting a file from one folder into another without copying, where the file systems allow it.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::Dir;

/// How a file gets from one folder into another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Import {
    /// A second name for the same file.
    Hardlink,
    /// A new file that shares the blocks until one of them is written.
    Reflink,
    /// A new file with blocks of its own.
    Copy,
}

/// Whether writing to the imported file may change its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// It may: hardlinks are fine.
    Shared,
    /// It must not: only reflinks and copies will do.
    Private,
}

impl Import {
    /// The cheapest way that works from `source` to `target`, tried with a small file in each.
    ///
    /// A hardlink costs the least on Linux, also where reflinks work; on macOS a clone does.
    pub fn detect(source: &Dir, target: &Dir, sharing: Sharing) -> io::Result<Self> {
        let candidates: &[Self] = match sharing {
            Sharing::Private => &[Self::Reflink],
            Sharing::Shared if cfg!(target_vendor = "apple") => &[Self::Reflink, Self::Hardlink],
            Sharing::Shared => &[Self::Hardlink, Self::Reflink],
        };
        let probe = crate::unique_name(".dx-probe-");
        source.write_file(&probe, b"probe", 0o644)?;
        let works = |import: &&Self| {
            let done = import.attempt(source, Path::new(&probe), target, Path::new(&probe));
            done.is_ok() && target.remove_file(&probe).is_ok()
        };
        let found = candidates.iter().find(works).copied().unwrap_or(Self::Copy);
        // Already gone when both folders are the same one and the second name was the first.
        let _ = source.remove_file(&probe);
        Ok(found)
    }

    /// Imports one file under a name that must be free, and says how: what this one file does not allow
    /// (too many links, another owner, another file system) is copied.
    pub fn place(
        self,
        source: &Dir,
        source_name: impl AsRef<Path>,
        target: &Dir,
        name: impl AsRef<Path>,
    ) -> io::Result<Self> {
        let (source_name, name) = (source_name.as_ref(), name.as_ref());
        match self.attempt(source, source_name, target, name) {
            Ok(()) => Ok(self),
            Err(error) if self != Self::Copy && may_copy_instead(&error) => {
                Self::Copy.attempt(source, source_name, target, name).map(|()| Self::Copy)
            }
            Err(error) => Err(error),
        }
    }

    fn attempt(self, source: &Dir, source_name: &Path, target: &Dir, name: &Path) -> io::Result<()> {
        match self {
            Self::Hardlink => target.link_from(source, source_name, name),
            Self::Reflink => reflink(source, source_name, target, name),
            Self::Copy => copy(source, source_name, target, name),
        }
    }
}

/// Whether the error is about the way and not about the file, its new name or a full or read-only device.
fn may_copy_instead(error: &io::Error) -> bool {
    !matches!(
        error.kind(),
        io::ErrorKind::NotFound
            | io::ErrorKind::AlreadyExists
            | io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::ReadOnlyFilesystem
    )
}

/// Creates `name` as `fill` writes it; removed again when that fails.
fn create_like(
    source: &File,
    target: &Dir,
    name: &Path,
    fill: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    #[cfg(unix)]
    let mode = std::os::unix::fs::PermissionsExt::mode(&source.metadata()?.permissions()) & 0o777;
    #[cfg(not(unix))]
    let mode = 0o644;
    let mut file = target.create_file(name, mode)?;
    fill(&mut file).inspect_err(|_| {
        let _ = target.remove_file(name);
    })
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn reflink(source: &Dir, source_name: &Path, target: &Dir, name: &Path) -> io::Result<()> {
    let source = source.open_file(source_name)?;
    create_like(&source, target, name, |file| Ok(rustix::fs::ioctl_ficlone(&*file, &source)?))
}

#[cfg(target_vendor = "apple")]
fn reflink(source: &Dir, source_name: &Path, target: &Dir, name: &Path) -> io::Result<()> {
    let source = source.open_file(source_name)?;
    Ok(rustix::fs::fclonefileat(&source, target, name, rustix::fs::CloneFlags::empty())?)
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn reflink(_source: &Dir, _source_name: &Path, _target: &Dir, _name: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

fn copy(source: &Dir, source_name: &Path, target: &Dir, name: &Path) -> io::Result<()> {
    let mut source = source.open_file(source_name)?;
    // The standard library uses `copy_file_range`, which shares blocks where the file system can.
    create_like(&source.try_clone()?, target, name, |file| io::copy(&mut source, file).map(|_| ()))
}

/// Appends `length` bytes of `source`, from `offset` on, to `target`.
///
/// Block-aligned ranges are shared instead of copied on file systems that can.
pub fn copy_range(mut source: &File, offset: u64, length: u64, mut target: &File) -> io::Result<()> {
    source.seek(SeekFrom::Start(offset))?;
    let copied = io::copy(&mut source.take(length), &mut target)?;
    if copied == length { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

#[cfg(test)]
mod tests;
