//! Forests: `node_modules` trees that are ready before anybody asks for them.
//!
//! ```text
//! forests/
//!   <aa>/<key>/
//!     record           what its trees hold; the caller's format
//!     used             the project that last had such a tree; its modification time is when that was
//!     spare-<time>-<random>/
//!                      a ready tree: node_modules, and of each workspace <folder>/node_modules; the time is when
//!                      node_modules itself was last changed, in nanoseconds: a tree with another one has lost something
//!   wishes/<digest>    a project whose next tree is to be prepared: `+` where its present one is new, else `-`, and its folder
//! ```
//! Trees are made in `tmp/` and renamed. A spare is claimed by renaming it away, so only one install gets it.

use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use dx_pkg_core::PackageId;
use dx_pkg_fs::{Dir, Durability, FileLock, unique_name, write_atomic};

use crate::layout::Sharded;
use crate::{Folder, Store, StoreError};

const SPARE: &str = "spare-";
const RECORD: &str = "record";
const USED: &str = "used";
const WISHES: &str = "wishes";

/// How many forests have ready trees.
const KEPT: usize = 8;
/// How long a forest is remembered that nobody uses.
const FORGOTTEN: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What a forest is known by: a digest of everything that decides what its trees hold.
pub type ForestKey = [u8; 32];

/// A forest of the store.
#[derive(Debug, Clone)]
pub struct Forest {
    /// What it is known by.
    pub key: ForestKey,
    /// When a project last had such a tree.
    pub used: SystemTime,
    /// Its ready trees.
    pub spares: Vec<PathBuf>,
    path: PathBuf,
}

impl Forest {
    /// The project that last had such a tree.
    #[must_use]
    pub fn project(&self) -> Option<PathBuf> {
        folder_in(&std::fs::read(self.path.join(USED)).ok()?)
    }

    /// What its trees hold, as it was given to [`Store::plant_forest`].
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn record(&self) -> io::Result<Vec<u8>> {
        std::fs::read(self.path.join(RECORD))
    }
}

/// A project that was installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// Its folder, absolute.
    pub project: PathBuf,
    /// Whether its tree was put there as a whole, so that everything in it came from the store just now.
    pub new_tree: bool,
}

/// A ready tree that belongs to whoever holds this; what is left of it goes to the trash.
#[derive(Debug)]
pub struct Spare {
    store: Store,
    path: PathBuf,
}

impl Spare {
    /// The folder that stands for the project's: `node_modules` is in it.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Spare {
    fn drop(&mut self) {
        // An empty folder is the rule; what cannot be put into the trash is swept from tmp/ later.
        if std::fs::remove_dir(&self.path).is_err() {
            let _ = self.store.trash(&self.path);
        }
    }
}

impl Store {
    fn forest_folder(&self, key: ForestKey) -> PathBuf {
        self.folder(Folder::Forests).join(Sharded::new(PackageId::from_bytes(key), ""))
    }

    /// Claims a ready tree, if there is one.
    #[must_use]
    pub fn take_spare(&self, key: ForestKey) -> Option<Spare> {
        let forest = self.forest_folder(key);
        let entries = Dir::open(&forest).and_then(|dir| dir.entries()).ok()?;
        let spares =
            entries.into_iter().filter(|entry| entry.name.to_str().is_some_and(|name| name.starts_with(SPARE)));
        let tmp = self.tmp_dir().ok()?;
        for spare in spares {
            let path = tmp.join(unique_name(""));
            // Another install may be quicker.
            if std::fs::rename(forest.join(&spare.name), &path).is_ok() {
                let claimed = Spare { store: self.clone(), path };
                if spare.name.to_str().is_some_and(|name| name.starts_with(&stamp(claimed.path()))) {
                    return Some(claimed);
                }
            }
        }
        None
    }

    /// Notes what the trees of a forest hold, and that `project` has one.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn plant_forest(&self, key: ForestKey, record: &[u8], project: &Path) -> Result<(), StoreError> {
        let path = self.forest_folder(key);
        let write = || -> io::Result<()> {
            std::fs::create_dir_all(&path)?;
            if !path.join(RECORD).exists() {
                write_atomic(&path.join(RECORD), record, Durability::Rename)?;
            }
            write_atomic(&path.join(USED), project.as_os_str().as_encoded_bytes(), Durability::Rename)
        };
        write().map_err(StoreError::io("writing", &path))
    }

    /// Makes the folder `tree`, which lies in the store's `tmp/`, a spare of the forest.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn offer_spare(&self, key: ForestKey, tree: &Path) -> Result<(), StoreError> {
        let place = self.forest_folder(key).join(unique_name(&stamp(tree)));
        std::fs::rename(tree, &place).map_err(StoreError::io("renaming a ready tree to", place))
    }

    /// Every forest, the most recently used first. What is no forest is passed over.
    #[must_use]
    pub fn forests(&self) -> Vec<Forest> {
        let root = self.folder(Folder::Forests);
        let names = |path: &Path| -> Vec<String> {
            let entries = Dir::open(path).and_then(|dir| dir.entries()).unwrap_or_default();
            entries.into_iter().filter_map(|entry| entry.name.into_string().ok()).collect()
        };
        let mut forests = Vec::new();
        for shard in names(&root).into_iter().filter(|name| name.len() == 2) {
            for name in names(&root.join(&shard)) {
                let Some(id) = PackageId::from_hex(&name) else { continue };
                let path = root.join(&shard).join(&name);
                let Ok(used) = std::fs::metadata(path.join(USED)).and_then(|metadata| metadata.modified()) else {
                    continue;
                };
                let spares = names(&path).into_iter().filter(|name| name.starts_with(SPARE));
                let spares = spares.map(|name| path.join(name)).collect();
                forests.push(Forest { key: *id.as_bytes(), used, spares, path });
            }
        }
        forests.sort_by_key(|forest| std::cmp::Reverse(forest.used));
        forests
    }

    /// Puts into the trash what has not been used for long: ready trees beyond those of the eight forests used last,
    /// and forests that nobody used for a month. What cannot be moved stays until the next time.
    pub fn keep_within_bounds(&self) {
        let now = SystemTime::now();
        for (position, forest) in self.forests().iter().enumerate() {
            if now.duration_since(forest.used).is_ok_and(|age| age > FORGOTTEN) {
                let _ = self.fell_forest(forest);
            } else if position >= KEPT {
                for spare in &forest.spares {
                    let _ = self.trash(spare);
                }
            }
        }
    }

    /// Puts a forest with its spares into the trash.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn fell_forest(&self, forest: &Forest) -> Result<(), StoreError> {
        self.trash(&forest.path).map(|_| ())
    }

    /// Asks whoever works in the background to prepare the next tree for a project.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn wish(&self, wish: &Wish) -> Result<(), StoreError> {
        let tmp = self.dir(Folder::Tmp)?;
        let draft = unique_name("");
        let folder = wish.project.as_os_str().as_encoded_bytes();
        let name = format!("{WISHES}/{}", &blake3::hash(folder).to_hex()[..32]);
        let text = [if wish.new_tree { b"+" } else { b"-" }, folder].concat();
        let forests = self.dir(Folder::Forests)?;
        let write = || -> io::Result<()> {
            tmp.create_file(&draft, 0o644)?.write_all(&text)?;
            match tmp.rename(&draft, forests, &name) {
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    forests.make_or_open_dir(WISHES)?;
                    tmp.rename(&draft, forests, &name)
                }
                renamed => renamed,
            }
        };
        write().map_err(StoreError::io("writing", self.folder(Folder::Forests).join(name)))
    }

    /// Takes the projects that wait, the longest waiting first.
    #[must_use]
    pub fn take_wishes(&self) -> Vec<Wish> {
        let folder = self.folder(Folder::Forests).join(WISHES);
        let entries = Dir::open(&folder).and_then(|dir| dir.entries()).unwrap_or_default();
        let mut wishes = Vec::new();
        for path in entries.into_iter().map(|entry| folder.join(entry.name)) {
            let Ok(made) = std::fs::metadata(&path).and_then(|metadata| metadata.modified()) else { continue };
            let text = std::fs::read(&path).unwrap_or_default();
            if std::fs::remove_file(&path).is_ok()
                && let Some((sign, folder)) = text.split_first()
                && let Some(project) = folder_in(folder)
            {
                wishes.push((made, Wish { project, new_tree: *sign == b'+' }));
            }
        }
        wishes.sort_by_key(|(made, _)| *made);
        wishes.into_iter().map(|(_, wish)| wish).collect()
    }

    /// The lock of the one process that works in the background; `None` while another holds it and `wait` is not set.
    ///
    /// # Errors
    /// When there can be no lock file.
    pub fn background_lock(&self, wait: bool) -> Result<Option<FileLock>, StoreError> {
        self.dir(Folder::Locks)?;
        let path = self.folder(Folder::Locks).join("background");
        let lock = if wait { FileLock::exclusive(&path, || {}).map(Some) } else { FileLock::try_exclusive(&path) };
        lock.map_err(StoreError::io("locking", path))
    }
}

/// How the name of a spare begins, by when its `node_modules` was last changed.
fn stamp(tree: &Path) -> String {
    let modules = dx_pkg_fs::identity(&tree.join("node_modules")).ok().flatten();
    format!("{SPARE}{}-", modules.map_or(0, |modules| modules.mtime_ns))
}

/// The folder that a text names.
fn folder_in(text: &[u8]) -> Option<PathBuf> {
    Some(PathBuf::from(std::str::from_utf8(text).ok()?)).filter(|path| path.is_absolute())
}

#[cfg(test)]
mod tests;
