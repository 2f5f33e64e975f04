//! Lockfile entries as packages: their real name, and their id in the store.

pub mod needed;

use dx_pkg_core::{Integrity, PackageId, Spec};
use dx_pkg_lock::{Lock, LockPackage, name_of_path};

use crate::AcquireError;

/// Returns the id that a lockfile entry's package has in the store; `None` for an entry without
/// integrity.
///
/// # Errors
/// An integrity that cannot be read.
pub fn package_id(package: &LockPackage) -> Result<Option<PackageId>, AcquireError> {
    if let Some(id) = package.package_id() {
        return Ok(Some(id));
    }
    let Some(text) = package.integrity.as_deref() else { return Ok(None) };
    match Integrity::parse(text) {
        Ok(_) => Ok(None),
        Err(source) => Err(AcquireError::BadIntegrity { entry: package.path.clone(), source }),
    }
}

/// The place that a package's bytes come from, as its lockfile entry says. They come from there or
/// not at all: another place would be asked for a name that it may have nothing to do with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin<'p> {
    /// The registry of the package's name: the entry names no place.
    Registry,
    /// An `http:` or `https:` address.
    Address(&'p str),
    /// A tarball on this machine, its path as in the entry, without `file:`.
    File(&'p str),
    /// Any other place: a git repository, or one that dx cannot take packages from.
    Other(&'p str),
}

/// Returns the origin of a lockfile entry that is no link.
#[must_use]
pub fn origin(package: &LockPackage) -> Origin<'_> {
    let Some(resolved) = package.resolved.as_deref() else { return Origin::Registry };
    let Some((scheme, rest)) = resolved.split_once(':') else { return Origin::Other(resolved) };
    let is = |known: &str| scheme.eq_ignore_ascii_case(known);
    if is("https") || is("http") {
        Origin::Address(resolved)
    } else if is("file") {
        Origin::File(rest)
    } else {
        Origin::Other(resolved)
    }
}

/// Returns the folder, as the entry has its path, that an entry's package is a copy of.
#[must_use]
pub fn copied_folder(package: &LockPackage) -> Option<&str> {
    let (Origin::File(path), false) = (origin(package), package.link) else { return None };
    let spec = Spec::parse(package.resolved.as_deref()?);
    matches!(spec, Ok(Spec::Directory(_))).then_some(path)
}

/// Returns the name of the package at an entry, which the path of an alias does not show.
#[must_use]
pub fn real_name(package: &LockPackage) -> &str {
    package.name.as_deref().unwrap_or_else(|| name_of_path(&package.path))
}

/// Returns whether the entries of a lock lack their manifests, as in lockfiles of version 1.
#[must_use]
pub fn lacks_manifests(lock: &Lock) -> bool {
    lock.format_version < 2
}

/// Returns `name@version` for messages.
#[must_use]
pub fn label(package: &LockPackage) -> String {
    format!("{}@{}", real_name(package), package.version.as_deref().unwrap_or("?"))
}

/// What abbreviated packuments lack of a package's manifest and lockfiles have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnFields {
    /// `license`, where it is text or has a `type`.
    pub license: Option<String>,
    /// `workspaces` as JSON text.
    pub workspaces: Option<String>,
}
