//! Installed trees compared: the same files with the same contents, executable bits and link
//! targets.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Metadata};
use std::path::Path;

/// Below `node_modules`, what a package manager keeps for itself.
const BOOKKEEPING: [&str; 3] =
    ["node_modules/.dx", "node_modules/.package-lock.json", "node_modules/.cache"];

/// The entry at a path.
#[derive(Debug, PartialEq, Eq)]
enum Item {
    File { executable: bool, size: u64 },
    Link(String),
}

/// A project folder as it was, to compare others with.
pub(crate) struct Snapshot {
    items: BTreeMap<String, Item>,
    digests: BTreeMap<String, blake3::Hash>,
}

impl Snapshot {
    /// Of a project folder, bookkeeping of package managers apart.
    pub(crate) fn of(project: &Path) -> Result<Snapshot, String> {
        let items = items(project, &[])?;
        let digests = digests(project, &items)?;
        Ok(Snapshot { items, digests })
    }

    /// Says in what the other project differs, and in how many paths, if it does.
    pub(crate) fn must_equal(&self, other: &Snapshot) -> Result<(), String> {
        let paths: BTreeSet<&String> = self.items.keys().chain(other.items.keys()).collect();
        let differs = |path: &&&String| {
            self.items.get(**path) != other.items.get(**path)
                || self.digests.get(**path) != other.digests.get(**path)
        };
        let different: Vec<&&String> = paths.iter().filter(differs).collect();
        match different.first() {
            None => Ok(()),
            Some(path) => Err(format!(
                "{} differences; {path}: {:?}, and not {:?}{}",
                different.len(),
                other.items.get(**path),
                self.items.get(**path),
                if self.items.get(**path) == other.items.get(**path) {
                    " with other contents"
                } else {
                    ""
                }
            )),
        }
    }
}

/// The digest of every file, worked out by as many threads as there are processors.
fn digests(
    root: &Path,
    items: &BTreeMap<String, Item>,
) -> Result<BTreeMap<String, blake3::Hash>, String> {
    let files: Vec<&String> = items
        .iter()
        .filter(|(_, item)| matches!(item, Item::File { .. }))
        .map(|(path, _)| path)
        .collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = files.len().div_ceil(threads).max(1);
    let digest = |path: &String| Ok((path.clone(), blake3::hash(&bytes(&root.join(path))?)));
    std::thread::scope(|scope| {
        let workers: Vec<_> = files
            .chunks(share)
            .map(|files| {
                scope.spawn(move || {
                    files.iter().map(|path| digest(path)).collect::<Result<Vec<_>, String>>()
                })
            })
            .collect();
        let mut found = BTreeMap::new();
        for worker in workers {
            found.extend(worker.join().map_err(|_| "reading a tree panicked".to_owned())??);
        }
        Ok(found)
    })
}

/// Every difference between two project folders, one line each, bookkeeping of package managers
/// apart.
///
/// Folders count only for what is in them. `ignored` are further paths that may differ.
pub(crate) fn differences(
    left: &Path,
    right: &Path,
    ignored: &[&str],
) -> Result<Vec<String>, String> {
    let (left_items, right_items) = (items(left, ignored)?, items(right, ignored)?);
    let mut found = Vec::new();
    for (path, item) in &left_items {
        match right_items.get(path) {
            None => found.push(format!("only in {}: {path}", left.display())),
            Some(other) if other != item => found.push(format!("{path}: {item:?} and {other:?}")),
            Some(Item::File { .. }) if bytes(&left.join(path))? != bytes(&right.join(path))? => {
                found.push(format!("{path}: the contents differ"));
            }
            Some(_) => {}
        }
    }
    let missing = right_items.keys().filter(|path| !left_items.contains_key(*path));
    found.extend(missing.map(|path| format!("only in {}: {path}", right.display())));
    Ok(found)
}

/// Every installed package: its folder and `name@version`; links are followed by nobody.
pub(crate) fn packages(project: &Path) -> Result<BTreeMap<String, String>, String> {
    let mut found = BTreeMap::new();
    for path in items(project, &[])?.into_keys() {
        let Some(folder) = path.strip_suffix("/package.json") else {
            continue;
        };
        if !is_package_folder(folder) {
            continue;
        }
        let text = String::from_utf8_lossy(&bytes(&project.join(&path))?).into_owned();
        let manifest: serde_json::Value =
            serde_json::from_str(&text).map_err(|error| format!("{path}: {error}"))?;
        let field = |key: &str| manifest[key].as_str().unwrap_or("?").to_owned();
        found.insert(folder.to_owned(), format!("{}@{}", field("name"), field("version")));
    }
    Ok(found)
}

/// Fails when nothing is installed: a comparison with such a project would say nothing.
pub(crate) fn must_have_packages(project: &Path) -> Result<(), String> {
    match packages(project)?.len() {
        0 => Err(format!("{}: no package was installed", project.display())),
        _ => Ok(()),
    }
}

/// Returns whether a package manager places packages in a folder: `…/node_modules/name` or
/// `…/@scope/name`.
fn is_package_folder(folder: &str) -> bool {
    let Some((_, name)) = folder.rsplit_once("node_modules/") else {
        return false;
    };
    match name.split_once('/') {
        None => !name.starts_with('@'),
        Some((scope, bare)) => scope.starts_with('@') && !bare.contains('/'),
    }
}

fn items(root: &Path, ignored: &[&str]) -> Result<BTreeMap<String, Item>, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        let failed = |error: std::io::Error| format!("{}: {error}", root.join(&folder).display());
        for entry in fs::read_dir(root.join(&folder)).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            if BOOKKEEPING.contains(&path.as_str()) || ignored.contains(&path.as_str()) {
                continue;
            }
            let metadata = entry.metadata().map_err(failed)?;
            if metadata.is_dir() {
                folders.push(path);
            } else if metadata.is_symlink() {
                let target = fs::read_link(entry.path()).map_err(failed)?;
                found.insert(path, Item::Link(target.to_string_lossy().replace('\\', "/")));
            } else {
                found.insert(
                    path,
                    Item::File { executable: executable(&metadata), size: metadata.len() },
                );
            }
        }
    }
    Ok(found)
}

fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(unix)]
fn executable(metadata: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn executable(_: &Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests;
