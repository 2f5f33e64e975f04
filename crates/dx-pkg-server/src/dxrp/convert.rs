//! From a tarball to the message by which its package is sent.

use crate::signing::Signing;
use dx_pkg_compat::tarball::{self, Limits};
use dx_pkg_core::{Integrity, PackageId};
use dx_pkg_format::archive::{ArchivedFile, Marks, PackageHead};
use dx_pkg_format::dxp::{FileEntry, content_root_of};
use dx_pkg_format::dxrp::{Kind, MOST_UNPACKED, PackHead, Reason, Statement, encode_message};

/// The level of Zstandard. The contents of 290 packages, 33 MB, became 7.0 MB at level 3 in 0.10 s,
/// 6.4 MB at 6 in 0.27 s, 6.3 MB at 9 in 0.41 s, 6.2 MB at 12 in 0.92 s (zstd 1.5.4, one core).
const LEVEL: i32 = 6;
/// The most bytes that a tar archive takes besides the files in it.
const MOST_ARCHIVE: u64 = MOST_UNPACKED + (32 << 20);

/// Returns the frames of the PACK message of a package, whose `tarball` is verified.
///
/// # Errors
/// The reason why it is not sent: it is too large, or its tarball cannot be unpacked.
pub(super) fn pack(
    tarball: &[u8],
    integrity: &Integrity,
    signing: &Signing,
) -> Result<Vec<u8>, Reason> {
    let unpacked = tarball::unpack_within(tarball, &Limits::default(), MOST_ARCHIVE);
    let unpacked = unpacked.map_err(|_| Reason::Unavailable)?.ok_or(Reason::TooLarge)?;
    let files = unpacked.entries();
    let head = head(&files, integrity, signing)?;
    let contents = contents(&files)?;
    drop(files);
    drop(unpacked);
    let compressed = zstd::bulk::compress(&contents, LEVEL).map_err(|_| Reason::Unavailable)?;
    drop(contents);
    message(Kind::Pack, &head, &compressed)
}

/// Returns the head of a package's message.
fn head(
    files: &[FileEntry<'_>],
    integrity: &Integrity,
    signing: &Signing,
) -> Result<PackHead, Reason> {
    let id = PackageId::from_integrity(integrity);
    let digested = |file: &FileEntry<'_>| *blake3::hash(file.data).as_bytes();
    let root = content_root_of(files.iter().map(|file| (file.path, file.mode, digested(file))));
    let signed = Statement { id, root }.signed();
    let signature = signing.sign_fixed(&signed).map_err(|_| Reason::Unavailable)?;
    let files = files.iter().map(|file| ArchivedFile {
        path: file.path.to_owned(),
        mode: file.mode,
        size: file.data.len() as u64,
    });
    let (marks, integrity) = (Marks::default(), integrity.clone());
    let package = PackageHead { id, marks, integrity, files: files.collect() };
    Ok(PackHead { from: None, root, signature, package })
}

/// Returns the contents of the files, one after the other.
fn contents(files: &[FileEntry<'_>]) -> Result<Vec<u8>, Reason> {
    let size: u64 = files.iter().map(|file| file.data.len() as u64).sum();
    if size > MOST_UNPACKED {
        return Err(Reason::TooLarge);
    }
    let mut contents = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    for file in files {
        contents.extend_from_slice(file.data);
    }
    Ok(contents)
}

/// Returns the frames of a message with this head and these contents.
fn message(kind: Kind, head: &PackHead, compressed: &[u8]) -> Result<Vec<u8>, Reason> {
    let mut payload = head.encode().map_err(|_| Reason::Unavailable)?;
    payload.extend_from_slice(compressed);
    match payload.len() as u64 <= kind.most() {
        true => Ok(encode_message(kind, &payload)),
        false => Err(Reason::TooLarge),
    }
}

/// Returns the memory that the conversion of a tarball takes, as far as it tells.
pub(super) fn memory(tarball: &[u8]) -> u64 {
    tarball::unpacked_size(tarball).min(MOST_ARCHIVE).saturating_mul(2)
}
