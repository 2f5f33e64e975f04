//! Licences, for lockfiles, of packages that were never fetched, such as those for other platforms.

use std::io::Write;

use dx_pkg_core::PackageId;
use dx_pkg_os::files::Map;

use crate::layout::EntryName;
use crate::{Folder, Store, StoreError};

fn name_of(id: PackageId) -> EntryName {
    EntryName::of_package(id, ".license")
}

impl Store {
    /// Returns a package's recorded licence; empty if its registry has none.
    #[must_use]
    pub fn license(&self, id: PackageId) -> Option<String> {
        let file = self.existing(Folder::Packages)?.open_file(name_of(id)).ok()?;
        String::from_utf8(Map::of(&file).ok()?.to_vec()).ok()
    }

    /// Records a package's licence.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn put_license(&self, id: PackageId, license: &str) -> Result<(), StoreError> {
        self.write_file(Folder::Packages, &name_of(id), |file| file.write_all(license.as_bytes()))
    }
}

#[cfg(test)]
mod tests;
