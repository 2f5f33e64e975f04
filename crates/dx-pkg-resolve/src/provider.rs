//! The seam between the resolver and the world: the resolver asks, the caller fetches.

use dx_pkg_format::packument::Packument;
use dx_pkg_lock::LockPackage;

use crate::ProviderError;

/// Answers what packages exist. Calls may block; answers must be the same however often asked.
pub trait Provider {
    /// Every version of the registry package `name`.
    ///
    /// # Errors
    /// Whatever kept the packument from being read; the resolver drops the dependency where it is optional.
    fn packument(&self, name: &str) -> Result<Packument, ProviderError>;

    /// The manifest of a package that does not come from the registry: a folder, a tarball, a URL or a git repository.
    /// `from` is the dependent's folder relative to the project root, `""` for the root itself.
    ///
    /// # Errors
    /// Whatever kept the manifest from being read.
    fn manifest(&self, name: &str, spec: &str, from: &str) -> Result<External, ProviderError>;

    /// The packages that came inside the tarball of `package`, each with its path relative to the package's folder.
    /// Asked only for packages that declare bundled dependencies.
    ///
    /// # Errors
    /// Whatever kept the tarball from being read.
    fn bundled(&self, package: &LockPackage) -> Result<Vec<LockPackage>, ProviderError>;

    /// Called for every package that was given a place, so that its tarball can be asked for early. Only its name,
    /// version, `resolved`, `integrity` and `bin` are set.
    fn placed(&self, _package: &LockPackage) {}
}

/// A manifest from outside the registry.
#[derive(Clone, Debug)]
pub struct External {
    /// The manifest, with `resolved` (and `integrity` where there is one) already set.
    pub package: LockPackage,
    /// For a folder: its path relative to the project root; the dependency is then a link to it.
    pub folder: Option<String>,
}
