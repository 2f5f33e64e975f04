//! Seals: by them dx knows the files again that it has written into a `node_modules`. A clone, an
//! archive or a copy from another machine may bring files of the same form, which say what they
//! like; only those with a seal of this machine's store are believed. See
//! docs/design/0013-trust-of-a-clone.md.

use dx_pkg_lock::dxl;
use dx_pkg_store::{Store, StoreKey};

/// The length of a seal in bytes.
pub(crate) const LENGTH: usize = 32;

/// What the keys of the two kinds of files are derived for.
const OF_RECORDS: &str = "dx 2026-11 the record of a tree";
const OF_STATES: &str = "dx 2026-11 the state of a project";

/// The seal of a store.
#[derive(Clone, Copy, Debug)]
pub struct Seal(StoreKey);

impl Seal {
    /// Returns the seal with a store's key.
    #[must_use]
    pub fn of_key(key: StoreKey) -> Self {
        Self(key)
    }

    /// Returns the seal of a store; `None` where that has no key and cannot have one, as on a
    /// read-only file system: then nothing is believed that lies in a `node_modules`.
    pub(crate) fn of_store(store: &Store) -> Option<Self> {
        store.key().ok().map(Self)
    }

    /// Seals the record of a tree.
    pub(crate) fn seal_record(self, record: &mut [u8]) {
        if let Some(seal) = self.of_record(record) {
            dxl::set_source_digest(record, seal.into());
        }
    }

    /// Returns whether a record of a tree has this seal.
    pub(crate) fn is_of_record(self, record: &[u8]) -> bool {
        let Ok(view) = dxl::DxlView::open(record) else { return false };
        // The comparison takes the same time wherever they differ.
        self.of_record(record) == Some(blake3::Hash::from_bytes(view.source_digest()))
    }

    fn of_record(self, record: &[u8]) -> Option<blake3::Hash> {
        let parts = dxl::without_source_digest(record)?;
        let mut hasher = self.hasher(OF_RECORDS);
        parts.iter().for_each(|part| _ = hasher.update(part));
        Some(hasher.finalize())
    }

    /// Adds the seal to the contents of a state.
    pub fn seal_state(self, contents: &mut Vec<u8>) {
        let seal = self.hasher(OF_STATES).update(contents).finalize();
        contents.extend(seal.as_bytes());
    }

    /// Returns the contents of a state that has this seal.
    pub(crate) fn open_state(self, bytes: &[u8]) -> Option<&[u8]> {
        let (contents, seal) = bytes.split_at_checked(bytes.len().checked_sub(LENGTH)?)?;
        let seal = blake3::Hash::from_slice(seal).ok()?;
        (self.hasher(OF_STATES).update(contents).finalize() == seal).then_some(contents)
    }

    fn hasher(self, purpose: &str) -> blake3::Hasher {
        blake3::Hasher::new_keyed(&blake3::derive_key(purpose, self.0.bytes()))
    }
}

#[cfg(test)]
mod tests;
