//! The full check of a package's contents.

use super::{Dxp, FileMode};
use crate::FormatError;

impl Dxp<'_> {
    /// Checks every file's contents, the content root, and that the index finds every path.
    ///
    /// # Errors
    /// When one of these does not match.
    pub fn verify(&self) -> Result<(), FormatError> {
        let root =
            content_root_of(self.entries().map(|entry| (entry.path, entry.mode, entry.digest)));
        if root != self.content_root() {
            return Err(FormatError::Checksum { format: super::FORMAT, part: "content root" });
        }
        for entry in self.entries() {
            if self.find(entry.path) != Some(entry) {
                return Err(FormatError::Corrupt {
                    format: super::FORMAT,
                    what: "the index misses a file",
                });
            }
            self.read_verified(&entry)?;
        }
        Ok(())
    }
}

/// Returns the digest of a file's contents, as a row has it: BLAKE3.
#[must_use]
pub fn digest_of(contents: &[u8]) -> [u8; 32] {
    *blake3::hash(contents).as_bytes()
}

/// Returns the content root of files given ascending by path: (path, mode, BLAKE3 of the contents).
#[must_use]
pub fn content_root_of<'a>(files: impl Iterator<Item = (&'a str, FileMode, [u8; 32])>) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for (path, mode, digest) in files {
        hasher.update(&(path.len() as u32).to_le_bytes());
        hasher.update(path.as_bytes());
        hasher.update(&mode.bits().to_le_bytes());
        hasher.update(&digest);
    }
    *hasher.finalize().as_bytes()
}
