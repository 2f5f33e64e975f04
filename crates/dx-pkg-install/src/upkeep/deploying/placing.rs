//! The places of a workspace's packages in a tree of its own. Pure.
//!
//! Each package is what the project's lockfile has for its dependent, and as far up as there is
//! room for it.

use std::collections::{HashMap, HashSet, VecDeque};

use dx_pkg_lock::{Lock, LockIndex, LockPackage};

#[cfg(test)]
mod tests;

/// A package, folder or link in the new tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Placed {
    /// Its path in the new tree.
    pub(super) path: String,
    /// The path of its entry in the project's lockfile.
    pub(super) old: String,
    /// Whether it is the workspace itself, or another folder that is copied.
    pub(super) is_folder: bool,
    /// The folder that it leads to, if it is a link.
    pub(super) target: Option<String>,
    /// What it requires: names, with the paths in the new tree.
    pub(super) uses: Vec<(String, String)>,
    /// What it is needed for.
    pub(super) kind: Kind,
}

/// What a package is needed for, as a lockfile says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) dev: bool,
    pub(super) optional: bool,
    pub(super) dev_optional: bool,
}

/// How a dependency is required.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Edge {
    Required,
    Optional,
    Development,
}

/// The tree that is built.
struct Tree<'l> {
    index: LockIndex<'l>,
    placed: Vec<Placed>,
    /// The positions of `placed` by their paths.
    at: HashMap<String, usize>,
    /// Look-ups that packages depend on: who, for which name, found in which folder.
    lookups: Vec<(String, String, String)>,
    edges: Vec<Vec<(usize, Edge)>>,
    queue: VecDeque<usize>,
}

/// Returns the places of everything that the workspace in the folder `source` needs; `target` tells
/// where another folder is copied to. The workspace itself comes first.
///
/// # Errors
/// The lockfile lacks something, in words.
pub(super) fn place(
    lock: &Lock,
    source: &str,
    with_dev: bool,
    target: &dyn Fn(&str) -> String,
) -> Result<Vec<Placed>, String> {
    let (at, lookups) = (HashMap::new(), Vec::new());
    let (placed, edges, queue) = (Vec::new(), Vec::new(), VecDeque::new());
    let mut tree = Tree { index: lock.index(), placed, at, lookups, edges, queue };
    if tree.index.get(source).is_none() {
        return Err("the lockfile does not have it".to_owned());
    }
    tree.add(Placed {
        path: String::new(),
        old: source.to_owned(),
        is_folder: true,
        ..Placed::default()
    });
    while let Some(user) = tree.queue.pop_front() {
        let old = tree.placed[user].old.clone();
        let Some(entry) = tree.index.get(&old) else { continue };
        for (name, edge) in dependencies(entry, with_dev && user == 0) {
            tree.require(user, name, edge, target)?;
        }
    }
    tree.mark_kinds();
    Ok(tree.placed)
}

/// Returns what an entry requires.
fn dependencies(entry: &LockPackage, with_dev: bool) -> Vec<(&str, Option<Edge>)> {
    let mut found: Vec<(&str, Option<Edge>)> = Vec::new();
    let mut add = |name, edge| {
        if !found.iter().any(|(known, _)| *known == name) {
            found.push((name, edge));
        }
    };
    for (name, _) in &entry.optional_dependencies {
        add(name.as_str(), Some(Edge::Optional));
    }
    for (name, _) in &entry.dependencies {
        add(name.as_str(), Some(Edge::Required));
    }
    for (name, _) in entry.dev_dependencies.iter().filter(|_| with_dev) {
        add(name.as_str(), Some(Edge::Development));
    }
    // A peer that is there stays there; npm may have left it out.
    for (name, _) in &entry.peer_dependencies {
        add(name.as_str(), None);
    }
    found
}

impl Tree<'_> {
    fn add(&mut self, placed: Placed) -> usize {
        let position = self.placed.len();
        self.at.insert(placed.path.clone(), position);
        if placed.target.is_none() {
            self.queue.push_back(position);
        }
        self.placed.push(placed);
        self.edges.push(Vec::new());
        position
    }

    /// Gives a package what it requires under a name; an edge that is `None` is a peer.
    fn require(
        &mut self,
        user: usize,
        name: &str,
        edge: Option<Edge>,
        target: &dyn Fn(&str) -> String,
    ) -> Result<(), String> {
        let (path, old) = (self.placed[user].path.clone(), self.placed[user].old.clone());
        let Some(entry) = self.index.resolve(&old, name) else {
            return match edge {
                None | Some(Edge::Optional) => Ok(()),
                _ => Err(format!("the lockfile has no {name} for {}", describe(&old))),
            };
        };
        let folder = entry.link.then(|| entry.resolved.clone().unwrap_or_default());
        let target = folder.as_deref().map(target);
        let levels = levels(&path);
        let near = levels.iter().rposition(|level| self.at.contains_key(&below(level, name)));
        let is_same = |position: usize, tree: &Self| {
            tree.placed[position].old == entry.path && tree.placed[position].target == target
        };
        let place = match near {
            Some(level) if is_same(self.at[&below(levels[level], name)], self) => {
                below(levels[level], name)
            }
            near => {
                let first = near.map_or(0, |near| near + 1);
                let is_free = |level: &&&str| !self.shadows(level, name);
                let level = levels[first..].iter().find(is_free).or(levels.last());
                let level = level.copied().unwrap_or_default();
                let place = below(level, name);
                if self.at.contains_key(&place) {
                    return Err(format!("{} finds two packages called {name}", describe(&old)));
                }
                self.add(Placed {
                    path: place.clone(),
                    old: entry.path.clone(),
                    target: target.clone(),
                    ..Placed::default()
                });
                place
            }
        };
        let level = place[..place.len() - name.len()].trim_end_matches('/');
        let level = level.strip_suffix("node_modules").unwrap_or(level).trim_end_matches('/');
        self.lookups.push((path, name.to_owned(), level.to_owned()));
        self.placed[user].uses.push((name.to_owned(), place.clone()));
        let found = self.at[&place];
        self.edges[user].push((found, edge.unwrap_or(Edge::Required)));
        if let (Some(folder), Some(target)) = (folder, target) {
            let copied = match self.at.get(&target) {
                Some(known) => *known,
                None => self.add(Placed {
                    path: target,
                    old: folder,
                    is_folder: true,
                    ..Placed::default()
                }),
            };
            self.edges[found].push((copied, Edge::Required));
        }
        Ok(())
    }

    /// Returns whether a package of this name at a level would come before one that others within
    /// that level find further up.
    fn shadows(&self, level: &str, name: &str) -> bool {
        self.lookups.iter().any(|(user, known, found)| {
            known == name && is_within(user, level) && found.len() < level.len()
        })
    }

    /// Works out what every package is needed for.
    fn mark_kinds(&mut self) {
        let reached = |allowed: &[Edge]| -> HashSet<usize> {
            let (mut seen, mut queue) = (HashSet::from([0]), vec![0]);
            while let Some(user) = queue.pop() {
                for (found, edge) in &self.edges[user] {
                    if allowed.contains(edge) && seen.insert(*found) {
                        queue.push(*found);
                    }
                }
            }
            seen
        };
        let required = reached(&[Edge::Required]);
        let production = reached(&[Edge::Required, Edge::Optional]);
        let firm = reached(&[Edge::Required, Edge::Development]);
        for (position, placed) in self.placed.iter_mut().enumerate() {
            let (in_production, is_firm) =
                (production.contains(&position), firm.contains(&position));
            placed.kind = Kind {
                dev: !in_production,
                optional: !is_firm,
                dev_optional: in_production && is_firm && !required.contains(&position),
            };
        }
    }
}

/// Returns the folders in whose `node_modules` a package looks, the outermost first.
fn levels(path: &str) -> Vec<&str> {
    let mut levels = vec![""];
    levels.extend(path.match_indices("/node_modules/").map(|(end, _)| &path[..end]));
    if !path.is_empty() {
        levels.push(path);
    }
    levels
}

fn below(level: &str, name: &str) -> String {
    match level {
        "" => format!("node_modules/{name}"),
        level => format!("{level}/node_modules/{name}"),
    }
}

fn is_within(path: &str, level: &str) -> bool {
    level.is_empty()
        || path.strip_prefix(level).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn describe(path: &str) -> &str {
    if path.is_empty() { "the project" } else { path }
}
