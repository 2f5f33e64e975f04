//! Prepared: `node_modules` trees that are ready before anybody asks for them.
//!
//! ```text
//! prepared/
//!   <aa>/<key>/
//!     record           what its trees hold; the caller's format
//!     used             the project that last had such a tree; its modification time is when that was
//!     tree-<time>-<random>/
//!                      a prepared tree: node_modules, and of each workspace <folder>/node_modules; the time is when
//!                      node_modules itself was last changed, in nanoseconds: a tree with another one has lost something
//!   jobs/<digest>    a project whose next tree is to be prepared: `+` where its present one is new, else `-`, and its folder
//! ```
//! Trees are made in `tmp/` and renamed. A prepared is claimed by renaming it away, so only one install gets it.

use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use dx_pkg_core::PackageId;
use dx_pkg_os::{Dir, Durability, FileLock, unique_name, write_atomic};

use crate::layout::Sharded;
use crate::{Folder, Store, StoreError};

const TREE: &str = "tree-";
const RECORD: &str = "record";
const USED: &str = "used";
const JOBS: &str = "jobs";

/// How many prepared have prepared trees.
const KEPT: usize = 8;
/// How long a prepared is remembered that nobody uses.
const FORGOTTEN: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What a prepared is known by: a digest of everything that decides what its trees hold.
pub type PreparedKey = [u8; 32];

/// A prepared of the store.
#[derive(Debug, Clone)]
pub struct PreparedEntry {
    /// What it is known by.
    pub key: PreparedKey,
    /// When a project last had such a tree.
    pub used: SystemTime,
    /// Its prepared trees.
    pub trees: Vec<PathBuf>,
    path: PathBuf,
}

impl PreparedEntry {
    /// The project that last had such a tree.
    #[must_use]
    pub fn project(&self) -> Option<PathBuf> {
        folder_in(&std::fs::read(self.path.join(USED)).ok()?)
    }

    /// What its trees hold, as it was given to [`Store::record_prepared`].
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn record(&self) -> io::Result<Vec<u8>> {
        std::fs::read(self.path.join(RECORD))
    }
}

/// A project that was installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrepareJob {
    /// Its folder, absolute.
    pub project: PathBuf,
    /// Whether its tree was put there as a whole, so that everything in it came from the store just now.
    pub new_tree: bool,
}

/// A prepared tree that belongs to whoever holds this; what is left of it goes to the trash.
#[derive(Debug)]
pub struct PreparedTree {
    store: Store,
    path: PathBuf,
}

impl PreparedTree {
    /// The folder that stands for the project's: `node_modules` is in it.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for PreparedTree {
    fn drop(&mut self) {
        // An empty folder is the rule; what cannot be put into the trash is swept from tmp/ later.
        if std::fs::remove_dir(&self.path).is_err() {
            let _ = self.store.trash(&self.path);
        }
    }
}

impl Store {
    fn prepared_folder(&self, key: PreparedKey) -> PathBuf {
        self.folder(Folder::Prepared).join(Sharded::new(PackageId::from_bytes(key), ""))
    }

    /// Claims a prepared tree, if there is one.
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
            // Another install may be quicker.
            if std::fs::rename(folder.join(&tree.name), &path).is_ok() {
                let claimed = PreparedTree { store: self.clone(), path };
                if tree.name.to_str().is_some_and(|name| name.starts_with(&stamp(claimed.path()))) {
                    return Some(claimed);
                }
            }
        }
        None
    }

    /// Notes what the trees of a prepared hold, and that `project` has one.
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
                write_atomic(&path.join(RECORD), record, Durability::Rename)?;
            }
            write_atomic(
                &path.join(USED),
                project.as_os_str().as_encoded_bytes(),
                Durability::Rename,
            )
        };
        write().map_err(StoreError::io("writing", &path))
    }

    /// Makes the folder `tree`, which lies in the store's `tmp/`, a prepared of the prepared.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn offer_prepared_tree(&self, key: PreparedKey, tree: &Path) -> Result<(), StoreError> {
        let place = self.prepared_folder(key).join(unique_name(&stamp(tree)));
        std::fs::rename(tree, &place).map_err(StoreError::io("renaming a prepared tree to", place))
    }

    /// Every prepared, the most recently used first. What is no prepared is passed over.
    #[must_use]
    pub fn prepared_entries(&self) -> Vec<PreparedEntry> {
        let root = self.folder(Folder::Prepared);
        let names = |path: &Path| -> Vec<String> {
            let entries = Dir::open(path).and_then(|dir| dir.entries()).unwrap_or_default();
            entries.into_iter().filter_map(|entry| entry.name.into_string().ok()).collect()
        };
        let mut prepared = Vec::new();
        for shard in names(&root).into_iter().filter(|name| name.len() == 2) {
            for name in names(&root.join(&shard)) {
                let Some(id) = PackageId::from_hex(&name) else { continue };
                let path = root.join(&shard).join(&name);
                let Ok(used) =
                    std::fs::metadata(path.join(USED)).and_then(|metadata| metadata.modified())
                else {
                    continue;
                };
                let trees = names(&path).into_iter().filter(|name| name.starts_with(TREE));
                let trees = trees.map(|name| path.join(name)).collect();
                prepared.push(PreparedEntry { key: *id.as_bytes(), used, trees, path });
            }
        }
        prepared.sort_by_key(|prepared| std::cmp::Reverse(prepared.used));
        prepared
    }

    /// Puts into the trash what has not been used for long: prepared trees beyond those of the eight prepared used last,
    /// and prepared that nobody used for a month. What cannot be moved stays until the next time.
    pub fn keep_within_bounds(&self) {
        let now = SystemTime::now();
        for (position, prepared) in self.prepared_entries().iter().enumerate() {
            if now.duration_since(prepared.used).is_ok_and(|age| age > FORGOTTEN) {
                let _ = self.remove_prepared(prepared);
            } else if position >= KEPT {
                for prepared in &prepared.trees {
                    let _ = self.trash(prepared);
                }
            }
        }
    }

    /// Puts a prepared with its trees into the trash.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn remove_prepared(&self, prepared: &PreparedEntry) -> Result<(), StoreError> {
        self.trash(&prepared.path).map(|_| ())
    }

    /// Asks whoever works in the background to prepare the next tree for a project.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn queue_job(&self, job: &PrepareJob) -> Result<(), StoreError> {
        let tmp = self.dir(Folder::Tmp)?;
        let draft = unique_name("");
        let folder = job.project.as_os_str().as_encoded_bytes();
        let name = format!("{JOBS}/{}", &blake3::hash(folder).to_hex()[..32]);
        let text = [if job.new_tree { b"+" } else { b"-" }, folder].concat();
        let prepared = self.dir(Folder::Prepared)?;
        let write = || -> io::Result<()> {
            tmp.create_file(&draft, 0o644)?.write_all(&text)?;
            match tmp.rename(&draft, prepared, &name) {
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    prepared.make_or_open_dir(JOBS)?;
                    tmp.rename(&draft, prepared, &name)
                }
                renamed => renamed,
            }
        };
        write().map_err(StoreError::io("writing", self.folder(Folder::Prepared).join(name)))
    }

    /// Takes the projects that wait, the longest waiting first.
    #[must_use]
    pub fn take_jobs(&self) -> Vec<PrepareJob> {
        let folder = self.folder(Folder::Prepared).join(JOBS);
        let entries = Dir::open(&folder).and_then(|dir| dir.entries()).unwrap_or_default();
        let mut jobs = Vec::new();
        for path in entries.into_iter().map(|entry| folder.join(entry.name)) {
            let Ok(made) = std::fs::metadata(&path).and_then(|metadata| metadata.modified()) else {
                continue;
            };
            let text = std::fs::read(&path).unwrap_or_default();
            if std::fs::remove_file(&path).is_ok()
                && let Some((sign, folder)) = text.split_first()
                && let Some(project) = folder_in(folder)
            {
                jobs.push((made, PrepareJob { project, new_tree: *sign == b'+' }));
            }
        }
        jobs.sort_by_key(|(made, _)| *made);
        jobs.into_iter().map(|(_, job)| job).collect()
    }

    /// The lock of the one process that works in the background; `None` while another holds it and `wait` is not set.
    ///
    /// # Errors
    /// When there can be no lock file.
    pub fn background_lock(&self, wait: bool) -> Result<Option<FileLock>, StoreError> {
        self.dir(Folder::Locks)?;
        let path = self.folder(Folder::Locks).join("background");
        let lock = if wait {
            FileLock::exclusive(&path, || {}).map(Some)
        } else {
            FileLock::try_exclusive(&path)
        };
        lock.map_err(StoreError::io("locking", path))
    }
}

/// How the name of a prepared begins, by when its `node_modules` was last changed.
fn stamp(tree: &Path) -> String {
    let modules = dx_pkg_os::identity(&tree.join("node_modules")).ok().flatten();
    format!("{TREE}{}-", modules.map_or(0, |modules| modules.mtime_ns))
}

/// The folder that a text names.
fn folder_in(text: &[u8]) -> Option<PathBuf> {
    Some(PathBuf::from(std::str::from_utf8(text).ok()?)).filter(|path| path.is_absolute())
}

#[cfg(test)]
mod tests;
