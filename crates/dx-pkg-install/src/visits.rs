//! Paths that visit many folders of a tree, so that one system call finds out whether all of them
//! are there.
//!
//! `node_modules/@a/b/../c/../../d/node_modules/e/../../..` leads to `node_modules`, if `@a/b`,
//! `@a/c` and `d/node_modules/e` are folders; if one of them is missing, it leads nowhere. (On
//! Windows, which drops `..` with the name before it, it always leads to `node_modules`.)

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use dx_pkg_lock::dxl::DxlView;

use crate::tree_files::importer;

/// The number of paths, beside the one that ends in `node_modules`, that the state has for the
/// project's own folder: each costs an install that has nothing to do a system call.
const MORE: usize = 4;

/// The longest path that the system takes, in bytes without the terminator.
const LONGEST: usize =
    if cfg!(any(target_os = "linux", target_os = "android")) { 4095 } else { 1023 };

/// The bytes left free, as the project's folder may be named in a longer way.
const RESERVE: usize = 256;

/// The folders of one importer's `node_modules` that a path can visit.
#[derive(Debug, Default)]
struct Folders<'r> {
    /// Packages whose removal the time of `node_modules` does not show, below that folder.
    visited: Vec<String>,
    /// Folders whose own times are recorded too, the most important ones first.
    noted: [Vec<&'r str>; 3],
}

/// Returns the paths that the state has for the tree of a record, relative to the project: one or
/// more for each importer with packages. Each is visited as a whole, and ends in a folder of which
/// the identity is recorded.
pub(crate) fn recorded(root: &Path, record: &DxlView<'_>) -> Vec<String> {
    let longest = longest(root);
    let importers = importers(record);
    let paths = importers.into_iter().flat_map(|(importer, folders)| {
        let base = modules(importer);
        let most = if importer.is_empty() { MORE } else { 0 };
        let mut ends = folders.ends();
        ends.truncate(most + 1);
        let mut paths = visiting(&base, &folders.visited, &ends, longest);
        paths.truncate(most + 1);
        paths
    });
    paths.collect()
}

/// Returns whether all packages are there that [`recorded`] leaves out.
pub(crate) fn others_are_there(root: &Path, record: &DxlView<'_>) -> bool {
    let longest = longest(root);
    importers(record).into_iter().all(|(importer, folders)| {
        let most = if importer.is_empty() { MORE } else { 0 };
        let mut ends = folders.ends();
        ends.truncate(most + 1);
        let paths = visiting(&modules(importer), &folders.visited, &ends, longest);
        let mut others = paths.iter().skip(most + 1);
        others.all(|path| matches!(dx_pkg_os::files::identity(&root.join(path)), Ok(Some(_))))
    })
}

/// Returns the folder that a path ends in.
pub(crate) fn end(path: &Path) -> PathBuf {
    let mut end = PathBuf::new();
    for component in path.components() {
        if component == Component::ParentDir {
            end.pop();
        } else {
            end.push(component);
        }
    }
    end
}

fn longest(root: &Path) -> usize {
    LONGEST.saturating_sub(RESERVE + root.as_os_str().len())
}

fn modules(importer: &str) -> String {
    if importer.is_empty() { "node_modules".to_owned() } else { format!("{importer}/node_modules") }
}

/// Returns the folders of each importer with packages.
fn importers<'r>(record: &'r DxlView<'_>) -> BTreeMap<&'r str, Folders<'r>> {
    let mut importers: BTreeMap<&str, Folders<'_>> = BTreeMap::new();
    for package in record.packages() {
        let path = package.path();
        let Some(importer) = importer(path).filter(|importer| !importer.starts_with("..")) else {
            continue;
        };
        let folders = importers.entry(importer).or_default();
        let start = importer.len() + usize::from(!importer.is_empty()) + "node_modules/".len();
        let inner = &path[start..];
        let [commands, scopes, nested] = &mut folders.noted;
        let within = inner.rfind("/node_modules/");
        if !package.bin().is_empty() {
            match within {
                None if commands.is_empty() => commands.push(".bin"),
                None => {}
                Some(end) => {
                    folders.visited.push(format!("{}/node_modules/.bin", &inner[..end]));
                }
            }
        }
        // A link leads out of the tree, and bundled packages are part of another.
        if package.link() || package.in_bundle() {
            continue;
        }
        match (within, inner.split_once('/')) {
            (Some(end), _) => {
                nested.push(&inner[..end + "/node_modules".len()]);
                folders.visited.push(inner.to_owned());
            }
            (None, Some((scope, _))) => {
                scopes.push(scope);
                folders.visited.push(inner.to_owned());
            }
            (None, None) => {}
        }
    }
    for folders in importers.values_mut() {
        folders.visited.sort();
        folders.visited.dedup();
        for list in &mut folders.noted {
            list.sort_unstable();
            list.dedup();
        }
    }
    importers
}

impl Folders<'_> {
    /// Returns the folders whose identities are worth recording, `node_modules` itself first.
    fn ends(&self) -> Vec<&str> {
        [""].into_iter().chain(self.noted.iter().flatten().copied()).collect()
    }
}

/// Returns paths of at most `longest` bytes that together visit all of `visited` below `base`. The
/// first ones end in the folders `ends`, further ones in `base`.
fn visiting(base: &str, visited: &[String], ends: &[&str], longest: usize) -> Vec<String> {
    let mut paths = Vec::new();
    let mut left = visited;
    while paths.len() < ends.len() || !left.is_empty() {
        let end = ends.get(paths.len()).copied().unwrap_or_default();
        let mut path = base.to_owned();
        let mut at: Vec<&str> = Vec::new();
        while let Some((next, rest)) = left.split_first() {
            let segments: Vec<&str> = next.split('/').collect();
            let shared = at.iter().zip(&segments).take_while(|(a, b)| a == b).count();
            let up = at.len() - shared;
            let down: usize = segments[shared..].iter().map(|segment| segment.len() + 1).sum();
            let back = 3 * segments.len() + end.len() + 1;
            if path.len() + 3 * up + down + back > longest {
                break;
            }
            path.push_str(&"/..".repeat(up));
            segments[shared..].iter().for_each(|segment| path.extend(["/", segment]));
            (at, left) = (segments, rest);
        }
        if at.is_empty() && !left.is_empty() && paths.len() >= ends.len() {
            // Not even one fits.
            break;
        }
        path.push_str(&"/..".repeat(at.len()));
        if !end.is_empty() {
            path.extend(["/", end]);
        }
        paths.push(path);
    }
    paths
}

#[cfg(test)]
mod tests;
