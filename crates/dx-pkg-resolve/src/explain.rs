//! Peer conflicts, as data and as text.

use std::cmp::Reverse;
use std::fmt;

use crate::intern::NameId;
use crate::tree::{DependencyTree, EdgeId, NodeId};

/// A peer requirement that is not met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The dependent with the requirement, as `name@version`.
    pub dependent: String,
    /// The dependent's path, relative to the project.
    pub path: String,
    /// The name of the required package.
    pub name: String,
    /// The required versions.
    pub wants: String,
    /// The version found instead, if any.
    pub found: Option<String>,
    /// The dependent that version is there for, in words.
    pub found_because: Option<String>,
    /// Whether npm refuses to install because of it.
    pub refused_by_npm: bool,
}

impl Conflict {
    pub(crate) fn new(
        tree: &DependencyTree,
        edge: EdgeId,
        dep: NodeId,
        refused_by_npm: bool,
    ) -> Self {
        let this = &tree[edge];
        let from = tree.source_or_self(this.from);
        let found = this
            .to
            .or_else(|| tree.resolve(from, this.name))
            .filter(|found| *found != dep || tree[*found].root == tree.root);
        Conflict {
            dependent: label(tree, from),
            path: tree.path(from),
            name: tree.text(this.name).to_owned(),
            wants: tree.interner.spec_text(tree.spec(edge)).to_owned(),
            found: found.map(|found| version_text(tree, found)),
            found_because: found.and_then(|found| reason(tree, found, this.name, edge)),
            refused_by_npm,
        }
    }

    /// Fills in the version found, if no package had been placed yet when the conflict was
    /// recorded. `resolve` returns the version that a name resolves to from a path.
    pub(crate) fn fill_found(&mut self, resolve: impl FnOnce(&str, &str) -> Option<String>) {
        if self.found.is_none() {
            self.found = resolve(&self.path, &self.name);
        }
    }

    /// Adds `conflict` to `known`, or merges it with the same one there.
    pub(crate) fn record(known: &mut Vec<Conflict>, conflict: Conflict) {
        let same = known.iter_mut().find(|other| {
            other.dependent == conflict.dependent
                && other.name == conflict.name
                && other.wants == conflict.wants
        });
        match same {
            Some(other) => {
                let refused = other.refused_by_npm || conflict.refused_by_npm;
                if conflict.found_because.is_some() || other.found.is_none() {
                    *other = conflict;
                }
                other.refused_by_npm = refused;
            }
            None => known.push(conflict),
        }
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} needs {}@{}", self.dependent, self.name, self.wants)?;
        match (&self.found, &self.found_because) {
            (Some(found), Some(because)) => {
                write!(out, ", but {}@{found} is there ({because})", self.name)
            }
            (Some(found), None) => write!(out, ", but {}@{found} is there", self.name),
            (None, _) => write!(out, ", which could not be placed beside what is there"),
        }
    }
}

fn version_text(tree: &DependencyTree, node: NodeId) -> String {
    tree.version(node).map_or_else(|| "?".to_owned(), ToString::to_string)
}

/// Returns `name@version`; for the project its name, or `the project`.
pub(crate) fn label(tree: &DependencyTree, node: NodeId) -> String {
    if tree.is_project(node) && tree[node].source.is_none() {
        return match tree.manifest(node).name {
            Some(name) => tree.text(name).to_owned(),
            None => "the project".to_owned(),
        };
    }
    format!("{}@{}", tree.text(tree[node].name), version_text(tree, node))
}

/// Returns, in words, the dependent that `found` is there for: the project or a workspace, else the
/// first by path.
fn reason(tree: &DependencyTree, found: NodeId, name: NameId, except: EdgeId) -> Option<String> {
    let edge =
        tree.dependents(found).filter(|edge| *edge != except && tree.is_valid(*edge)).max_by_key(
            |edge| (tree.is_importer(tree[*edge].from), Reverse(tree.path(tree[*edge].from))),
        )?;
    let wants = tree.interner.spec_text(tree.spec(edge));
    let from = tree.source_or_self(tree[edge].from);
    Some(format!("{}@{wants} is asked for by {}", tree.text(name), label(tree, from)))
}
