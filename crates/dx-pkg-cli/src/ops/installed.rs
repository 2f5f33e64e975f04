//! What lies in `node_modules`: the record beside it, whether it still holds, and the note for the next run.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use dx_pkg_core::Version;
use dx_pkg_link::Tree;
use dx_pkg_lock::Lock;
use dx_pkg_lock::dxl::{self, DxlView};
use dx_pkg_os::{Durability, Map, write_atomic};

use crate::failure::Failure;
use crate::plan::{Plan, tree_of};
use crate::project::{Project, note};
use crate::session::Session;
use crate::state::{self, Settled, State};

/// The record of what lies in `node_modules`, below it.
pub const RECORD: &str = ".dx/lock.dxl";
/// What npm reads of what lies there, below it.
pub const HIDDEN: &str = ".package-lock.json";

/// The record's name and contents, for a tree whose scripts have still to run.
///
/// It says nothing of private copies. Until [`settle`] has, a package whose scripts may run does not count as in place:
/// however this run ends, the next puts it there again and runs them.
pub fn record(installed: &Lock) -> (String, Vec<u8>) {
    (RECORD.to_owned(), dxl::encode(installed, [0; 32]))
}

/// What every install says of a tree.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// Requirements for peers that are not met.
    pub conflicts: Vec<String>,
    /// The packages that is about.
    pub disputed: Vec<String>,
    /// Everything else.
    pub warnings: Vec<String>,
}

/// What a later change can be worked out from, now that the tree is in place. `node` is the version of Node.js that packages
/// were chosen for.
pub fn settled(root: &Path, node: Option<&Version>, said: &Said) -> Option<Settled> {
    let identity =
        |name: &str| dx_pkg_os::identity(&root.join("node_modules").join(name)).ok().flatten();
    Some(Settled {
        node: node.map(ToString::to_string).unwrap_or_default(),
        record: identity(RECORD)?,
        hidden: identity(HIDDEN)?,
        conflicts: said.conflicts.clone(),
        disputed: said.disputed.clone(),
        warnings: said.warnings.clone(),
    })
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
    let mut top =
        tree.placements.iter().map(|placement| placement.path.as_str()).filter(|path| is_top(path));
    let is_whole = top.all(|path| root.join(path).symlink_metadata().is_ok());
    let has_commands = tree
        .placements
        .iter()
        .any(|placement| is_top(&placement.path) && !placement.bins.is_empty());
    let is_whole = is_whole && (!has_commands || root.join("node_modules/.bin").is_dir());
    (is_whole && !has_strangers(root, &tree)).then_some(tree)
}

fn is_top(path: &str) -> bool {
    path.strip_prefix("node_modules/").is_some_and(|name| !name.contains("node_modules/"))
}

/// Whether a package lies in `node_modules` that the tree does not have.
fn has_strangers(root: &Path, tree: &Tree) -> bool {
    let known: HashSet<&str> =
        tree.placements.iter().map(|placement| placement.path.as_str()).collect();
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

/// Whether every scope's folder in `node_modules` has the packages that the record says, and no others: what the state says
/// of `node_modules` does not cover them.
pub fn scopes_hold(root: &Path, record: &DxlView<'_>) -> bool {
    let mut scopes: BTreeMap<&str, usize> = BTreeMap::new();
    for package in record.packages() {
        let name =
            package.path().strip_prefix("node_modules/").filter(|name| name.starts_with('@'));
        if let Some((scope, name)) = name.and_then(|name| name.split_once('/'))
            && !name.contains('/')
        {
            *scopes.entry(scope).or_default() += 1;
        }
    }
    scopes.into_iter().all(|(scope, expected)| {
        let Ok(entries) = std::fs::read_dir(root.join("node_modules").join(scope)) else {
            return false;
        };
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        let mut present = 0;
        let only_known = names.filter(|name| !name.starts_with('.')).all(|name| {
            present += 1;
            record.position(&format!("node_modules/{scope}/{name}")).is_some()
        });
        only_known && present == expected
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
    settled: Option<Settled>,
) -> Result<(), Failure> {
    let root = &project.root;
    let path = root.join(state::PATH);
    if !path.parent().is_some_and(Path::is_dir) {
        return Ok(());
    }
    let mut folders: Vec<PathBuf> =
        vec![root.join("node_modules"), root.join("npm-shrinkwrap.json")];
    for (workspace, _) in &project.workspaces {
        folders.extend(root.join(workspace).parent().map(Path::to_owned));
        folders.push(root.join(workspace).join("node_modules"));
    }
    folders.extend(linked.map(|folder| root.join(folder).join("package.json")));
    folders.sort();
    folders.dedup();
    let seen = folders
        .iter()
        .map(|path| note(path))
        .chain(session.config_files.clone())
        .chain(project.seen.clone());
    let state = State { settled, ..State::new(root, settings, seen) };
    write_atomic(&path, &state.encode(), Durability::Rename)
        .map_err(|error| Failure::io(format!("writing {}", path.display()), &error))
}
