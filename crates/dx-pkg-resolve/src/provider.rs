//! The resolver's only access to packages, implemented by the caller.

use dx_pkg_format::packument::Packument;
use dx_pkg_lock::LockPackage;

use crate::ProviderError;
use crate::places::Places;

/// Loads packuments and manifests. Calls may block; the same call must always return the same
/// result.
pub trait Provider {
    /// Returns the packument of the registry package `name`.
    ///
    /// # Errors
    /// When the packument cannot be read; the resolver drops the dependency if it is optional.
    fn packument(&self, name: &str) -> Result<Packument, ProviderError>;

    /// Returns the manifest of a package from outside the registry: a folder, a tarball, a URL or a
    /// git repository. `from` is the dependent's folder relative to the project root, `""` for the
    /// root itself.
    ///
    /// # Errors
    /// When the manifest cannot be read.
    fn manifest(&self, name: &str, spec: &str, from: &str) -> Result<External, ProviderError>;

    /// Returns the packages inside the tarball of `package`, each with its path relative to the
    /// package's folder. Called only for packages that declare bundled dependencies.
    ///
    /// # Errors
    /// When the tarball cannot be read.
    fn bundled(&self, package: &LockPackage) -> Result<Vec<LockPackage>, ProviderError>;

    /// Reports requirements, each a name and a spec, whose packages will be requested one after
    /// another, so that they can be loaded at once.
    fn expected(&self, _requirements: &[(String, String)]) {}

    /// Reports names whose packuments will be requested one after another, without those of their
    /// dependencies.
    fn wanted(&self, _names: &[String]) {}

    /// Returns whether answers may be older than what the registry has now, so that what they lack
    /// may be there.
    fn may_be_outdated(&self) -> bool {
        false
    }

    /// Returns whether a peer conflict of a lockfile was told of before, so that it stays while the
    /// lockfile does.
    fn was_told(&self, _conflict: &str) -> bool {
        false
    }

    /// Returns whether the caller has given up, so that a search for versions that agree ends.
    fn is_cancelled(&self) -> bool {
        false
    }

    /// Returns the absolute folders that requirements for folders are read against.
    fn places(&self) -> Places {
        Places::default()
    }

    /// Reports a placed package, so that its tarball can be fetched early. Only its name, version,
    /// `resolved`, `integrity` and `bin` are set.
    fn placed(&self, _package: &LockPackage) {}
}

/// A manifest from outside the registry.
#[derive(Clone, Debug)]
pub struct External {
    /// The manifest, with `resolved` and, if there is one, `integrity` set.
    pub package: LockPackage,
    /// For a folder: its path relative to the project root; the dependency is then a link to it.
    pub folder: Option<String>,
}
