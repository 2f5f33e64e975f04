//! What is in a project's `node_modules`: npm's record of it where that still holds, else the
//! packages' own manifests.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::fs;
use std::mem;
use std::path::Path;
use std::time::SystemTime;

use dx_pkg_acquire::files::{parse_manifest, read_text};
use dx_pkg_compat::lockfile::npm;
use dx_pkg_install::upkeep::recorded::RecordedTree;
use dx_pkg_lock::dxl::{DxlView, Package};
use dx_pkg_lock::{Lock, LockPackage};

use crate::InspectError;

/// The folder of a tree.
pub(crate) const MODULES: &str = "node_modules";
/// npm's record of a tree, below `node_modules`.
const HIDDEN: &str = ".package-lock.json";

/// Returns the packages that are in place below `root`, and in the folders that are linked there.
/// `lockfile` is the name of the project's lockfile, which tells where packages came from; it is
/// read only where npm's record does not. `record` is dx's record of the tree, where that says what
/// npm's does.
///
/// # Errors
/// A folder, or the manifest of a package, that cannot be read.
pub(crate) fn installed(
    root: &Path,
    lockfile: &str,
    record: Option<DxlView<'_>>,
) -> Result<Installed, InspectError> {
    let (recorded, locked) = (Recorded::read(root, record), OnceCell::new());
    let is_recorded = recorded.written.is_some();
    let mut walk = Walk { root, recorded, is_recorded, found: Vec::new(), lockfile, locked };
    walk.modules("")?;
    let mut next = 0;
    // The folders that links lead to have packages of their own.
    while let Some(target) = walk.target_from(&mut next) {
        walk.folder(&target)?;
    }
    let mut lock = Lock { format_version: 3, packages: walk.found, ..Lock::default() };
    lock.normalise();
    Ok(Installed { lock, is_recorded: walk.is_recorded })
}

/// What is in a project's `node_modules`.
pub(crate) struct Installed {
    pub(crate) lock: Lock,
    /// Whether npm's record holds for all of it.
    pub(crate) is_recorded: bool,
}

/// What npm's record says of the tree.
#[derive(Default)]
struct Recorded {
    /// The entries by their paths, which they have no more themselves.
    entries: HashMap<String, LockPackage>,
    /// The paths of packages and folders with packages in their own `node_modules`.
    with_modules: HashSet<String>,
    written: Option<SystemTime>,
}

impl Recorded {
    /// Reads the record, or takes what dx's says; one that is missing or damaged says nothing.
    fn read(root: &Path, record: Option<DxlView<'_>>) -> Self {
        let written = record_time(root);
        let packages = match record {
            Some(record) => record.packages().map(as_hidden).collect(),
            None => {
                let text = read_text(&root.join(MODULES).join(HIDDEN)).ok().flatten();
                let lock = text.and_then(|text| npm::read(&text).ok());
                lock.map(|lock| lock.packages).unwrap_or_default()
            }
        };
        let around = packages.iter().filter_map(|entry| entry.path.rsplit_once("/node_modules/"));
        let with_modules = around.map(|(folder, _)| folder.to_owned()).collect();
        let entries = packages.into_iter().map(|mut entry| (mem::take(&mut entry.path), entry));
        Recorded { entries: entries.collect(), with_modules, written }
    }

    /// Takes the entry of a package, unless its folder was changed after the record was written.
    fn take(&mut self, path: &str, folder: &Path) -> Option<LockPackage> {
        let (path, mut entry) = self.entries.remove_entry(path)?;
        let changed = fs::metadata(folder).and_then(|found| found.modified()).ok()?;
        entry.path = path;
        (changed <= self.written?).then_some(entry)
    }
}

/// Returns when npm's record of a tree was written.
pub(crate) fn record_time(root: &Path) -> Option<SystemTime> {
    fs::metadata(root.join(MODULES).join(HIDDEN)).and_then(|file| file.modified()).ok()
}

fn as_hidden(package: Package<'_>) -> LockPackage {
    let mut entry = package.to_package();
    RecordedTree::as_hidden(&mut entry);
    entry
}

struct Walk<'w> {
    root: &'w Path,
    recorded: Recorded,
    is_recorded: bool,
    found: Vec<LockPackage>,
    lockfile: &'w str,
    locked: OnceCell<Option<Lock>>,
}

impl Walk<'_> {
    /// Adds the packages in the `node_modules` of the folder `of`, relative to the root.
    fn modules(&mut self, of: &str) -> Result<(), InspectError> {
        let modules = joined(of, MODULES);
        for (name, is_link) in folders(&self.root.join(&modules)) {
            if name.starts_with('@') {
                let scope = joined(&modules, &name);
                for (inner, is_link) in folders(&self.root.join(&scope)) {
                    self.package(&joined(&scope, &inner), is_link)?;
                }
            } else {
                self.package(&joined(&modules, &name), is_link)?;
            }
        }
        Ok(())
    }

    /// Adds the package at `path` and those below it.
    fn package(&mut self, path: &str, is_link: bool) -> Result<(), InspectError> {
        let folder = self.root.join(path);
        if is_link && let Ok(target) = fs::read_link(&folder) {
            let from = folder.parent().unwrap_or(self.root);
            if let Some(resolved) = relative(self.root, &from.join(target)) {
                let path = path.to_owned();
                let link = true;
                let resolved = Some(resolved);
                self.found.push(LockPackage { path, link, resolved, ..LockPackage::default() });
            }
            return Ok(());
        }
        match self.recorded.take(path, &folder) {
            Some(entry) => {
                self.found.push(entry);
                // What would be new there would have changed the folder.
                if !self.recorded.with_modules.contains(path) {
                    return Ok(());
                }
            }
            None => {
                self.is_recorded = false;
                self.found.push(self.read(path)?);
            }
        }
        self.modules(path)
    }

    /// Adds the folder `path`, which a link leads to, and its packages.
    fn folder(&mut self, path: &str) -> Result<(), InspectError> {
        self.found.push(self.read(path)?);
        self.modules(path)
    }

    /// Reads the manifest of the package at `path`. Without one that can be parsed the folder is a
    /// package of which nothing else is known, as it is for npm.
    fn read(&self, path: &str) -> Result<LockPackage, InspectError> {
        let file = self.root.join(path).join("package.json");
        let text = read_text(&file)?;
        let manifest = text.and_then(|text| parse_manifest(&file, &text).ok());
        let mut entry = manifest.map(|found| found.to_lock_package()).unwrap_or_default();
        entry.path = path.to_owned();
        let read = || {
            let text = read_text(&self.root.join(self.lockfile)).ok().flatten()?;
            npm::read(&text).ok()
        };
        let locked = self.locked.get_or_init(read).as_ref().and_then(|lock| lock.get(path));
        let is_known = entry.version.is_some();
        if let Some(locked) = locked.filter(|one| !is_known || one.version == entry.version) {
            entry.resolved.clone_from(&locked.resolved);
            entry.integrity.clone_from(&locked.integrity);
        }
        Ok(entry)
    }

    /// Returns the next folder that a link leads to and that was not looked at, from the entry
    /// `next` on.
    fn target_from(&self, next: &mut usize) -> Option<String> {
        while let Some(entry) = self.found.get(*next) {
            *next += 1;
            if let Some(target) = entry.resolved.as_ref().filter(|_| entry.link)
                && !self.found.iter().any(|known| !known.link && known.path == *target)
            {
                return Some(target.clone());
            }
        }
        None
    }
}

/// Returns the names of the packages, scopes and links in a folder, sorted, and whether each is a
/// link.
pub(crate) fn folders(folder: &Path) -> Vec<(String, bool)> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let found = entries.flatten().filter_map(|entry| {
        let kind = entry.file_type().ok().filter(|kind| kind.is_dir() || kind.is_symlink())?;
        Some((entry.file_name().into_string().ok()?, kind.is_symlink()))
    });
    let mut names: Vec<(String, bool)> = found.filter(|(name, _)| !name.starts_with('.')).collect();
    names.sort();
    names
}

pub(crate) fn joined(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// Returns the real path of `target` relative to `root`, `/`-separated; `None` where it leads to
/// nothing.
fn relative(root: &Path, target: &Path) -> Option<String> {
    let (root, target) = (root.canonicalize().ok()?, target.canonicalize().ok()?);
    let common = root.components().zip(target.components()).take_while(|(a, b)| a == b).count();
    let up = root.components().skip(common).map(|_| "..".to_owned());
    let down = target
        .components()
        .skip(common)
        .map(|part| part.as_os_str().to_string_lossy().into_owned());
    Some(up.chain(down).collect::<Vec<_>>().join("/"))
}
