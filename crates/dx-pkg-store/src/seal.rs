//! What the store's key is for within the store: seals, by which it knows its own records again,
//! and the secret of provisional digests.
//!
//! A seal is a keyed BLAKE3 over what a record says and which entry it is of. It tells records that
//! this store has written from those that somebody put into it, who may be able to write files
//! there but not to read the key: an archive that is unpacked over it, or another user while it was
//! open to others. Whoever can read the key is this user. What is sealed, and what is not, is in
//! docs/design/0014-what-is-verified.md.
//!
//! Records of versions before seals are believed if they belong to this user and were not changed
//! since the key was made.

use dx_pkg_format::dxp::DigestSecret;

use crate::key::StoreKey;

/// The length of a seal in bytes.
pub(crate) const SEAL: usize = 32;

/// Seals and digests of one store.
#[derive(Debug, Clone)]
pub(crate) struct Seals {
    seal: [u8; 32],
    pub(crate) digests: DigestSecret,
}

impl Seals {
    pub(crate) fn of_key(key: StoreKey) -> Self {
        Self::of_bytes(key.bytes())
    }

    pub(crate) fn of_bytes(key: &[u8; 32]) -> Self {
        let seal = blake3::derive_key("dx store v1: seals of records", key);
        let mut digests = [0; DigestSecret::LENGTH];
        let mut hasher = blake3::Hasher::new_derive_key("dx store v1: digests of files");
        hasher.update(key);
        hasher.finalize_xof().fill(&mut digests);
        Self { seal, digests: DigestSecret::new(digests) }
    }

    /// Returns the seal of a record of `entry`, whose parts are these.
    pub(crate) fn seal(&self, entry: &[u8; 32], parts: [&[u8]; 2]) -> [u8; SEAL] {
        let mut hasher = blake3::Hasher::new_keyed(&self.seal);
        hasher.update(entry);
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        *hasher.finalize().as_bytes()
    }

    /// Returns whether a seal is that of a record.
    pub(crate) fn fits(&self, seal: &[u8], entry: &[u8; 32], parts: [&[u8]; 2]) -> bool {
        // BLAKE3's own type compares in constant time.
        let found = <[u8; SEAL]>::try_from(seal).map(blake3::Hash::from_bytes);
        found.is_ok_and(|found| found == blake3::Hash::from_bytes(self.seal(entry, parts)))
    }
}
