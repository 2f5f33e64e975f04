//! The folders of a project, and packages inside a tarball.

use std::path::Path;
use std::sync::Arc;

use dx_pkg_compat::manifest::Manifest;
use dx_pkg_compat::npmrc::Config;
use dx_pkg_lock::LockPackage;
use dx_pkg_resolve::Places;
use dx_pkg_store::StoreMode;

use crate::package::package_id;
use crate::{AcquireError, Context, Counters, Downloads};

/// Returns the folders that requirements of the project in `root` are read against. A folder whose
/// name is not Unicode is not known.
pub fn places(root: &Path, config: &Config) -> Places {
    let text = |path: &Path| path.to_str().map(|path| path.replace('\\', "/"));
    Places { project: text(root), home: config.home().and_then(text) }
}

/// Loads the packages inside the tarball's own `node_modules`, fetching it if the store lacks it.
/// Without `downloads` it is fetched for this alone.
///
/// # Errors
/// The package cannot be fetched or read.
pub fn bundled(
    context: &Arc<Context>,
    downloads: Option<&Downloads>,
    counters: &Arc<Counters>,
    package: &LockPackage,
) -> Result<Vec<LockPackage>, AcquireError> {
    // As it is published: a patch has nothing to say of other packages.
    let plain = LockPackage { patched: None, ..package.clone() };
    let package = &plain;
    let Some(id) = package_id(package)? else { return Ok(Vec::new()) };
    let own;
    let downloads = match downloads {
        Some(downloads) => downloads,
        None => {
            let offline = context.config.offline()?;
            own = Downloads::new(context, offline, StoreMode::Now, counters.clone());
            &own
        }
    };
    let failed = downloads.wait(std::iter::once((id, package)))?;
    if let Some((_, error)) = failed.into_iter().next() {
        return Err(error);
    }
    let Some(stored) = context.store.open_package(id)? else { return Ok(Vec::new()) };
    let dxp = stored.dxp();
    let mut found = Vec::new();
    for entry in dxp.entries() {
        let Some(folder) = bundled_folder(entry.path) else { continue };
        // A damaged package is fetched again by the next command.
        let damaged = |_: &_| drop(context.store.reject(id));
        let contents = stored.read(&entry).inspect_err(damaged)?;
        found.extend(bundled_package(folder, &contents));
    }
    Ok(found)
}

/// Returns the folder of a bundled package whose manifest is the file at `path` of its dependent.
#[must_use]
pub fn bundled_folder(path: &str) -> Option<&str> {
    path.strip_suffix("/package.json").filter(|folder| is_package_folder(folder))
}

/// Returns the bundled package in `folder` with this manifest; `None` for what is no package to
/// npm: one that cannot be read, or has no name or version.
#[must_use]
pub fn bundled_package(folder: &str, manifest: &[u8]) -> Option<LockPackage> {
    let manifest = Manifest::parse(&String::from_utf8_lossy(manifest)).ok()?;
    let mut package = manifest.to_lock_package();
    if package.name.is_none() || package.version.is_none() {
        return None;
    }
    package.remove_dev_dependencies();
    Some(LockPackage { path: folder.to_owned(), in_bundle: true, ..package })
}

/// Returns whether `path` consists of package folders, as `node_modules/a/node_modules/@s/b` does.
fn is_package_folder(path: &str) -> bool {
    let mut rest = path;
    loop {
        let Some(after) = rest.strip_prefix("node_modules/") else { return false };
        let name_end = if after.starts_with('@') {
            after.find('/').and_then(|at| after[at + 1..].find('/').map(|end| at + 1 + end))
        } else {
            after.find('/')
        };
        match name_end {
            Some(end) => rest = &after[end + 1..],
            None => return !after.is_empty(),
        }
    }
}
