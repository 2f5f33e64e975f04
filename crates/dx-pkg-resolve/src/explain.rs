//! Peer conflicts, as data and as text.
//!
//! A conflict is told of the finished tree only: its dependent is there, the version is the one
//! that is found there, and the range does not include it. What the build came upon on the way, in
//! packages that it placed elsewhere in the end, is a [`Clash`], which is never shown as it is.

mod unmet;

use std::fmt;

use crate::tree::{DependencyTree, EdgeId, NodeId};

pub(crate) use unmet::conflicts;

/// A peer requirement that is not met in the tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conflict {
    /// The dependent with the requirement, as `name@version`.
    pub dependent: String,
    /// The dependent's path, relative to the project.
    pub path: String,
    /// The number of places at which the same package has the same conflict.
    pub places: usize,
    /// The name of the required package.
    pub name: String,
    /// The required versions.
    pub wants: String,
    /// The version found instead, if any.
    pub found: Option<String>,
    /// The dependent that version is there for, in words.
    pub found_because: Option<String>,
    /// The folder of a workspace that uses the dependent together with a version of its own, which
    /// is `found`. The dependent itself finds another one, which suits it.
    pub used_by: Option<String>,
}

impl Conflict {
    /// Returns whether the two differ in the dependent's place at most.
    fn is_same(&self, other: &Conflict) -> bool {
        let Conflict { dependent, name, wants, found, found_because, used_by, .. } = self;
        (dependent, name, wants) == (&other.dependent, &other.name, &other.wants)
            && (found, found_because) == (&other.found, &other.found_because)
            && *used_by == other.used_by
    }

    /// Returns the dependent, with the folder it is nested in, if it is.
    fn dependent_in_words(&self) -> String {
        let folder = self.path.rfind("/node_modules/").map(|end| &self.path[..end]);
        match (self.places, folder) {
            (0 | 1, None) => self.dependent.clone(),
            (0 | 1, Some(folder)) => format!("{} (in {folder})", self.dependent),
            (places, _) => format!("{} (in {places} places)", self.dependent),
        }
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Conflict { name, wants, .. } = self;
        if let (Some(folder), Some(found)) = (&self.used_by, &self.found) {
            let dependent = &self.dependent;
            return write!(
                out,
                "{dependent} needs {name}@{wants}, but {folder} uses it with {name}@{found}"
            );
        }
        write!(out, "{} needs {name}@{wants}, ", self.dependent_in_words())?;
        match (&self.found, &self.found_because) {
            (Some(found), Some(because)) => {
                write!(out, "but found {name}@{found} ({because})")
            }
            (Some(found), None) => write!(out, "but found {name}@{found}"),
            (None, _) => write!(out, "which could not be placed beside what is there"),
        }
    }
}

/// A peer requirement that could not be met when the build came to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clash {
    edge: EdgeId,
    /// Whether npm refuses to install because of it.
    pub(crate) is_refused: bool,
}

impl Clash {
    /// Adds a clash to `known`, once for each requirement.
    pub(crate) fn record(known: &mut Vec<Clash>, edge: EdgeId, is_refused: bool) {
        match known.iter_mut().find(|clash| clash.edge == edge) {
            Some(clash) => clash.is_refused |= is_refused,
            None => known.push(Clash { edge, is_refused }),
        }
    }

    /// Returns what can be said of clashes that have left nothing unmet in the tree: that the
    /// requirement could not be met where it was to be.
    pub(crate) fn in_words(tree: &DependencyTree<'_>, clashes: &[Clash]) -> Vec<Conflict> {
        let mut told: Vec<Conflict> = Vec::new();
        for clash in clashes.iter().filter(|clash| clash.is_refused) {
            let from = tree.source_or_self(tree[clash.edge].from);
            let conflict = Conflict {
                dependent: label(tree, from),
                name: tree.text(tree[clash.edge].name).to_owned(),
                wants: tree.interner.spec_text(tree.spec(clash.edge)).to_owned(),
                ..Conflict::default()
            };
            if !told.contains(&conflict) {
                told.push(conflict);
            }
        }
        told
    }
}

fn version_text(tree: &DependencyTree<'_>, node: NodeId) -> String {
    tree.version(node).map_or_else(|| "?".to_owned(), ToString::to_string)
}

/// What a project without a name is called.
pub(crate) const THE_PROJECT: &str = "the project";

/// Returns `name@version`; for the project its name, or [`THE_PROJECT`].
pub(crate) fn label(tree: &DependencyTree<'_>, node: NodeId) -> String {
    if node == tree.root {
        return match tree.manifest(node).name {
            Some(name) => tree.text(name).to_owned(),
            None => THE_PROJECT.to_owned(),
        };
    }
    format!("{}@{}", tree.text(tree[node].name), version_text(tree, node))
}
