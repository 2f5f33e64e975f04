//! Answers of other servers without their gzip.

use crate::failure::Failure;
use axum::http::StatusCode;

/// Returns an answer of another server without gzip, of at most `limit` bytes.
pub(crate) fn plain(bytes: &[u8], limit: u64) -> Result<Vec<u8>, Failure> {
    use std::io::Read as _;
    let fault =
        || Failure::new(StatusCode::BAD_GATEWAY, "the answer of another server makes no sense");
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes.to_vec());
    }
    let mut out = Vec::new();
    let mut decoder = flate2::read::MultiGzDecoder::new(bytes).take(limit + 1);
    decoder.read_to_end(&mut out).map_err(|error| fault().detail(error))?;
    if out.len() as u64 > limit { Err(fault().detail("too long")) } else { Ok(out) }
}
