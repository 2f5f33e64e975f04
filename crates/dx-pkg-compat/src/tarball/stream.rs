//! A tarball read from its beginning to its end, file by file in the order of the archive.
//!
//! Most tarballs are small, and quicker to unpack once they are complete. A large one takes little
//! memory this way, whether it is still arriving or not. The files are those of
//! [`unpack`](super::unpack), and the refusals are its refusals; a path that occurs twice comes
//! twice, see [`StreamedFile::replaces`].

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read};

use dx_pkg_format::dxp::FileMode;

use super::error::StreamError;
use super::header::{BLOCK, Kind};
use super::members::{Ceiling, Members};
use super::names::Names;
use super::reader::{Announced, Headers, LONGEST_METADATA};
use super::{Limits, TarballError, append_path, check_manifest, collisions};

/// The number of bytes inflated at once. Inflated data is copied each time, as later data refers to
/// it; much more would not stay in the caches of a processor.
const WINDOW: usize = 128 * 1024;

/// A file whose contents [`Entries::chunk`] returns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamedFile {
    /// Its path within the package, by the rules for names.
    pub path: String,
    /// Its permissions.
    pub mode: FileMode,
    /// Its length in bytes.
    pub size: u64,
    /// Whether it takes the place of a file with this path that came before.
    pub replaces: bool,
}

/// The files of a tarball.
pub struct Entries<R: BufRead> {
    archive: BufReader<Ceiling<R>>,
    limits: Limits,
    headers: Headers,
    names: Names,
    /// The part of the last returned chunk that the archive does not count as read yet, in bytes.
    given: usize,
    /// The rest of the file after that, and the padding behind it, in bytes.
    left: u64,
    padding: u64,
    /// The paths so far, each with whether it is a renamed `.gitignore`.
    paths: HashMap<String, bool>,
}

impl<R: BufRead> Entries<R> {
    /// Starts to read a gzipped archive, or one that is not compressed.
    pub fn new(tgz: R, limits: Limits) -> Self {
        let archive = Ceiling::new(Members::new(tgz), &limits);
        Self {
            archive: BufReader::with_capacity(WINDOW, archive),
            headers: Headers::new(&limits),
            names: Names::default(),
            limits,
            given: 0,
            left: 0,
            padding: 0,
            paths: HashMap::new(),
        }
    }

    /// Returns the next file, skipping the rest of the one before; `None` after the last.
    ///
    /// # Errors
    /// [`StreamError`].
    pub fn next_file(&mut self) -> Result<Option<StreamedFile>, StreamError> {
        let rest = self.take_given() + self.padding;
        self.pass_over(rest)?;
        (self.left, self.padding) = (0, 0);
        let mut block = [0; BLOCK];
        while self.next_header(&mut block)? {
            let at = self.offset().saturating_sub(BLOCK);
            match self.read_header(&block, at)? {
                Announced::Entry(entry) => {
                    let padding = self.padding_of(entry.size)?;
                    let mut path = String::new();
                    if entry.kind == Kind::File
                        && let Some((_, renamed)) =
                            append_path(&entry.name, &self.limits, &mut path)?
                        && let Some(replaces) = self.counts(&path, renamed)?
                    {
                        check_manifest(&path, entry.size, &self.limits)?;
                        (self.left, self.padding) = (entry.size, padding);
                        let (mode, size) = (entry.mode, entry.size);
                        return Ok(Some(StreamedFile { path, mode, size, replaces }));
                    }
                    self.pass_over(entry.size + padding)?;
                }
                Announced::Metadata { kind, size } => {
                    let mut text = vec![0; size.min(LONGEST_METADATA as u64 + 1) as usize];
                    self.read_exact(&mut text)?;
                    self.headers.metadata(kind, &text, at)?;
                    let padding = self.padding_of(size)?;
                    self.pass_over(padding)?;
                }
                Announced::Nothing { size } => {
                    let padding = self.padding_of(size)?;
                    self.pass_over(size + padding)?;
                }
            }
        }
        Ok(None)
    }

    /// Returns whether a file takes another's place; `None` where the other one stays, as a real
    /// `.npmignore` does.
    fn counts(&mut self, path: &str, renamed: bool) -> Result<Option<bool>, TarballError> {
        match self.paths.get_mut(path) {
            Some(false) if renamed => Ok(None),
            Some(before) => {
                *before = renamed;
                Ok(Some(true))
            }
            None => {
                self.names.add(path, &self.limits)?;
                self.paths.insert(path.to_owned(), renamed);
                Ok(Some(false))
            }
        }
    }

    /// Returns the next bytes of the file that [`Self::next_file`] returned; `None` after the last.
    ///
    /// # Errors
    /// [`StreamError`].
    pub fn chunk(&mut self) -> Result<Option<&[u8]>, StreamError> {
        if self.take_given() == 0 {
            return Ok(None);
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX);
        let filled = self.archive.fill_buf().map(|buffered| buffered.len().min(most));
        self.given = match filled {
            Ok(0) => return Err(self.truncated()),
            Ok(given) => given,
            Err(error) => return Err(self.failed(error)),
        };
        Ok(self.archive.buffer().get(..self.given))
    }

    /// Counts the last returned chunk as read; returns the length of the rest of the file.
    fn take_given(&mut self) -> u64 {
        let given = std::mem::take(&mut self.given);
        self.archive.consume(given);
        self.left -= given as u64;
        self.left
    }

    fn read_header<'b>(
        &mut self,
        block: &'b [u8],
        at: usize,
    ) -> Result<Announced<'b>, TarballError> {
        let is_first = self.headers.count() == 0;
        self.headers.read(block, at).map_err(|error| match error {
            // A tarball that fails at its very first header is no archive at all.
            TarballError::Header { .. } if is_first => self.unrecognised(),
            other => other,
        })
    }

    /// Reads the next header into `block`, past lone zero blocks; returns false at the end of the
    /// archive.
    fn next_header(&mut self, block: &mut [u8; BLOCK]) -> Result<bool, StreamError> {
        for _ in 0..2 {
            block.fill(0);
            let mut filled = 0;
            while let Some(rest) = block.get_mut(filled..).filter(|rest| !rest.is_empty()) {
                match self.archive.read(rest) {
                    Ok(0) => break,
                    Ok(read) => filled += read,
                    Err(error) => return Err(self.failed(error)),
                }
            }
            match (filled, block.iter().any(|byte| *byte != 0)) {
                (BLOCK, true) => return Ok(true),
                (BLOCK, false) => {}
                (_, true) if self.headers.count() == 0 => return Err(self.unrecognised().into()),
                (_, true) => return Err(self.truncated()),
                (_, false) => break,
            }
        }
        if self.headers.count() == 0 { Err(self.unrecognised().into()) } else { Ok(false) }
    }

    fn read_exact(&mut self, text: &mut [u8]) -> Result<(), StreamError> {
        match self.archive.read_exact(text) {
            Err(error) if self.is_at_end(&error) => Err(self.truncated()),
            read => read.map_err(|error| self.failed(error)),
        }
    }

    fn pass_over(&mut self, bytes: u64) -> Result<(), StreamError> {
        match io::copy(&mut self.archive.by_ref().take(bytes), &mut io::sink()) {
            Ok(passed) if passed == bytes => Ok(()),
            Ok(_) => Err(self.truncated()),
            Err(error) => Err(self.failed(error)),
        }
    }

    /// Checks that the tarball ends as it should and that its files fit in one folder.
    ///
    /// # Errors
    /// [`StreamError`].
    pub fn finish(&mut self) -> Result<(), StreamError> {
        // Any data after the archive's end is part of the gzip stream, whose checksum comes last.
        if let Err(error) = io::copy(&mut self.archive, &mut io::sink()) {
            return Err(self.failed(error));
        }
        let mut paths: Vec<&str> = self.paths.keys().map(String::as_str).collect();
        paths.sort_unstable();
        Ok(collisions::check(&paths, &self.limits)?)
    }

    /// Returns the source of the bytes; `None` where it failed.
    pub fn into_source(self) -> Option<R> {
        self.archive.into_inner().into_source()
    }

    /// Returns the error behind a failed read.
    fn failed(&mut self, error: io::Error) -> StreamError {
        self.archive.get_mut().explain(error)
    }

    /// Returns whether a read failed only because the archive is over.
    fn is_at_end(&self, error: &io::Error) -> bool {
        error.kind() == io::ErrorKind::UnexpectedEof && !self.archive.get_ref().has_failed()
    }

    fn unrecognised(&self) -> TarballError {
        let bytes = usize::try_from(self.archive.get_ref().inflated()).unwrap_or(usize::MAX);
        TarballError::Unrecognised { bytes }
    }

    fn truncated(&self) -> StreamError {
        TarballError::Truncated { offset: self.offset() }.into()
    }

    /// Returns the position in the archive, in bytes.
    fn offset(&self) -> usize {
        let inflated = self.archive.get_ref().inflated();
        usize::try_from(inflated).unwrap_or(usize::MAX).saturating_sub(self.archive.buffer().len())
    }

    /// Returns the number of bytes from the end of a body of `size` bytes to the next block.
    fn padding_of(&self, size: u64) -> Result<u64, StreamError> {
        // No archive is that long.
        let padded = size.checked_next_multiple_of(BLOCK as u64);
        padded.map(|padded| padded - size).ok_or_else(|| self.truncated())
    }
}
