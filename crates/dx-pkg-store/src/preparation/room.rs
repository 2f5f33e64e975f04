//! The share of the disk that prepared trees may take.
//!
//! The files of a tree are hard links, so it takes what its folders do: blocks and inodes. They are
//! counted when a tree is made and recorded in the entry's file `size`: bytes and inodes of one
//! tree, separated by a space.

use std::io;
use std::path::Path;

use dx_pkg_os::files::{Dir, Durability, EntryKind, Space, create_atomic, read_bounded, space};

use crate::layout::NOTE_LIMIT;
use crate::prepared::{PreparedEntry, PreparedKey};
use crate::{Store, StoreError};

const SIZE: &str = "size";
/// The share: all prepared trees take at most a twentieth of the space that is left without them.
const SHARE: u64 = 20;
/// The bytes that a folder takes on most file systems.
const FOLDER_BYTES: u64 = 4096;

/// What trees take on the disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TreeSize {
    /// The bytes of folders, and of files that are no links.
    pub bytes: u64,
    /// The inodes of folders.
    pub inodes: u64,
}

impl TreeSize {
    /// Returns the size of a tree of so many folders, with so many bytes in files of its own.
    #[must_use]
    pub fn of(folders: u64, own_bytes: u64) -> Self {
        TreeSize { bytes: folders.saturating_mul(FOLDER_BYTES) + own_bytes, inodes: folders }
    }

    /// Returns the size of several such trees.
    #[must_use]
    pub fn times(self, trees: u64) -> Self {
        TreeSize {
            bytes: self.bytes.saturating_mul(trees),
            inodes: self.inodes.saturating_mul(trees),
        }
    }

    /// Returns the size of a tree of `after` packages, where one of `before` packages has this one.
    #[must_use]
    pub fn scaled(self, after: u64, before: u64) -> Self {
        let scale = |number: u64| {
            u64::try_from(u128::from(number) * u128::from(after) / u128::from(before.max(1)))
                .unwrap_or(u64::MAX)
        };
        TreeSize { bytes: scale(self.bytes), inodes: scale(self.inodes) }
    }

    fn plus(self, other: Self) -> Self {
        TreeSize {
            bytes: self.bytes.saturating_add(other.bytes),
            inodes: self.inodes.saturating_add(other.inodes),
        }
    }

    fn without(self, other: Self) -> Self {
        TreeSize {
            bytes: self.bytes.saturating_sub(other.bytes),
            inodes: self.inodes.saturating_sub(other.inodes),
        }
    }

    fn fits(self, most: Self) -> bool {
        self.bytes <= most.bytes && self.inodes <= most.inodes
    }

    fn parse(text: &str) -> Option<Self> {
        let (bytes, inodes) = text.trim_end().split_once(' ')?;
        Some(TreeSize { bytes: bytes.parse().ok()?, inodes: inodes.parse().ok()? })
    }
}

/// What all prepared trees take, and the most that they may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// What they take.
    pub taken: TreeSize,
    /// The most that they may take; `None` where the system does not tell the space that is left.
    pub most: Option<TreeSize>,
}

impl Store {
    /// Returns what one tree of a key takes; `None` if none was made yet.
    #[must_use]
    pub fn tree_size(&self, key: PreparedKey) -> Option<TreeSize> {
        read_size(&self.prepared_folder(key))
    }

    /// Records what one tree of a key takes.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn record_tree_size(&self, key: PreparedKey, size: TreeSize) -> Result<(), StoreError> {
        let path = self.prepared_folder(key).join(SIZE);
        let text = format!("{} {}\n", size.bytes, size.inodes);
        create_atomic(&path, text.as_bytes(), Durability::Rename)
            .map_err(StoreError::io("writing", path))
    }

    /// Returns what prepared trees take and may take.
    #[must_use]
    pub fn allowance(&self) -> Allowance {
        self.allowance_of(&sizes(&self.prepared_entries()))
    }

    fn allowance_of(&self, sizes: &[TreeSize]) -> Allowance {
        let taken = sizes.iter().fold(TreeSize::default(), |sum, size| sum.plus(*size));
        // A system that does not answer sets no limit.
        let left = space(self.root()).ok().flatten();
        Allowance { taken, most: left.map(|left| most(left, taken)) }
    }

    /// Makes room for a tree of `wanted` by trashing the least recently used trees of other keys
    /// than `spared`. Returns `false`, with nothing trashed, where it may not be made at all.
    pub fn make_room(&self, spared: Option<PreparedKey>, wanted: TreeSize) -> bool {
        let entries = self.prepared_entries();
        let sizes = sizes(&entries);
        let Allowance { taken, most: Some(most) } = self.allowance_of(&sizes) else { return true };
        let is_spared = |entry: &PreparedEntry| Some(entry.key) == spared;
        let kept = entries.iter().zip(&sizes).filter(|(entry, _)| is_spared(entry));
        let least = kept.fold(wanted, |sum, (_, size)| sum.plus(*size));
        if !least.fits(most) {
            // What is spared may itself be too much by now.
            return false;
        }
        let mut total = taken.plus(wanted);
        // First those that are too large by themselves, whose place would be of no use to others.
        let by_age = || entries.iter().zip(&sizes).rev();
        let too_large = by_age().filter(|(_, size)| !size.fits(most));
        for (entry, size) in too_large.chain(by_age().filter(|(_, size)| size.fits(most))) {
            if total.fits(most) {
                break;
            }
            if is_spared(entry) || entry.trees.is_empty() {
                continue;
            }
            for tree in &entry.trees {
                // One that cannot be moved stays until the next call.
                let _ = self.trash(tree);
            }
            total = total.without(*size);
        }
        true
    }
}

/// Returns the most that prepared trees may take, where so much is left beside `taken`.
fn most(left: Space, taken: TreeSize) -> TreeSize {
    TreeSize {
        bytes: left.bytes.saturating_add(taken.bytes) / SHARE,
        inodes: left.inodes.map_or(u64::MAX, |inodes| inodes.saturating_add(taken.inodes) / SHARE),
    }
}

/// Returns what the trees of each entry take.
fn sizes(entries: &[PreparedEntry]) -> Vec<TreeSize> {
    let size = |entry: &PreparedEntry| {
        let Some(tree) = entry.trees.first() else { return TreeSize::default() };
        let one = read_size(&entry.path).unwrap_or_else(|| counted(tree));
        one.times(entry.trees.len() as u64)
    };
    entries.iter().map(size).collect()
}

fn read_size(entry: &Path) -> Option<TreeSize> {
    let text = read_bounded(&entry.join(SIZE), NOTE_LIMIT).ok()?;
    TreeSize::parse(std::str::from_utf8(&text).ok()?)
}

/// Returns the size of a tree that an earlier version of dx has made, without its own files.
fn counted(tree: &Path) -> TreeSize {
    fn folders(folder: &Path) -> io::Result<u64> {
        let mut count = 1;
        for entry in Dir::open(folder)?.entries()? {
            if entry.kind == EntryKind::Directory {
                count += folders(&folder.join(entry.name))?;
            }
        }
        Ok(count)
    }
    // A tree that cannot be read takes what it takes; the next prepared one is measured.
    TreeSize::of(folders(tree).unwrap_or(0), 0)
}

#[cfg(test)]
mod tests;
