//! The members of a gzip file, one after the other, inflated within limits that are counted
//! meanwhile.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

use super::error::StreamError;
use super::inflate::MAGIC;
use super::{Limits, TarballError};

/// The inflated bytes of a source: of all its gzip members, or the source itself where that is not
/// compressed.
pub(super) struct Members<R: BufRead> {
    state: State<R>,
}

enum State<R: BufRead> {
    New(Counted<R>),
    Gzip(Box<GzDecoder<Counted<R>>>),
    Plain(Counted<R>),
    /// Behind the last member, where there may be zeros.
    Behind(Counted<R>),
    /// A read failed.
    Lost,
}

impl<R: BufRead> Members<R> {
    pub(super) fn new(source: R) -> Self {
        let source = Counted { source, consumed: 0, failure: None };
        Self { state: State::New(source) }
    }

    fn source(&self) -> Option<&Counted<R>> {
        match &self.state {
            State::Gzip(decoder) => Some(decoder.get_ref()),
            State::New(source) | State::Plain(source) | State::Behind(source) => Some(source),
            State::Lost => None,
        }
    }

    fn source_mut(&mut self) -> Option<&mut Counted<R>> {
        match &mut self.state {
            State::Gzip(decoder) => Some(decoder.get_mut()),
            State::New(source) | State::Plain(source) | State::Behind(source) => Some(source),
            State::Lost => None,
        }
    }

    /// Goes on behind a member: to the next one, or to the padding.
    fn next_member(&mut self) -> io::Result<()> {
        let state = std::mem::replace(&mut self.state, State::Lost);
        let mut source = match state {
            State::Gzip(decoder) => decoder.into_inner(),
            other => {
                self.state = other;
                return Ok(());
            }
        };
        let first = source.fill_buf().map(|rest| rest.first().copied());
        self.state = match first {
            Ok(Some(byte)) if byte == MAGIC[0] => State::Gzip(Box::new(GzDecoder::new(source))),
            _ => State::Behind(source),
        };
        first.map(drop)
    }
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match &mut self.state {
                State::New(source) => {
                    let is_gzip = source.fill_buf()?.first() == Some(&MAGIC[0]);
                    if let State::New(source) = std::mem::replace(&mut self.state, State::Lost) {
                        self.state = if is_gzip {
                            State::Gzip(Box::new(GzDecoder::new(source)))
                        } else {
                            State::Plain(source)
                        };
                    }
                }
                State::Plain(source) => return source.read(buffer),
                State::Gzip(decoder) => match decoder.read(buffer)? {
                    0 => self.next_member()?,
                    read => return Ok(read),
                },
                State::Behind(source) => {
                    let rest = source.fill_buf()?;
                    if rest.is_empty() {
                        return Ok(0);
                    }
                    if rest.iter().any(|byte| *byte != 0) {
                        return Err(io::Error::new(io::ErrorKind::InvalidData, TRAILING));
                    }
                    let padding = rest.len();
                    source.consume(padding);
                }
                State::Lost => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
    }
}

const TRAILING: &str = "something that is not gzip follows its gzip stream";
const DAMAGED: &str = "its compressed data or checksum is damaged";
const CUT: &str = "its compressed data is damaged or cut short";

/// A source whose bytes are counted, and whose failure is kept.
struct Counted<R> {
    source: R,
    consumed: u64,
    failure: Option<io::Error>,
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let failure = &mut self.failure;
        self.source.fill_buf().map_err(|error| {
            let kind = error.kind();
            *failure = Some(error);
            kind.into()
        })
    }

    fn consume(&mut self, amount: usize) {
        self.consumed += amount as u64;
        self.source.consume(amount);
    }
}

/// Members within the limits on inflated bytes and on their ratio to the compressed bytes so far.
pub(super) struct Ceiling<R: BufRead> {
    members: Members<R>,
    inflated: u64,
    max_bytes: u64,
    max_ratio: u64,
    ratio_floor: u64,
    passed: Option<TarballError>,
}

impl<R: BufRead> Ceiling<R> {
    pub(super) fn new(members: Members<R>, limits: &Limits) -> Self {
        let Limits { max_bytes, max_ratio, ratio_floor, .. } = *limits;
        Self { members, inflated: 0, max_bytes, max_ratio, ratio_floor, passed: None }
    }

    pub(super) fn inflated(&self) -> u64 {
        self.inflated
    }

    /// Returns whether the source failed, or a limit was passed.
    pub(super) fn has_failed(&self) -> bool {
        let source = self.members.source();
        self.passed.is_some() || source.is_none_or(|source| source.failure.is_some())
    }

    pub(super) fn into_source(self) -> Option<R> {
        match self.members.state {
            State::Gzip(decoder) => Some(decoder.into_inner().source),
            State::New(source) | State::Plain(source) | State::Behind(source) => {
                Some(source.source)
            }
            State::Lost => None,
        }
    }

    /// Returns the error behind a failed read.
    pub(super) fn explain(&mut self, error: io::Error) -> StreamError {
        if let Some(passed) = self.passed.clone() {
            return passed.into();
        }
        if let Some(failure) = self.members.source_mut().and_then(|source| source.failure.take()) {
            return StreamError::Source(failure);
        }
        let reason = match error.kind() {
            io::ErrorKind::UnexpectedEof => CUT,
            _ if error.to_string() == TRAILING => TRAILING,
            _ => DAMAGED,
        };
        TarballError::Gzip { reason }.into()
    }

    fn check(&mut self) -> io::Result<()> {
        let compressed = self.members.source().map_or(0, |source| source.consumed);
        let plausible = compressed.saturating_mul(self.max_ratio).max(self.ratio_floor);
        self.passed = if self.inflated > self.max_bytes {
            Some(TarballError::TooLarge { limit: self.max_bytes })
        } else if self.inflated > plausible {
            let compressed = usize::try_from(compressed).unwrap_or(usize::MAX);
            Some(TarballError::Ratio { compressed, limit: plausible })
        } else {
            return Ok(());
        };
        Err(io::Error::other("there is more of it than is allowed"))
    }
}

impl<R: BufRead> Read for Ceiling<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.members.read(buffer)?;
        self.inflated += read as u64;
        self.check()?;
        Ok(read)
    }
}
