//! The store's key: 32 random bytes in `<root>/v1/key`, by which the store knows what it has
//! written into folders that others can write to. It is created on first use, and leaves the store
//! never.

use std::path::Path;

use dx_pkg_os::files::read_secret;

/// The name in the store's folder.
pub(crate) const NAME: &str = "key";
/// The length in bytes.
pub(crate) const LENGTH: usize = 32;

/// The key of a store.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct StoreKey(pub(crate) [u8; LENGTH]);

impl StoreKey {
    /// Reads the key of the store below `root` without opening the store; `None` if it has none
    /// that can be used.
    #[must_use]
    pub fn of_store(root: &Path) -> Option<Self> {
        read_secret(&root.join("v1").join(NAME)).ok().map(Self)
    }

    /// Returns the key with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; LENGTH]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; LENGTH] {
        &self.0
    }
}

/// Shows nothing of the key.
impl std::fmt::Debug for StoreKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("StoreKey")
    }
}
