//! The links of a tree in place, and the commands of the folders that they lead to.

use std::collections::HashSet;
use std::path::Path;

use dx_pkg_lock::dxl::{DxlView, Package};
use dx_pkg_lock::{LockPackage, name_of_path};

use crate::project::Project;
use crate::tree_files::importer;

/// Returns whether the folders and links of a lock are the project's workspaces, all of them, and
/// links to them.
pub(super) fn lead_to_workspaces(project: &Project, locked: &DxlView<'_>) -> bool {
    let folders: HashSet<&str> =
        project.workspaces.iter().map(|(folder, _)| folder.as_str()).collect();
    let has_all = folders.iter().all(|folder| locked.position(folder).is_some());
    has_all
        && locked.packages().all(|package| {
            if package.link() {
                package.resolved().is_some_and(|target| folders.contains(target))
            } else {
                is_in_modules(package.path())
                    || package.path().is_empty()
                    || folders.contains(package.path())
            }
        })
}

/// Returns whether the commands of linked folders are as an install would leave them: their files
/// may have come or gone since.
pub(super) fn are_as_installed(root: &Path, record: &DxlView<'_>) -> bool {
    record.packages().filter(|package| package.link()).all(|link| {
        let Some((folder, target)) = target(record, link).zip(link.resolved()) else { return true };
        let bin =
            root.join(link.path().strip_suffix(name_of_path(link.path())).unwrap_or_default());
        folder.bin().iter().all(|(name, file)| {
            let command = bin.join(".bin").join(name_of_path(name));
            let file = root.join(target).join(file);
            match file.metadata() {
                Ok(found) => is_executable(&found) && command.exists(),
                Err(_) => command.symlink_metadata().is_err() || command.exists(),
            }
        })
    })
}

/// Returns the entry of the folder that a link leads to.
pub(super) fn target<'r>(record: &DxlView<'r>, link: Package<'_>) -> Option<Package<'r>> {
    record.get(link.resolved()?)
}

/// Returns the entry that Node's look-up finds for `name` from the folder `from`.
pub(super) fn entry(lock: &DxlView<'_>, from: &str, name: &str) -> Option<LockPackage> {
    let mut folder = from;
    loop {
        let below = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        if let Some(found) = lock.get(&format!("{below}node_modules/{name}")) {
            return Some(found.to_package());
        }
        if folder.is_empty() {
            return None;
        }
        folder = folder.rsplit_once('/').map_or("", |(above, _)| above);
    }
}

/// Returns whether a path is in a `node_modules`.
pub(super) fn is_in_modules(path: &str) -> bool {
    importer(path).is_some()
}

#[cfg(unix)]
fn is_executable(file: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.permissions().mode() & 0o111 == 0o111
}

#[cfg(not(unix))]
fn is_executable(_: &std::fs::Metadata) -> bool {
    true
}
