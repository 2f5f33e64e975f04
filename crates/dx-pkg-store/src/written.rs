//! Packages that scripts or tools write to: found in a project, and remembered.
//!
//! A file that projects share is written to for all of them. Where it is known which project did
//! so, the project gets a file of its own and the shared one its contents back. From then on such
//! a package is imported as a private copy.

use std::collections::{BTreeSet, HashSet};
use std::fs::File;
use std::io::{self, Read, Seek, Write};

use dx_pkg_core::PackageId;
use dx_pkg_format::dxp::Entry;
use dx_pkg_os::files::{Dir, Status, unique_name};

use crate::matching::contents_match;
use crate::{Folder, Package, PackageFiles, PackageTables, Store, StoreError};

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
    /// Where only the registry has these contents, the package is forgotten until it is inserted
    /// again, by this process; see [`Self::to_fetch_again`].
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
        let (mut written, mut lacking) = (Vec::new(), BTreeSet::new());
        let (stored, mut whole) = (self.open_files(id, &tables).ok(), None);
        for entry in tables.dxp().entries() {
            let Some(status) = copy.status(entry.path).map_err(failed)? else { continue };
            if !may_be_written(&status, &entry, since)
                || is_as_packed(copy, &status, &entry, &tables).map_err(failed)?
            {
                continue;
            }
            written.push(entry.path.to_owned());
            // Another file with several names is the user's, such as a link to a source file.
            if !stored.as_ref().is_some_and(|stored| is_same(stored, &status, &entry)) {
                continue;
            }
            let shared = separate_file(copy, &status, &entry).map_err(failed)?;
            if whole.is_none() {
                whole = Some(self.open_package_file(id)?.map(|(package, _)| package));
            }
            match (whole.iter().flatten().find_map(|whole| packed(whole, &entry)), shared) {
                (Some(contents), Some(shared)) => {
                    restore(shared, &contents, &entry).map_err(failed)?;
                }
                _ => drop(lacking.insert(entry.path.to_owned())),
            }
        }
        if !written.is_empty() {
            self.mark_written(id)?;
        }
        if !lacking.is_empty() {
            self.forget(id)?;
            self.lacking().insert(id, lacking);
        }
        Ok(written)
    }

    /// Returns the packages that [`Self::separate`] has forgotten and that were not inserted again.
    /// Their altered files are in other projects, too, until then.
    #[must_use]
    pub fn to_fetch_again(&self) -> Vec<PackageId> {
        self.lacking().keys().copied().collect()
    }
}

/// Returns whether a file has contents and mode of its entry.
fn is_as_packed(
    copy: &Dir,
    status: &Status,
    entry: &Entry<'_>,
    tables: &PackageTables,
) -> io::Result<bool> {
    Ok(status.mode.is_none_or(|mode| mode == entry.mode.bits())
        && contents_match(copy, entry.path, entry, &tables.digests)?)
}

/// Returns whether a file is the store's own.
fn is_same(stored: &PackageFiles, status: &Status, entry: &Entry<'_>) -> bool {
    let stored = stored.status(entry).ok().flatten();
    stored.is_some_and(|stored| {
        let (stored, own) = (&stored.identity, &status.identity);
        (stored.device, stored.inode) == (own.device, own.inode)
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

/// Gives the copy a file of its own with the present contents. Returns the shared one, unless it
/// may not be written to; it is then replaced in the store.
fn separate_file(copy: &Dir, status: &Status, entry: &Entry<'_>) -> io::Result<Option<File>> {
    let mut contents = Vec::new();
    copy.open_file(entry.path)?.read_to_end(&mut contents)?;
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
    Ok(shared)
}

/// Returns the contents that a file has in the package's DXP file.
fn packed(whole: &Package, entry: &Entry<'_>) -> Option<Vec<u8>> {
    let entry = whole.dxp().find(entry.path)?;
    whole.dxp().read_verified(&entry).ok().map(std::borrow::Cow::into_owned)
}

/// Writes over the shared file `former` of `old` what `entry` of `new` has.
pub(crate) fn give_back(
    old: &PackageFiles,
    former: &Entry<'_>,
    new: &PackageFiles,
    entry: &Entry<'_>,
) -> io::Result<()> {
    let mut contents = Vec::new();
    new.open(entry)?.read_to_end(&mut contents)?;
    restore(old.dir().open_file_to_write(old.name(former))?, &contents, entry)
}

/// Writes over a shared file what it should have, so that it has it for everybody who shares it.
fn restore(mut file: File, contents: &[u8], entry: &Entry<'_>) -> io::Result<()> {
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
