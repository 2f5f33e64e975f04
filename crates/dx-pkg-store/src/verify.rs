//! Verification of every package against its digests and every expanded file against its package.

use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use dx_pkg_core::{Integrity, PackageId};
use dx_pkg_format::dxp::Dxp;
use dx_pkg_os::files::{Dir, EntryKind};

use crate::layout::{FORMER, RECORD};
use crate::{Folder, PackageFiles, Store, StoreError};

/// The result of a verification.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// The number of packages checked.
    pub packages: usize,
    /// The number of expanded files checked.
    pub files: usize,
    /// The damaged packages, ordered by id.
    pub damage: Vec<Damage>,
}

/// One damaged package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Damage {
    /// The package.
    pub id: PackageId,
    /// The damage, as a sentence without its full stop.
    pub what: String,
    /// Whether it was repaired, or removed so that it is fetched again.
    pub fixed: bool,
}

impl Store {
    /// Hashes every package and every expanded file. With `fix`, differing files are expanded again
    /// from their package, and damaged packages are trashed.
    ///
    /// # Errors
    /// When the store cannot be read, or, with `fix`, cannot be written.
    pub fn verify(&self, fix: bool) -> Result<VerifyReport, StoreError> {
        let shard = AtomicUsize::new(0);
        let report = Mutex::new(Ok(VerifyReport::default()));
        let threads = dx_pkg_os::process::processors();
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    loop {
                        let shard = shard.fetch_add(1, Ordering::Relaxed);
                        if shard > usize::from(u8::MAX) {
                            return;
                        }
                        let found = self.verify_shard(&format!("{shard:02x}"), fix);
                        let mut report =
                            report.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                        match (&mut *report, found) {
                            (Ok(report), Ok(found)) => report.add(found),
                            (Ok(_), Err(error)) => *report = Err(error),
                            (Err(_), _) => return,
                        }
                    }
                });
            }
        });
        let mut report = report.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)?;
        report.damage.sort();
        Ok(report)
    }

    fn verify_shard(&self, shard: &str, fix: bool) -> Result<VerifyReport, StoreError> {
        let mut report = VerifyReport::default();
        let mut packages = self.ids_in(Folder::Packages, shard, RECORD)?;
        packages.extend(self.ids_in(Folder::Packages, shard, ".dxp")?);
        packages.sort();
        packages.dedup();
        for &id in &packages {
            report.packages += 1;
            if let Some(what) = self.verify_package(id, &mut report.files)? {
                let fixed = fix && self.repair(id)?;
                report.damage.push(Damage { id, what, fixed });
            }
        }
        for id in self.ids_in(Folder::Packages, shard, ".tgz")? {
            report.packages += usize::from(!packages.contains(&id));
            let bytes = self.tarball_bytes(id).unwrap_or_default();
            if PackageId::from_integrity(&Integrity::sha512_of(&bytes)) != id {
                let fixed = fix && self.remove_tarball(id).is_ok();
                report.damage.push(Damage {
                    id,
                    what: "its tarball is not what its name says".to_owned(),
                    fixed,
                });
            }
        }
        for id in self.ids_in(Folder::Expanded, shard, "")? {
            // The package may have been inserted meanwhile; its record is written first.
            if packages.contains(&id) || self.stored_tables(id)?.is_some() {
                continue;
            }
            let fixed = fix && self.trash(&self.expanded(id))?.is_some();
            report.damage.push(Damage {
                id,
                what: "its files are there without their package".to_owned(),
                fixed,
            });
        }
        Ok(report)
    }

    /// Returns the damage of a package; `None` if it is sound.
    fn verify_package(
        &self,
        id: PackageId,
        files: &mut usize,
    ) -> Result<Option<String>, StoreError> {
        if let Some(what) = self.verify_packed(id)? {
            return Ok(Some(what));
        }
        let tables = match self.stored_tables(id) {
            Ok(Some(tables)) => tables,
            Ok(None) if self.has_record(id) => {
                return Ok(Some("its record is damaged, or dx has not put it there".to_owned()));
            }
            Ok(None) => return Ok(None),
            Err(StoreError::Damaged { source, .. }) => return Ok(Some(source.to_string())),
            Err(error) => return Err(error),
        };
        if is_another(tables.dxp(), id) {
            return Ok(Some(OTHER.to_owned()));
        }
        let found = match self.open_files(id, &tables) {
            Ok(found) => found,
            // A process that is killed while it stores a package may leave the record alone.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::io("reading", self.expanded(id))(error)),
        };
        check(&found, files).map_err(StoreError::io("reading", self.expanded(id)))
    }

    /// Returns the damage of a package's DXP file, if there is one.
    fn verify_packed(&self, id: PackageId) -> Result<Option<String>, StoreError> {
        let package = match self.open_package_file(id) {
            Ok(Some((package, _))) => package,
            Ok(None) => return Ok(None),
            Err(StoreError::Damaged { source, .. }) => return Ok(Some(source.to_string())),
            Err(error) => return Err(error),
        };
        let damage = package.dxp().verify().err().map(|error| error.to_string());
        Ok(damage.or_else(|| is_another(package.dxp(), id).then(|| OTHER.to_owned())))
    }

    /// Expands a sound DXP file again, or trashes what is damaged, so that the package is fetched
    /// again. Returns whether the damage is gone.
    fn repair(&self, id: PackageId) -> Result<bool, StoreError> {
        self.trash(&self.expanded(id))?;
        self.forget(id)?;
        self.trash(&self.package_path(id).with_extension(FORMER.trim_start_matches('.')))?;
        if self.verify_packed(id)?.is_some() {
            self.trash(&self.package_path(id))?;
        }
        self.ensure_expanded(id)?;
        Ok(true)
    }

    /// Returns the ids of the entries with this suffix in one shard of a folder.
    pub(crate) fn ids_in(
        &self,
        folder: Folder,
        shard: &str,
        suffix: &str,
    ) -> Result<Vec<PackageId>, StoreError> {
        let path = self.folder(folder).join(shard);
        let entries = match Dir::open(&path).and_then(|dir| dir.entries()) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(StoreError::io("reading", path)(error)),
        };
        let id = |entry: dx_pkg_os::files::DirEntry| {
            PackageId::from_hex(entry.name.to_str()?.strip_suffix(suffix)?)
        };
        Ok(entries.into_iter().filter_map(id).collect())
    }
}

impl VerifyReport {
    fn add(&mut self, other: Self) {
        self.packages += other.packages;
        self.files += other.files;
        self.damage.extend(other.damage);
    }
}

/// The damage of a package that is under another's id.
const OTHER: &str = "it is another package than its name says";

/// Returns whether a package says that it was made from another tarball.
fn is_another(dxp: Dxp<'_>, id: PackageId) -> bool {
    let integrity = dxp.integrity().and_then(|integrity| Integrity::parse(integrity).ok());
    integrity.is_some_and(|integrity| PackageId::from_integrity(&integrity) != id)
}

/// Compares a package's folder with its tables, and adds its files to `files`. Returns the damage.
fn check(found: &PackageFiles, files: &mut usize) -> io::Result<Option<String>> {
    for entry in found.tables().dxp().entries() {
        if !found.matches(&entry)? {
            return Ok(Some(format!("the file `{}` is missing or was changed", entry.path)));
        }
    }
    let expected = found.tables().dxp().len();
    *files += expected;
    let there = count_files(found.dir())?;
    Ok((there != Some(expected)).then(|| "there are files that are not the package's".to_owned()))
}

/// Returns the number of files below a folder; `None` if there is anything but files and folders.
fn count_files(root: &Dir) -> io::Result<Option<usize>> {
    let (mut pending, mut count) = (vec![String::new()], 0);
    while let Some(prefix) = pending.pop() {
        // Only one folder is open besides the root: a package may have thousands.
        let below = (!prefix.is_empty()).then(|| root.open_dir(&prefix)).transpose()?;
        for entry in below.as_ref().unwrap_or(root).entries()? {
            match entry.kind {
                EntryKind::Directory => {
                    pending.push(format!("{prefix}{}/", entry.name.to_string_lossy()));
                }
                EntryKind::File => count += 1,
                _ => return Ok(None),
            }
        }
    }
    Ok(Some(count))
}
