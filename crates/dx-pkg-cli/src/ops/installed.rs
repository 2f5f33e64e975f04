//! What lies in `node_modules`: the record beside it, whether it still holds, and the note for the next run.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use dx_pkg_fs::{Durability, Map, write_atomic};
use dx_pkg_link::Tree;
use dx_pkg_lock::Lock;
use dx_pkg_lock::dxl::{self, DxlView};

use crate::failure::Failure;
use crate::plan::{Plan, tree_of};
use crate::project::{Project, note};
use crate::session::Session;
use crate::state::{self, State};

/// The record of what lies in `node_modules`, below it.
pub const RECORD: &str = ".dx/lock.dxl";

/// The record's name and contents, for a tree whose scripts have still to run.
///
/// It says nothing of private copies. Until [`settle`] has, a package whose scripts may run does not count as in place:
/// however this run ends, the next puts it there again and runs them.
pub fn record(installed: &Lock) -> (String, Vec<u8>) {
    (RECORD.to_owned(), dxl::encode(installed, [0; 32]))
}

/// Completes the record: the scripts of packages that may run any have ended well.
pub fn settle(project: &Project, plan: &Plan) -> Result<(), Failure> {
    if !plan.has_private() {
        return Ok(());
    }
    let path = project.root.join("node_modules").join(RECORD);
    write_atomic(&path, &dxl::encode(&plan.installed, [0; 32]), Durability::Rename)
        .map_err(|error| Failure::io(format!("writing {}", path.display()), &error))
}

/// The tree that lies in `node_modules`, where dx put it there and nobody has taken from it or added to it since.
pub fn tree(root: &Path) -> Option<Tree> {
    let map = Map::open(root.join("node_modules").join(RECORD)).ok()?;
    let installed = DxlView::open(&map).ok()?.to_lock();
    let tree = tree_of(&installed).ok()?;
    let mut top = tree.placements.iter().map(|placement| placement.path.as_str()).filter(|path| is_top(path));
    let is_whole = top.all(|path| root.join(path).symlink_metadata().is_ok());
    let has_commands = tree.placements.iter().any(|placement| is_top(&placement.path) && !placement.bins.is_empty());
    let is_whole = is_whole && (!has_commands || root.join("node_modules/.bin").is_dir());
    (is_whole && !has_strangers(root, &tree)).then_some(tree)
}

fn is_top(path: &str) -> bool {
    path.strip_prefix("node_modules/").is_some_and(|name| !name.contains("node_modules/"))
}

/// Whether a package lies in `node_modules` that the tree does not have.
fn has_strangers(root: &Path, tree: &Tree) -> bool {
    let known: HashSet<&str> = tree.placements.iter().map(|placement| placement.path.as_str()).collect();
    let packages = |folder: &str| -> Vec<String> {
        let entries = std::fs::read_dir(root.join(folder)).into_iter().flatten().flatten();
        let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| !kind.is_file()));
        let names = folders.filter_map(|entry| entry.file_name().into_string().ok());
        names.filter(|name| !name.starts_with('.')).map(|name| format!("{folder}/{name}")).collect()
    };
    packages("node_modules").iter().any(|path| match path.strip_prefix("node_modules/@") {
        Some(_) => packages(path).iter().any(|path| !known.contains(path.as_str())),
        None => !known.contains(path.as_str()),
    })
}

/// Notes by what the next run can tell that nothing has changed: files as they were when this run read or wrote them,
/// folders as they are now. Of `node_modules` that is the folder itself: what is taken out of a scope's folder, or out of
/// a package, is noticed by the next run that has something to do, so that the check costs the same for every tree.
/// `linked` are the folders that links in the tree lead to.
pub fn note_state<'l>(
    session: &Session,
    project: &Project,
    linked: impl Iterator<Item = &'l str>,
    settings: [u8; 32],
) -> Result<(), Failure> {
    let root = &project.root;
    let path = root.join(state::PATH);
    if !path.parent().is_some_and(Path::is_dir) {
        return Ok(());
    }
    let mut folders: Vec<PathBuf> = vec![root.join("node_modules"), root.join("npm-shrinkwrap.json")];
    for (workspace, _) in &project.workspaces {
        folders.extend(root.join(workspace).parent().map(Path::to_owned));
        folders.push(root.join(workspace).join("node_modules"));
    }
    folders.extend(linked.map(|folder| root.join(folder).join("package.json")));
    folders.sort();
    folders.dedup();
    let seen = folders.iter().map(|path| note(path)).chain(session.config_files.clone()).chain(project.seen.clone());
    let state = State::new(root, settings, seen);
    write_atomic(&path, &state.encode(), Durability::Rename)
        .map_err(|error| Failure::io(format!("writing {}", path.display()), &error))
}
