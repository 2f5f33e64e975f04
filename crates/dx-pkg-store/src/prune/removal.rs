//! Removal of a whole store.

use std::io;
use std::path::{Path, PathBuf};

use dx_pkg_os::files::{Access, Dir, remove_tree, unique_name};

use crate::owner::{not_used, unfit};
use crate::unfit::Unfit;
use crate::{Folder, StoreError, key};

/// The entries of `v1` beside the folders of [`Folder`].
const OTHERS: [&str; 3] = [key::NAME, "node-version", "commands"];

/// What is at the place of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Nothing.
    Nothing,
    /// A store of this user: its folder `v1`.
    Store(PathBuf),
    /// A folder with an entry that no store has.
    Foreign(PathBuf),
}

/// Looks for a store in the folder `root`, and changes nothing.
///
/// # Errors
/// The folder cannot be read, is a link, or belongs to somebody else.
pub fn find(root: &Path) -> Result<Found, StoreError> {
    let v1 = root.join("v1");
    let dir = match Dir::open_real(&v1) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        opened => opened.map_err(unfit("opening the store", &v1))?,
    };
    if let Access::Foreign { owner } = dir.access().map_err(unfit("opening the store", &v1))? {
        return Err(not_used(&v1, Unfit::Foreign { owner }));
    }
    let entries = dir.entries().map_err(StoreError::io("reading", &v1))?;
    let is_known =
        |name: &str| OTHERS.contains(&name) || Folder::ALL.iter().any(|it| it.name() == name);
    let foreign = entries.iter().find(|entry| !entry.name.to_str().is_some_and(is_known));
    match foreign {
        Some(entry) => Ok(Found::Foreign(v1.join(&entry.name))),
        None => Ok(Found::Store(v1)),
    }
}

/// Removes the `v1` that [`find`] found. Other processes no longer see it from the first moment on.
///
/// # Errors
/// Something cannot be removed.
pub fn remove(v1: &Path) -> Result<(), StoreError> {
    let aside = v1.with_file_name(unique_name("removed-"));
    std::fs::rename(v1, &aside).map_err(StoreError::io("removing", v1))?;
    remove_tree(&aside).map_err(StoreError::io("removing", &aside))
}
