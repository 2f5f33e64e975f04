//! The packages of a run in the store.
//!
//! Only a package's tables are read, each time they are needed, as links need no contents. Mapping
//! the 1,200 packages of a large tree for the whole run makes 175 MiB resident.

use dx_pkg_core::PackageId;
use dx_pkg_store::{PackageTables, Store, StoreError};

use crate::LinkError;
use crate::tree::{PlacementSource, Site};

/// The source of packages.
pub(crate) struct Packages<'s> {
    pub(crate) store: &'s Store,
}

impl Packages<'_> {
    /// Reads a package's tables; `path` is its place, for errors.
    pub(crate) fn open(&self, id: PackageId, path: &str) -> Result<PackageTables, LinkError> {
        self.store
            .open_tables(id)
            .map_err(|source| match source {
                StoreError::OtherBytes { .. } => {
                    LinkError::OtherBytes { path: path.to_owned(), source }
                }
                _ => LinkError::Store { id: id.to_string(), source },
            })?
            .ok_or_else(|| LinkError::MissingPackage { path: path.to_owned(), id: id.to_string() })
    }

    /// Returns the number of files of the site, as far as it is known: the cost of linking it.
    pub(crate) fn weight(&self, site: &Site<'_>) -> usize {
        match &site.placement.source {
            PlacementSource::Symlink { .. } | PlacementSource::Bundled { .. } => 1,
            PlacementSource::Package(id) => self.store.file_count(*id).unwrap_or(1),
        }
    }

    /// Returns whether the package bundles packages in its `node_modules`.
    pub(crate) fn bundles(&self, site: &Site<'_>) -> Result<bool, LinkError> {
        match &site.placement.source {
            PlacementSource::Symlink { .. } | PlacementSource::Bundled { .. } => Ok(false),
            PlacementSource::Package(id) => {
                let package = self.open(*id, &site.placement.path)?;
                Ok(package.dxp().entries().any(|entry| entry.path.starts_with("node_modules/")))
            }
        }
    }
}
