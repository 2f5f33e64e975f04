//! What the scripts of packages have made, as far as a loss of power can take it.
//!
//! Nothing tells which files such a package should have and how large they are, so the number and
//! the size of those that it had when its scripts had ended are noted in `node_modules/.dx`, for
//! all packages with private copies.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::path::Path;

use dx_pkg_core::PackageId;
use dx_pkg_link::Tree;
use dx_pkg_lock::dxl::DxlView;
use dx_pkg_os::files::{Dir, EntryKind};
use dx_pkg_store::Store;

use crate::plan::Plan;
use crate::seal::Seal;
use crate::{InstallError, own_files};

/// The file of the notes, in dx's folder: a JSON object with `[files, bytes]` of each package by
/// its path.
const NOTES: &str = "built.json";
/// The same file, below `node_modules`.
pub(crate) const FILE: &str = ".dx/built.json";
/// The size from which on it is not read, in bytes.
const LARGEST: u64 = 16 << 20;

/// Counts of a package's files.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    /// The files that are not empty.
    files: u64,
    /// The bytes in them.
    bytes: u64,
}

/// Keeps what scripts made in packages that are in place and stay there, where the scripts are not
/// to run this time.
pub(crate) fn keep(store: &Store, root: &Path, plan: &mut Plan) -> Result<(), InstallError> {
    let private = |record: &DxlView<'_>| {
        let packages = record.packages().filter(|package| package.private_copy());
        packages.filter_map(|package| Some((package.path().to_owned(), package.id()?))).collect()
    };
    let built: HashMap<String, PackageId> =
        own_files::with_record(root, Seal::of_store(store), private).unwrap_or_default();
    if built.is_empty() { Ok(()) } else { plan.keep_built(&built) }
}

/// Notes the counts of all packages of the plan that have private copies.
pub(crate) fn note(root: &Path, plan: &Plan) -> io::Result<()> {
    let packages = &plan.installed.packages;
    let paths: HashSet<&str> = packages.iter().map(|package| package.path.as_str()).collect();
    let project = Dir::open(root)?;
    let mut notes = BTreeMap::new();
    for package in packages.iter().filter(|package| package.private_copy) {
        // A script may have removed its package: what is not there is found by its name.
        if let Ok(Counts { files, bytes }) = count(&project, &package.path, &paths) {
            notes.insert(package.path.as_str(), [files, bytes]);
        }
    }
    own_files::replace(root, NOTES, &serde_json::to_vec(&notes)?)
}

/// Drops the packages with private copies that have lost files, or bytes of them, since that was
/// noted, with all that is in their folders: they have to be built again. So have all if the notes
/// themselves were lost. Earlier versions noted nothing.
pub(crate) fn drop_emptied(root: &Path, tree: &mut Tree) {
    let is_private = tree.placements.iter().any(|placement| placement.private_copy);
    let Some(notes) = is_private.then(|| read(root)).flatten() else { return };
    let Ok(project) = Dir::open(root) else { return };
    let placements = &tree.placements;
    let paths: HashSet<&str> = placements.iter().map(|placement| placement.path.as_str()).collect();
    let is_emptied = |path: &str| {
        let Some(&[files, bytes]) = notes.get(path) else { return true };
        // One that is not there or cannot be read is looked at with the others.
        count(&project, path, &paths).is_ok_and(|found| found.files < files || found.bytes < bytes)
    };
    let private = placements.iter().filter(|placement| placement.private_copy);
    let emptied: Vec<String> = private
        .map(|placement| &placement.path)
        .filter(|path| is_emptied(path))
        .map(|path| format!("{path}/"))
        .collect();
    if !emptied.is_empty() {
        tree.placements.retain(|placement| {
            let path = format!("{}/", placement.path);
            !emptied.iter().any(|emptied| path.starts_with(emptied))
        });
    }
}

/// Reads the notes. What cannot be read has no notes of any package; `None` without the file.
fn read(root: &Path) -> Option<BTreeMap<String, [u64; 2]>> {
    match own_files::folder(root).and_then(|folder| folder.read_file(NOTES, LARGEST)) {
        Ok(text) => Some(serde_json::from_slice(&text).unwrap_or_default()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(_) => Some(BTreeMap::new()),
    }
}

/// Counts the files in a package's folder, without those of the packages in `others` within it.
fn count(project: &Dir, package: &str, others: &HashSet<&str>) -> io::Result<Counts> {
    let mut counts = Counts::default();
    let mut folders = vec![package.to_owned()];
    while let Some(folder) = folders.pop() {
        let dir = project.open_dir(&folder)?;
        for entry in dir.entries()? {
            match entry.kind {
                EntryKind::Directory => {
                    let path = format!("{folder}/{}", entry.name.to_string_lossy());
                    if !others.contains(path.as_str()) {
                        folders.push(path);
                    }
                }
                EntryKind::File => {
                    let size = dir.identity(&entry.name)?.map_or(0, |found| found.size);
                    counts.files += u64::from(size > 0);
                    counts.bytes += size;
                }
                _ => {}
            }
        }
    }
    Ok(counts)
}
