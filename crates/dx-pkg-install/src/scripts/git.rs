//! Which packages of git repositories were packed without the script that prepares them.

use dx_pkg_acquire::package::package_id;
use dx_pkg_compat::manifest::Manifest;
use dx_pkg_lock::LockPackage;
use dx_pkg_store::Store;

use crate::plan::Plan;

/// Returns the packages of git repositories that have a script `prepare`, which is run before they
/// are packed or not at all.
pub(super) fn unbuilt<'p>(store: &Store, plan: &'p Plan) -> Vec<&'p LockPackage> {
    let packages = plan.unpacked().filter(|package| package.is_from_git());
    packages.filter(|package| has_prepare(store, package).unwrap_or(false)).collect()
}

fn has_prepare(store: &Store, package: &LockPackage) -> Option<bool> {
    let stored = store.open_package(package_id(package).ok()??).ok()??;
    let entry = stored.dxp().entries().find(|entry| entry.path == "package.json")?;
    let text = stored.read(&entry).ok()?;
    let manifest = Manifest::parse(&String::from_utf8_lossy(&text)).ok()?;
    Some(manifest.script("prepare").is_some())
}
