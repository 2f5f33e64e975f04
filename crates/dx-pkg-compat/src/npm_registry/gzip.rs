//! Undoing `Content-Encoding: gzip` of a whole body.

use libdeflater::{DecompressionError, Decompressor};

use dx_pkg_core::buffer::Buffer;

/// The most a document may inflate to, in bytes.
const LARGEST: usize = 1 << 30;

/// Deflate cannot do better than this.
const BEST_RATIO: usize = 1032;

/// Inflates one gzip member.
///
/// # Errors
/// A sentence for the reader: damaged data, or more than 1 GiB of it.
pub(super) fn inflate(zipped: &[u8]) -> Result<Buffer, &'static str> {
    // The last four bytes tell the length modulo 2^32 (RFC 1952), which a hostile server may
    // choose.
    let told = match zipped.last_chunk::<4>() {
        Some(length) => u32::from_le_bytes(*length) as usize,
        None => 0,
    };
    let possible = zipped.len().saturating_mul(BEST_RATIO).min(LARGEST);
    let mut out = Buffer::with_length(told.clamp(1, possible.max(1)));
    loop {
        match Decompressor::new().gzip_decompress(zipped, out.bytes_mut()) {
            Ok(length) => {
                out.truncate(length);
                return Ok(out);
            }
            Err(DecompressionError::InsufficientSpace) if out.len() < possible => {
                let larger = out.len().saturating_mul(2).min(possible);
                out = Buffer::with_length(larger);
            }
            Err(DecompressionError::InsufficientSpace) => {
                return Err("it inflates to more than 1 GiB");
            }
            Err(DecompressionError::BadData) => return Err("its gzip encoding is damaged"),
        }
    }
}
