//! Packages that scripts or tools write to: found in a project, and remembered.
//!
//! A file that projects share is written to for all of them. Where it is known which project did
//! so, the project gets a file of its own and the shared one its contents back. From then on such
//! a package is imported as a private copy.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read, Seek, Write};

use dx_pkg_core::PackageId;
use dx_pkg_format::dxp::{Dxp, Entry};
use dx_pkg_os::files::{Dir, Status, unique_name};

use crate::matching::contents_match;
use crate::pending::read_matching;
use crate::{Folder, Package, Store, StoreError};

impl Store {
    /// Remembers that files of the package were written to in a project. Prepared trees, which may
    /// share them, are trashed when that is new.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn mark_written(&self, id: PackageId) -> Result<(), StoreError> {
        if self.mark(Folder::Written, id)? { self.trash_prepared_trees() } else { Ok(()) }
    }

    /// Returns the packages that were marked by [`Self::mark_written`].
    #[must_use]
    pub fn written(&self) -> HashSet<PackageId> {
        self.marked(Folder::Written)
    }

    /// Separates a project's copy of a package from the shared files: each that was written to
    /// since `since` (nanoseconds since 1970) becomes a file of the copy alone, and the store's one
    /// gets its contents back, for all who share it. Returns the paths of the files that were
    /// written to.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn separate(
        &self,
        id: PackageId,
        copy: &Dir,
        since: i64,
    ) -> Result<Vec<String>, StoreError> {
        let Some(tables) = self.open_tables(id)? else { return Ok(Vec::new()) };
        let failed = |error| StoreError::io("checking", self.expanded(id))(error);
        let mut written = Vec::new();
        let (expanded, mut package) = (self.open_expanded(id).ok(), None);
        for entry in tables.dxp().entries() {
            let Some(status) = copy.status(entry.path).map_err(failed)? else { continue };
            if !may_be_written(&status, &entry, since)
                || self.is_as_packed(id, copy, &status, &entry).map_err(failed)?
            {
                continue;
            }
            // Another file with several names is the user's, such as a link to a source file.
            if expanded.as_ref().is_some_and(|expanded| is_same(expanded, &status, &entry)) {
                if package.is_none() {
                    package = self.open_package(id)?;
                }
                separate_file(copy, &status, &entry, package.as_ref()).map_err(failed)?;
            }
            written.push(entry.path.to_owned());
        }
        if !written.is_empty() {
            self.mark_written(id)?;
        }
        Ok(written)
    }

    /// Returns whether a file has contents and mode of its entry.
    fn is_as_packed(
        &self,
        id: PackageId,
        copy: &Dir,
        status: &Status,
        entry: &Entry<'_>,
    ) -> io::Result<bool> {
        if status.mode.is_some_and(|mode| mode != entry.mode.bits()) {
            return Ok(false);
        }
        if self.is_own(id) {
            return Ok(read_matching(copy, entry)?.is_some());
        }
        contents_match(copy, entry.path, entry)
    }
}

/// Returns whether a file is the store's own, in `expanded`.
fn is_same(expanded: &Dir, status: &Status, entry: &Entry<'_>) -> bool {
    let stored = expanded.identity(entry.path).ok().flatten();
    stored.is_some_and(|stored| {
        (stored.device, stored.inode) == (status.identity.device, status.identity.inode)
    })
}

/// Returns whether a file may have been written to since `since`. A file that nothing else shares
/// may also differ because dx made it so, before.
fn may_be_written(status: &Status, entry: &Entry<'_>, since: i64) -> bool {
    let identity = &status.identity;
    if status.links == 1 {
        return identity.mtime_ns > since;
    }
    // The change time also tells of a mode, and of contents whose time was set back.
    identity.ctime_ns >= since
        || identity.size != entry.size
        || status.mode.is_some_and(|mode| mode != entry.mode.bits())
}

/// Gives the copy a file of its own with the present contents, and the shared one its own back.
fn separate_file(
    copy: &Dir,
    status: &Status,
    entry: &Entry<'_>,
    package: Option<&Package>,
) -> io::Result<()> {
    let mut contents = Vec::new();
    copy.open_file(entry.path)?.read_to_end(&mut contents)?;
    // A file that may not be written to is replaced in the store when it is next looked at.
    let shared = copy.open_file_to_write(entry.path).ok();
    let draft = unique_name(".dx-");
    let at = match entry.path.rsplit_once('/') {
        Some((parent, _)) => format!("{parent}/{draft}"),
        None => draft,
    };
    let mode = status.mode.unwrap_or(entry.mode.bits());
    let replaced =
        copy.write_file(&at, &contents, mode).and_then(|()| copy.rename(&at, copy, entry.path));
    if let Err(error) = replaced {
        let _ = copy.remove_file(&at);
        return Err(error);
    }
    let original = package.and_then(|package| restored(package.dxp(), entry));
    if let (Some(shared), Some(original)) = (shared, original) {
        give_back(shared, &original, entry)?;
    }
    Ok(())
}

/// Returns the contents that a file has in its package.
fn restored(dxp: Dxp<'_>, entry: &Entry<'_>) -> Option<Vec<u8>> {
    let entry = dxp.find(entry.path)?;
    dxp.read_verified(&entry).ok().map(std::borrow::Cow::into_owned)
}

/// Writes over a shared file what it should have, so that it has it for everybody who shares it.
fn give_back(mut file: File, contents: &[u8], entry: &Entry<'_>) -> io::Result<()> {
    file.rewind()?;
    file.write_all(contents)?;
    file.set_len(contents.len() as u64)?;
    set_mode(&file, entry.mode.bits())
}

#[cfg(unix)]
fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_file: &File, _mode: u32) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests;
