//! A tarball read while it arrives, file by file in the order of the archive.
//!
//! Most tarballs are small, and quicker to unpack once they are complete. A large one takes little
//! memory this way, and is unpacked when its last byte has arrived. Cases that
//! [`unpack`](super::unpack) allows only because it sees the whole archive, such as one path twice,
//! are [`Unfit`] here, and so is everything that it refuses.

use std::collections::HashSet;
use std::io::{self, BufRead, BufReader, Read};

use dx_pkg_format::dxp::FileMode;

use flate2::bufread::MultiGzDecoder;

use super::header::{BLOCK, Kind};
use super::inflate::{Ceiling, MAGIC};
use super::reader::{Announced, Headers, LONGEST_METADATA};
use super::{Limits, TarballError, append_path, collisions};

/// The number of bytes inflated at once. Inflated data is copied each time, as later data refers to
/// it; much more would not stay in the caches of a processor.
const WINDOW: usize = 128 * 1024;

/// The tarball cannot be read while it arrives; [`unpack`](super::unpack) decides whether it is
/// damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the tarball cannot be unpacked while it arrives")]
pub struct Unfit;

impl From<TarballError> for Unfit {
    fn from(_: TarballError) -> Self {
        Self
    }
}

impl From<io::Error> for Unfit {
    fn from(_: io::Error) -> Self {
        Self
    }
}

/// A file whose contents [`Entries::chunk`] returns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamedFile {
    /// Its path within the package, by the rules for names.
    pub path: String,
    /// Its permissions.
    pub mode: FileMode,
    /// Its length in bytes.
    pub size: u64,
}

/// The files of a tarball that is arriving.
pub struct Entries<R: BufRead> {
    archive: BufReader<Limited<MultiGzDecoder<R>>>,
    limits: Limits,
    headers: Headers,
    /// The part of the last returned chunk that the archive does not count as read yet, in bytes.
    given: usize,
    /// The rest of the file after that, and the padding behind it, in bytes.
    left: u64,
    padding: u64,
    paths: HashSet<String>,
}

impl<R: BufRead> Entries<R> {
    /// Starts to read a gzipped archive of `length` bytes.
    ///
    /// # Errors
    /// [`Unfit`] when it is none, or does not arrive.
    pub fn new(mut tgz: R, length: u64, limits: Limits) -> Result<Self, Unfit> {
        if !tgz.fill_buf()?.starts_with(&MAGIC) {
            return Err(Unfit);
        }
        let ceiling = Ceiling::new(usize::try_from(length).unwrap_or(usize::MAX), &limits);
        let archive = Limited { archive: MultiGzDecoder::new(tgz), left: ceiling.bytes() };
        Ok(Self {
            archive: BufReader::with_capacity(WINDOW, archive),
            headers: Headers::new(&limits),
            limits,
            given: 0,
            left: 0,
            padding: 0,
            paths: HashSet::new(),
        })
    }

    /// Returns the next file, skipping the rest of the one before; `None` after the last.
    ///
    /// # Errors
    /// [`Unfit`].
    pub fn next_file(&mut self) -> Result<Option<StreamedFile>, Unfit> {
        let rest = self.take_given() + self.padding;
        self.pass_over(rest)?;
        (self.left, self.padding) = (0, 0);
        let mut block = [0; BLOCK];
        while self.next_header(&mut block)? {
            match self.headers.read(&block, 0)? {
                Announced::Entry(entry) => {
                    let padding = padding_of(entry.size)?;
                    let mut path = String::new();
                    if entry.kind == Kind::File
                        && append_path(&entry.name, &self.limits, &mut path)?.is_some()
                    {
                        if !self.paths.insert(path.clone()) {
                            return Err(Unfit);
                        }
                        (self.left, self.padding) = (entry.size, padding);
                        return Ok(Some(StreamedFile { path, mode: entry.mode, size: entry.size }));
                    }
                    self.pass_over(entry.size + padding)?;
                }
                Announced::Metadata { size, .. } if size > LONGEST_METADATA as u64 => {
                    return Err(Unfit);
                }
                Announced::Metadata { kind, size } => {
                    let mut text = vec![0; size as usize];
                    self.archive.read_exact(&mut text)?;
                    self.headers.metadata(kind, &text, 0)?;
                    self.pass_over(padding_of(size)?)?;
                }
                Announced::Nothing { size } => self.pass_over(size + padding_of(size)?)?,
            }
        }
        Ok(None)
    }

    /// Returns the next bytes of the file that [`Self::next_file`] returned; `None` after the last.
    ///
    /// # Errors
    /// [`Unfit`].
    pub fn chunk(&mut self) -> Result<Option<&[u8]>, Unfit> {
        if self.take_given() == 0 {
            return Ok(None);
        }
        let buffered = self.archive.fill_buf()?;
        let chunk =
            buffered.get(..usize::try_from(self.left).unwrap_or(usize::MAX)).unwrap_or(buffered);
        if chunk.is_empty() {
            return Err(Unfit);
        }
        self.given = chunk.len();
        Ok(Some(chunk))
    }

    /// Counts the last returned chunk as read; returns the length of the rest of the file.
    fn take_given(&mut self) -> u64 {
        let given = std::mem::take(&mut self.given);
        self.archive.consume(given);
        self.left -= given as u64;
        self.left
    }

    /// Reads the next header into `block`, past lone zero blocks; returns false at the end of the
    /// archive.
    fn next_header(&mut self, block: &mut [u8; BLOCK]) -> Result<bool, Unfit> {
        for _ in 0..2 {
            block.fill(0);
            let mut filled = 0;
            while let Some(rest) = block.get_mut(filled..).filter(|rest| !rest.is_empty()) {
                match self.archive.read(rest)? {
                    0 => break,
                    read => filled += read,
                }
            }
            match (filled, block.iter().any(|byte| *byte != 0)) {
                (BLOCK, true) => return Ok(true),
                (BLOCK, false) => {}
                (_, true) => return Err(Unfit),
                (_, false) => break,
            }
        }
        if self.headers.count() == 0 { Err(Unfit) } else { Ok(false) }
    }

    fn pass_over(&mut self, bytes: u64) -> Result<(), Unfit> {
        let passed = io::copy(&mut self.archive.by_ref().take(bytes), &mut io::sink())?;
        if passed == bytes { Ok(()) } else { Err(Unfit) }
    }

    /// Checks that the tarball ends as it should and that its files fit in one folder; returns its
    /// source.
    ///
    /// # Errors
    /// [`Unfit`].
    pub fn finish(mut self) -> Result<R, Unfit> {
        // Any data after the archive's end is part of the gzip stream, whose checksum comes last.
        io::copy(&mut self.archive, &mut io::sink())?;
        let mut paths: Vec<&str> = self.paths.iter().map(String::as_str).collect();
        paths.sort_unstable();
        collisions::check(&paths, &self.limits)?;
        Ok(self.archive.into_inner().archive.into_inner())
    }
}

/// An archive with a limit on the bytes still to come.
struct Limited<R> {
    archive: R,
    left: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.archive.read(buffer)?;
        let left = self.left.checked_sub(read as u64);
        self.left = left.ok_or_else(|| io::Error::other("there is more of it than is allowed"))?;
        Ok(read)
    }
}

/// Returns the number of bytes from the end of a body of `size` bytes to the next block.
fn padding_of(size: u64) -> Result<u64, Unfit> {
    let padded = size.checked_next_multiple_of(BLOCK as u64).ok_or(Unfit)?;
    Ok(padded - size)
}
