//! Decompression of a `.tgz` into one buffer.
//!
//! gzip is RFC 1952. Its last four bytes hold the length of the last member modulo 2³². That is a
//! hint for one allocation and never trusted: it is capped by the limits and by what DEFLATE can
//! produce, and the buffer grows when it was too small.

use std::io::Read;

use dx_pkg_core::buffer::Buffer;

use super::{Limits, TarballError};

pub(super) const MAGIC: [u8; 2] = [0x1f, 0x8b];
const HEADER: usize = 10;
const TRAILER: usize = 8;
const DEFLATE: u8 = 8;
/// DEFLATE's best ratio: it spends at least two bits on 258 bytes.
const DEFLATE_MAX_RATIO: u64 = 1032;
const SMALLEST_BUFFER: usize = 64 * 1024;

/// Decompresses a complete `tgz`; data that is not gzip is returned as it is, for it may be a plain
/// tar archive.
pub(super) fn inflate(tgz: &[u8], limits: &Limits) -> Result<Buffer, TarballError> {
    let ceiling = Ceiling::new(tgz.len(), limits);
    if !tgz.starts_with(&MAGIC) {
        if tgz.len() > ceiling.bytes {
            return Err(ceiling.passed());
        }
        return Ok(tgz.to_vec().into());
    }
    let body =
        deflate_start(tgz).ok_or(TarballError::Gzip { reason: "its gzip header is damaged" })?;
    let Some(trailer_at) = tgz.len().checked_sub(TRAILER).filter(|at| *at >= body) else {
        return Err(TarballError::Gzip { reason: "it ends within its gzip header" });
    };
    let (stream, trailer) = (&tgz[body..trailer_at], &tgz[trailer_at..]);
    let (crc, length) = (le32(&trailer[..4]), le32(&trailer[4..]));
    let inflated = inflate_stream(stream, length, &ceiling)?;
    // The format keeps the low 32 bits.
    if inflated.len() as u32 == length && libdeflater::crc32(&inflated) == crc {
        return Ok(inflated);
    }
    drop(inflated);
    inflate_members(tgz, &ceiling).map(Buffer::from)
}

/// Returns the length that `tgz` states, modulo 2³²; `None` for data that is not gzip.
pub(super) fn told_length(tgz: &[u8]) -> Option<u32> {
    tgz.last_chunk::<4>()
        .filter(|_| tgz.starts_with(&MAGIC))
        .map(|length| u32::from_le_bytes(*length))
}

/// The largest allowed size of a tarball, and the limit that it follows from.
struct Ceiling {
    bytes: usize,
    compressed: usize,
    by_ratio: bool,
}

impl Ceiling {
    fn new(compressed: usize, limits: &Limits) -> Self {
        let plausible =
            (compressed as u64).saturating_mul(limits.max_ratio).max(limits.ratio_floor);
        Self {
            bytes: usize::try_from(plausible.min(limits.max_bytes)).unwrap_or(usize::MAX),
            compressed,
            by_ratio: plausible < limits.max_bytes,
        }
    }

    fn passed(&self) -> TarballError {
        let limit = self.bytes as u64;
        if self.by_ratio {
            TarballError::Ratio { compressed: self.compressed, limit }
        } else {
            TarballError::TooLarge { limit }
        }
    }
}

/// Decompresses the one DEFLATE stream that `stream` begins with.
fn inflate_stream(stream: &[u8], expected: u32, ceiling: &Ceiling) -> Result<Buffer, TarballError> {
    let possible = (stream.len() as u64).saturating_mul(DEFLATE_MAX_RATIO);
    let expected = usize::try_from(u64::from(expected).min(possible)).unwrap_or(usize::MAX);
    let mut size = expected.min(ceiling.bytes);
    let mut decompressor = libdeflater::Decompressor::new();
    loop {
        let mut buffer = Buffer::with_length(size);
        match decompressor.deflate_decompress(stream, buffer.bytes_mut()) {
            Ok(length) => {
                buffer.truncate(length);
                return Ok(buffer);
            }
            Err(libdeflater::DecompressionError::InsufficientSpace) if size < ceiling.bytes => {
                size = size.saturating_mul(2).max(SMALLEST_BUFFER).min(ceiling.bytes);
            }
            Err(libdeflater::DecompressionError::InsufficientSpace) => return Err(ceiling.passed()),
            Err(libdeflater::DecompressionError::BadData) => {
                return Err(TarballError::Gzip {
                    reason: "its compressed data is damaged or cut short",
                });
            }
        }
    }
}

/// Decompresses every member of a gzip file, and allows zeros after the last as padding.
fn inflate_members(tgz: &[u8], ceiling: &Ceiling) -> Result<Vec<u8>, TarballError> {
    let mut rest = tgz;
    let mut inflated = Vec::new();
    while rest.starts_with(&MAGIC) {
        let room = (ceiling.bytes - inflated.len()) as u64;
        flate2::bufread::GzDecoder::new(&mut rest)
            .take(room.saturating_add(1))
            .read_to_end(&mut inflated)
            .map_err(|_| TarballError::Gzip {
                reason: "its compressed data or checksum is damaged",
            })?;
        if inflated.len() > ceiling.bytes {
            return Err(ceiling.passed());
        }
    }
    if rest.iter().any(|byte| *byte != 0) {
        return Err(TarballError::Gzip {
            reason: "something that is not gzip follows its gzip stream",
        });
    }
    Ok(inflated)
}

/// Returns the start of the first gzip member's DEFLATE stream.
fn deflate_start(gzip: &[u8]) -> Option<usize> {
    const HEADER_CRC: u8 = 1 << 1;
    const EXTRA: u8 = 1 << 2;
    const NAME: u8 = 1 << 3;
    const COMMENT: u8 = 1 << 4;
    const RESERVED: u8 = 0xe0;

    let flags = *gzip.get(3)?;
    if gzip.get(2) != Some(&DEFLATE) || flags & RESERVED != 0 {
        return None;
    }
    let mut at = HEADER;
    if flags & EXTRA != 0 {
        let length = gzip.get(at..at + 2)?;
        at += 2 + usize::from(u16::from_le_bytes([length[0], length[1]]));
    }
    for text in [NAME, COMMENT] {
        if flags & text != 0 {
            at += gzip.get(at..)?.iter().position(|byte| *byte == 0)? + 1;
        }
    }
    if flags & HEADER_CRC != 0 {
        at += 2;
    }
    (at <= gzip.len()).then_some(at)
}

fn le32(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |value, byte| value << 8 | u32::from(*byte))
}
