//! The DXP file of a pending package, written from the project's copy of its files.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use dx_pkg_format::dxp::{self, Dxp, Entry, ProvisionalDigest};
use dx_pkg_os::files::Dir;

use crate::matching::open_of_size;

/// The size of the copy buffer, in bytes.
const BUFFER: usize = 128 * 1024;

/// Writes a DXP file from the files in `from`. `dxp` is a view of `tables`, whose digests are
/// provisional.
///
/// Fails with [`io::ErrorKind::InvalidData`] if the files differ from the tables.
pub(crate) fn write_package(
    file: &mut File,
    tables: &[u8],
    dxp: Dxp<'_>,
    from: &Dir,
) -> io::Result<()> {
    file.seek(SeekFrom::Start(tables.len() as u64))?;
    let digests = write_payload(file, tables.len() as u64, dxp, from)?;
    let mut tables = tables.to_vec();
    dxp::complete_tables(&mut tables, &digests).map_err(|_| io::ErrorKind::InvalidData)?;
    file.rewind()?;
    file.write_all(&tables)
}

/// Writes the contents at the offsets in the tables, compares the files with their provisional
/// digests, and returns the BLAKE3 of each.
fn write_payload(
    file: &mut File,
    mut position: u64,
    dxp: Dxp<'_>,
    from: &Dir,
) -> io::Result<Vec<[u8; 32]>> {
    let mut digests = Vec::with_capacity(dxp.len());
    let mut buffer = vec![0; BUFFER];
    for entry in dxp.entries() {
        let (mut contents, _) =
            open_of_size(from, entry.path, &entry)?.ok_or(io::ErrorKind::InvalidData)?;
        let at = entry.stored_at().ok_or(io::ErrorKind::InvalidData)?;
        let padding = at.checked_sub(position).ok_or(io::ErrorKind::InvalidData)?;
        io::copy(&mut io::Read::take(io::repeat(0), padding), file)?;
        let (mut provisional, mut digest) = (ProvisionalDigest::default(), blake3::Hasher::new());
        let mut left = entry.size;
        while left > 0 {
            let room = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            let piece = buffer.get_mut(..room).unwrap_or_default();
            let read = match contents.read(piece) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read?,
            };
            let piece = piece
                .get(..read)
                .filter(|piece| !piece.is_empty())
                .ok_or(io::ErrorKind::InvalidData)?;
            provisional.update(piece);
            digest.update(piece);
            file.write_all(piece)?;
            left -= read as u64;
        }
        if provisional.finish() != entry.digest {
            return Err(io::ErrorKind::InvalidData.into());
        }
        digests.push(*digest.finalize().as_bytes());
        position = at + entry.size;
    }
    Ok(digests)
}

/// Reads a pending package's file; `None` if it differs from the unpacked one.
pub(crate) fn read_matching(dir: &Dir, entry: &Entry<'_>) -> io::Result<Option<Vec<u8>>> {
    let Some((mut file, _)) = open_of_size(dir, entry.path, entry)? else { return Ok(None) };
    let mut contents = Vec::with_capacity(usize::try_from(entry.size).unwrap_or_default());
    file.read_to_end(&mut contents)?;
    Ok((ProvisionalDigest::of(&contents) == entry.digest).then_some(contents))
}
