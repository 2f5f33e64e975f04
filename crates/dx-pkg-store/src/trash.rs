//! The trash: removal by one rename now, deletion in the background later.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use dx_pkg_os::files::{Dir, remove_tree, unique_name};

use crate::{Folder, Store, StoreError};

/// The age of entries in `tmp/` that belong to no living process.
const ABANDONED: Duration = Duration::from_secs(24 * 60 * 60);

impl Store {
    /// Moves a file or tree away by one rename and returns its new path; `None` if there was none.
    ///
    /// It goes to the store's trash. If it is on another file system, or the store cannot be
    /// written, it is renamed to `.dx-trash-…` beside its place, and the caller must remove it.
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

    /// Does the same for an entry of an open folder, which is at `path`.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn trash_in(
        &self,
        folder: &Dir,
        path: &Path,
        name: &Path,
    ) -> Result<Option<PathBuf>, StoreError> {
        let inside = unique_name("");
        if let Ok(trash) = self.dir(Folder::Trash)
            && folder.rename(name, trash, &inside).is_ok()
        {
            return Ok(Some(self.folder(Folder::Trash).join(inside)));
        }
        let beside = name.with_file_name(unique_name(".dx-trash-"));
        match folder.rename(name, folder, &beside) {
            Ok(()) => Ok(Some(path.join(beside))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError::io("removing", path.join(name))(error)),
        }
    }

    /// Deletes the trash, and entries of killed processes in `tmp/` that are a day old. Returns the
    /// number of entries.
    ///
    /// # Errors
    /// When an entry cannot be deleted; the others are deleted all the same.
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

    /// Returns whether anything lies in the trash.
    #[must_use]
    pub fn has_trash(&self) -> bool {
        std::fs::read_dir(self.folder(Folder::Trash)).is_ok_and(|mut names| names.next().is_some())
    }

    /// Returns the paths of the entries of a folder.
    pub(crate) fn names_in(&self, folder: Folder) -> Result<Vec<PathBuf>, StoreError> {
        let path = self.folder(folder);
        // Opened anew, so that two threads do not share a position.
        match Dir::open(&path).and_then(|dir| dir.entries()) {
            Ok(entries) => Ok(entries.into_iter().map(|entry| path.join(entry.name)).collect()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(StoreError::io("reading", path)(error)),
        }
    }
}
