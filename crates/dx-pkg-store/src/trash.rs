//! Getting rid of things without waiting for it.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use dx_pkg_os::{Dir, remove_tree, unique_name};

use crate::{Folder, Store, StoreError};

/// Entries in `tmp/` older than this belong to no living process.
const ABANDONED: Duration = Duration::from_secs(24 * 60 * 60);

impl Store {
    /// Takes a file or tree away in one step and says where it is now; `None` when there was nothing.
    ///
    /// It goes to the store's trash, or, when it is on another file system or the store cannot be written, to a
    /// name beside it that begins with `.dx-trash-`, which the caller must remove.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn trash(&self, path: &Path) -> Result<Option<PathBuf>, StoreError> {
        let inside = self.folder(Folder::Trash).join(unique_name(""));
        if self.dir(Folder::Trash).is_ok() && std::fs::rename(path, &inside).is_ok() {
            return Ok(Some(inside));
        }
        let beside = path.with_file_name(unique_name(".dx-trash-"));
        match std::fs::rename(path, &beside) {
            Ok(()) => Ok(Some(beside)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError::io("removing", path)(error)),
        }
    }

    /// Deletes what is in the trash, and what killed processes left in `tmp/` a day ago or earlier; says how many
    /// entries that were.
    ///
    /// # Errors
    /// When something cannot be deleted; the rest is deleted all the same.
    pub fn empty_trash(&self) -> Result<usize, StoreError> {
        let mut removed = 0;
        let mut failure = None;
        let mut remove = |path: &Path| match remove_tree(path) {
            Ok(()) => removed += 1,
            Err(error) => failure = Some(StoreError::io("deleting", path)(error)),
        };
        for name in self.names_in(Folder::Trash)? {
            remove(&name);
        }
        for path in self.abandoned_pending()? {
            remove(&path);
        }
        let now = SystemTime::now();
        for path in self.names_in(Folder::Tmp)? {
            let modified =
                std::fs::symlink_metadata(&path).and_then(|metadata| metadata.modified());
            let age = modified.ok().and_then(|modified| now.duration_since(modified).ok());
            if age.is_some_and(|age| age > ABANDONED) {
                remove(&path);
            }
        }
        failure.map_or(Ok(removed), Err)
    }

    pub(crate) fn names_in(&self, folder: Folder) -> Result<Vec<PathBuf>, StoreError> {
        let path = self.folder(folder);
        // Opened anew, so that two threads reading it do not share a position.
        match Dir::open(&path).and_then(|dir| dir.entries()) {
            Ok(entries) => Ok(entries.into_iter().map(|entry| path.join(entry.name)).collect()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(StoreError::io("reading", path)(error)),
        }
    }
}
