//! Reading files that others wrote: regular files up to a limit, so that neither a device nor a
//! pipe nor an endless file keeps the reader.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::time::Duration;

#[cfg(test)]
mod tests;

/// The longest that a pipe is waited for.
const PIPE_PATIENCE: Duration = Duration::from_secs(10);

/// Opens a regular file for reading, or the null device, which stands for an empty one. Links are
/// followed; anything else at their end is an error, and opening it never blocks.
///
/// # Errors
/// As of the system, and for what is no regular file.
pub fn open_regular(path: &Path) -> io::Result<File> {
    let (file, kind) = open(path)?;
    match kind {
        Kind::Regular => Ok(file),
        Kind::Other => Err(io::Error::new(ErrorKind::InvalidInput, NOT_REGULAR)),
    }
}

/// Reads a regular file of at most `limit` bytes.
///
/// # Errors
/// As of [`open_regular`] and [`read_open`].
pub fn read_bounded(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    read_open(open_regular(path)?, limit)
}

/// Reads at most `limit` bytes of a regular file, or of a pipe or device, such as a shell passes in
/// place of one (`<(command)`). Only for files that the user names: it may keep the reader for a
/// while.
///
/// # Errors
/// As of [`read_bounded`]; what brings nothing for ten seconds is a timeout.
pub fn read_trusted(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    match open(path)? {
        (file, Kind::Regular) => read_open(file, limit),
        (file, Kind::Other) => read_pipe(file, limit, PIPE_PATIENCE),
    }
}

/// Reads the rest of a file of at most `limit` bytes.
///
/// # Errors
/// As of the system; [`ErrorKind::FileTooLarge`] where there is more.
pub fn read_open(file: File, limit: u64) -> io::Result<Vec<u8>> {
    let size = file.metadata().map_or(0, |metadata| metadata.len());
    if size > limit {
        return Err(too_large(limit));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit { Err(too_large(limit)) } else { Ok(bytes) }
}

const NOT_REGULAR: &str = "it is not a regular file";

fn too_large(limit: u64) -> io::Error {
    let reason = format!("it has more than the {limit} bytes that are read of such a file");
    io::Error::new(ErrorKind::FileTooLarge, reason)
}

/// What was opened that is no folder.
enum Kind {
    Regular,
    Other,
}

#[cfg(unix)]
fn open(path: &Path) -> io::Result<(File, Kind)> {
    use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
    // Opening a pipe for reading waits for a writer otherwise. It changes nothing for a file.
    let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
    let file = std::fs::OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let found = file.metadata()?;
    let is_null = || {
        let null = std::fs::metadata("/dev/null").map(|null| null.rdev());
        found.rdev() != 0 && null.is_ok_and(|null| null == found.rdev())
    };
    let kind = match found.file_type() {
        kind if kind.is_file() => Kind::Regular,
        kind if kind.is_dir() => return Err(ErrorKind::IsADirectory.into()),
        _ if is_null() => Kind::Regular,
        _ => Kind::Other,
    };
    Ok((file, kind))
}

#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<(File, Kind)> {
    // Windows refuses to open a folder with a reason that does not tell that it is one.
    if std::fs::metadata(path)?.is_dir() {
        return Err(ErrorKind::IsADirectory.into());
    }
    let file = File::open(path)?;
    let kind = file.metadata()?.file_type();
    Ok((file, if kind.is_file() { Kind::Regular } else { Kind::Other }))
}

/// Reads a pipe to its end; `patience` is the longest wait for the next bytes.
#[cfg(unix)]
fn read_pipe(mut pipe: File, limit: u64, patience: Duration) -> io::Result<Vec<u8>> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let patience = Timespec::try_from(patience).ok();
    let (mut bytes, mut chunk) = (Vec::new(), [0; 8192]);
    loop {
        let mut waiting = [PollFd::new(&pipe, PollFlags::IN)];
        match poll(&mut waiting, patience.as_ref()) {
            Ok(0) => return Err(ErrorKind::TimedOut.into()),
            Err(rustix::io::Errno::INTR) => continue,
            polled => drop(polled?),
        }
        match pipe.read(&mut chunk) {
            Ok(0) => return Ok(bytes),
            Ok(read) => bytes.extend_from_slice(chunk.get(..read).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        if bytes.len() as u64 > limit {
            return Err(too_large(limit));
        }
    }
}

#[cfg(not(unix))]
fn read_pipe(pipe: File, limit: u64, _: Duration) -> io::Result<Vec<u8>> {
    read_open(pipe, limit)
}
