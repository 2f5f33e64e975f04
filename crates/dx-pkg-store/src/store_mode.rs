//! The ways in which fetched packages enter the store, and their arrival.

use dx_pkg_core::PackageId;

/// The time and form in which fetched packages enter the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreMode {
    /// At once, as a DXP file and expanded files; see [`Store::insert`](crate::Store::insert).
    Now,
    /// Later: the files go into the project, and a background process writes the DXP files from
    /// there; see [`Store::insert_deferred`](crate::Store::insert_deferred).
    Deferred,
    /// As tarballs, while the files go into the project only; see
    /// [`Store::put_tarball`](crate::Store::put_tarball).
    Tarball,
}

/// A fetched package that can be linked from now on.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// The package.
    pub id: PackageId,
    /// Whether only this process has it, so that its files may be moved.
    pub is_own: bool,
}
