//! Random secrets and the digests under which they are stored.

use crate::failure::Failure;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// Returns `bytes` random bytes in hexadecimal.
pub(crate) fn random_hex(bytes: usize) -> Result<String, Failure> {
    let mut random = vec![0_u8; bytes];
    getrandom::fill(&mut random).map_err(Failure::internal)?;
    Ok(hex(&random))
}

/// Returns a random identifier in the form of a UUID, version 4.
pub(crate) fn random_uuid() -> Result<String, Failure> {
    let mut random = [0_u8; 16];
    getrandom::fill(&mut random).map_err(Failure::internal)?;
    random[6] = random[6] & 0x0f | 0x40;
    random[8] = random[8] & 0x3f | 0x80;
    let text = hex(&random);
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    let parts = [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)];
    Ok(parts.join("-"))
}

/// Returns the SHA-256 of a secret in hexadecimal. Only for secrets of so many random bits that
/// nobody can try them all; passwords have a hash of their own.
pub(crate) fn digest(secret: &str) -> String {
    hex(&Sha256::digest(secret.as_bytes()))
}

/// Returns bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Whether two texts are equal, in a time that does not depend on where they differ.
pub(crate) fn same(one: &str, other: &str) -> bool {
    let differences = one.bytes().zip(other.bytes()).fold(0, |all, (a, b)| all | (a ^ b));
    one.len() == other.len() && differences == 0
}
