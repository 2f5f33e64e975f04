//! The progress and the result of linking.

use std::path::PathBuf;

use crate::import::Counts;

/// A listener to the progress, called from any thread.
pub trait Progress: Sync {
    /// Reports that so many more packages are in place.
    fn linked(&self, packages: usize);
}

/// A listener that ignores the progress.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn linked(&self, _packages: usize) {}
}

/// The paths of packages and links that a difference has changed, relative to the project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangedPaths {
    /// Those at places where there was none.
    pub added: Vec<String>,
    /// Those that replaced another, or of which something was restored.
    pub replaced: Vec<String>,
    /// Those removed, with what was there without being of the tree.
    pub removed: Vec<String>,
}

/// The result of linking.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkReport {
    /// Whether the whole tree is new; otherwise only the difference was applied.
    pub fresh: bool,
    /// Whether it was a prepared tree that only had to be renamed.
    pub was_prepared: bool,
    /// The packages and links at places where there was none.
    pub added: u64,
    /// The packages and links that replaced another.
    pub replaced: u64,
    /// The packages and links removed.
    pub removed: u64,
    /// The paths of these three; empty where the whole tree is new.
    pub paths: ChangedPaths,
    /// The folders created.
    pub directories: u64,
    /// The files that are hard links to the store's.
    pub hardlinks: u64,
    /// The files that share their blocks with the store's.
    pub reflinks: u64,
    /// The files that share nothing with the store's.
    pub copies: u64,
    /// The files moved out of the store.
    pub moves: u64,
    /// The packages moved out of the store, each by one rename.
    pub packages_moved: u64,
    /// The symbolic links created, commands included.
    pub symlinks: u64,
    /// The bytes of linked, reflinked and moved files, which copying would have written.
    pub bytes_saved: u64,
    /// The bytes written.
    pub bytes_copied: u64,
    /// Replaced trees that could not be moved into the store's trash. The caller removes them; the
    /// next run removes those that stay.
    pub leftovers: Vec<PathBuf>,
}

impl LinkReport {
    /// Returns the number of files placed, of all kinds.
    #[must_use]
    pub fn files(&self) -> u64 {
        self.hardlinks + self.reflinks + self.copies + self.moves
    }

    /// Adds the counts of a run.
    pub(crate) fn with_counts(mut self, counts: Counts) -> Self {
        self.directories = counts.directories;
        self.hardlinks = counts.hardlinks;
        self.reflinks = counts.reflinks;
        self.copies = counts.copies;
        self.moves = counts.moves;
        self.packages_moved = counts.packages_moved;
        self.symlinks = counts.symlinks;
        self.bytes_saved = counts.bytes_saved;
        self.bytes_copied = counts.bytes_copied;
        self
    }
}
