//! Comparison of single files with their entries in a package.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;

use dx_pkg_format::dxp::Entry;
use dx_pkg_os::files::Dir;

/// The largest part of a file that is read at once, in bytes.
const PART: usize = 64 * 1024;

/// Opens the file at `path` in `dir`, if it has the size of `entry`.
pub(crate) fn open_of_size(
    dir: &Dir,
    path: impl AsRef<Path>,
    entry: &Entry<'_>,
) -> io::Result<Option<(File, Metadata)>> {
    let file = match dir.open_file(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let metadata = file.metadata()?;
    Ok((metadata.len() == entry.size).then_some((file, metadata)))
}

/// Returns whether the file at `path` in `dir` has the size, mode and digest of `entry`.
pub(crate) fn file_matches(
    dir: &Dir,
    path: impl AsRef<Path>,
    entry: &Entry<'_>,
) -> io::Result<bool> {
    let Some((file, metadata)) = open_of_size(dir, path, entry)? else { return Ok(false) };
    let mode = mode_of(&metadata);
    Ok(mode.is_none_or(|mode| mode == entry.mode.bits()) && has_digest(file, entry)?)
}

/// Returns whether the file at `path` in `dir` has the size and digest of `entry`.
pub(crate) fn contents_match(
    dir: &Dir,
    path: impl AsRef<Path>,
    entry: &Entry<'_>,
) -> io::Result<bool> {
    open_of_size(dir, path, entry)?.map_or(Ok(false), |(file, _)| has_digest(file, entry))
}

/// Returns whether the contents of a file, of which the size was compared, have the digest of
/// `entry`.
fn has_digest(mut file: File, entry: &Entry<'_>) -> io::Result<bool> {
    let mut hasher = blake3::Hasher::new();
    let part = usize::try_from(entry.size).unwrap_or(PART).min(PART);
    let mut buffer = vec![0; part];
    let mut left = entry.size;
    while left > 0 {
        let read = match file.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        if read == 0 {
            return Ok(false);
        }
        hasher.update(buffer.get(..read).unwrap_or_default());
        left = left.saturating_sub(read as u64);
    }
    Ok(*hasher.finalize().as_bytes() == entry.digest)
}

#[cfg(unix)]
fn mode_of(metadata: &std::fs::Metadata) -> Option<u32> {
    Some(std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o7777)
}

#[cfg(not(unix))]
fn mode_of(_metadata: &std::fs::Metadata) -> Option<u32> {
    None
}
