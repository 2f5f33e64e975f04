//! Prepared trees: `node_modules` trees that are built before an install needs them.
//!
//! ```text
//! prepared/
//!   <aa>/<key>/
//!     record    description of the entry's trees, in the caller's format
//!     used      the project that last had such a tree; its modification time is the last use
//!     size      bytes and inodes of one such tree; see `preparation/room.rs`
//!     tree-<time>-<random>/
//!               a prepared tree: node_modules, and for each workspace <folder>/node_modules; the
//!               time is the last change of node_modules itself, in nanoseconds: a tree whose
//!               node_modules has another time has lost something
//!   jobs/       preparation jobs; see `jobs.rs`
//!   projects/   what is known of each project's installs; see `preparation/habits.rs`
//! ```
//! Trees are built in `tmp/` and renamed here. A tree is claimed by renaming it away, so only one
//! install gets it.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use dx_pkg_os::files::{Dir, Durability, create_atomic, identity, read_bounded, unique_name};
use dx_pkg_os::process::written_since_boot;

use crate::layout::{EntryName, NOTE_LIMIT, RECORD_LIMIT, absolute_path, digest_from_hex};
use crate::{Folder, Store, StoreError};

const TREE: &str = "tree-";
const RECORD: &str = "record";
const USED: &str = "used";

/// The number of entries, the last used ones, that keep their trees.
const ENTRIES_WITH_TREES: usize = 8;
/// The age at which an unused entry is removed.
const UNUSED_FOR: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The digest of everything that decides the contents of a tree.
pub type PreparedKey = [u8; 32];

/// The folder of one key below `prepared/`.
#[derive(Debug, Clone)]
pub struct PreparedEntry {
    /// The key of its trees.
    pub key: PreparedKey,
    /// When a project last had such a tree.
    pub used: SystemTime,
    /// The trees that are ready.
    pub trees: Vec<PathBuf>,
    pub(crate) path: PathBuf,
}

impl PreparedEntry {
    /// Returns the project that last had such a tree.
    #[must_use]
    pub fn project(&self) -> Option<PathBuf> {
        absolute_path(&read_bounded(&self.path.join(USED), NOTE_LIMIT).ok()?)
    }

    /// Reads the record that was given to [`Store::record_prepared`].
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn record(&self) -> io::Result<Vec<u8>> {
        read_bounded(&self.path.join(RECORD), RECORD_LIMIT)
    }
}

/// A claimed prepared tree. Dropping it trashes the rest of the tree.
#[derive(Debug)]
pub struct PreparedTree {
    store: Store,
    path: PathBuf,
}

impl PreparedTree {
    /// Returns the folder that stands for the project's: `node_modules` is in it.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for PreparedTree {
    fn drop(&mut self) {
        // The folder is usually empty. If it cannot be trashed it is swept from tmp/ later.
        if std::fs::remove_dir(&self.path).is_err() {
            let _ = self.store.trash(&self.path);
        }
    }
}

impl Store {
    pub(crate) fn prepared_folder(&self, key: PreparedKey) -> PathBuf {
        self.folder(Folder::Prepared).join(EntryName::of_digest(key, ""))
    }

    /// Claims a prepared tree, if one is ready that was made since the system was started.
    #[must_use]
    pub fn take_prepared_tree(&self, key: PreparedKey) -> Option<PreparedTree> {
        let folder = self.prepared_folder(key);
        let entries = Dir::open(&folder).and_then(|dir| dir.entries()).ok()?;
        let trees = entries
            .into_iter()
            .filter(|entry| entry.name.to_str().is_some_and(|name| name.starts_with(TREE)));
        let tmp = self.tmp_dir().ok()?;
        for tree in trees {
            let path = tmp.join(unique_name(""));
            // Another install may have claimed it meanwhile.
            if std::fs::rename(folder.join(&tree.name), &path).is_ok() {
                let claimed = PreparedTree { store: self.clone(), path };
                let stamp = tree_stamp(claimed.path());
                // A loss of power may have emptied the files of one that is older: only those that
                // the store has itself are checked.
                if tree.name.to_str().is_some_and(|name| name.starts_with(&stamp))
                    && written_since_boot(&claimed.path().join("node_modules"))
                {
                    return Some(claimed);
                }
            }
        }
        None
    }

    /// Records that `project` has a tree of this key, and for a new key the tree's description.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn record_prepared(
        &self,
        key: PreparedKey,
        record: &[u8],
        project: &Path,
    ) -> Result<(), StoreError> {
        let path = self.prepared_folder(key);
        let write = || -> io::Result<()> {
            std::fs::create_dir_all(&path)?;
            if !path.join(RECORD).exists() {
                create_atomic(&path.join(RECORD), record, Durability::Rename)?;
            }
            let project = project.as_os_str().as_encoded_bytes();
            create_atomic(&path.join(USED), project, Durability::Rename)
        };
        write().map_err(StoreError::io("writing", &path))
    }

    /// Publishes the folder `tree`, which is in the store's `tmp/`, as a prepared tree of this key.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn offer_prepared_tree(&self, key: PreparedKey, tree: &Path) -> Result<(), StoreError> {
        let place = self.prepared_folder(key).join(unique_name(&tree_stamp(tree)));
        std::fs::rename(tree, &place).map_err(StoreError::io("renaming a prepared tree to", place))
    }

    /// Reads the record of a key's trees; `None` without a readable one.
    #[must_use]
    pub fn prepared_record(&self, key: PreparedKey) -> Option<Vec<u8>> {
        read_bounded(&self.prepared_folder(key).join(RECORD), RECORD_LIMIT).ok()
    }

    /// Returns the project that last had a tree of this key; `None` where no project had one.
    #[must_use]
    pub fn prepared_project(&self, key: PreparedKey) -> Option<PathBuf> {
        absolute_path(&read_bounded(&self.prepared_folder(key).join(USED), NOTE_LIMIT).ok()?)
    }

    /// Returns every entry, the most recently used first. Unreadable ones are left out.
    #[must_use]
    pub fn prepared_entries(&self) -> Vec<PreparedEntry> {
        let root = self.folder(Folder::Prepared);
        let names = |path: &Path| -> Vec<String> {
            let entries = Dir::open(path).and_then(|dir| dir.entries()).unwrap_or_default();
            entries.into_iter().filter_map(|entry| entry.name.into_string().ok()).collect()
        };
        let mut entries = Vec::new();
        for shard in names(&root).into_iter().filter(|name| name.len() == 2) {
            for name in names(&root.join(&shard)) {
                let Some(key) = digest_from_hex(&name) else { continue };
                let path = root.join(&shard).join(&name);
                let used = std::fs::metadata(path.join(USED));
                let Ok(used) = used.and_then(|metadata| metadata.modified()) else { continue };
                let trees = names(&path).into_iter().filter(|name| name.starts_with(TREE));
                let trees = trees.map(|name| path.join(name)).collect();
                entries.push(PreparedEntry { key, used, trees, path });
            }
        }
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.used));
        entries
    }

    /// Trashes the trees of all entries but the eight used last, and entries unused for 30 days.
    ///
    /// A tree that cannot be moved stays until the next call.
    pub(crate) fn trash_unused_prepared(&self) {
        let now = SystemTime::now();
        for (position, entry) in self.prepared_entries().iter().enumerate() {
            if now.duration_since(entry.used).is_ok_and(|age| age > UNUSED_FOR) {
                let _ = self.remove_prepared(entry);
            } else if position >= ENTRIES_WITH_TREES {
                for tree in &entry.trees {
                    let _ = self.trash(tree);
                }
            }
        }
    }

    /// Trashes the trees of all entries.
    ///
    /// # Errors
    /// When the file system refuses.
    pub(crate) fn trash_prepared_trees(&self) -> Result<(), StoreError> {
        let entries = self.prepared_entries();
        let mut trees = entries.iter().flat_map(|entry| &entry.trees);
        trees.try_for_each(|tree| self.trash(tree).map(|_| ()))
    }

    /// Trashes an entry with its trees.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn remove_prepared(&self, entry: &PreparedEntry) -> Result<(), StoreError> {
        self.trash(&entry.path).map(|_| ())
    }
}

/// Returns the beginning of the tree's name, with the time of its `node_modules`.
fn tree_stamp(tree: &Path) -> String {
    let modules = identity(&tree.join("node_modules")).ok().flatten();
    format!("{TREE}{}-", modules.map_or(0, |modules| modules.mtime_ns))
}

#[cfg(test)]
mod tests;
