//! The id of a package's contents in dx's store: 32 bytes derived from its integrity.

#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use sha2::{Digest, Sha256};

use crate::hex::decode_hex;
use crate::integrity::{Hash, HashAlgorithm, Integrity};

/// Identifies the bytes of a package, whatever its name, derived from its integrity.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageId([u8; 32]);

impl PackageId {
    /// Returns the id of the bytes that match the integrity: the first half of its strongest
    /// digest, if there is only one.
    ///
    /// A SHA-1 digest is hashed, so that it cannot be made to collide with the half of another.
    /// Several digests of the strongest algorithm are hashed together, so that bytes that match
    /// only one of them cannot take another's id.
    pub fn from_integrity(integrity: &Integrity) -> Self {
        match integrity.acceptable() {
            [only] if only.algorithm() != HashAlgorithm::Sha1 => {
                let mut id = [0; 32];
                id.copy_from_slice(&only.digest()[..32]);
                Self(id)
            }
            acceptable => Self::hashed(acceptable),
        }
    }

    /// Returns the id from the text of an integrity that is one SHA-512 digest, as nearly all are;
    /// `None` for any other.
    pub fn from_sha512_text(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("sha512-").filter(|digits| digits.len() == 88)?;
        let mut digest = [0; 66];
        let length =
            base64::engine::general_purpose::STANDARD.decode_slice(digits, &mut digest).ok()?;
        digest.first_chunk().filter(|_| length == 64).map(|id| Self(*id))
    }

    fn hashed(acceptable: &[Hash]) -> Self {
        let mut acceptable: Vec<&Hash> = acceptable.iter().collect();
        acceptable.sort_by_key(|hash| hash.digest());
        let mut hasher = Sha256::new();
        for hash in acceptable {
            hasher.update(format!("dx-{}:", hash.algorithm()));
            hasher.update(hash.digest());
        }
        Self(hasher.finalize().into())
    }

    /// Returns the id of this package with a patch applied, of which `digest` is the integrity as
    /// text. Another way of applying patches would need another name in it.
    #[must_use]
    pub fn patched(self, digest: &str) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(b"dx-patched-1:");
        hasher.update(self.0);
        hasher.update(digest);
        Self(hasher.finalize().into())
    }

    /// Returns the id with these bytes, which were read from a file that dx wrote.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns the first byte, which names the id's folder in the store.
    pub const fn first_byte(&self) -> u8 {
        self.0[0]
    }

    /// Returns the id as 64 lower-case hexadecimal digits.
    pub fn hex(&self) -> [u8; 64] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut hex = [0; 64];
        for (pair, byte) in hex.chunks_exact_mut(2).zip(self.0) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        hex
    }

    /// Returns the id of 64 lower-case hexadecimal digits; `None` for anything else.
    pub fn from_hex(hex: &str) -> Option<Self> {
        let mut id = [0; 32];
        decode_hex(hex, &mut id).then_some(Self(id))
    }
}

impl FromStr for PackageId {
    type Err = ();

    fn from_str(hex: &str) -> Result<Self, ()> {
        Self::from_hex(hex).ok_or(())
    }
}

impl fmt::Display for PackageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(str::from_utf8(&self.hex()).unwrap_or_default())
    }
}

impl fmt::Debug for PackageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PackageId({self})")
    }
}
