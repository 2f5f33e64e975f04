//! The tarball of packed files, in the form that npm writes: `ustar` with the folder `package`, no
//! owner, and the time of every file in 1985. What has been packed twice is the same byte for byte.

use std::fs::Metadata;
use std::io::{Read, Write};
use std::path::Path;

use libdeflater::{CompressionLvl, Compressor};
use serde_json::{Map, Value};

use super::{PackError, PackOptions, PackedFile};

/// The size of a header, and of the blocks that contents are padded to, in bytes.
const BLOCK: usize = 512;
/// The longest name of a header in bytes, and the longest folder before it.
const NAME: usize = 100;
const PREFIX: usize = 155;
/// The largest size that a header can state, in bytes.
const MAX_SIZE: u64 = 0o777_7777_7777;
/// The time of every file: 26 October 1985, in seconds since 1970.
const TIME: u64 = 499_162_500;
/// The most bytes of a manifest that is packed without its patches.
const MAX_MANIFEST: u64 = 4 * 1024 * 1024;

const FILE: u8 = b'0';
const EXTENSION: u8 = b'x';

/// Returns the mode that a file has in a tarball: its owner may read and write it, nobody else may
/// write it, and a command can be executed.
pub(super) fn mode(status: &Metadata, is_command: bool) -> u32 {
    #[cfg(unix)]
    let mode = std::os::unix::fs::MetadataExt::mode(status) & 0o7777;
    #[cfg(not(unix))]
    let mode = if status.is_file() { 0o644 } else { 0o755 };
    let mode = if is_command { mode | 0o111 } else { mode };
    (mode | 0o600) & !0o22
}

/// Writes the tarball of a folder's files to `out`, not compressed.
///
/// # Errors
/// A file cannot be read or changes meanwhile, there is too much, or `out` fails.
pub fn write_tar(
    folder: &Path,
    files: &[PackedFile],
    options: &PackOptions,
    out: &mut impl Write,
) -> Result<(), PackError> {
    let mut left = options.max_bytes;
    for file in files {
        let path = folder.join(&file.path);
        let failed = |error| PackError::io(&path, error);
        let mut contents = dx_pkg_os::files::open_regular(&path).map_err(failed)?;
        let stripped = match file.path.as_str() {
            "package.json" => without_patches(&mut contents, &path)?,
            _ => None,
        };
        let size = stripped.as_ref().map_or(file.size, |text| text.len() as u64);
        let padded = size.div_ceil(BLOCK as u64).saturating_mul(BLOCK as u64);
        let limit = options.max_bytes;
        let too_large = || PackError::TooLarge { path: folder.to_owned(), limit };
        left = left.checked_sub(padded + BLOCK as u64).ok_or_else(too_large)?;
        write_headers(&format!("package/{}", file.path), file.mode, size, out)?;
        let written = match &stripped {
            Some(text) => {
                out.write_all(text.as_bytes()).map(|()| size).map_err(PackError::Write)?
            }
            None => copy(contents, size, &path, out)?,
        };
        if written != size {
            return Err(PackError::Changed { path });
        }
        let padding = usize::try_from(padded - size).unwrap_or_default();
        out.write_all(&[0; BLOCK][..padding]).map_err(PackError::Write)?;
    }
    out.write_all(&[0; 2 * BLOCK]).map_err(PackError::Write)
}

/// Compresses a tarball; the result is the same on every machine, whatever its processor.
#[must_use]
pub fn compress_tar(tar: &[u8]) -> Vec<u8> {
    const LEVEL: i32 = 9;
    let level = CompressionLvl::new(LEVEL).unwrap_or_default();
    let mut compressor = Compressor::new(level);
    let mut bytes = vec![0; compressor.gzip_compress_bound(tar.len())];
    // The buffer is as large as it may have to be.
    let length = compressor.gzip_compress(tar, &mut bytes).unwrap_or_default();
    bytes.truncate(length);
    bytes
}

/// Copies at most one byte more than a file is to have, and returns how many came.
fn copy(
    contents: impl Read,
    size: u64,
    path: &Path,
    out: &mut impl Write,
) -> Result<u64, PackError> {
    let mut contents = contents.take(size.saturating_add(1));
    let mut buffer = vec![0; 64 * 1024];
    let mut copied = 0;
    loop {
        let read = contents.read(&mut buffer).map_err(|error| PackError::io(path, error))?;
        copied += read as u64;
        if read == 0 || copied > size {
            return Ok(copied);
        }
        out.write_all(&buffer[..read]).map_err(PackError::Write)?;
    }
}

/// Returns the text of a manifest without `patchedDependencies`, which is of the project that is
/// packed only; `None` where it has none.
fn without_patches(contents: &mut std::fs::File, path: &Path) -> Result<Option<String>, PackError> {
    let failed = |error| PackError::io(path, error);
    let mut text = Vec::new();
    contents.take(MAX_MANIFEST).read_to_end(&mut text).map_err(failed)?;
    std::io::Seek::rewind(contents).map_err(failed)?;
    let text = String::from_utf8_lossy(&text);
    let Ok(mut manifest) = serde_json::from_str::<Map<String, Value>>(&text) else {
        return Ok(None);
    };
    if manifest.shift_remove("patchedDependencies").is_none() {
        return Ok(None);
    }
    let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let written = indented(&manifest, &text).map_err(|error| failed(error.into()))?;
    Ok(Some(format!("{written}\n").replace('\n', line_end)))
}

/// Writes a manifest with the indentation of its text.
fn indented(manifest: &Map<String, Value>, text: &str) -> serde_json::Result<String> {
    let indent: String = text
        .split_once('\n')
        .map(|(_, rest)| rest.chars().take_while(|c| matches!(c, ' ' | '\t')).collect())
        .unwrap_or_default();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(indent.as_bytes());
    let mut written = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut written, formatter);
    serde::Serialize::serialize(manifest, &mut serializer)?;
    Ok(String::from_utf8_lossy(&written).into_owned())
}

fn write_headers(path: &str, mode: u32, size: u64, out: &mut impl Write) -> Result<(), PackError> {
    let split = split(path);
    if split.is_none() || size > MAX_SIZE {
        let mut records = record("path", path);
        if size > MAX_SIZE {
            records.push_str(&record("size", &size.to_string()));
        }
        let name: String = path.rsplit('/').next().unwrap_or(path).chars().take(20).collect();
        let name = format!("PaxHeader/{name}");
        let written = header(("", &name), 0o644, records.len() as u64, EXTENSION);
        out.write_all(&written).map_err(PackError::Write)?;
        out.write_all(records.as_bytes()).map_err(PackError::Write)?;
        let padding = records.len().next_multiple_of(BLOCK) - records.len();
        out.write_all(&[0; BLOCK][..padding]).map_err(PackError::Write)?;
    }
    let name = split.unwrap_or_else(|| ("", cut(path)));
    let written = header(name, mode, size.min(MAX_SIZE), FILE);
    out.write_all(&written).map_err(PackError::Write)
}

/// Splits a path into folder and name that a header has room for.
fn split(path: &str) -> Option<(&str, &str)> {
    if path.len() <= NAME {
        return Some(("", path));
    }
    let at = path.match_indices('/').map(|(at, _)| at);
    let at = at.take_while(|at| *at <= PREFIX).find(|at| path.len() - at - 1 <= NAME)?;
    Some((&path[..at], &path[at + 1..]))
}

fn cut(path: &str) -> &str {
    let end = (0..=NAME).rev().find(|end| path.is_char_boundary(*end)).unwrap_or_default();
    &path[..end]
}

/// Returns a record of an extended header: its length, itself included, a key and a value.
fn record(key: &str, value: &str) -> String {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while rest + length.to_string().len() != length {
        length = rest + length.to_string().len();
    }
    format!("{length} {key}={value}\n")
}

fn header((prefix, name): (&str, &str), mode: u32, size: u64, kind: u8) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    let mut put = |at: usize, text: &[u8]| block[at..at + text.len()].copy_from_slice(text);
    put(0, name.as_bytes());
    put(100, format!("{mode:06o} \0").as_bytes());
    put(124, format!("{size:011o} ").as_bytes());
    put(136, format!("{TIME:011o} ").as_bytes());
    put(156, &[kind]);
    put(257, b"ustar\x0000");
    put(345, prefix.as_bytes());
    put(148, b"        ");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o} \0").as_bytes());
    block
}
