//! The header in front of a packument in a file of its own, as the cache had them before there were
//! packs. Such files are still read, and taken over. Little-endian:
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 4 | signature `DXH\0` |
//! | 4 | 2 | version, 3 |
//! | 6 | 2 | zero |
//! | 8 | 8 | XXH3-64 of the bytes from offset 16 to the packument |
//! | 16 | 8 | confirmed by the registry, ms since 1970 |
//! | 24 | 8 | fresh until, ms since 1970 |
//! | 32 | 8 | usable during revalidation until, ms since 1970 |
//! | 40 | 8 | digest of the credential it was confirmed for; 0 without one |
//! | 48 | 4 | length of the ETag; all ones = none |
//! | 52 | 4 | length of Last-Modified; all ones = none |
//! | 56 | | ETag, Last-Modified (UTF-8), zeros to a multiple of 8 |
//!
//! The DXM bytes follow, which have their own checksum.

use dx_pkg_format::wire::{self, Frame, Reader};

use super::answer::Answer;

const SIGNATURE: [u8; 4] = *b"DXH\0";
const VERSION: u16 = 3;
const FRAME: Frame = Frame { format: "cached packument", signature: SIGNATURE, version: VERSION };
const ABSENT: u32 = u32::MAX;

/// Encodes the header.
#[cfg(test)]
pub(crate) fn encode(answer: &Answer<&str>) -> Vec<u8> {
    let texts = [answer.etag, answer.last_modified];
    let mut out = FRAME.begin(256);
    let times = [answer.fetched_ms, answer.fresh_until_ms, answer.stale_until_ms];
    for number in times.into_iter().chain([answer.credential]) {
        out.u64(number);
    }
    out.words(texts.map(|text| text.map_or(ABSENT, |text| text.len() as u32)));
    for text in texts.into_iter().flatten() {
        out.bytes(text.as_bytes());
    }
    out.zeros_to(out.len().next_multiple_of(8));
    Frame::finish(out)
}

/// Decodes the header in front of a packument; returns its length in bytes too. `None` if it is
/// damaged.
pub(crate) fn decode(bytes: &[u8]) -> Option<(Answer<&str>, usize)> {
    FRAME.check_version(bytes).ok()?;
    let mut reader = Reader::new(bytes.get(Frame::SIZE..)?);
    let [fetched_ms, fresh_until_ms, stale_until_ms, credential] =
        [reader.u64()?, reader.u64()?, reader.u64()?, reader.u64()?];
    let lengths = [reader.u32()?, reader.u32()?];
    let mut text = |length| match length {
        ABSENT => Some(None),
        length => std::str::from_utf8(reader.bytes(length as usize)?).ok().map(Some),
    };
    let (etag, last_modified) = (text(lengths[0])?, text(lengths[1])?);
    let end = bytes.len() - reader.rest().len();
    let length = end.next_multiple_of(8);
    FRAME.check_checksum(bytes.get(..length)?, "header").ok()?;
    let is_padding_zero = bytes.get(end..length)?.iter().all(|byte| *byte == 0);
    let answer =
        Answer { etag, last_modified, fetched_ms, fresh_until_ms, stale_until_ms, credential };
    (is_padding_zero && wire::u16_at(bytes, 6) == 0).then_some((answer, length))
}

#[cfg(test)]
mod tests;
