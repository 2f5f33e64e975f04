//! Observes the resolution that a lockfile records.

use dx_pkg_core::Version;
use dx_pkg_lock::{Lock, LockPackage};

use super::Observation;
use crate::package::{Origin, origin};

/// Returns the registry packages of a lock that `is_known` accepts, each with its dependencies of
/// that kind.
pub fn observations<'l>(lock: &'l Lock, is_known: impl Fn(&str) -> bool) -> Vec<Observation<'l>> {
    let index = lock.index();
    let is_optional_peer = |package: &LockPackage, name: &str| {
        package.peer_dependencies_meta.iter().any(|(peer, optional)| peer == name && *optional)
    };
    let observation = |package: &'l LockPackage| {
        let (name, major) = state_of(package).filter(|(name, _)| is_known(name))?;
        let peers =
            package.peer_dependencies.iter().filter(|(peer, _)| !is_optional_peer(package, peer));
        let asked = package.dependencies.iter().chain(&package.optional_dependencies).chain(peers);
        let next = asked
            .filter_map(|(asked, _)| state_of(index.resolve(&package.path, asked)?))
            .filter(|(asked, _)| is_known(asked))
            .collect();
        Some(Observation { name, major, next })
    };
    lock.packages.iter().filter_map(observation).collect()
}

/// Returns name and major of a registry package; `None` for anything else.
pub fn state_of(package: &LockPackage) -> Option<(&str, u32)> {
    // The name of what comes from elsewhere is no registry's business.
    let is_registry = !package.link
        && !package.in_bundle
        && !package.is_outside()
        && package.path.contains("node_modules/")
        && matches!(origin(package), Origin::Registry | Origin::Address(_));
    let version = package.version.as_deref().filter(|_| is_registry)?;
    Some((package.package_name(), major_of(&Version::parse(version).ok()?)))
}

/// Returns a version's major as chains store it.
pub fn major_of(version: &Version) -> u32 {
    u32::try_from(version.major()).unwrap_or(u32::MAX)
}
