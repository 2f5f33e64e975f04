//! Subresource integrity as npm writes it (`sha512-<base64>`), and checking bytes against it.
//!
//! Source: W3C Subresource Integrity. Of several hashes those of the strongest algorithm count, and
//! one of them must match. MD5 and unknown algorithms are ignored.

mod hash;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::Coded;
use hash::Hasher;
pub use hash::{Hash, HashAlgorithm};

/// One or more hashes of the same bytes; cloning increments a reference count.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Integrity {
    /// The hashes, at least one, without duplicates: strongest algorithm first, then in the order
    /// given.
    hashes: Arc<[Hash]>,
}

/// The reason why a text is not an integrity.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum IntegrityError {
    /// The text holds no hash of SHA-1, SHA-256, SHA-384 or SHA-512.
    #[error(
        "the integrity {text:?} holds no hash that can be checked (sha512, sha384, sha256 or sha1)"
    )]
    NoUsableHash {
        /// The text as given.
        text: Box<str>,
    },
    /// A hash of a known algorithm has a digest that algorithm cannot produce.
    #[error(
        "the integrity {text:?} is damaged: a digest is not Base64, or not of its algorithm's length"
    )]
    MalformedDigest {
        /// The text as given.
        text: Box<str>,
    },
    /// A `shasum` is not 40 hexadecimal digits.
    #[error("the shasum {text:?} is damaged: expected 40 hexadecimal digits")]
    MalformedShasum {
        /// The text as given.
        text: Box<str>,
    },
}

impl Coded for IntegrityError {
    fn code(&self) -> &'static str {
        "DX_INVALID_INTEGRITY"
    }
}

/// Bytes that do not match their integrity.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("integrity check failed: expected {expected}, got {actual}")]
pub struct IntegrityMismatch {
    /// The expected integrity.
    pub expected: Integrity,
    /// The hash of the bytes, in the strongest algorithm of `expected`.
    pub actual: Hash,
}

impl Coded for IntegrityMismatch {
    fn code(&self) -> &'static str {
        "DX_INTEGRITY_MISMATCH"
    }

    fn hint(&self) -> Option<String> {
        Some("the bytes are not those that were published or locked; do not install them before you know why".into())
    }
}

impl Integrity {
    /// Parses the space-separated hashes of an `integrity` field; options after `?` are ignored.
    pub fn parse(text: &str) -> Result<Self, IntegrityError> {
        let mut hashes: Vec<Hash> = Vec::with_capacity(1);
        for entry in text.split_ascii_whitespace() {
            let Some((algorithm, digest)) = entry.split_once('-') else {
                continue;
            };
            let Some(algorithm) = HashAlgorithm::from_name(algorithm) else {
                continue;
            };
            let digest = digest.split_once('?').map_or(digest, |(digest, _)| digest);
            let hash = Hash::from_base64(algorithm, digest)
                .ok_or_else(|| IntegrityError::MalformedDigest { text: text.into() })?;
            if !hashes.contains(&hash) {
                hashes.push(hash);
            }
        }
        if hashes.is_empty() {
            return Err(IntegrityError::NoUsableHash { text: text.into() });
        }
        hashes.sort_by_key(|hash| std::cmp::Reverse(hash.algorithm()));
        Ok(Self { hashes: hashes.into() })
    }

    /// Returns the integrity of a packument's `shasum`: SHA-1 in hexadecimal, of either case.
    pub fn from_shasum_hex(shasum: &str) -> Result<Self, IntegrityError> {
        Hash::from_hex(HashAlgorithm::Sha1, &shasum.to_ascii_lowercase())
            .map(Self::from)
            .ok_or_else(|| IntegrityError::MalformedShasum { text: shasum.into() })
    }

    /// Returns the SHA-512 integrity of the bytes.
    pub fn sha512_of(bytes: &[u8]) -> Self {
        Hash::of(HashAlgorithm::Sha512, bytes).into()
    }

    /// Returns the first hash of the strongest algorithm.
    pub fn strongest(&self) -> &Hash {
        &self.hashes[0]
    }

    /// Returns all hashes, strongest algorithm first.
    pub fn hashes(&self) -> &[Hash] {
        &self.hashes
    }

    /// Returns the hashes of the strongest algorithm, any of which may match.
    pub(crate) fn acceptable(&self) -> &[Hash] {
        let strongest = self.strongest().algorithm();
        let count = self.hashes.iter().take_while(|hash| hash.algorithm() == strongest).count();
        &self.hashes[..count]
    }

    /// Checks that the bytes match.
    pub fn verify(&self, bytes: &[u8]) -> Result<(), IntegrityMismatch> {
        self.judge(Hash::of(self.strongest().algorithm(), bytes))
    }

    /// Returns a checker for bytes that arrive in chunks.
    pub fn checker(&self) -> Checker {
        Checker { expected: self.clone(), hasher: Hasher::new(self.strongest().algorithm()) }
    }

    fn judge(&self, actual: Hash) -> Result<(), IntegrityMismatch> {
        if self.acceptable().contains(&actual) {
            Ok(())
        } else {
            Err(IntegrityMismatch { expected: self.clone(), actual })
        }
    }
}

/// A check of bytes that arrive in chunks.
pub struct Checker {
    expected: Integrity,
    hasher: Hasher,
}

impl Checker {
    /// Adds the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
    }

    /// Checks that all bytes added match.
    pub fn finish(self) -> Result<(), IntegrityMismatch> {
        self.expected.judge(self.hasher.finish())
    }
}

/// The SHA-512 of bytes that arrive in chunks.
pub struct Sha512Digest(Hasher);

impl Sha512Digest {
    /// Adds the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Returns the integrity of all bytes added.
    pub fn finish(self) -> Integrity {
        self.0.finish().into()
    }
}

impl Default for Sha512Digest {
    fn default() -> Self {
        Self(Hasher::new(HashAlgorithm::Sha512))
    }
}

impl From<Hash> for Integrity {
    fn from(hash: Hash) -> Self {
        Self { hashes: Arc::new([hash]) }
    }
}

impl FromStr for Integrity {
    type Err = IntegrityError;

    fn from_str(text: &str) -> Result<Self, IntegrityError> {
        Self::parse(text)
    }
}

impl fmt::Display for Integrity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, hash) in self.hashes.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            write!(f, "{hash}")?;
        }
        Ok(())
    }
}
