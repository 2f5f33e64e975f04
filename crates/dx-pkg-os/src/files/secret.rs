//! Secrets: small files of random bytes that only their owner may read.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use super::{Dir, TEMPORARY, unique_name};

/// Reads the secret of `N` bytes at `path`.
///
/// # Errors
/// `NotFound` without one; `InvalidData` for anything but a plain file of `N` bytes that belongs to
/// the effective user and that nobody else may read or write.
pub fn read_secret<const N: usize>(path: &Path) -> io::Result<[u8; N]> {
    let mut file = open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.len() != N as u64 || !is_ours_alone(&metadata) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut secret = [0; N];
    file.read_exact(&mut secret)?;
    Ok(secret)
}

/// Creates the secret `name` of `N` random bytes in `dir`, and returns it. Where another process
/// was faster its secret is kept; the caller reads that.
///
/// # Errors
/// `AlreadyExists` if there is one, and any refusal of the system.
pub fn create_secret<const N: usize>(dir: &Dir, name: &str) -> io::Result<[u8; N]> {
    let mut secret = [0; N];
    getrandom::fill(&mut secret).map_err(|_| io::Error::from(io::ErrorKind::Unsupported))?;
    let draft = unique_name(TEMPORARY);
    let mut file = dir.create_file(&draft, 0o600)?;
    let placed = file.write_all(&secret).and_then(|()| place(dir, &draft, name));
    let _ = dir.remove_file(&draft);
    placed.map(|()| secret)
}

/// Gives the complete file its name, unless the name is taken.
fn place(dir: &Dir, draft: &str, name: &str) -> io::Result<()> {
    match dir.link_from(dir, draft, name) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            // The file system has no hard links.
            match dir.identity(name)? {
                Some(_) => Err(io::ErrorKind::AlreadyExists.into()),
                None => dir.rename(draft, dir, name),
            }
        }
        linked => linked,
    }
}

#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags};
    // A pipe in its place does not block.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    Ok(rustix::fs::open(path, flags, Mode::empty())?.into())
}

#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<File> {
    File::open(path)
}

#[cfg(unix)]
fn is_ours_alone(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    metadata.uid() == effective_user() && metadata.mode() & 0o077 == 0
}

/// Returns `true`: a user's own folders are closed to others.
#[cfg(not(unix))]
fn is_ours_alone(_metadata: &std::fs::Metadata) -> bool {
    true
}

/// Returns the effective user, without a system call: it is that of the program's start, as dx
/// never changes it.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "the standard library does not tell the effective user")]
pub(super) fn effective_user() -> u32 {
    // SAFETY: `getauxval` reads a table that the kernel gave to this process at its start.
    let found = unsafe { libc::getauxval(libc::AT_EUID) };
    u32::try_from(found).unwrap_or(u32::MAX)
}

#[cfg(all(unix, not(target_os = "linux")))]
pub(super) fn effective_user() -> u32 {
    rustix::process::geteuid().as_raw()
}

#[cfg(all(test, unix))]
mod tests;
