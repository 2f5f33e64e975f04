//! Packages from outside the registries that the lockfile still has although the project no longer
//! requires them from there.
//!
//! Such a package came with a requirement of the project or a workspace, and goes with it: another
//! package may require the name from a registry, and a lockfile does not decide by itself that it
//! comes from a file, a repository or a folder.

use std::collections::HashSet;

use dx_pkg_acquire::exact::Elsewhere;
use dx_pkg_acquire::package::{Origin, origin};
use dx_pkg_core::{Range, Version};
use dx_pkg_lock::dxl::Package;
use dx_pkg_lock::{Lock, LockPackage, name_of_path};
use dx_pkg_resolve::Requirements;

/// Returns the names that the project or a workspace required from outside the registries when the
/// lockfile was written, and that nothing requires from there now.
pub(crate) fn names(now: &Requirements, lock: &Lock) -> HashSet<String> {
    let own = || std::iter::once(&now.root).chain(&now.workspaces);
    let index = lock.index();
    let before = own().filter_map(|own| index.get(&own.path));
    let mut names = Elsewhere::of(before).into_names();
    if names.is_empty() || !now.pins.is_empty() {
        return HashSet::new();
    }
    let paths: HashSet<&str> = own().map(|own| own.path.as_str()).collect();
    let others = lock.packages.iter().filter(|package| !paths.contains(package.path.as_str()));
    let named = Elsewhere::of(others.chain(own())).with_overrides(&now.overrides).into_names();
    names.retain(|name| !named.contains(name));
    names
}

/// Returns whether a package requires one of these names.
pub(crate) fn is_required(package: Package<'_>, names: &HashSet<String>) -> bool {
    let sections =
        [package.dependencies(), package.optional_dependencies(), package.peer_dependencies()];
    sections.into_iter().any(|section| section.iter().any(|(name, _)| names.contains(name)))
}

/// Returns the lock without such packages; `None` where it has none.
pub(crate) fn without(now: &Requirements, lock: &Lock) -> Option<Lock> {
    let names = names(now, lock);
    if names.is_empty() {
        return None;
    }
    let gone = lock.packages.iter().filter(|package| is_gone(package, &names, now, lock));
    let gone: Vec<&str> = gone.map(|package| package.path.as_str()).collect();
    if gone.is_empty() {
        return None;
    }
    let is_below = |path: &str, top: &str| {
        path.strip_prefix(top).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let mut left = lock.clone();
    left.packages.retain(|package| !gone.iter().any(|top| is_below(&package.path, top)));
    Some(left)
}

fn is_gone(
    package: &LockPackage,
    names: &HashSet<String>,
    now: &Requirements,
    lock: &Lock,
) -> bool {
    let name = name_of_path(&package.path);
    if !package.path.contains("node_modules/")
        || !names.contains(name)
        || is_replaced(package, name, now)
    {
        return false;
    }
    if package.link {
        // As with npm, a folder of the project stays linked.
        return package.is_outside();
    }
    match origin(package) {
        Origin::Registry => false,
        Origin::File(_) | Origin::Other(_) => true,
        // The registry's own tarballs have addresses, too.
        Origin::Address(url) => {
            let own = std::iter::once(&now.root).chain(&now.workspaces);
            let mut before = own.filter_map(|own| lock.get(&own.path)?.requirement_for(name));
            before.any(|spec| spec == url)
        }
    }
}

/// Returns whether the project or the workspace that holds `package` requires another version of
/// it, which then takes its place, with the consequences that this has for its peers.
fn is_replaced(package: &LockPackage, name: &str, now: &Requirements) -> bool {
    let holder =
        package.path.strip_suffix(name).and_then(|rest| rest.strip_suffix("node_modules/"));
    let Some(holder) = holder.filter(|_| now.overrides.is_empty()) else { return false };
    let mut own = std::iter::once(&now.root).chain(&now.workspaces);
    let own = own.find(|own| own.path == holder.trim_end_matches('/'));
    let range = own.and_then(|own| Range::parse(own.requirement_for(name)?).ok());
    let version = package.version.as_deref().and_then(|version| Version::parse(version).ok());
    range.zip(version).is_some_and(|(range, version)| !range.satisfies(&version))
}
