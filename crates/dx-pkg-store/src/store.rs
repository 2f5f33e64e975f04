//! The store itself: its folders, and the location of packages.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use dx_pkg_core::PackageId;
use dx_pkg_os::files::{Dir, Identity};

use crate::expanded::Altered;
use crate::key::StoreKey;
use crate::layout::{EntryName, RECORD};
use crate::owner::{self, Place};
use crate::packuments::Packuments;
use crate::pending::{self, Pending};
use crate::seal::Seals;
use crate::{Folder, PackageTables, StoreError};

/// A store. Clones share it, and threads and processes may use it concurrently.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    root: PathBuf,
    dir: Dir,
    folders: [OnceLock<Dir>; Folder::COUNT],
    pending: OnceLock<Pending>,
    begins_pending: Mutex<()>,
    altered: Mutex<Vec<(PackageId, Altered)>>,
    fresh: Mutex<HashMap<PackageId, PackageTables>>,
    lacking: Mutex<BTreeMap<PackageId, BTreeSet<String>>>,
    gyp: Mutex<Option<HashSet<PackageId>>>,
    metadata: Mutex<Packuments>,
    key: OnceLock<StoreKey>,
    seals: OnceLock<Seals>,
    sealed_since: OnceLock<i64>,
    expected: Mutex<HashMap<PackageId, Box<str>>>,
}

impl Store {
    /// Opens the store below `root`, which is created if missing. Its folders are created on first
    /// use. The user chose `root`, so it may be a link.
    ///
    /// # Errors
    /// When `root` can be neither opened nor created, or is not this user's alone.
    pub fn open(root: &Path) -> Result<Self, StoreError> {
        Self::open_at(root, Place::Chosen)
    }

    /// Opens the store below `root` as [`Self::open`] does, where others could have put a folder or
    /// a link of that name.
    ///
    /// # Errors
    /// As for [`Self::open`], and where `root` is a link.
    pub fn open_common(root: &Path) -> Result<Self, StoreError> {
        Self::open_at(root, Place::Common)
    }

    fn open_at(root: &Path, place: Place) -> Result<Self, StoreError> {
        let mut dir = owner::open(root, place)?;
        // Nobody else writes below it.
        dir.trust();
        let inner = Inner {
            root: root.join("v1"),
            dir,
            folders: Default::default(),
            pending: OnceLock::new(),
            begins_pending: Mutex::new(()),
            altered: Mutex::default(),
            fresh: Mutex::default(),
            lacking: Mutex::default(),
            gyp: Mutex::default(),
            metadata: Mutex::default(),
            key: OnceLock::new(),
            seals: OnceLock::new(),
            sealed_since: OnceLock::new(),
            expected: Mutex::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Returns the folder of this version of the layout, `<root>/v1`.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.inner.root
    }

    /// Returns the path of a folder of the store, which may not exist yet.
    #[must_use]
    pub fn folder(&self, folder: Folder) -> PathBuf {
        self.inner.root.join(folder.name())
    }

    /// Returns whether the package is stored and expanded, or pending.
    #[must_use]
    pub fn has(&self, id: PackageId) -> bool {
        self.is_own(id)
            || (self.has_record(id) || self.is_packed(id))
                && self.entry(Folder::Expanded, id, "").is_some()
    }

    /// Returns whether there is a DXP file of the package.
    pub(crate) fn is_packed(&self, id: PackageId) -> bool {
        self.entry(Folder::Packages, id, ".dxp").is_some()
    }

    /// Returns whether there is a record of the package as an expanded one.
    pub(crate) fn has_record(&self, id: PackageId) -> bool {
        self.entry(Folder::Packages, id, RECORD).is_some()
    }

    /// Returns the identity of the package's entry in `folder`, if there is one.
    pub(crate) fn entry(&self, folder: Folder, id: PackageId, suffix: &str) -> Option<Identity> {
        self.existing(folder)?.identity(EntryName::of_package(id, suffix)).ok().flatten()
    }

    /// Returns the path of the package's expanded folder, which may not exist.
    #[must_use]
    pub fn expanded(&self, id: PackageId) -> PathBuf {
        self.folder(Folder::Expanded).join(EntryName::of_package(id, ""))
    }

    /// Moves a pending package's folder to `name` in `into`: cheaper than links, and only this
    /// process has it.
    ///
    /// # Errors
    /// When the package is not pending, `into` is on another file system, or the file system
    /// refuses.
    pub fn move_own(&self, id: PackageId, into: &Dir, name: &str) -> io::Result<()> {
        let pending = self.pending().filter(|pending| pending.tables(id).is_some());
        let pending = pending.ok_or(io::ErrorKind::NotFound)?;
        pending.dir.rename(pending::name_of(id), into, name)
    }

    /// Moves a pending package's folder back, which [`Self::move_own`] moved to `name` in
    /// `from`, for a tree that is discarded.
    ///
    /// # Errors
    /// When the file system refuses; the package is then fetched again when it is needed.
    pub fn take_back(&self, id: PackageId, from: &Dir, name: &str) -> io::Result<()> {
        match self.pending().filter(|pending| pending.tables(id).is_some()) {
            Some(pending) => from.rename(name, &pending.dir, pending::name_of(id)),
            None => Ok(()),
        }
    }

    /// Returns whether the package is pending: only this process has it.
    #[must_use]
    pub fn is_own(&self, id: PackageId) -> bool {
        self.pending().is_some_and(|pending| pending.tables(id).is_some())
    }

    /// Clones the package's expanded folder to `name` in `into` by one call; see
    /// [`dx_pkg_os::files::clone_tree`].
    ///
    /// # Errors
    /// When the package is not expanded, or the system or the file systems cannot clone.
    pub fn clone_expanded(&self, id: PackageId, into: &Dir, name: &str) -> io::Result<()> {
        let expanded = self.existing(Folder::Expanded).ok_or(io::ErrorKind::NotFound)?;
        dx_pkg_os::files::clone_tree(expanded, EntryName::of_package(id, ""), into, name)
    }

    /// Returns the folder of unfinished entries, which is created if missing.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn tmp_dir(&self) -> Result<PathBuf, StoreError> {
        self.dir(Folder::Tmp)?;
        Ok(self.folder(Folder::Tmp))
    }

    /// Returns the packages with a `binding.gyp`, once they have been read.
    pub(crate) fn known_gyp(&self) -> MutexGuard<'_, Option<HashSet<PackageId>>> {
        self.inner.gyp.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the metadata cache as this process sees it.
    pub(crate) fn metadata_cell(&self) -> &Mutex<Packuments> {
        &self.inner.metadata
    }

    /// Returns the store's key, once it was read or created.
    pub(crate) fn key_cell(&self) -> &OnceLock<StoreKey> {
        &self.inner.key
    }

    pub(crate) fn seals_cell(&self) -> &OnceLock<Seals> {
        &self.inner.seals
    }

    pub(crate) fn sealed_since_cell(&self) -> &OnceLock<i64> {
        &self.inner.sealed_since
    }

    /// Returns the integrities that packages are expected to have; see [`Self::expect`].
    pub(crate) fn expected(&self) -> MutexGuard<'_, HashMap<PackageId, Box<str>>> {
        self.inner.expected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the folder of this version of the layout, kept open.
    pub(crate) fn root_dir(&self) -> &Dir {
        &self.inner.dir
    }

    /// Returns the pending packages of this process.
    pub(crate) fn pending(&self) -> Option<&Pending> {
        self.inner.pending.get()
    }

    pub(crate) fn pending_cell(&self) -> &OnceLock<Pending> {
        &self.inner.pending
    }

    /// Locks the creation of [`Self::pending`].
    pub(crate) fn begins_pending(&self) -> MutexGuard<'_, ()> {
        self.inner.begins_pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the altered files that this process has found and repaired since the last call.
    #[must_use]
    pub fn take_altered(&self) -> Vec<(PackageId, Altered)> {
        std::mem::take(&mut *self.altered())
    }

    pub(crate) fn altered(&self) -> MutexGuard<'_, Vec<(PackageId, Altered)>> {
        self.inner.altered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the packages that this process has stored.
    pub(crate) fn fresh(&self) -> MutexGuard<'_, HashMap<PackageId, PackageTables>> {
        self.inner.fresh.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether this process has stored the package, so that its files need no check.
    #[must_use]
    pub fn is_fresh(&self, id: PackageId) -> bool {
        self.fresh().contains_key(&id)
    }

    /// Returns the packages that are to be fetched again, because this process found files altered
    /// in place that all who share them shall have back as they were, with these files.
    pub(crate) fn lacking(&self) -> MutexGuard<'_, BTreeMap<PackageId, BTreeSet<String>>> {
        self.inner.lacking.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn package_path(&self, id: PackageId) -> PathBuf {
        self.folder(Folder::Packages).join(EntryName::of_package(id, ".dxp"))
    }

    /// Returns a folder of the store, created if missing and kept open.
    pub(crate) fn dir(&self, folder: Folder) -> Result<&Dir, StoreError> {
        let cell = &self.inner.folders[folder as usize];
        if let Some(dir) = cell.get() {
            return Ok(dir);
        }
        let dir = owner::make_or_open_folder(&self.inner.dir, folder.name());
        let dir = dir.map_err(StoreError::io("opening the store's folder", self.folder(folder)))?;
        Ok(cell.get_or_init(|| dir))
    }

    /// Returns a folder of the store, kept open; `None` if it does not exist yet.
    pub(crate) fn existing(&self, folder: Folder) -> Option<&Dir> {
        let cell = &self.inner.folders[folder as usize];
        if let Some(dir) = cell.get() {
            return Some(dir);
        }
        let dir = owner::open_folder(&self.inner.dir, folder.name()).ok()?;
        Some(cell.get_or_init(|| dir))
    }

    /// Renames `name` in `tmp/` to `target` in `folder`. The folder above the
    /// target is created if missing.
    pub(crate) fn publish(
        &self,
        name: &str,
        folder: Folder,
        target: impl AsRef<Path>,
    ) -> Result<io::Result<()>, StoreError> {
        let target = target.as_ref();
        let (tmp, dir) = (self.dir(Folder::Tmp)?, self.dir(folder)?);
        let renamed = tmp.rename(name, dir, target);
        if !matches!(&renamed, Err(error) if error.kind() == io::ErrorKind::NotFound) {
            return Ok(renamed);
        }
        let parent = target.parent().unwrap_or(target);
        match dir.create_dir_by_umask(parent) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                let path = self.folder(folder).join(parent);
                return Err(StoreError::io("creating the store's folder", path)(error));
            }
            _ => {}
        }
        Ok(tmp.rename(name, dir, target))
    }
}
