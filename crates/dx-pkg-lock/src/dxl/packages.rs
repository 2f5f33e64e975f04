//! The packages of a DXL file: all of them, by position and by path.

use dx_pkg_format::wire::u32_at;

use super::{DxlView, Package, path_hash};
use crate::Lock;

impl<'a> DxlView<'a> {
    /// Returns the number of packages.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Returns whether there are no packages.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Returns all packages, in npm's order: a folder comes before its contents.
    pub fn packages(
        &self,
    ) -> impl ExactSizeIterator<Item = Package<'a>> + DoubleEndedIterator + Clone + use<'a> {
        let view = *self;
        self.records.iter().map(move |record| Package::new(view, record))
    }

    /// Returns the package at a position.
    #[must_use]
    pub fn package(&self, position: usize) -> Option<Package<'a>> {
        self.records.get(position).map(|record| Package::new(*self, record))
    }

    /// Returns the position of the package at `path`, by one hash and nearly always one comparison.
    #[must_use]
    pub fn position(&self, path: &str) -> Option<usize> {
        let slots = self.index.len() / 4;
        let first = path_hash(path) as usize;
        for probe in 0..slots {
            let slot = first.wrapping_add(probe) & (slots - 1);
            let position = (u32_at(self.index, 4 * slot) as usize).checked_sub(1)?;
            if self.package(position)?.path() == path {
                return Some(position);
            }
        }
        None
    }

    /// Returns the package at `path`.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<Package<'a>> {
        self.package(self.position(path)?)
    }

    /// Decodes the whole lock.
    #[must_use]
    pub fn to_lock(&self) -> Lock {
        Lock {
            name: self.name().map(str::to_owned),
            version: self.version().map(str::to_owned),
            format_version: self.format_version(),
            packages: self.packages().map(Package::to_package).collect(),
            ..Lock::default()
        }
    }
}
