//! The header in front of a cached packument. Little-endian:
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 4 | signature `DXH\0` |
//! | 4 | 2 | version, 2 |
//! | 6 | 2 | zero |
//! | 8 | 8 | XXH3-64 of the bytes from offset 16 to the packument |
//! | 16 | 8 | confirmed by the registry, ms since 1970 |
//! | 24 | 8 | fresh until, ms since 1970 |
//! | 32 | 8 | usable while asking until, ms since 1970 |
//! | 40 | 4 | length of the ETag; all ones = none |
//! | 44 | 4 | length of Last-Modified; all ones = none |
//! | 48 | | ETag, Last-Modified (UTF-8), zeros to a multiple of 8, then the DXM bytes, which carry their own checksum |

use dx_pkg_format::FormatError;
use dx_pkg_format::wire::{self, Sections};

use super::Form;

const SIGNATURE: [u8; 4] = *b"DXH\0";
const VERSION: u16 = 2;
const FORMAT: &str = "cached packument";
const FIXED: usize = 48;
const CHECKED_FROM: usize = 16;
const ABSENT: u32 = u32::MAX;

/// What is kept of an answer of the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetadataRecord<'a> {
    /// The packument as DXM bytes.
    pub packument: &'a [u8],
    /// Which form it is.
    pub form: Form,
    /// The registry's `ETag`.
    pub etag: Option<&'a str>,
    /// The registry's `Last-Modified`.
    pub last_modified: Option<&'a str>,
    /// When the registry confirmed it, in milliseconds since 1970.
    pub fetched_ms: u64,
    /// Until when it may be used without asking, in milliseconds since 1970.
    pub fresh_until_ms: u64,
    /// Until when it may be used while it is being asked whether it is current, in milliseconds since 1970.
    pub stale_until_ms: u64,
}

pub(super) struct Header<'a> {
    pub(super) etag: Option<&'a str>,
    pub(super) last_modified: Option<&'a str>,
    pub(super) fetched_ms: u64,
    pub(super) fresh_until_ms: u64,
    pub(super) stale_until_ms: u64,
    pub(super) length: usize,
}

impl MetadataRecord<'_> {
    /// What stands before the packument.
    pub(super) fn header(&self) -> Vec<u8> {
        let texts = [self.etag, self.last_modified];
        let mut out = Vec::with_capacity(FIXED + 256);
        out.extend_from_slice(&SIGNATURE);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.resize(CHECKED_FROM, 0);
        for time in [self.fetched_ms, self.fresh_until_ms, self.stale_until_ms] {
            out.extend_from_slice(&time.to_le_bytes());
        }
        for text in texts {
            out.extend_from_slice(&text.map_or(ABSENT, |text| text.len() as u32).to_le_bytes());
        }
        for text in texts.into_iter().flatten() {
            out.extend_from_slice(text.as_bytes());
        }
        out.resize(out.len().next_multiple_of(8), 0);
        let checksum = wire::checksum(out.get(CHECKED_FROM..).unwrap_or_default());
        if let Some(field) = out.get_mut(8..16) {
            field.copy_from_slice(&checksum.to_le_bytes());
        }
        out
    }
}

pub(super) fn decode(bytes: &[u8]) -> Result<Header<'_>, FormatError> {
    wire::check_format(bytes, FORMAT, SIGNATURE, VERSION)?;
    let mut sections = Sections::new(FORMAT, 0, bytes.len());
    sections.next(1, FIXED as u64)?;
    let mut text = |offset| -> Result<Option<&str>, FormatError> {
        let length = wire::u32_at(bytes, offset);
        if length == ABSENT {
            return Ok(None);
        }
        let text = bytes.get(sections.next(length.into(), 1)?).unwrap_or_default();
        let damaged = FormatError::Corrupt { format: FORMAT, what: "a validator is not UTF-8" };
        std::str::from_utf8(text).map(Some).map_err(|_| damaged)
    };
    let (etag, last_modified) = (text(40)?, text(44)?);
    let padding = sections.position().next_multiple_of(8) - sections.position();
    let length = sections.next(padding, 1)?.end;
    let checked = bytes.get(CHECKED_FROM..length).unwrap_or_default();
    if wire::u16_at(bytes, 6) != 0 || wire::checksum(checked) != wire::u64_at(bytes, 8) {
        return Err(FormatError::Checksum { format: FORMAT, part: "header" });
    }
    Ok(Header {
        etag,
        last_modified,
        fetched_ms: wire::u64_at(bytes, 16),
        fresh_until_ms: wire::u64_at(bytes, 24),
        stale_until_ms: wire::u64_at(bytes, 32),
        length,
    })
}

#[cfg(test)]
mod tests;
