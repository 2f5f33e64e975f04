//! What a lockfile tells of a resolution.

use dx_pkg_core::Version;
use dx_pkg_lock::{Lock, LockPackage};

use super::Observation;

/// The packages of a lock that came from a registry and pass `is_told`, each with what it depends on of such.
pub fn observations<'l>(lock: &'l Lock, is_told: impl Fn(&str) -> bool) -> Vec<Observation<'l>> {
    let index = lock.index();
    let is_optional_peer = |package: &LockPackage, name: &str| {
        package.peer_dependencies_meta.iter().any(|(peer, optional)| peer == name && *optional)
    };
    let observation = |package: &'l LockPackage| {
        let (name, major) = state_of(package).filter(|(name, _)| is_told(name))?;
        let peers =
            package.peer_dependencies.iter().filter(|(peer, _)| !is_optional_peer(package, peer));
        let asked = package.dependencies.iter().chain(&package.optional_dependencies).chain(peers);
        let next = asked
            .filter_map(|(asked, _)| state_of(index.resolve(&package.path, asked)?))
            .filter(|(asked, _)| is_told(asked))
            .collect();
        Some(Observation { name, major, next })
    };
    lock.packages.iter().filter_map(observation).collect()
}

/// The name and major of a package from a registry; `None` for anything else.
pub fn state_of(package: &LockPackage) -> Option<(&str, u32)> {
    let is_registry = !package.link && !package.in_bundle && package.path.contains("node_modules/");
    let version = package.version.as_deref().filter(|_| is_registry)?;
    Some((package.package_name(), major_of(&Version::parse(version).ok()?)))
}

/// A version's major, as chains have it.
pub fn major_of(version: &Version) -> u32 {
    u32::try_from(version.major()).unwrap_or(u32::MAX)
}
