//! The encoder of DXP files.

use std::borrow::Cow;

use dx_pkg_core::Integrity;

use super::{
    ALIGN_FROM, ALIGNMENT, Codec, Compression, DIGEST_AT, DigestSecret, FORMAT, FRAME, FileEntry,
    FileMode, HEADER, Layout, ProvisionalDigest, ROOT_AT, ROW, is_safe_path,
};
use crate::FormatError;
use crate::wire::{self, Frame, Writer};

static ZEROS: [u8; ALIGNMENT as usize] = [0; ALIGNMENT as usize];

/// An encoded DXP file: its own tables, and stored contents borrowed from the caller.
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

/// A file to encode without its contents.
#[derive(Debug, Clone, Copy)]
pub struct DigestedFile<'a> {
    /// The path, as in [`FileEntry`].
    pub path: &'a str,
    /// The permissions.
    pub mode: FileMode,
    /// The size of the contents in bytes.
    pub size: u64,
    /// The BLAKE3 of its contents, or their [`ProvisionalDigest`].
    pub digest: [u8; 32],
}

impl<'a> DigestedFile<'a> {
    /// Returns a file with the provisional digest of its contents under this secret.
    #[must_use]
    pub fn of(file: &FileEntry<'a>, secret: &DigestSecret) -> Self {
        let digest = ProvisionalDigest::of(file.data, secret);
        Self { path: file.path, mode: file.mode, size: file.data.len() as u64, digest }
    }
}

/// A row of the file table.
struct Row<'a> {
    file: DigestedFile<'a>,
    codec: Codec,
    stored_size: u64,
    offset: u64,
}

/// The offset of the next file's contents.
struct Offsets {
    next: u64,
}

impl Offsets {
    /// Returns the offset of the next `size` bytes, and the padding before them.
    fn place(&mut self, codec: Codec, size: u64) -> (u64, usize) {
        let aligned = codec == Codec::Stored && size >= ALIGN_FROM;
        let offset = if aligned { self.next.next_multiple_of(ALIGNMENT) } else { self.next };
        let padding = (offset - self.next) as usize;
        self.next = offset + size;
        (offset, padding)
    }
}

/// The sizes of the tables.
struct Sizes {
    files: u32,
    slots: u32,
    strings: u32,
    payload_at: u64,
}

impl Sizes {
    fn of(files: usize, path_bytes: usize, integrity: &str) -> Result<Self, FormatError> {
        let too_large = |what| FormatError::TooLarge { format: FORMAT, what };
        let count = u32::try_from(files).map_err(|_| too_large("files"))?;
        let slots = (count.checked_mul(2).ok_or(too_large("files"))? + 1).next_power_of_two();
        let strings =
            u32::try_from(path_bytes + integrity.len()).map_err(|_| too_large("bytes of paths"))?;
        let tables = HEADER + files * ROW + slots as usize * 4 + strings as usize;
        Ok(Self { files: count, slots, strings, payload_at: (tables as u64).next_multiple_of(8) })
    }
}

/// Encodes files as DXP; `integrity` is that of the tarball they came from.
///
/// # Errors
/// When a path occurs twice or could lead out of the package, or there are more files than 32 bits
/// can count.
pub fn encode(
    files: &[FileEntry<'_>],
    integrity: Option<&Integrity>,
    compression: Compression,
) -> Result<Vec<u8>, FormatError> {
    Ok(Encoding::new(files, integrity, compression)?.to_vec())
}

impl<'a> Encoding<'a> {
    /// Hashes files and compresses them as asked; see [`encode()`].
    ///
    /// # Errors
    /// When a path occurs twice or could lead out of the package, or there are more files than 32
    /// bits can count.
    pub fn new(
        files: &[FileEntry<'a>],
        integrity: Option<&Integrity>,
        compression: Compression,
    ) -> Result<Self, FormatError> {
        let files = sorted(files, |file| file.path)?;
        let integrity = integrity.map(ToString::to_string).unwrap_or_default();
        let sizes =
            Sizes::of(files.len(), files.iter().map(|file| file.path.len()).sum(), &integrity)?;
        let mut offsets = Offsets { next: sizes.payload_at };
        let mut payload = Vec::with_capacity(files.len());
        let mut rows = Vec::with_capacity(files.len());
        for FileEntry { path, mode, data } in files {
            let (codec, bytes) = compress(data, compression);
            let stored_size = bytes.len() as u64;
            let (offset, padding) = offsets.place(codec, stored_size);
            payload.push(Payload { padding, bytes });
            let file = DigestedFile {
                path,
                mode,
                size: data.len() as u64,
                digest: *blake3::hash(data).as_bytes(),
            };
            rows.push(Row { file, codec, stored_size, offset });
        }
        Ok(Self {
            head: head(&rows, &sizes, offsets.next, &integrity),
            payload,
            length: offsets.next,
        })
    }

    /// Returns the length of the file in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.length
    }

    /// Returns `false`, as there is always a header.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Returns the content root written in the header.
    #[must_use]
    pub fn content_root(&self) -> [u8; 32] {
        wire::array_at(&self.head, ROOT_AT).unwrap_or_default()
    }

    /// Returns the parts of the file in order, none of them empty.
    pub fn parts(&self) -> impl Iterator<Item = &[u8]> {
        let payload = self
            .payload
            .iter()
            .flat_map(|part| [ZEROS.get(..part.padding).unwrap_or_default(), &part.bytes]);
        std::iter::once(self.head.as_slice()).chain(payload).filter(|part| !part.is_empty())
    }

    /// Returns the whole file in one buffer.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(usize::try_from(self.length).unwrap_or_default());
        for part in self.parts() {
            bytes.extend_from_slice(part);
        }
        bytes
    }
}

/// Returns header and tables: everything before the contents.
fn head(rows: &[Row<'_>], sizes: &Sizes, end: u64, integrity: &str) -> Vec<u8> {
    let mut head = FRAME.begin(sizes.payload_at as usize);
    head.words([sizes.files, sizes.slots, sizes.strings, integrity.len() as u32]);
    head.u64(sizes.payload_at);
    head.u64(end);
    debug_assert_eq!(head.len(), ROOT_AT);
    head.bytes(&content_root(rows));
    head.zeros_to(HEADER);
    write_rows(&mut head, rows, integrity.len());
    write_index(&mut head, rows, sizes.slots as usize);
    head.bytes(integrity.as_bytes());
    for row in rows {
        head.bytes(row.file.path.as_bytes());
    }
    head.zeros_to(sizes.payload_at as usize);
    Frame::finish(head)
}

/// Returns header and tables of the DXP file of these files, uncompressed.
///
/// With [`ProvisionalDigest`]s, which cost a tenth of BLAKE3, digests and content root are
/// provisional too; [`complete_tables`] replaces them.
///
/// # Errors
/// As [`encode()`].
pub fn tables_of(
    files: &[DigestedFile<'_>],
    integrity: Option<&Integrity>,
) -> Result<Vec<u8>, FormatError> {
    let files = sorted(files, |file| file.path)?;
    let integrity = integrity.map(ToString::to_string).unwrap_or_default();
    let sizes = Sizes::of(files.len(), files.iter().map(|file| file.path.len()).sum(), &integrity)?;
    let mut offsets = Offsets { next: sizes.payload_at };
    let rows: Vec<_> = files
        .into_iter()
        .map(|file| {
            let (offset, _) = offsets.place(Codec::Stored, file.size);
            Row { file, codec: Codec::Stored, stored_size: file.size, offset }
        })
        .collect();
    Ok(head(&rows, &sizes, offsets.next, &integrity))
}

/// Replaces the provisional digests of [`tables_of`] by `digests`, the BLAKE3 of the files'
/// contents in the same order.
///
/// # Errors
/// When the tables are damaged, or the numbers of digests and files differ.
pub fn complete_tables(tables: &mut [u8], digests: &[[u8; 32]]) -> Result<(), FormatError> {
    let layout = Layout::decode_tables(tables)?;
    if digests.len() != layout.files {
        return Err(FormatError::Corrupt {
            format: FORMAT,
            what: "there is not one digest for each file",
        });
    }
    let entries = layout.view(tables).entries().zip(digests);
    let root =
        super::content_root_of(entries.map(|(entry, digest)| (entry.path, entry.mode, *digest)));
    let rows = (HEADER..).step_by(ROW).map(|row| row + DIGEST_AT);
    for (at, digest) in rows.zip(digests).chain([(ROOT_AT, &root)]) {
        if let Some(place) = tables.get_mut(at..at + 32) {
            place.copy_from_slice(digest);
        }
    }
    let end = usize::try_from(super::tables_length(tables).unwrap_or_default()).unwrap_or_default();
    Frame::write_checksum(tables.get_mut(..end).unwrap_or_default());
    Ok(())
}

fn sorted<'a, F: Copy>(files: &[F], path: impl Fn(&F) -> &'a str) -> Result<Vec<F>, FormatError> {
    let mut files = files.to_vec();
    files.sort_unstable_by_key(|file| path(file));
    if let Some(unsafe_path) = files.iter().map(&path).find(|path| !is_safe_path(path)) {
        return Err(FormatError::UnsafePath { doing: "writing", path: unsafe_path.to_owned() });
    }
    let twice = files.iter().zip(files.iter().skip(1)).find(|(a, b)| path(a) == path(b));
    match twice {
        Some((file, _)) => Err(FormatError::DuplicatePath { path: path(file).to_owned() }),
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
    super::content_root_of(rows.iter().map(|row| (row.file.path, row.file.mode, row.file.digest)))
}

fn write_rows(head: &mut Writer, rows: &[Row<'_>], mut path_at: usize) {
    for row in rows {
        head.words([path_at as u32, row.file.path.len() as u32]);
        path_at += row.file.path.len();
        head.bytes(&[row.file.mode.flags(), row.codec as u8, 0, 0, 0, 0, 0, 0]);
        for number in [row.file.size, row.stored_size, row.offset] {
            head.u64(number);
        }
        head.bytes(&row.file.digest);
    }
}

fn write_index(head: &mut Writer, rows: &[Row<'_>], slots: usize) {
    let mut index = vec![0_u32; slots];
    for (number, row) in (1..).zip(rows) {
        let first = wire::checksum(row.file.path.as_bytes()) as usize;
        let mut probes = (0..slots).map(|probe| first.wrapping_add(probe) & (slots - 1));
        if let Some(slot) =
            probes.find(|&slot| index.get(slot) == Some(&0)).and_then(|slot| index.get_mut(slot))
        {
            *slot = number;
        }
    }
    head.words(index);
}
