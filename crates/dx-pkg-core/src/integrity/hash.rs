//! A digest with its algorithm.

use std::fmt;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

use crate::hex::decode_hex;

/// Standard Base64, written with padding. It is read with and without, and bits after the last byte
/// are ignored.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The algorithms an integrity may use, weakest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum HashAlgorithm {
    /// SHA-1, the only algorithm of the oldest packages.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512, npm's default.
    Sha512,
}

/// A digest with its algorithm.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash {
    algorithm: HashAlgorithm,
    /// The digest, then zeros.
    bytes: [u8; 64],
}

impl HashAlgorithm {
    pub(super) fn from_name(name: &str) -> Option<Self> {
        match name {
            "sha1" => Some(Self::Sha1),
            "sha256" => Some(Self::Sha256),
            "sha384" => Some(Self::Sha384),
            "sha512" => Some(Self::Sha512),
            _ => None,
        }
    }

    /// Returns the name in an integrity, such as `sha512`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// Returns the length of a digest in bytes.
    const fn digest_length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

impl Hash {
    /// Returns the hash of the bytes.
    pub fn of(algorithm: HashAlgorithm, bytes: &[u8]) -> Self {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(bytes);
        hasher.finish()
    }

    /// Returns the algorithm.
    pub const fn algorithm(&self) -> HashAlgorithm {
        self.algorithm
    }

    /// Returns the digest, of the algorithm's length.
    pub fn digest(&self) -> &[u8] {
        &self.bytes[..self.algorithm.digest_length()]
    }

    /// Returns the hash of a digest in Base64; `None` if it is not one of the algorithm's.
    pub(super) fn from_base64(algorithm: HashAlgorithm, digest: &str) -> Option<Self> {
        // Longer than any digest, so that a digest that is too long is refused.
        let mut decoded = [0; 66];
        let length = BASE64.decode_slice(digest, &mut decoded).ok()?;
        let mut bytes = [0; 64];
        bytes.get_mut(..length)?.copy_from_slice(&decoded[..length]);
        (length == algorithm.digest_length()).then_some(Self { algorithm, bytes })
    }

    /// Returns the hash of a digest in lower-case hexadecimal; `None` if it is not one of the
    /// algorithm's.
    pub(super) fn from_hex(algorithm: HashAlgorithm, digest: &str) -> Option<Self> {
        let mut bytes = [0; 64];
        decode_hex(digest, &mut bytes[..algorithm.digest_length()])
            .then_some(Self { algorithm, bytes })
    }

    fn new(algorithm: HashAlgorithm, digest: &[u8]) -> Self {
        let mut bytes = [0; 64];
        bytes[..digest.len()].copy_from_slice(digest);
        Self { algorithm, bytes }
    }
}

impl fmt::Display for HashAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.algorithm, BASE64.encode(self.digest()))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

/// A hash calculation in progress.
pub(super) enum Hasher {
    Sha1(Sha1),
    Sha256(Sha256),
    Sha384(Sha384),
    Sha512(Sha512),
}

impl Hasher {
    pub(super) fn new(algorithm: HashAlgorithm) -> Self {
        match algorithm {
            HashAlgorithm::Sha1 => Self::Sha1(Sha1::new()),
            HashAlgorithm::Sha256 => Self::Sha256(Sha256::new()),
            HashAlgorithm::Sha384 => Self::Sha384(Sha384::new()),
            HashAlgorithm::Sha512 => Self::Sha512(Sha512::new()),
        }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha1(hasher) => hasher.update(bytes),
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha384(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
        }
    }

    pub(super) fn finish(self) -> Hash {
        match self {
            Self::Sha1(hasher) => Hash::new(HashAlgorithm::Sha1, &hasher.finalize()),
            Self::Sha256(hasher) => Hash::new(HashAlgorithm::Sha256, &hasher.finalize()),
            Self::Sha384(hasher) => Hash::new(HashAlgorithm::Sha384, &hasher.finalize()),
            Self::Sha512(hasher) => Hash::new(HashAlgorithm::Sha512, &hasher.finalize()),
        }
    }
}
