//! Takes over the packages of earlier versions, which kept a DXP file beside the expanded files,
//! and whose records had no seals.

use std::time::SystemTime;

use dx_pkg_core::{Integrity, PackageId};
use dx_pkg_format::dxp::{DigestedFile, ProvisionalDigest};
use dx_pkg_os::files::wait_for_later_times;

use crate::layout::{EntryName, RECORD, RECORD_LIMIT};
use crate::package_tree::now_ns;
use crate::tables::{Digests, Row};
use crate::{Folder, PackageTables, Store, StoreError};

/// The file in `locks/` that says that all records are sealed.
const DONE: &str = "sealed";

impl Store {
    /// Gives packages that are expanded and have a DXP file as well, as earlier versions wrote
    /// them, a record in its place: then their files are there once. Altered files are restored
    /// from it before. Works while `goes_on` returns true; returns the number of packages.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn drop_second_copies(
        &self,
        goes_on: &mut dyn FnMut() -> bool,
    ) -> Result<usize, StoreError> {
        let mut dropped = 0;
        for shard in 0..=u8::MAX {
            for id in self.ids_in(Folder::Packages, &format!("{shard:02x}"), ".dxp")? {
                if !goes_on() {
                    return Ok(dropped);
                }
                if self.entry(Folder::Expanded, id, "").is_some()
                    && self.repair_expanded(id, None)?.is_complete
                {
                    // One that has its record already was about to lose it.
                    self.remove_packed(id);
                    dropped += 1;
                }
            }
        }
        Ok(dropped)
    }

    /// Gives the records of earlier versions seals, and digests with the store's secret, once: each
    /// file is read. Works while `goes_on` returns true; returns the number of packages.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn seal_former_records(
        &self,
        goes_on: &mut dyn FnMut() -> bool,
    ) -> Result<usize, StoreError> {
        let mut sealed = 0;
        let note = self.folder(Folder::Locks).join(DONE);
        if note.exists() {
            return Ok(sealed);
        }
        for shard in 0..=u8::MAX {
            for id in self.ids_in(Folder::Packages, &format!("{shard:02x}"), RECORD)? {
                if !goes_on() {
                    return Ok(sealed);
                }
                // One whose files are not what it says is found when it is used.
                if let Some(tables) = self.resealed(id) {
                    self.write_record(id, &tables)?;
                    sealed += 1;
                }
            }
        }
        self.note(DONE)?;
        Ok(sealed)
    }

    /// Returns the tables of a package with digests of their own for the files that are there;
    /// `None` if it has them, or a file is altered.
    fn resealed(&self, id: PackageId) -> Option<PackageTables> {
        let packages = self.existing(Folder::Packages)?;
        let bytes = packages.read_file(EntryName::of_package(id, RECORD), RECORD_LIMIT).ok()?;
        let is_former = PackageTables::is_former(&bytes);
        let tables = self.stored_tables(id).ok()??;
        if !is_former && !matches!(tables.digests, Digests::Unkeyed) {
            return None;
        }
        let began = now_ns();
        let (files, seals) = (self.open_files(id, &tables).ok()?, self.seals().ok()?);
        let (mut digested, mut rows) = (Vec::new(), Vec::<Row>::new());
        for entry in tables.dxp().entries() {
            let found = files.status(&entry).ok()??;
            let contents = files.read(&entry).ok()??;
            let digest = ProvisionalDigest::of(&contents, &seals.digests);
            let (path, mode, size) = (entry.path, entry.mode, entry.size);
            digested.push(DigestedFile { path, mode, size, digest });
            rows.push(files.row(&entry, &found));
        }
        let integrity = tables.integrity().and_then(|text| Integrity::parse(text).ok());
        let sealed = PackageTables::of_digested(&digested, integrity.as_ref(), &seals.digests);
        Some(sealed.ok()?.with_rows(tables.names, rows, began))
    }

    /// Records that what changed in packages' files until now was done by dx: they were linked.
    /// Returns when later changes can be told from these. A package whose record cannot be written
    /// is read again by the next check.
    pub fn record_links(&self, packages: impl Iterator<Item = PackageId>) {
        for id in packages {
            let known = self.fresh().get(&id).cloned();
            let known = known.or_else(|| self.stored_tables(id).ok().flatten());
            if let Some(tables) = known.filter(|_| self.has_record(id)) {
                let _ = self.write_record(id, &tables.changed_until(now_ns()));
            }
        }
        wait_for_later_times(SystemTime::now());
    }
}

#[cfg(test)]
mod tests;
