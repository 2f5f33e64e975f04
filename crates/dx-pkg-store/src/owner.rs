//! The folders that a store may use: real ones that belong to this user and that nobody else may
//! write to.
//!
//! Whoever may write into a store decides what is installed from it. What `ssh` asks of its
//! folders is asked here: `v1` and the folders in it belong to the effective user and are no
//! links, and `v1` is closed to everybody else. The folder around it may be a link where the user
//! chose it, and may belong to the administrator, who can do everything anyway. Reasons and cases
//! are in docs/design/0014-what-is-verified.md.

use std::io;
use std::path::Path;

use dx_pkg_os::files::{self, Access, Dir, DirEntry, EntryKind, ROOT};

use crate::StoreError;
use crate::unfit::Unfit;

/// How a store's place was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The user chose it, or it is in the user's home.
    Chosen,
    /// It is where anybody may have put a folder of this name.
    Common,
}

/// Opens `v1` in the store's folder `root`; both are created if missing, for this user alone.
pub(crate) fn open(root: &Path, place: Place) -> Result<Dir, StoreError> {
    let v1 = root.join("v1");
    let dir = match Dir::open_real(&v1) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => create(root, place)?,
        opened => {
            check_root(root, place)?;
            opened.map_err(unfit("opening the store", &v1))?
        }
    };
    let access = dir.access().map_err(unfit("opening the store", &v1))?;
    match access {
        Access::Own => {}
        Access::Foreign { owner } => return Err(not_used(&v1, Unfit::Foreign { owner })),
        Access::Readable => {
            // Nobody else can write to it, so it is used even where its mode cannot be changed.
            let _ = dir.make_private();
        }
        Access::Sticky | Access::Shared => take_back(&dir, &v1)?,
    }
    for entry in dir.entries().map_err(unfit("opening the store", &v1))? {
        if entry.kind == EntryKind::Symlink {
            return Err(not_used(&v1.join(entry.name), Unfit::NoFolder));
        }
    }
    Ok(dir)
}

/// Opens a folder of the store.
pub(crate) fn open_folder(above: &Dir, name: &str) -> io::Result<Dir> {
    let dir = above.open_dir(name)?;
    match dir.access()? {
        Access::Foreign { .. } => Err(io::ErrorKind::PermissionDenied.into()),
        _ => Ok(dir),
    }
}

/// Opens a folder of the store, which is created if missing.
pub(crate) fn make_or_open_folder(above: &Dir, name: &str) -> io::Result<Dir> {
    match above.create_private_dir(name) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => open_folder(above, name),
    }
}

fn create(root: &Path, place: Place) -> Result<Dir, StoreError> {
    let failed = || StoreError::io("opening the store", root);
    if let Some(parent) = root.parent() {
        std::fs::create_dir_all(parent).map_err(failed())?;
    }
    match files::create_private_dir(root) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(failed()(error));
        }
        _ => {}
    }
    check_root(root, place)?;
    let above = match place {
        Place::Chosen => Dir::open(root),
        Place::Common => Dir::open_real(root),
    };
    let above = above.map_err(unfit("opening the store", root))?;
    let dir = match above.create_private_dir("v1") {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => above.open_dir("v1"),
    };
    dir.map_err(unfit("opening the store", &root.join("v1")))
}

/// Checks the folder in which `v1` is.
fn check_root(root: &Path, place: Place) -> Result<(), StoreError> {
    let access = files::access(root, place == Place::Chosen);
    match access.map_err(unfit("opening the store", root))? {
        Access::Own | Access::Readable | Access::Sticky => Ok(()),
        // The administrator may let others write, as to a volume of one group.
        Access::Foreign { owner: ROOT } if place == Place::Chosen => Ok(()),
        Access::Foreign { owner } => Err(not_used(root, Unfit::Foreign { owner })),
        Access::Shared => forbid_writing(root).map_err(|_| not_used(root, Unfit::Shared)),
    }
}

/// Takes the right to write to the folder around `v1` from others. A folder that has something else
/// in it is not the store's to change.
fn forbid_writing(root: &Path) -> io::Result<()> {
    let dir = Dir::open(root)?;
    if dir.entries()?.iter().all(|entry| entry.name == "v1") {
        return dir.forbid_writing();
    }
    Err(io::ErrorKind::PermissionDenied.into())
}

/// Closes a `v1` that others could write to, and refuses it if they have put folders into it. Of
/// files that they have put there the records are not believed.
fn take_back(dir: &Dir, path: &Path) -> Result<(), StoreError> {
    let failed = || unfit("opening the store", path);
    if dir.make_private().is_err() || dir.access().map_err(failed())? != Access::Own {
        return Err(not_used(path, Unfit::Shared));
    }
    for entry in dir.entries().map_err(failed())? {
        check_planted(path, &entry)?;
        // What is in `tmp` and `trash` is removed, and no path leads through it.
        if entry.kind != EntryKind::Directory
            || matches!(entry.name.to_str(), Some("tmp" | "trash"))
        {
            continue;
        }
        let inside = path.join(&entry.name);
        let found = dir.open_dir(&entry.name).and_then(|dir| dir.entries());
        for entry in found.map_err(unfit("opening the store", &inside))? {
            check_planted(&inside, &entry)?;
        }
    }
    Ok(())
}

/// Refuses a folder of somebody else's, and a link.
fn check_planted(folder: &Path, entry: &DirEntry) -> Result<(), StoreError> {
    let at = folder.join(&entry.name);
    match (entry.kind, files::access(&at, false)) {
        (EntryKind::Symlink, _) => Err(not_used(&at, Unfit::NoFolder)),
        (_, Ok(Access::Foreign { owner })) => Err(not_used(&at, Unfit::Foreign { owner })),
        _ => Ok(()),
    }
}

/// Returns the error about a folder that is not used.
pub(crate) fn not_used(path: &Path, why: Unfit) -> StoreError {
    StoreError::NotUsed { path: path.to_owned(), why }
}

/// Wraps an error of opening a folder, which for a link tells that it is none.
pub(crate) fn unfit<'p>(
    doing: &'static str,
    path: &'p Path,
) -> impl FnOnce(io::Error) -> StoreError + 'p {
    move |error| match error.kind() {
        io::ErrorKind::NotADirectory => not_used(path, Unfit::NoFolder),
        _ if path.symlink_metadata().is_ok_and(|found| found.is_symlink()) => {
            not_used(path, Unfit::NoFolder)
        }
        _ => StoreError::io(doing, path)(error),
    }
}

#[cfg(all(test, unix))]
mod tests;
