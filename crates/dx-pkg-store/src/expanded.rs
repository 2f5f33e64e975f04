//! Checks of packages' expanded files, and repair of altered ones.
//!
//! Projects share these files: a tool that writes into one of them in place changes it for all. So
//! before a tree is built from them, each file is compared with its stamp in the package's record
//! and its mode, its digest is checked if one differs, and an altered file is replaced. Maintenance
//! also checks the digest of each file that was changed since dx has last linked or checked it, as
//! the system's change time tells, which no program can set back. Its
//! contents come from a project's own copy or, as the expanded files are the store's only ones,
//! from the registry: the package then counts as missing until it is fetched again. The files that
//! are right stay, with all their links.

use std::io;
use std::path::Path;
use std::sync::atomic::AtomicU64;

use dx_pkg_core::PackageId;
use dx_pkg_format::dxp::Entry;
use dx_pkg_format::wire::Frame;
use dx_pkg_os::files::{Dir, Status, unique_name};

use crate::insert::Temporary;
use crate::layout::{EntryName, FORMER, RECORD, RECORD_LIMIT};
use crate::matching::{file_matches, read_matching};
use crate::package_tree::now_ns;
use crate::tables::{Row, Stamp};
use crate::written::give_back;
use crate::{Folder, Package, PackageFiles, PackageTables, Store, StoreError};

pub use crate::altered::Altered;

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
    /// Returns whether the package's files have the stamps, sizes and modes of its tables.
    ///
    /// Files that were changed since dx has last linked or checked them have a later change time,
    /// and so have those of which a link was made or removed. They are compared with their digests,
    /// as long as `budget` lasts, which is in bytes; [`Self::repair_expanded`] compares all.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn is_unaltered(
        &self,
        id: PackageId,
        files: &PackageFiles,
        budget: &AtomicU64,
    ) -> io::Result<bool> {
        Ok(self.is_fresh(id) || files.all_fit(budget)?)
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
        let tables = match self.open_tables(id) {
            Ok(Some(tables)) => tables,
            Ok(None) => return self.forget(id).map(|()| Checked::default()),
            Err(StoreError::Damaged { path, .. }) => {
                return self.trash(&path).map(|_| Checked::default());
            }
            Err(error) => return Err(error),
        };
        let files = self.open_files(id, &tables).map_err(failed)?;
        // What changes while files are hashed is looked at again.
        let began = now_ns();
        let mut sources = Sources { store: self, id, copy, whole: None };
        let mut checked = Checked { is_complete: true, ..Checked::default() };
        let mut rows = Vec::with_capacity(tables.dxp().len());
        let (mut is_recorded, mut was_written) = (true, false);
        for (entry, stamp) in tables.stamped() {
            let found = files.status(&entry).map_err(failed)?;
            let fits = found.zip(stamp).is_some_and(|(found, stamp)| {
                stamp.fits(&found, &entry) && found.identity.ctime_ns <= tables.changed_ns
            });
            is_recorded &= fits;
            if let Some(found) = &found
                && (fits || files.matches(&entry).map_err(failed)?)
            {
                rows.push(files.row(&entry, found));
                continue;
            }
            checked.altered.push(Altered::new(entry.path, found.as_ref()));
            was_written |= found.is_some_and(|found| adds_permissions(&found, &entry))
                || found.is_some() && !files.contents_match(&entry).map_err(failed)?;
            match sources.read(&entry, &tables) {
                Some(contents) => {
                    let found = self.rewrite(&contents, &entry, &files).map_err(failed)?;
                    rows.push(files.row(&entry, &found));
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
            // A DXP file of which contents are damaged would go on vouching for the package.
            self.trash(&self.package_path(id))?;
        } else if !is_recorded || !self.has_record(id) {
            // Without a record the next check computes the digests again.
            let checked = tables.clone().with_rows(tables.names, rows, began);
            if self.write_record(id, &checked).is_ok() {
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

    /// Forgets a package that is not complete: it counts as missing. Its files stay, for the next
    /// insertion to use, and its record under another name, as it tells which is which.
    ///
    /// # Errors
    /// When the file system refuses.
    pub(crate) fn forget(&self, id: PackageId) -> Result<(), StoreError> {
        self.fresh().remove(&id);
        let Some(dir) = self.existing(Folder::Packages) else { return Ok(()) };
        let name = |suffix| EntryName::of_package(id, suffix);
        match dir.rename(name(RECORD), dir, name(FORMER)) {
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

    /// Replaces files of `fresh`, a folder with the package as it should be, by links to those of
    /// its forgotten files that are right, so that projects go on sharing them. Those that scripts
    /// wrote to get their contents back. Returns the new rows; `None` where nothing was forgotten.
    pub(crate) fn keep_right_files(
        &self,
        id: PackageId,
        fresh: &Temporary<'_>,
        tables: &PackageTables,
    ) -> Option<Vec<Row>> {
        let shared = self.lacking().remove(&id).unwrap_or_default();
        let former = EntryName::of_package(id, FORMER);
        let packages = self.existing(Folder::Packages)?;
        let record = packages.read_file(former, RECORD_LIMIT).ok()?;
        let record = PackageTables::decode(record, id, self.seals().ok()?)?;
        let old = self.open_files(id, &record).ok()?;
        let new = PackageFiles::new(Dir::open(fresh.path()).ok()?, tables.clone());
        let mut rows = Vec::with_capacity(tables.dxp().len());
        for entry in tables.dxp().entries() {
            let kept = keep_right_file(&old, &new, &entry, shared.contains(entry.path));
            // One that cannot be kept is as it was fetched.
            let found = kept.ok().flatten().or_else(|| new.status(&entry).ok().flatten())?;
            rows.push(new.row(&entry, &found));
        }
        // If it stays it is of no consequence: it is read for a forgotten package only.
        let _ = packages.remove_file(former);
        Some(rows)
    }

    /// Replaces an altered file by a new one.
    fn rewrite(
        &self,
        contents: &[u8],
        entry: &Entry<'_>,
        files: &PackageFiles,
    ) -> io::Result<Status> {
        let tmp = Dir::open(self.folder(Folder::Tmp))?;
        let draft = unique_name("");
        tmp.write_file(&draft, contents, entry.mode.bits())?;
        let name = files.name(entry);
        let path = name.as_str();
        for (end, _) in path.match_indices('/') {
            files.dir().make_or_open_dir(path.get(..end).unwrap_or_default())?;
        }
        tmp.rename(&draft, files.dir(), name)?;
        files.status(entry)?.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Reads the rows that an earlier version recorded of a package of `files` files.
    pub(crate) fn earlier_rows(&self, id: PackageId, files: usize) -> Option<Vec<Row>> {
        const ROW: usize = 24;
        let packages = self.existing(Folder::Packages)?;
        let limit = (Frame::SIZE + files * ROW + 1) as u64;
        let bytes = packages.read_file(EntryName::of_package(id, ".files"), limit).ok()?;
        let (rows, rest) = EARLIER.open(&bytes).ok()?.rest().as_chunks::<ROW>();
        let is_whole = rest.is_empty() && rows.len() == files;
        let row = |row| Row { stamp: Stamp::of_row(row), number: 0 };
        is_whole.then(|| rows.iter().map(row).collect())
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
        read_matching(&copy, entry.path, entry, &tables.digests).ok()?
    }
}

/// Replaces a file of `new` by a link to the one of `old`, if that is right or, where it is
/// `shared`, can be given its contents back; returns its status then.
fn keep_right_file(
    old: &PackageFiles,
    new: &PackageFiles,
    entry: &Entry<'_>,
    shared: bool,
) -> io::Result<Option<Status>> {
    let Some(former) = old.tables().dxp().find(entry.path) else { return Ok(None) };
    let (from, digests) = (old.name(&former), &new.tables().digests);
    if !file_matches(old.dir(), from, entry, digests)? {
        if !shared {
            return Ok(None);
        }
        give_back(old, &former, new, entry)?;
    }
    let draft = unique_name("");
    new.dir().link_from(old.dir(), from, &draft)?;
    new.dir().rename(&draft, new.dir(), new.name(entry))?;
    new.status(entry)
}

/// Returns whether somebody gave permissions to a file. A file that lacks some may be one that an
/// earlier version of dx created under another umask.
fn adds_permissions(found: &Status, entry: &Entry<'_>) -> bool {
    found.mode.is_some_and(|mode| mode & !entry.mode.bits() != 0)
}

#[cfg(all(test, unix))]
mod tests;
