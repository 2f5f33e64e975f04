//! The tree in `node_modules`: its record, whether that still holds, and the state for the next
//! install.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use dx_pkg_core::Version;
use dx_pkg_link::Tree;
use dx_pkg_lock::Lock;
use dx_pkg_lock::dxl::{self, DxlView};
use dx_pkg_os::files::{Durability, Map, write_atomic};

use crate::plan::{Plan, tree_of};
use crate::project::{Project, see};
use crate::state::{self, Baseline, State};
use crate::{InstallError, Session};

/// The record of the tree, below `node_modules`.
pub(crate) const RECORD: &str = ".dx/lock.dxl";
/// npm's hidden lockfile, below `node_modules`.
pub(crate) const HIDDEN: &str = ".package-lock.json";

/// Returns the record's name and contents for a tree whose scripts have still to run.
///
/// It has no private copies. Until [`complete_record`] adds them, a package whose scripts may run
/// does not count as in place: however this install ends, the next one puts it there again and runs
/// them.
pub(crate) fn record(installed: &Lock) -> (String, Vec<u8>) {
    (RECORD.to_owned(), dxl::encode(installed, [0; 32]))
}

/// The messages that every install of a tree reports.
#[derive(Clone, Debug, Default)]
pub(crate) struct Diagnostics {
    /// Unmet peer requirements, in words.
    pub(crate) conflicts: Vec<String>,
    /// The packages that these concern.
    pub(crate) disputed: Vec<String>,
    /// Other warnings.
    pub(crate) warnings: Vec<String>,
}

/// Returns the baseline for a later incremental install, now that the tree is in place. `node` is
/// the version of Node.js that packages were chosen for.
pub(crate) fn baseline(
    root: &Path,
    node: Option<&Version>,
    diagnostics: &Diagnostics,
) -> Option<Baseline> {
    let identity = |name: &str| {
        dx_pkg_os::files::identity(&root.join("node_modules").join(name)).ok().flatten()
    };
    Some(Baseline {
        node: node.map(ToString::to_string).unwrap_or_default(),
        record: identity(RECORD)?,
        hidden: identity(HIDDEN)?,
        conflicts: diagnostics.conflicts.clone(),
        disputed: diagnostics.disputed.clone(),
        warnings: diagnostics.warnings.clone(),
    })
}

/// Completes the record with private copies, once the scripts of these packages have ended well.
pub(crate) fn complete_record(project: &Project, plan: &Plan) -> Result<(), InstallError> {
    if !plan.has_private() {
        return Ok(());
    }
    let path = project.root.join("node_modules").join(RECORD);
    write_atomic(&path, &dxl::encode(&plan.installed, [0; 32]), Durability::Rename)
        .map_err(|error| InstallError::io(format!("writing {}", path.display()), error))
}

/// Returns the tree in `node_modules`, where dx put it there and nothing was added or removed
/// since.
pub(crate) fn tree(root: &Path) -> Option<Tree> {
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
    (is_whole && !has_unknown_packages(root, &tree)).then_some(tree)
}

fn is_top(path: &str) -> bool {
    path.strip_prefix("node_modules/").is_some_and(|name| !name.contains("node_modules/"))
}

/// Returns whether `node_modules` has a package that the tree lacks.
fn has_unknown_packages(root: &Path, tree: &Tree) -> bool {
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

/// Returns whether every scope's folder in `node_modules` has the packages of the record and no
/// others: the identity of `node_modules` does not cover them.
pub(crate) fn scopes_hold(root: &Path, record: &DxlView<'_>) -> bool {
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

/// Records the state by which the next install finds that nothing has changed: files as they were
/// when this install read or wrote them, folders as they are now. Of `node_modules` only the folder
/// itself is recorded: a package removed from a scope's folder is noticed by the next install that
/// has something to do, so that the check costs the same for every tree. `linked` are the folders
/// that links in the tree lead to.
pub(crate) fn record_state<'l>(
    session: &Session,
    project: &Project,
    linked: impl Iterator<Item = &'l str>,
    settings: [u8; 32],
    frozen: bool,
    baseline: Option<Baseline>,
) -> Result<(), InstallError> {
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
        .map(|path| see(path))
        .chain(session.config_files.clone())
        .chain(project.seen.clone());
    let folder = project.unnamed();
    let state = State { frozen, folder, baseline, ..State::new(root, settings, seen) };
    write_atomic(&path, &state.encode(), Durability::Rename)
        .map_err(|error| InstallError::io(format!("writing {}", path.display()), error))
}
