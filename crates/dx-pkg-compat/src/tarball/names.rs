//! The space that the paths of one tarball take, with the folders above them.

use std::collections::HashSet;
use std::hash::Hasher;

use rustc_hash::FxHasher;

use super::{Limits, TarballError};

/// Counts the paths of files, and each folder once.
#[derive(Default)]
pub(super) struct Names {
    bytes: u64,
    /// The digests of the folders so far.
    folders: HashSet<u64>,
    /// The folder of the last path.
    last: String,
}

impl Names {
    /// Counts a path that was not there before.
    pub(super) fn add(&mut self, path: &str, limits: &Limits) -> Result<(), TarballError> {
        self.bytes += path.len() as u64;
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        if folder != self.last {
            self.add_folders(folder);
            folder.clone_into(&mut self.last);
        }
        if self.bytes > limits.max_path_bytes {
            return Err(TarballError::PathsTooLong { limit: limits.max_path_bytes });
        }
        if self.folders.len() > limits.max_entries {
            return Err(TarballError::TooManyEntries { limit: limits.max_entries });
        }
        Ok(())
    }

    /// Counts the folders of a path that were not counted yet, the outermost first.
    fn add_folders(&mut self, folder: &str) {
        let mut hasher = FxHasher::default();
        let mut end = 0;
        for part in folder.split('/') {
            hasher.write(part.as_bytes());
            hasher.write_u8(b'/');
            end += part.len() + 1;
            if self.folders.insert(hasher.finish()) {
                self.bytes += end as u64;
            }
        }
    }
}
