//! Staging folders beside `node_modules`, the switch to them, and the removal of old trees.
//!
//! A staging folder is named `.node_modules-dx-<process>-<random>` and locked while its process
//! lives. The next run sweeps the others, after it has moved the user's own entries out of them.

use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process;

use dx_pkg_os::files::{Dir, DirEntry, EntryKind, Swap, exchange_or_rename};
use dx_pkg_store::Store;

use crate::LinkError;
use crate::run::Run;
use crate::tree::NODE_MODULES;

mod mount;
#[cfg(test)]
mod tests;

use mount::{is_mount_point, mounts_below};

const PREFIX: &str = ".node_modules-dx-";

/// The beginning of the store's names for trees that it could not move to its own file system.
const TRASH: &str = ".dx-trash-";

/// A staging folder, which is removed unless it is switched to or discarded.
pub(crate) struct Staging {
    /// The importer's folder, around `node_modules` and the staging folder.
    parent: Dir,
    parent_path: PathBuf,
    /// The name, relative to `parent`.
    name: String,
    /// Whether it is within `node_modules`.
    inside: bool,
    pub(crate) dir: Dir,
    done: bool,
}

impl Staging {
    /// Creates an empty folder beside the importer's `node_modules`.
    pub(crate) fn create(importer: &Path) -> Result<Self, LinkError> {
        let parent = Dir::open(importer).map_err(LinkError::io("open the folder", importer))?;
        let (name, inside) = staging_name(importer);
        let dir = parent
            .make_dir(&name)
            .map_err(LinkError::io("make the folder", importer.join(&name)))?;
        claim(&dir);
        Ok(Self { parent, parent_path: importer.to_owned(), name, inside, dir, done: false })
    }

    /// Moves the folder `ready` beside the importer's `node_modules`; `None` if that is refused.
    pub(crate) fn adopt(importer: &Path, ready: &Path) -> Result<Option<Self>, LinkError> {
        let parent = Dir::open(importer).map_err(LinkError::io("open the folder", importer))?;
        let (name, inside) = staging_name(importer);
        let path = importer.join(&name);
        let moved = match (ready.parent(), ready.file_name()) {
            (Some(around), Some(ready)) => {
                Dir::open(around).and_then(|around| around.rename(ready, &parent, &name))
            }
            _ => Err(ErrorKind::InvalidInput.into()),
        };
        if moved.is_err() {
            return Ok(None);
        }
        let mut dir = parent.open_dir(&name).map_err(LinkError::io("open the folder", path))?;
        dir.trust();
        claim(&dir);
        Ok(Some(Self { parent, parent_path: importer.to_owned(), name, inside, dir, done: false }))
    }

    /// Says that all in the folder is of this run, as while a whole tree is built.
    pub(crate) fn trust(&mut self) {
        self.dir.trust();
    }

    /// Removes the staging folders of dead processes beside the importer's `node_modules`. Returns
    /// the folders that are still to be removed.
    pub(crate) fn sweep(
        importer: &Path,
        store: &Store,
        keep_foreign: bool,
    ) -> Result<Vec<PathBuf>, LinkError> {
        let fail = |error| LinkError::io("look for abandoned trees in", importer)(error);
        let parent = Dir::open(importer).map_err(fail)?;
        let mut names: Vec<PathBuf> = garbage(&parent).map_err(fail)?.map(PathBuf::from).collect();
        if is_mount_point(&importer.join(NODE_MODULES)) {
            let visible = parent.open_dir(NODE_MODULES).map_err(fail)?;
            names.extend(
                garbage(&visible).map_err(fail)?.map(|name| Path::new(NODE_MODULES).join(name)),
            );
        }
        let mut leftovers = Vec::new();
        for name in names {
            if keep_foreign {
                rescue(&parent, &name).map_err(fail)?;
            }
            leftovers.extend(discard(store, &parent, importer, &name));
        }
        Ok(leftovers)
    }

    /// Deletes the state files of the visible tree, so that no run trusts the tree if a crash comes
    /// between several renames.
    pub(crate) fn forget_extra_files(&self, files: &[(String, Vec<u8>)]) -> Result<(), LinkError> {
        for (name, _) in files {
            let path = format!("{NODE_MODULES}/{name}");
            match self.parent.remove_file(&path) {
                Err(error) if !missing(&error) => self
                    .parent
                    .remove_tree(&path)
                    .map_err(LinkError::io("remove", self.parent_path.join(path)))?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Makes this folder the importer's `node_modules`. Without `keep` the folder is removed again
    /// unless it has entries of the user. Returns the old tree if it could not be trashed.
    pub(crate) fn switch(
        mut self,
        run: &Run<'_>,
        keep: bool,
    ) -> Result<Option<PathBuf>, LinkError> {
        let place = self.parent_path.join(NODE_MODULES);
        let mut swap = if self.inside {
            Err(ErrorKind::CrossesDevices.into())
        } else {
            exchange_or_rename(&self.parent, &self.name, &self.parent, NODE_MODULES)
        };
        if matches!(swap, Ok(Swap::Exchanged)) && !self.keeps_mounts(run.options.keep_foreign)? {
            swap = Err(ErrorKind::CrossesDevices.into());
        }
        match swap {
            Ok(swap) => {
                // The name is now the old tree's, if there was one.
                self.done = true;
                if swap == Swap::Exchanged && run.options.keep_foreign {
                    rescue(&self.parent, Path::new(&self.name))
                        .map_err(LinkError::io("keep the entries of", &place))?;
                }
            }
            // Layered file systems refuse to rename a folder of a lower layer.
            Err(error)
                if matches!(error.kind(), ErrorKind::CrossesDevices | ErrorKind::ResourceBusy) =>
            {
                self.forget_extra_files(run.options.extra_files)?;
                self.empty_into(run.options.keep_foreign)
                    .map_err(LinkError::io("replace the contents of", &place))?;
            }
            Err(error) => return Err(LinkError::io("rename the new tree to", &place)(error)),
        }
        if !keep {
            // The system refuses if entries of the user were kept.
            let _ = self.parent.remove_dir(NODE_MODULES);
        } else if self.parent_path == run.project {
            touch(&self.visible()?, run.options.extra_files)
                .map_err(LinkError::io("touch the state in", &place))?;
        }
        Ok(if self.done { self.discard(run.packages.store) } else { None })
    }

    /// Returns whether the trees may stay exchanged. They are exchanged back if a file system is
    /// mounted below the old one, as it would go with that, out of sight. Around one in an entry of
    /// the user's, such as a tool's cache, the tree is changed from within.
    ///
    /// # Errors
    /// One is mounted elsewhere.
    fn keeps_mounts(&self, keep_foreign: bool) -> Result<bool, LinkError> {
        let mounts = mounts_below(&self.parent_path.join(&self.name));
        if mounts.is_empty() {
            return Ok(true);
        }
        let visible = self.parent_path.join(NODE_MODULES);
        exchange_or_rename(&self.parent, &self.name, &self.parent, NODE_MODULES)
            .map_err(LinkError::io("put back the tree", &visible))?;
        let is_users = |mount: &PathBuf| {
            let entry = mount.iter().next();
            keep_foreign && entry.is_some_and(|entry| is_foreign(entry, EntryKind::Directory))
        };
        let Some(other) = mounts.iter().find(|mount| !is_users(mount)) else { return Ok(false) };
        let reason = io::Error::new(ErrorKind::ResourceBusy, "a file system is mounted there");
        Err(LinkError::io("replace", visible.join(other))(reason))
    }

    /// Replaces the entries of `node_modules` one by one, if the folder itself cannot be replaced.
    fn empty_into(&self, keep_foreign: bool) -> io::Result<()> {
        let visible = self.parent.make_or_open_dir(NODE_MODULES)?;
        for DirEntry { name, kind } in visible.entries()? {
            let own = self.inside && Path::new(&self.name).file_name() == Some(&name);
            let kept = own || keep_foreign && is_foreign(&name, kind);
            if !kept {
                visible.remove_tree(name)?;
            }
        }
        for DirEntry { name, .. } in self.dir.entries()? {
            self.dir.rename(&name, &visible, &name)?;
        }
        Ok(())
    }

    /// Trashes the folder with all that was moved into it. Returns its path if that is refused.
    pub(crate) fn finish(mut self, store: &Store) -> Option<PathBuf> {
        self.done = true;
        self.discard(store)
    }

    fn discard(&self, store: &Store) -> Option<PathBuf> {
        discard(store, &self.parent, &self.parent_path, Path::new(&self.name))
    }

    /// Removes the importer's `node_modules` if it is empty.
    pub(crate) fn remove_empty(&self) {
        // The system refuses unless the folder is empty.
        let _ = self.parent.remove_dir(NODE_MODULES);
    }

    /// Opens the importer's `node_modules`, which is created if missing.
    pub(crate) fn visible(&self) -> Result<Dir, LinkError> {
        self.parent
            .make_or_open_dir(NODE_MODULES)
            .map_err(LinkError::io("open", self.parent_path.join(NODE_MODULES)))
    }
}

/// Returns the name, in a staging folder, of a file that is to replace another. If it stays it
/// counts as garbage, not as a file of the user.
pub(crate) fn draft(index: usize) -> String {
    format!("{PREFIX}draft-{index}")
}

/// Returns a new name, relative to the importer, and whether it is within `node_modules`. No rename
/// leaves a mount, so a mounted folder is changed from within.
fn staging_name(importer: &Path) -> (String, bool) {
    let name = dx_pkg_os::files::unique_name(&format!("{PREFIX}{}-", process::id()));
    let inside = is_mount_point(&importer.join(NODE_MODULES));
    (if inside { format!("{NODE_MODULES}/{name}") } else { name }, inside)
}

impl Drop for Staging {
    fn drop(&mut self) {
        if !self.done {
            // If it stays, the next run sweeps it.
            let _ = self.parent.remove_tree(&self.name);
        }
    }
}

/// Gives the state files the newest time of the tree: npm believes its hidden lockfile only then.
pub(crate) fn touch(visible: &Dir, files: &[(String, Vec<u8>)]) -> io::Result<()> {
    files.iter().try_for_each(|(name, _)| visible.touch(name))
}

/// Moves the user's own entries from an old tree back into the visible one.
fn rescue(parent: &Dir, old: &Path) -> io::Result<()> {
    let Ok(old) = parent.open_dir(old) else {
        return Ok(());
    };
    let mut visible = None;
    for DirEntry { name, kind } in old.entries()? {
        if kind == EntryKind::Other || !is_foreign(&name, kind) {
            continue;
        }
        let visible = match &mut visible {
            Some(visible) => visible,
            none => none.insert(parent.make_or_open_dir(NODE_MODULES)?),
        };
        match old.rename(&name, visible, &name) {
            // An entry that exists is newer.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists
                ) => {}
            done => done?,
        }
    }
    Ok(())
}

/// Returns whether an entry of `node_modules` belongs to no package manager, such as a tool's cache
/// or a plain file.
fn is_foreign(name: &OsStr, kind: EntryKind) -> bool {
    // Only the user's names are not Unicode.
    let name = name.to_str().unwrap_or(".");
    (name.starts_with('.') || kind == EntryKind::File)
        && !matches!(name, ".bin" | ".dx" | ".package-lock.json" | ".modules.yaml" | ".pnpm")
        && !name.starts_with(".yarn-")
        && ![".pnpm-", PREFIX, TRASH].iter().any(|prefix| name.starts_with(prefix))
}

/// Returns the names of abandoned trees in a folder.
fn garbage(folder: &Dir) -> io::Result<impl Iterator<Item = OsString>> {
    let names = folder.entries()?.into_iter().map(|entry| entry.name);
    Ok(names.filter(|name| is_garbage(folder, name)))
}

/// Returns whether an entry of a folder is a tree that a killed run has left.
pub(crate) fn is_garbage(folder: &Dir, name: &OsStr) -> bool {
    let name = name.to_str().unwrap_or_default();
    name.starts_with(TRASH) || is_abandoned(folder, name)
}

/// Returns whether a staging folder is of no living process. A number alone would not tell: it may
/// be another process's by now, or be counted in another container.
fn is_abandoned(folder: &Dir, name: &str) -> bool {
    let Some(id) = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next()) else {
        return false;
    };
    let Ok(id) = id.parse() else { return false };
    match folder.open_dir(name).and_then(|dir| dir.try_lock()) {
        Ok(is_free) => is_free,
        Err(_) => id == process::id() || !dx_pkg_os::process::process_alive(id),
    }
}

/// Locks a staging folder, so that nobody sweeps it.
fn claim(dir: &Dir) {
    // Where folders cannot be locked, the process's number tells.
    let _ = dir.try_lock();
}

/// Moves a tree to the store's trash. Returns its path if that is refused.
fn discard(store: &Store, folder: &Dir, path: &Path, name: &Path) -> Option<PathBuf> {
    match store.trash_in(folder, path, name) {
        Ok(Some(moved)) if moved.starts_with(store.root()) => None,
        Ok(moved) => moved,
        Err(_) => Some(path.join(name)),
    }
}

/// Returns whether an error means that there is no such entry.
pub(crate) fn missing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}
