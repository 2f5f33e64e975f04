//! Licences of packages that were never fetched, as versions of dx before the table of
//! [`fields`](crate::fields) recorded them: a file each. They are still read.

use dx_pkg_core::PackageId;
use dx_pkg_os::files::Map;

use crate::layout::EntryName;
use crate::{Folder, Store};

impl Store {
    /// Returns a package's recorded licence; empty if its registry has none.
    #[must_use]
    pub fn license(&self, id: PackageId) -> Option<String> {
        let name = EntryName::of_package(id, ".license");
        let file = self.existing(Folder::Packages)?.open_file(name).ok()?;
        String::from_utf8(Map::of(&file).ok()?.to_vec()).ok()
    }
}

#[cfg(test)]
mod tests;
