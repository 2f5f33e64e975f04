//! The entries of a tar archive, with pax fields and long names applied.
//!
//! Follows npm's reader where archives leave a choice: two zero blocks end the archive and the rest
//! is not read; an archive without them is complete when its last entry is; a global header's path
//! is ignored. It is stricter in one thing: a header whose checksum is wrong is an error and is not
//! skipped.

use std::borrow::Cow;
use std::ops::Range;

use dx_pkg_format::dxp::FileMode;

use super::header::{BLOCK, Header, Kind, until_nul};
use super::{Limits, PathProblem, TarballError, error::escaped};

/// The limit on a pax header or long name, in bytes; no honest one is longer.
pub(super) const LONGEST_METADATA: usize = 1024 * 1024;

/// An entry of the file system, as the archive describes it.
pub(super) struct Entry<'a> {
    pub(super) name: Cow<'a, [u8]>,
    pub(super) kind: Kind,
    pub(super) mode: FileMode,
    /// The length of its contents in bytes.
    pub(super) size: u64,
}

/// The meaning of a header. A body of that size follows, padded to whole blocks.
pub(super) enum Announced<'a> {
    Entry(Entry<'a>),
    /// A body to pass to [`Headers::metadata`].
    Metadata {
        kind: Kind,
        size: u64,
    },
    /// Something that npm ignores.
    Nothing {
        size: u64,
    },
}

/// The fields that preceding entries gave for the next one.
#[derive(Default)]
struct Overrides {
    name: Option<Vec<u8>>,
    size: Option<u64>,
}

/// An interpreter of headers, one after the other.
pub(super) struct Headers {
    next: Overrides,
    global_size: Option<u64>,
    count: usize,
    most: usize,
}

impl Headers {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { next: Overrides::default(), global_size: None, count: 0, most: limits.max_entries }
    }

    /// Returns the number of headers read so far.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Interprets the header in `block`, at byte `at` of the archive.
    pub(super) fn read<'b>(
        &mut self,
        block: &'b [u8],
        at: usize,
    ) -> Result<Announced<'b>, TarballError> {
        let header =
            Header::parse(block).map_err(|reason| TarballError::Header { offset: at, reason })?;
        self.count += 1;
        if self.count > self.most {
            return Err(TarballError::TooManyEntries { limit: self.most });
        }
        let kind = header.kind();
        if kind.is_in_file_system() {
            return self.entry(&header, kind, at).map(Announced::Entry);
        }
        let size = size_of(&header, at)?;
        if kind == Kind::Other {
            self.next = Overrides::default();
            return Ok(Announced::Nothing { size });
        }
        Ok(Announced::Metadata { kind, size })
    }

    fn entry<'b>(
        &mut self,
        header: &Header<'b>,
        kind: Kind,
        at: usize,
    ) -> Result<Entry<'b>, TarballError> {
        let given = std::mem::take(&mut self.next);
        let name = given.name.map_or_else(|| header.name(), Cow::Owned);
        let folder = kind == Kind::Folder || header.may_be_old_folder() && name.ends_with(b"/");
        let size = match given.size.or(self.global_size) {
            _ if !header.has_body() || (folder && header.may_be_old_folder()) => 0,
            Some(size) => size,
            None => size_of(header, at)?,
        };
        let kind = if folder { Kind::Folder } else { kind };
        Ok(Entry { name, kind, mode: header.mode(), size })
    }

    /// Stores the fields in `text`, the body of a pax header or a long name at byte `at`, for the
    /// following entries.
    pub(super) fn metadata(
        &mut self,
        kind: Kind,
        text: &[u8],
        at: usize,
    ) -> Result<(), TarballError> {
        if text.len() > LONGEST_METADATA {
            return Err(TarballError::Header {
                offset: at,
                reason: "its extended fields are longer than 1 MiB",
            });
        }
        match kind {
            Kind::LongName if !text.is_empty() => {
                let name = until_nul(text);
                if text[name.len()..].iter().any(|byte| *byte != 0) {
                    return Err(nul_in_name(text));
                }
                self.next.name = Some(name.to_vec());
            }
            Kind::Extended => {
                for (key, value) in PaxRecords(text) {
                    match key {
                        b"path" if value.contains(&0) => return Err(nul_in_name(value)),
                        b"path" if !value.is_empty() => self.next.name = Some(value.to_vec()),
                        b"size" => self.next.size = Some(pax_size(value, at)?),
                        _ => {}
                    }
                }
            }
            Kind::Global => {
                for (_, value) in PaxRecords(text).filter(|(key, _)| *key == b"size") {
                    self.global_size = Some(pax_size(value, at)?);
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// Walks an archive in memory from its first header on.
pub(super) struct Reader<'a> {
    archive: &'a [u8],
    offset: usize,
    headers: Headers,
}

impl<'a> Reader<'a> {
    pub(super) fn new(archive: &'a [u8], limits: &Limits) -> Self {
        Self { archive, offset: 0, headers: Headers::new(limits) }
    }

    /// Returns the number of headers read so far.
    pub(super) fn headers(&self) -> usize {
        self.headers.count()
    }

    /// Returns the next entry of the file system, and the position of its contents in the archive;
    /// `None` at the end.
    pub(super) fn next_entry(&mut self) -> Result<Option<(Entry<'a>, Range<usize>)>, TarballError> {
        while let Some(at) = self.next_header()? {
            match self.headers.read(&self.archive[at..at + BLOCK], at)? {
                Announced::Entry(entry) => {
                    let data = self.body(at, entry.size)?;
                    return Ok(Some((entry, data)));
                }
                Announced::Metadata { kind, size } => {
                    let data = self.body(at, size)?;
                    self.headers.metadata(kind, &self.archive[data], at)?;
                }
                Announced::Nothing { size } => {
                    self.body(at, size)?;
                }
            }
        }
        Ok(None)
    }

    /// Returns the position of the next header, past lone zero blocks; `None` at the end of the
    /// archive.
    fn next_header(&mut self) -> Result<Option<usize>, TarballError> {
        let mut zero_blocks = 0;
        while let Some(block) = self.archive.get(self.offset..self.offset + BLOCK) {
            if block.iter().any(|byte| *byte != 0) {
                let at = self.offset;
                self.offset += BLOCK;
                return Ok(Some(at));
            }
            self.offset += BLOCK;
            zero_blocks += 1;
            if zero_blocks == 2 {
                return Ok(None);
            }
        }
        let rest = self.archive.get(self.offset..).unwrap_or_default();
        if rest.iter().any(|byte| *byte != 0) {
            return Err(if self.headers() == 0 {
                TarballError::Unrecognised { bytes: self.archive.len() }
            } else {
                TarballError::Truncated { offset: self.offset }
            });
        }
        Ok(None)
    }

    /// Takes the body of `size` bytes and its padding.
    fn body(&mut self, at: usize, size: u64) -> Result<Range<usize>, TarballError> {
        let start = self.offset;
        let end = usize::try_from(size).ok().and_then(|size| start.checked_add(size));
        let padded = end.and_then(|end| end.checked_next_multiple_of(BLOCK));
        match (end, padded) {
            (Some(end), Some(padded)) if padded <= self.archive.len() => {
                self.offset = padded;
                Ok(start..end)
            }
            _ => Err(TarballError::Truncated { offset: at }),
        }
    }
}

fn size_of(header: &Header<'_>, at: usize) -> Result<u64, TarballError> {
    header.size().ok_or(TarballError::Header { offset: at, reason: "its size is not a number" })
}

fn nul_in_name(name: &[u8]) -> TarballError {
    TarballError::UnsafePath { entry: escaped(name), problem: PathProblem::Nul }
}

fn pax_size(value: &[u8], at: usize) -> Result<u64, TarballError> {
    decimal(value)
        .ok_or(TarballError::Header { offset: at, reason: "its pax size is not a number" })
}

fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |value, digit| match digit {
        b'0'..=b'9' => value.checked_mul(10)?.checked_add(u64::from(digit - b'0')),
        _ => None,
    })
}

/// Returns the `length key=value
/// ` records of a pax header; malformed lines are skipped, as in npm.
struct PaxRecords<'a>(&'a [u8]);

impl<'a> Iterator for PaxRecords<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        while !self.0.is_empty() {
            if let Some((key, value, rest)) = pax_record(self.0) {
                self.0 = rest;
                return Some((key, value));
            }
            let line = self.0.iter().position(|byte| *byte == b'\n');
            self.0 = line.and_then(|end| self.0.get(end + 1..)).unwrap_or_default();
        }
        None
    }
}

fn pax_record(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = text.iter().take(20).position(|byte| *byte == b' ')?;
    let length = usize::try_from(decimal(&text[..space])?).ok()?;
    let record = text.get(space + 1..length)?.strip_suffix(b"\n")?;
    let equals = record.iter().position(|byte| *byte == b'=')?;
    Some((&record[..equals], &record[equals + 1..], &text[length..]))
}
