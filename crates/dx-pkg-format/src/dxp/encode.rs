//! Writing a DXP file.

use std::borrow::Cow;

use dx_pkg_core::Integrity;

use super::{
    ALIGN_FROM, ALIGNMENT, CHECKED_FROM, Codec, Compression, DIGEST_AT, EXECUTABLE, FORMAT, FileEntry, HEADER, Layout,
    ROOT_AT, ROW, SIGNATURE, VERSION, is_safe_path,
};
use crate::FormatError;
use crate::wire;

static ZEROS: [u8; ALIGNMENT as usize] = [0; ALIGNMENT as usize];

/// A DXP file ready to be written: tables of its own, stored contents borrowed from the caller.
#[derive(Debug)]
pub struct Encoding<'a> {
    head: Vec<u8>,
    payload: Vec<Payload<'a>>,
    length: u64,
}

#[derive(Debug)]
struct Payload<'a> {
    padding: usize,
    bytes: Cow<'a, [u8]>,
}

/// What the table says of a file.
struct Row<'a> {
    entry: FileEntry<'a>,
    digest: [u8; 32],
    codec: Codec,
    stored_size: u64,
    offset: u64,
}

/// The DXP bytes of these files; `integrity` is that of the archive they came from.
///
/// # Errors
/// When a path occurs twice or could lead out of the package, or there are more files than 32 bits can count.
pub fn encode(
    files: &[FileEntry<'_>],
    integrity: Option<&Integrity>,
    compression: Compression,
) -> Result<Vec<u8>, FormatError> {
    Ok(Encoding::new(files, integrity, compression)?.to_vec())
}

impl<'a> Encoding<'a> {
    /// Hashes, and where asked for compresses, these files; see [`encode`].
    ///
    /// # Errors
    /// When a path occurs twice or could lead out of the package, or there are more files than 32 bits can count.
    pub fn new(
        files: &[FileEntry<'a>],
        integrity: Option<&Integrity>,
        compression: Compression,
    ) -> Result<Self, FormatError> {
        Self::with(files, integrity, compression, |contents| *blake3::hash(contents).as_bytes())
    }

    fn with(
        files: &[FileEntry<'a>],
        integrity: Option<&Integrity>,
        compression: Compression,
        digest: impl Fn(&[u8]) -> [u8; 32],
    ) -> Result<Self, FormatError> {
        let too_large = |what| FormatError::TooLarge { format: FORMAT, what };
        let files = sorted(files)?;
        let integrity = integrity.map(ToString::to_string).unwrap_or_default();
        let count = u32::try_from(files.len()).map_err(|_| too_large("files"))?;
        let slots = (count.checked_mul(2).ok_or(too_large("files"))? + 1).next_power_of_two();
        let string_size: usize = files.iter().map(|file| file.path.len()).sum::<usize>() + integrity.len();
        let string_size = u32::try_from(string_size).map_err(|_| too_large("bytes of paths"))?;

        let tables = HEADER + files.len() * ROW + slots as usize * 4 + string_size as usize;
        let payload_at = (tables as u64).next_multiple_of(8);
        let mut position = payload_at;
        let mut payload = Vec::with_capacity(files.len());
        let mut rows = Vec::with_capacity(files.len());
        for entry in files {
            let (codec, bytes) = compress(entry.data, compression);
            let stored_size = bytes.len() as u64;
            let aligned = codec == Codec::Stored && stored_size >= ALIGN_FROM;
            let offset = if aligned { position.next_multiple_of(ALIGNMENT) } else { position };
            payload.push(Payload { padding: (offset - position) as usize, bytes });
            position = offset + stored_size;
            rows.push(Row { digest: digest(entry.data), entry, codec, stored_size, offset });
        }

        let mut head = Vec::with_capacity(payload_at as usize);
        head.extend_from_slice(&SIGNATURE);
        head.extend_from_slice(&VERSION.to_le_bytes());
        head.resize(CHECKED_FROM, 0);
        for word in [count, slots, string_size, integrity.len() as u32] {
            head.extend_from_slice(&word.to_le_bytes());
        }
        head.extend_from_slice(&payload_at.to_le_bytes());
        head.extend_from_slice(&position.to_le_bytes());
        debug_assert_eq!(head.len(), ROOT_AT);
        head.extend_from_slice(&content_root(&rows));
        head.resize(HEADER, 0);
        write_rows(&mut head, &rows, integrity.len());
        write_index(&mut head, &rows, slots as usize);
        head.extend_from_slice(integrity.as_bytes());
        for row in &rows {
            head.extend_from_slice(row.entry.path.as_bytes());
        }
        head.resize(payload_at as usize, 0);
        write_checksum(&mut head);
        Ok(Self { head, payload, length: position })
    }

    /// The length of the file in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.length
    }

    /// Whether the file has no bytes: never, as there is always a header.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The content root written in the header.
    #[must_use]
    pub fn content_root(&self) -> [u8; 32] {
        wire::array_at(&self.head, ROOT_AT).unwrap_or_default()
    }

    /// The pieces of the file in order, none of them empty.
    pub fn parts(&self) -> impl Iterator<Item = &[u8]> {
        let payload = self.payload.iter().flat_map(|part| [ZEROS.get(..part.padding).unwrap_or_default(), &part.bytes]);
        std::iter::once(self.head.as_slice()).chain(payload).filter(|part| !part.is_empty())
    }

    /// The whole file in one buffer.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(usize::try_from(self.length).unwrap_or_default());
        for part in self.parts() {
            bytes.extend_from_slice(part);
        }
        bytes
    }
}

/// Header and tables of the DXP file of these files, stored as they are, but for their digests: in place of those are
/// [`provisional_digest`]s, which cost a tenth, and the content root is that of them. [`complete_tables`] puts that right.
///
/// # Errors
/// As [`encode`].
pub fn provisional_tables(files: &[FileEntry<'_>], integrity: Option<&Integrity>) -> Result<Vec<u8>, FormatError> {
    Ok(Encoding::with(files, integrity, Compression::Stored, provisional_digest)?.head)
}

/// XXH3-128 of the contents, little-endian, then zeros: detects damage, proves nothing about origin.
#[must_use]
pub fn provisional_digest(contents: &[u8]) -> [u8; 32] {
    let mut digest = [0; 32];
    let (hash, _) = digest.split_at_mut(16);
    hash.copy_from_slice(&twox_hash::XxHash3_128::oneshot(contents).to_le_bytes());
    digest
}

/// Makes of [`provisional_tables`] the tables of a DXP file; `digests` are the BLAKE3 of the files' contents, in their order.
///
/// # Errors
/// When the tables are damaged, or there is not one digest for each file.
pub fn complete_tables(tables: &mut [u8], digests: &[[u8; 32]]) -> Result<(), FormatError> {
    let layout = Layout::decode_tables(tables)?;
    if digests.len() != layout.files {
        return Err(FormatError::Corrupt { format: FORMAT, what: "there is not one digest for each file" });
    }
    let entries = layout.view(tables).entries().zip(digests);
    let root = super::content_root_of(entries.map(|(entry, digest)| (entry.path, entry.executable, *digest)));
    let rows = (HEADER..).step_by(ROW).map(|row| row + DIGEST_AT);
    for (at, digest) in rows.zip(digests).chain([(ROOT_AT, &root)]) {
        if let Some(place) = tables.get_mut(at..at + 32) {
            place.copy_from_slice(digest);
        }
    }
    let end = usize::try_from(super::tables_length(tables).unwrap_or_default()).unwrap_or_default();
    write_checksum(tables.get_mut(..end).unwrap_or_default());
    Ok(())
}

/// Writes the checksum of header and tables, which are all of `head`.
fn write_checksum(head: &mut [u8]) {
    let checksum = wire::checksum(head.get(CHECKED_FROM..).unwrap_or_default());
    if let Some(field) = head.get_mut(8..16) {
        field.copy_from_slice(&checksum.to_le_bytes());
    }
}

fn sorted<'a>(files: &[FileEntry<'a>]) -> Result<Vec<FileEntry<'a>>, FormatError> {
    let mut files = files.to_vec();
    files.sort_unstable_by_key(|file| file.path);
    if let Some(file) = files.iter().find(|file| !is_safe_path(file.path)) {
        return Err(FormatError::UnsafePath { doing: "writing", path: file.path.to_owned() });
    }
    let twice = files.iter().zip(files.iter().skip(1)).find(|(a, b)| a.path == b.path);
    match twice {
        Some((file, _)) => Err(FormatError::DuplicatePath { path: file.path.to_owned() }),
        None => Ok(files),
    }
}

fn compress(data: &[u8], compression: Compression) -> (Codec, Cow<'_, [u8]>) {
    if compression == Compression::Lz4 {
        let compressed = lz4_flex::block::compress(data);
        if compressed.len() < data.len() - data.len() / 10 {
            return (Codec::Lz4, Cow::Owned(compressed));
        }
    }
    (Codec::Stored, Cow::Borrowed(data))
}

fn content_root(rows: &[Row<'_>]) -> [u8; 32] {
    super::content_root_of(rows.iter().map(|row| (row.entry.path, row.entry.executable, row.digest)))
}

fn write_rows(head: &mut Vec<u8>, rows: &[Row<'_>], mut path_at: usize) {
    for row in rows {
        head.extend_from_slice(&(path_at as u32).to_le_bytes());
        head.extend_from_slice(&(row.entry.path.len() as u32).to_le_bytes());
        path_at += row.entry.path.len();
        let flags = if row.entry.executable { EXECUTABLE } else { 0 };
        head.extend_from_slice(&[flags, row.codec as u8, 0, 0, 0, 0, 0, 0]);
        for number in [row.entry.data.len() as u64, row.stored_size, row.offset] {
            head.extend_from_slice(&number.to_le_bytes());
        }
        head.extend_from_slice(&row.digest);
    }
}

fn write_index(head: &mut Vec<u8>, rows: &[Row<'_>], slots: usize) {
    let mut index = vec![0_u32; slots];
    for (number, row) in (1..).zip(rows) {
        let first = wire::checksum(row.entry.path.as_bytes()) as usize;
        let mut probes = (0..slots).map(|probe| first.wrapping_add(probe) & (slots - 1));
        if let Some(slot) = probes.find(|&slot| index.get(slot) == Some(&0)).and_then(|slot| index.get_mut(slot)) {
            *slot = number;
        }
    }
    for number in index {
        head.extend_from_slice(&number.to_le_bytes());
    }
}
