//! Comparison of single files with their entries in a package.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;

use dx_pkg_format::dxp::{Entry, ProvisionalDigest};
use dx_pkg_os::files::Dir;

use crate::tables::Digests;

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
    digests: &Digests,
) -> io::Result<bool> {
    let Some((file, metadata)) = open_of_size(dir, path, entry)? else { return Ok(false) };
    let mode = mode_of(&metadata);
    Ok(mode.is_none_or(|mode| mode == entry.mode.bits()) && has_digest(file, entry, digests)?)
}

/// Returns whether the file at `path` in `dir` has the size and digest of `entry`.
pub(crate) fn contents_match(
    dir: &Dir,
    path: impl AsRef<Path>,
    entry: &Entry<'_>,
    digests: &Digests,
) -> io::Result<bool> {
    let opened = open_of_size(dir, path, entry)?;
    opened.map_or(Ok(false), |(file, _)| has_digest(file, entry, digests))
}

/// Reads the file at `path` in `dir`; `None` if it is missing or its contents are not those of
/// `entry`.
pub(crate) fn read_matching(
    dir: &Dir,
    path: impl AsRef<Path>,
    entry: &Entry<'_>,
    digests: &Digests,
) -> io::Result<Option<Vec<u8>>> {
    let Some((mut file, _)) = open_of_size(dir, path, entry)? else { return Ok(None) };
    let mut contents = Vec::with_capacity(usize::try_from(entry.size).unwrap_or_default());
    file.read_to_end(&mut contents)?;
    let mut hasher = Hasher::new(digests);
    hasher.update(&contents);
    Ok((hasher.finish() == entry.digest).then_some(contents))
}

/// Returns whether the contents of a file, of which the size was compared, have the digest of
/// `entry`.
fn has_digest(mut file: File, entry: &Entry<'_>, digests: &Digests) -> io::Result<bool> {
    let mut hasher = Hasher::new(digests);
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
    Ok(hasher.finish() == entry.digest)
}

/// A digest that is being computed.
enum Hasher {
    Blake3(Box<blake3::Hasher>),
    Provisional(Box<ProvisionalDigest>),
}

impl Hasher {
    fn new(digests: &Digests) -> Self {
        match digests {
            Digests::Blake3 => Self::Blake3(Box::default()),
            Digests::Unkeyed => Self::Provisional(Box::new(ProvisionalDigest::unkeyed())),
            Digests::Keyed(secret) => Self::Provisional(Box::new(ProvisionalDigest::new(secret))),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Blake3(hasher) => drop(hasher.update(bytes)),
            Self::Provisional(digest) => digest.update(bytes),
        }
    }

    fn finish(&self) -> [u8; 32] {
        match self {
            Self::Blake3(hasher) => *hasher.finalize().as_bytes(),
            Self::Provisional(digest) => digest.finish(),
        }
    }
}

#[cfg(unix)]
fn mode_of(metadata: &std::fs::Metadata) -> Option<u32> {
    Some(std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o7777)
}

#[cfg(not(unix))]
fn mode_of(_metadata: &std::fs::Metadata) -> Option<u32> {
    None
}
