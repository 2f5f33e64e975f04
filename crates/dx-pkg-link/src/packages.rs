//! Opening the packages of a run in the store.
//!
//! Only the tables of a package are read, each time they are needed: they say which files it has, and what is linked
//! needs no contents. Keeping the 1,200 packages of a large tree mapped makes 175 MiB resident.

use dx_pkg_core::PackageId;
use dx_pkg_store::{PackageTables, Store};

use crate::LinkError;
use crate::tree::{PlacementSource, Site};

/// Where packages come from.
pub(crate) struct Packages<'s> {
    pub(crate) store: &'s Store,
}

impl Packages<'_> {
    /// Reads which files a package has; `path` is where it is to lie, for the error.
    pub(crate) fn open(&self, id: PackageId, path: &str) -> Result<PackageTables, LinkError> {
        self.store
            .open_tables(id)
            .map_err(|source| LinkError::Store { id: id.to_string(), source })?
            .ok_or_else(|| LinkError::MissingPackage { path: path.to_owned(), id: id.to_string() })
    }

    /// How many files the site consists of, as far as that is known: what it costs to link it.
    pub(crate) fn weight(&self, site: &Site<'_>) -> usize {
        match &site.placement.source {
            PlacementSource::Symlink { .. } => 1,
            PlacementSource::Package(id) => self.store.file_count(*id).unwrap_or(1),
        }
    }

    /// Whether the package brings packages of its own in its `node_modules`.
    pub(crate) fn bundles(&self, site: &Site<'_>) -> Result<bool, LinkError> {
        match &site.placement.source {
            PlacementSource::Symlink { .. } => Ok(false),
            PlacementSource::Package(id) => {
                let package = self.open(*id, &site.placement.path)?;
                Ok(package.dxp().entries().any(|entry| entry.path.starts_with("node_modules/")))
            }
        }
    }
}
