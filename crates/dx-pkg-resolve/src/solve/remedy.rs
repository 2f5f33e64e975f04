//! Solves the peer conflicts of a resolution and resolves again with the versions that were found.

use std::fmt;

use dx_pkg_core::Version;
use dx_pkg_lock::Lock;

use super::gather::{Gathered, Source, gather};
use super::order::{Outcome, solve};
use crate::pick::Picker;
use crate::{Options, Provider, Requirements, Resolution, resolve_once};

/// A package of which another version is installed than by npm's rules, so that peers agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// The name under which it is installed.
    pub name: String,
    /// The version that npm's rules choose.
    pub from: Option<String>,
    /// The version that is installed.
    pub to: String,
    /// Whether the project or a workspace requires it itself.
    pub is_direct: bool,
}

impl fmt::Display for Move {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.from {
            Some(from) => write!(out, "{} {} instead of {from}", self.name, self.to),
            None => write!(out, "{} {}", self.name, self.to),
        }
    }
}

/// Returns a resolution without the conflicts of `refused`; `None` where there is none that may be
/// taken without asking, or where the versions that were found cannot be installed.
pub(crate) fn remedy(
    refused: &Resolution,
    requirements: &Requirements,
    previous: Option<&Lock>,
    provider: &dyn Provider,
    options: &Options,
) -> Option<Resolution> {
    let picker = Picker::new(options.pick.clone());
    let tree = refused.lock.index();
    let before = previous.map(Lock::index);
    let mut pinned = Pinned { options: options.clone(), moves: Vec::new() };
    for importer in std::iter::once(&requirements.root).chain(&requirements.workspaces) {
        let source =
            Source { importer, tree: &tree, previous: before.as_ref(), provider, picker: &picker };
        let Some(gathered) = gather(&source) else { continue };
        let Outcome::Solved(solution) = solve(&gathered.problem) else { return None };
        if solution.has_escapes {
            return None;
        }
        pinned.add(&gathered, &solution.chosen, |name| {
            tree.resolve(&importer.path, name).and_then(|found| found.version.clone())
        });
    }
    if pinned.moves.is_empty() {
        return None;
    }
    pinned.moves.sort_by(|a, b| (!a.is_direct, &a.name).cmp(&(!b.is_direct, &b.name)));
    pinned.moves.dedup();
    let solved = resolve_once(requirements, previous, provider, &pinned.options).ok()?;
    let is_clean =
        !solved.refused_by_npm && solved.conflicts.len() < refused.conflicts.len().max(1);
    is_clean.then_some(Resolution { moves: pinned.moves, ..solved })
}

/// The options of the second resolution, with what they move.
struct Pinned {
    options: Options,
    moves: Vec<Move>,
}

impl Pinned {
    /// Pins the chosen versions; `current` tells which the tree has.
    fn add(
        &mut self,
        gathered: &Gathered,
        chosen: &[Option<usize>],
        current: impl Fn(&str) -> Option<String>,
    ) {
        for (position, package) in gathered.problem.packages.iter().enumerate() {
            let Some(choice) = chosen[position] else { continue };
            let version: &Version = &package.candidates[choice].version;
            let pin = (gathered.registry_names[position].clone(), version.clone());
            self.options.pick.pins.push(pin);
            let found = current(&package.name);
            let to = version.to_string();
            if found.as_deref() != Some(&to) {
                self.options.update.push(package.name.clone());
            }
            // What npm's rules choose for a direct dependency comes first; the tree may have
            // another version of it already.
            let first = || Some(package.candidates.first()?.version.to_string());
            let from = if package.is_direct { first() } else { found };
            if from.as_deref() != Some(&to) && (from.is_some() || package.is_direct) {
                let (name, is_direct) = (package.name.clone(), package.is_direct);
                self.moves.push(Move { name, from, to, is_direct });
            }
        }
    }
}
