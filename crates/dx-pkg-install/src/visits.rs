//! Paths that visit many folders of a tree, so that one system call finds out whether all of them
//! are there.
//!
//! `node_modules/@a/b/../c/../../d/node_modules/e/../../..` leads to `node_modules`, if `@a/b`,
//! `@a/c` and `d/node_modules/e` are folders; if one of them is missing, it leads nowhere. (On
//! Windows, which drops `..` with the name before it, it always leads to `node_modules`.)

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use dx_pkg_lock::dxl::DxlView;
use dx_pkg_lock::name_of_path;

use crate::tree_files::importer;

/// The number of paths, beside the one that ends in `node_modules`, that the state has for the
/// project's own folder: each costs an install that has nothing to do a system call.
const MORE: usize = 4;

/// The longest path that the system takes, in bytes without the terminator.
const LONGEST: usize =
    if cfg!(any(target_os = "linux", target_os = "android")) { 4095 } else { 1023 };

/// The bytes left free, as the project's folder may be named in a longer way.
const RESERVE: usize = 256;

/// A path that visits folders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Visit {
    /// The whole path.
    pub(crate) path: String,
    /// The short path of the folder in which it ends.
    pub(crate) end: String,
}

/// What the time of an importer's `node_modules` does not show, below that folder.
#[derive(Debug, Default)]
struct Folders<'r> {
    /// Whether packages in `node_modules` itself have commands.
    has_commands: bool,
    /// Packages of scopes, nested packages and their `.bin`, in order.
    visited: Vec<Cow<'r, str>>,
}

/// Returns the paths that the state has for the tree of a record, relative to the project: one or
/// more for each importer with packages. Each is visited as a whole, and ends in a folder of which
/// the identity is recorded.
pub(crate) fn recorded(root: &Path, record: &DxlView<'_>) -> Vec<Visit> {
    let longest = longest(root);
    let importers = importers(record).into_iter();
    let visits = importers.flat_map(|(importer, folders)| {
        let most = most(importer);
        let mut visits = folders.visits(&modules(importer), most, longest);
        visits.truncate(most);
        visits
    });
    visits.collect()
}

/// Returns whether the system takes these paths below `root`.
pub(crate) fn fit(root: &Path, visits: &[Visit]) -> bool {
    let longest = longest(root);
    visits.iter().all(|visit| visit.path.len() <= longest)
}

/// Returns whether all packages are there that [`recorded`] leaves out.
pub(crate) fn others_are_there(root: &Path, record: &DxlView<'_>) -> bool {
    let longest = longest(root);
    importers(record).into_iter().all(|(importer, folders)| {
        let most = most(importer);
        let visits = folders.visits(&modules(importer), most, longest);
        let mut others = visits.iter().skip(most);
        others
            .all(|visit| matches!(dx_pkg_os::files::identity(&root.join(&visit.path)), Ok(Some(_))))
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

/// Returns the number of paths that the state may have for an importer.
fn most(importer: &str) -> usize {
    if importer.is_empty() { MORE + 1 } else { 1 }
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
        if !package.bin().is_empty() {
            match holder(inner) {
                None => folders.has_commands = true,
                Some(holder) => {
                    folders.visited.push(Cow::Owned(format!("{holder}/node_modules/.bin")));
                }
            }
        }
        // A link leads out of the tree, and bundled packages are part of another.
        if inner.contains('/') && !package.link() && !package.in_bundle() {
            folders.visited.push(Cow::Borrowed(inner));
        }
    }
    for folders in importers.values_mut() {
        folders.visited.sort_unstable();
        folders.visited.dedup();
    }
    importers
}

/// Returns the path of the package in whose `node_modules` a nested package is.
fn holder(inner: &str) -> Option<&str> {
    inner.strip_suffix(name_of_path(inner))?.strip_suffix("/node_modules/")
}

/// Returns the path of the folder that a file or folder is in; empty for `node_modules` itself.
fn parent(inner: &str) -> &str {
    inner.rsplit_once('/').map_or("", |(parent, _)| parent)
}

impl Folders<'_> {
    /// Returns paths of at most `longest` bytes that together visit all packages. The first `most`
    /// end in folders that hold many: the identity of such a folder tells as much as a visit to
    /// each package in it.
    fn visits(&self, base: &str, most: usize, longest: usize) -> Vec<Visit> {
        let mut ends = self.ends();
        ends.truncate(most);
        let visited = self.visited.iter().map(Cow::as_ref);
        let visited: Vec<&str> = visited.filter(|path| !ends.contains(&parent(path))).collect();
        visiting(base, &visited, &ends, longest)
    }

    /// Returns the folders whose identities are worth recording: `node_modules` itself, its `.bin`,
    /// and then those with most visited packages.
    fn ends(&self) -> Vec<&str> {
        let mut parents: Vec<&str> = self.visited.iter().map(|path| parent(path)).collect();
        parents.sort_unstable();
        let mut sizes: Vec<(Reverse<usize>, &str)> = parents
            .chunk_by(|a, b| a == b)
            .filter_map(|same| Some((Reverse(same.len()), *same.first()?)))
            .collect();
        sizes.sort_unstable();
        let commands = self.has_commands.then_some(".bin");
        [""].into_iter()
            .chain(commands)
            .chain(sizes.into_iter().map(|(_, folder)| folder))
            .collect()
    }
}

/// Returns paths of at most `longest` bytes that together visit all of `visited` below `base`. The
/// first ones end in the folders `ends`, further ones in `base`.
fn visiting(base: &str, visited: &[&str], ends: &[&str], longest: usize) -> Vec<Visit> {
    let mut visits = Vec::new();
    let mut left = visited;
    while visits.len() < ends.len() || !left.is_empty() {
        let end = ends.get(visits.len()).copied().unwrap_or_default();
        let mut path = base.to_owned();
        let mut at = "";
        while let Some((next, rest)) = left.split_first() {
            let shared = shared(at, next);
            let up = depth(&at[shared..]);
            let down = &next[shared..];
            let back = 3 * depth(next) + end.len() + 1;
            if path.len() + 3 * up + 1 + down.len() + back > longest {
                break;
            }
            (0..up).for_each(|_| path.push_str("/.."));
            path.extend([if down.starts_with('/') { "" } else { "/" }, down]);
            (at, left) = (next, rest);
        }
        if at.is_empty() && !left.is_empty() && visits.len() >= ends.len() {
            // Not even one fits.
            break;
        }
        (0..depth(at)).for_each(|_| path.push_str("/.."));
        let mut place = base.to_owned();
        if !end.is_empty() {
            path.extend(["/", end]);
            place.extend(["/", end]);
        }
        visits.push(Visit { path, end: place });
    }
    visits
}

/// Returns the length of the segments with which both paths begin, without the `/` after them.
fn shared(a: &str, b: &str) -> usize {
    let same = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    let is_end = |path: &str| path.as_bytes().get(same).is_none_or(|byte| *byte == b'/');
    if is_end(a) && is_end(b) {
        return same;
    }
    a.as_bytes()[..same].iter().rposition(|byte| *byte == b'/').unwrap_or(0)
}

/// Returns the number of segments of a path, or of a part that begins with `/`.
fn depth(path: &str) -> usize {
    let separators = path.bytes().filter(|byte| *byte == b'/').count();
    separators + usize::from(!path.is_empty() && !path.starts_with('/'))
}

#[cfg(test)]
mod tests;
