//! Checks of packages' expanded files, and repair of altered ones.
//!
//! Projects share these files: a tool that writes into one of them in place changes it for all. So
//! before a tree is built from them, each file is compared with its stamp in the package's record
//! and its mode, its digest is checked if one differs, and an altered file is replaced. Its
//! contents come from a project's own copy or, as the expanded files are the store's only ones,
//! from the registry: the package then counts as missing until it is fetched again. The files that
//! are right stay, with all their links.

use std::io::{self, Read};
use std::path::Path;

use dx_pkg_core::PackageId;
use dx_pkg_format::dxp::Entry;
use dx_pkg_format::wire::Frame;
use dx_pkg_os::files::{Dir, Identity, Status, unique_name};

use crate::insert::Temporary;
use crate::layout::{EntryName, RECORD};
use crate::matching::{contents_match, file_matches, read_matching};
use crate::tables::Stamp;
use crate::written::give_back;
use crate::{Altered, Folder, Package, PackageTables, Store, StoreError};

/// The frame of `packages/<aa>/<id>.files`, which earlier versions wrote beside a DXP file: 24
/// bytes for each file, see [`Stamp::of_row`].
const EARLIER: Frame =
    Frame { format: "record of expanded files", signature: *b"DXF\0", version: 1 };

/// The result of a check of a package's expanded files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    /// The files that differed.
    pub altered: Vec<Altered>,
    /// Whether the store has the package now, with every file as it should be; otherwise it is to
    /// be fetched.
    pub is_complete: bool,
}

impl Store {
    /// Returns whether the package's expanded files, in `root`, have the stamps and modes of its
    /// tables.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn is_unaltered(
        &self,
        id: PackageId,
        tables: &PackageTables,
        root: &Dir,
    ) -> io::Result<bool> {
        Ok(self.is_fresh(id) || all_fit(tables, root)?)
    }

    /// Checks the package's expanded files, and repairs missing and altered ones from `copy`, a
    /// project's copy of the package, or from its DXP file, if it has one. If neither has what is
    /// needed the package is forgotten.
    ///
    /// A package that was written to is marked, see [`Self::mark_written`]. Where a file was
    /// altered, prepared trees are trashed.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn repair_expanded(
        &self,
        id: PackageId,
        copy: Option<&Path>,
    ) -> Result<Checked, StoreError> {
        if self.is_fresh(id) {
            return Ok(Checked { is_complete: true, ..Checked::default() });
        }
        if !self.ensure_expanded(id)? {
            return Ok(Checked::default());
        }
        let failed = |error| StoreError::io("checking", self.expanded(id))(error);
        let root = self.open_expanded(id).map_err(failed)?;
        let tables = match self.open_tables(id) {
            Ok(Some(tables)) => tables,
            Ok(None) => return self.forget(id).map(|()| Checked::default()),
            Err(StoreError::Damaged { path, .. }) => {
                return self.trash(&path).map(|_| Checked::default());
            }
            Err(error) => return Err(error),
        };
        let mut sources = Sources { store: self, id, copy, whole: None };
        let mut checked = Checked { is_complete: true, ..Checked::default() };
        let mut stamps = Vec::with_capacity(tables.dxp().len());
        let (mut is_recorded, mut was_written) = (true, false);
        for (entry, stamp) in tables.stamped() {
            let status = root.status(entry.path).map_err(failed)?;
            if let (Some(stamp), Some(found)) = (stamp, &status)
                && stamp.fits(found, &entry)
            {
                stamps.push(stamp);
                continue;
            }
            is_recorded = false;
            let digests = tables.digests;
            if let Some(found) = &status
                && file_matches(&root, entry.path, &entry, digests).map_err(failed)?
            {
                stamps.push(Stamp::of(&found.identity));
                continue;
            }
            checked.altered.push(Altered::new(entry.path, status.as_ref()));
            was_written |= status.is_some_and(|status| adds_permissions(&status, &entry))
                || status.is_some()
                    && !contents_match(&root, entry.path, &entry, digests).map_err(failed)?;
            match sources.read(&entry, &tables) {
                Some(contents) => {
                    let identity = self.rewrite(&contents, &entry, &root).map_err(failed)?;
                    stamps.push(Stamp::of(&identity));
                }
                None => checked.is_complete = false,
            }
        }
        if was_written {
            // Without its mark the package is shared as before, and checked again.
            let _ = self.mark_written(id);
        }
        self.distrust(id, &checked.altered)?;
        if !checked.is_complete {
            self.forget(id)?;
        } else if !is_recorded || !self.has_record(id) {
            // Without a record the next check computes the digests again.
            if self.write_record(id, &tables.with_stamps(stamps)).is_ok() {
                self.remove_packed(id);
            }
        }
        Ok(checked)
    }

    /// Makes a package count as missing, because contents of it were found damaged though nothing
    /// else told so.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn reject(&self, id: PackageId) -> Result<(), StoreError> {
        self.forget(id)?;
        // What was made from these files may be damaged, too.
        self.trash_prepared_trees()
    }

    /// Forgets a package that is not complete: it counts as missing. Its expanded files stay, for
    /// the next insertion to use.
    ///
    /// # Errors
    /// When the file system refuses.
    pub(crate) fn forget(&self, id: PackageId) -> Result<(), StoreError> {
        self.fresh().remove(&id);
        let Some(dir) = self.existing(Folder::Packages) else { return Ok(()) };
        match dir.remove_file(EntryName::of_package(id, RECORD)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                let path = self.package_path(id).with_extension("dxt");
                Err(StoreError::io("removing", path)(error))
            }
            _ => Ok(()),
        }
    }

    /// Trashes all prepared trees where files were altered, as any of them may share these. The
    /// files are listed for [`Self::take_altered`].
    pub(crate) fn distrust(&self, id: PackageId, altered: &[Altered]) -> Result<(), StoreError> {
        if altered.is_empty() {
            return Ok(());
        }
        self.trash_prepared_trees()?;
        let found = altered.iter().filter(|altered| altered.inode != 0);
        self.altered().extend(found.map(|altered| (id, altered.clone())));
        Ok(())
    }

    /// Makes the expanded files of a package without a record those of `fresh`, a folder with the
    /// package as it should be, and returns their stamps. Files that are right already stay.
    pub(crate) fn mend_expanded(
        &self,
        id: PackageId,
        fresh: &Temporary<'_>,
        tables: &PackageTables,
    ) -> io::Result<Vec<Stamp>> {
        let (root, from) = (self.open_expanded(id)?, Dir::open(fresh.path())?);
        let shared = self.lacking().remove(&id).unwrap_or_default();
        let mut stamps = Vec::with_capacity(tables.dxp().len());
        for entry in tables.dxp().entries() {
            if !file_matches(&root, entry.path, &entry, tables.digests)?
                && !(shared.contains(entry.path) && give_back(&root, &from, &entry).is_ok())
            {
                make_parents(&root, entry.path)?;
                from.rename(entry.path, &root, entry.path)?;
            }
            let identity = root.identity(entry.path)?.ok_or(io::ErrorKind::NotFound)?;
            stamps.push(Stamp::of(&identity));
        }
        Ok(stamps)
    }

    /// Replaces an altered file by a new one.
    fn rewrite(&self, contents: &[u8], entry: &Entry<'_>, root: &Dir) -> io::Result<Identity> {
        let tmp = Dir::open(self.folder(Folder::Tmp))?;
        let draft = unique_name("");
        tmp.write_file(&draft, contents, entry.mode.bits())?;
        make_parents(root, entry.path)?;
        tmp.rename(&draft, root, entry.path)?;
        root.identity(entry.path)?.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Reads the stamps that an earlier version recorded of a package of `files` files.
    pub(crate) fn earlier_stamps(&self, id: PackageId, files: usize) -> Option<Vec<Stamp>> {
        const ROW: usize = 24;
        let packages = self.existing(Folder::Packages)?;
        let mut file = packages.open_file(EntryName::of_package(id, ".files")).ok()?;
        let mut bytes = Vec::with_capacity(Frame::SIZE + files * ROW + 1);
        file.read_to_end(&mut bytes).ok()?;
        let (rows, rest) = EARLIER.open(&bytes).ok()?.rest().as_chunks::<ROW>();
        let is_whole = rest.is_empty() && rows.len() == files;
        is_whole.then(|| rows.iter().map(Stamp::of_row).collect())
    }
}

/// Where the contents of an altered file may be found.
struct Sources<'s> {
    store: &'s Store,
    id: PackageId,
    copy: Option<&'s Path>,
    /// The package's DXP file, once it was looked for.
    whole: Option<Option<Package>>,
}

impl Sources<'_> {
    /// Returns the contents of a file.
    fn read(&mut self, entry: &Entry<'_>, tables: &PackageTables) -> Option<Vec<u8>> {
        let open = || Some(self.store.open_package_file(self.id).ok()??.0);
        let whole = self.whole.get_or_insert_with(open).as_ref();
        if let Some(dxp) = whole.map(Package::dxp)
            && let Some(packed) = dxp.find(entry.path)
            && let Ok(contents) = dxp.read_verified(&packed)
        {
            return Some(contents.into_owned());
        }
        let copy = self.copy.and_then(|copy| Dir::open(copy).ok())?;
        read_matching(&copy, entry, tables).ok()?
    }
}

/// Returns whether all files in `root` have the stamps and modes of `tables`.
pub(crate) fn all_fit(tables: &PackageTables, root: &Dir) -> io::Result<bool> {
    for (entry, stamp) in tables.stamped() {
        let found = root.status(entry.path)?;
        if !found.zip(stamp).is_some_and(|(found, stamp)| stamp.fits(&found, &entry)) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Creates the missing folders of a file.
fn make_parents(root: &Dir, path: &str) -> io::Result<()> {
    for (end, _) in path.match_indices('/') {
        root.make_or_open_dir(path.get(..end).unwrap_or_default())?;
    }
    Ok(())
}

/// Returns whether somebody gave permissions to a file. A file that lacks some may be one that an
/// earlier version of dx created under another umask.
fn adds_permissions(found: &Status, entry: &Entry<'_>) -> bool {
    found.mode.is_some_and(|mode| mode & !entry.mode.bits() != 0)
}

#[cfg(all(test, unix))]
mod tests;
