//! Undoing the content encodings of an answer (RFC 9110 §8.4).
//!
//! A label is not believed blindly: servers keep names there that are no encoding (`utf-8`,
//! `aws-chunked`), leave the label when they have undone the encoding, or name the compression that
//! a tarball has by itself.

use std::io::Read;

use dx_pkg_core::buffer::Buffer;
use dx_pkg_fetch::header::{CONTENT_ENCODING, HeaderMap};
use libdeflater::{DecompressionError, Decompressor};

#[cfg(test)]
mod tests;

/// The most that a body may inflate to, in bytes: six times the largest known packument.
pub(super) const LARGEST: usize = 128 << 20;
/// The size in bytes from which packuments are decoded one after the other: few are that large.
pub(super) const LARGE: usize = 8 << 20;
/// The most that a tarball with an encoding may inflate to, in bytes.
pub(super) const LARGEST_TARBALL: usize = 64 << 20;
/// The most that other answers may inflate to, in bytes.
pub(super) const LARGEST_OTHER: usize = 1 << 20;

/// Deflate cannot do better than this.
const BEST_RATIO: usize = 1032;

/// The most encodings that are undone.
const MOST_CODINGS: usize = 4;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
pub(super) const TOO_LARGE: &str = "it inflates to more than 128 MiB, the most that dx reads";
const SMALLEST: usize = 64 << 10;

/// One of the decompressor's functions.
type Inflate = fn(&mut Decompressor, &[u8], &mut [u8]) -> Result<usize, DecompressionError>;

/// An encoding that npm undoes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Gzip,
    Deflate,
    Brotli,
}

/// Returns the encodings of an answer, in the order in which they are to be undone. Names of
/// anything else are skipped, as the body then is what it would be without them.
pub(super) fn codings(headers: &HeaderMap) -> Vec<Coding> {
    let labels = headers.get_all(CONTENT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let mut codings: Vec<_> = labels
        .flat_map(|label| label.split(','))
        .filter_map(|name| match name.trim().to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => Some(Coding::Gzip),
            "deflate" | "x-deflate" => Some(Coding::Deflate),
            "br" => Some(Coding::Brotli),
            _ => None,
        })
        .collect();
    codings.reverse();
    codings.truncate(MOST_CODINGS);
    codings
}

/// Undoes all encodings of a body; `None` where it has none.
///
/// # Errors
/// A sentence for the reader: damaged data, or more than 128 MiB of it.
pub(super) fn undo(
    body: &[u8],
    codings: &[Coding],
    limit: usize,
) -> Result<Option<Buffer>, &'static str> {
    let mut undone = None;
    for coding in codings {
        let outer: &[u8] = undone.as_deref().unwrap_or(body);
        // Both are in memory for a while.
        let room = if undone.is_some() { limit.saturating_sub(outer.len()) } else { limit };
        let inner = inflate(outer, *coding, room)?;
        undone = inner.or(undone);
    }
    Ok(undone)
}

/// Undoes one encoding; `None` for a body that does not have it.
///
/// # Errors
/// As [`undo`].
pub(super) fn inflate(
    body: &[u8],
    coding: Coding,
    limit: usize,
) -> Result<Option<Buffer>, &'static str> {
    match coding {
        Coding::Gzip if is_gzip(body) => gunzip(body, limit).map(Some),
        Coding::Gzip => Ok(None),
        Coding::Deflate if is_zlib(body) => deflated(body, Decompressor::zlib_decompress, limit)?
            .ok_or("its deflate encoding is damaged")
            .map(Some),
        // Neither this nor Brotli has a mark: what cannot be undone is not encoded.
        Coding::Deflate => deflated(body, Decompressor::deflate_decompress, limit),
        Coding::Brotli => unbrotli(body, limit),
    }
}

/// Returns whether a body begins as gzip data does.
pub(super) fn is_gzip(body: &[u8]) -> bool {
    body.starts_with(&GZIP_MAGIC)
}

/// Inflates all members of a gzip body.
fn gunzip(body: &[u8], limit: usize) -> Result<Buffer, &'static str> {
    let damaged = "its gzip encoding is damaged";
    if let Some(whole) = deflated(body, Decompressor::gzip_decompress, limit)?
        && told_length(body) == whole.len() as u32
    {
        return Ok(whole);
    }
    let mut whole = Vec::new();
    flate2::bufread::MultiGzDecoder::new(body)
        .take(limit as u64 + 1)
        .read_to_end(&mut whole)
        .map_err(|_| damaged)?;
    if whole.len() > limit { Err(TOO_LARGE) } else { Ok(Buffer::from(whole)) }
}

/// Returns the length modulo 2^32 that a gzip body ends with (RFC 1952).
fn told_length(body: &[u8]) -> u32 {
    body.last_chunk::<4>().map_or(0, |length| u32::from_le_bytes(*length))
}

/// Returns whether a body begins as zlib data does (RFC 1950 §2.2).
fn is_zlib(body: &[u8]) -> bool {
    matches!(body, [first, second, ..]
        if first & 0x0f == 8 && (u16::from(*first) << 8 | u16::from(*second)) % 31 == 0)
}

/// Inflates with one of the decompressor's functions; `None` for damaged data.
fn deflated(body: &[u8], inflate: Inflate, limit: usize) -> Result<Option<Buffer>, &'static str> {
    // A hint, which a hostile server may choose; only gzip has it.
    let told = if is_gzip(body) { told_length(body) as usize } else { SMALLEST };
    let possible = body.len().saturating_mul(BEST_RATIO).clamp(1, limit);
    let mut out = Buffer::with_length(told.clamp(1, possible));
    loop {
        match inflate(&mut Decompressor::new(), body, out.bytes_mut()) {
            Ok(length) => {
                out.truncate(length);
                return Ok(Some(out));
            }
            Err(DecompressionError::InsufficientSpace) if out.len() < possible => {
                let larger = out.len().saturating_mul(2).max(SMALLEST).min(possible);
                out = Buffer::with_length(larger);
            }
            Err(DecompressionError::InsufficientSpace) => return Err(TOO_LARGE),
            Err(DecompressionError::BadData) => return Ok(None),
        }
    }
}

/// Inflates a Brotli body; `None` for damaged data.
fn unbrotli(body: &[u8], limit: usize) -> Result<Option<Buffer>, &'static str> {
    let mut whole = Vec::new();
    let decoder = brotli_decompressor::Decompressor::new(body, 4096);
    let read = decoder.take(limit as u64 + 1).read_to_end(&mut whole);
    match read {
        Ok(_) if whole.len() > limit => Err(TOO_LARGE),
        Ok(_) => Ok(Some(Buffer::from(whole))),
        Err(_) => Ok(None),
    }
}
