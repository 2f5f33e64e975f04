//! Digests of contents that cost a tenth of BLAKE3.

use std::fmt;
use std::sync::Arc;

use twox_hash::xxhash3_128::{Hasher, RawHasher, SecretBuffer};

/// The length of XXH3's own secret in bytes.
const SECRET: usize = 192;
/// The number of bytes before the contents: XXH3 applies its secret only to more than 240.
const PREFIX: usize = 256;

/// What makes provisional digests a store's own: without it nobody can make contents that have the
/// digest of others.
#[derive(Clone)]
pub struct DigestSecret(Arc<[u8; DigestSecret::LENGTH]>);

impl DigestSecret {
    /// The length in bytes.
    pub const LENGTH: usize = SECRET + PREFIX;

    /// Makes a secret of random bytes.
    #[must_use]
    pub fn new(bytes: [u8; Self::LENGTH]) -> Self {
        Self(Arc::new(bytes))
    }

    fn hasher(&self) -> Option<RawHasher<[u8; SECRET]>> {
        let (secret, prefix) = self.0.split_first_chunk()?;
        let mut hasher = RawHasher::new(SecretBuffer::new(0, *secret).ok()?);
        hasher.write(prefix);
        Some(hasher)
    }
}

/// Shows nothing of the secret.
impl fmt::Debug for DigestSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DigestSecret")
    }
}

/// The XXH3-128 of contents, little-endian, then zeros.
///
/// With a secret it is that of the secret's last 256 bytes and the contents, under its first 192
/// bytes. Without one it detects damage and proves nothing about the origin.
#[derive(Clone)]
pub struct ProvisionalDigest(State);

#[derive(Clone)]
enum State {
    Keyed(RawHasher<[u8; SECRET]>),
    Unkeyed(Hasher),
}

impl ProvisionalDigest {
    /// Begins a digest under a secret.
    #[must_use]
    pub fn new(secret: &DigestSecret) -> Self {
        Self(secret.hasher().map_or_else(|| State::Unkeyed(Hasher::new()), State::Keyed))
    }

    /// Begins a digest without a secret, as earlier versions recorded them.
    #[must_use]
    pub fn unkeyed() -> Self {
        Self(State::Unkeyed(Hasher::new()))
    }

    /// Returns the digest of `contents` under a secret.
    #[must_use]
    pub fn of(contents: &[u8], secret: &DigestSecret) -> [u8; 32] {
        let mut digest = Self::new(secret);
        digest.update(contents);
        digest.finish()
    }

    /// Adds the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Keyed(hasher) => hasher.write(bytes),
            State::Unkeyed(hasher) => hasher.write(bytes),
        }
    }

    /// Returns the digest of all bytes added.
    #[must_use]
    pub fn finish(&self) -> [u8; 32] {
        let hash = match &self.0 {
            State::Keyed(hasher) => hasher.finish_128(),
            State::Unkeyed(hasher) => hasher.finish_128(),
        };
        let mut digest = [0; 32];
        let (place, _) = digest.split_at_mut(16);
        place.copy_from_slice(&hash.to_le_bytes());
        digest
    }
}

impl fmt::Debug for ProvisionalDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ProvisionalDigest").field(&self.finish()).finish()
    }
}

#[cfg(test)]
mod tests;
