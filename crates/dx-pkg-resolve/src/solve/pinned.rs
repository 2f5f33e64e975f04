//! The versions that were found, as options of a second resolution, and what moves by them.

use std::fmt;

use dx_pkg_core::Version;
use dx_pkg_lock::Lock;
use rustc_hash::FxHashSet;

use super::gather::Gathered;
use super::packages::Source;
use crate::Options;

/// A package of which another version is installed than by npm's rules.
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
    /// The reason, where it is another than that peers agree then.
    pub reason: Option<String>,
}

impl fmt::Display for Move {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.from {
            Some(from) => write!(out, "{} {} instead of {from}", self.name, self.to)?,
            None => write!(out, "{} {}", self.name, self.to)?,
        }
        match &self.reason {
            Some(reason) => write!(out, ", {reason}"),
            None => Ok(()),
        }
    }
}

/// The options of the second resolution, with what they move.
pub(super) struct Pinned {
    pub(super) options: Options,
    pub(super) moves: Vec<Move>,
    /// The paths of locked packages of which another version was chosen. npm's rules keep what
    /// satisfies a requirement rather than replace it by an older version.
    pub(super) released: Vec<String>,
}

impl Pinned {
    pub(super) fn new(options: &Options) -> Self {
        Pinned { options: options.clone(), moves: Vec::new(), released: Vec::new() }
    }

    /// Releases the locked packages of which another version was chosen, or none; `required` are
    /// the names that something requires otherwise than as a peer.
    pub(super) fn release(
        &mut self,
        gathered: &Gathered,
        chosen: &[Option<usize>],
        source: &Source<'_>,
        required: &FxHashSet<&str>,
    ) {
        let Some(previous) = source.previous else { return };
        for (package, choice) in gathered.known.iter().zip(chosen) {
            let version = choice.map(|choice| package.version(choice).to_string());
            let entry = previous.resolve(&source.importer.path, &package.name);
            // What is there as a peer only goes where nothing has it as a peer any more.
            let is_kept = || version.is_none() && required.contains(package.name.as_str());
            if let Some(entry) = entry
                && entry.path.contains("node_modules/")
                && !entry.link
                && entry.version != version
                && !is_kept()
            {
                self.released.push(entry.path.clone());
            }
        }
    }

    /// Returns a lock without what was released and what is below it.
    pub(super) fn without_released(&self, lock: &Lock) -> Lock {
        let mut lock = lock.clone();
        let is_released = |path: &str| {
            let below = |released: &String| {
                path.strip_prefix(released.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            self.released.iter().any(below)
        };
        lock.packages.retain(|entry| !is_released(&entry.path));
        lock
    }

    /// Returns the version that moved last, in the order of moves.
    pub(super) fn culprit(&self) -> Option<(String, Version)> {
        let last = self.moves.last()?;
        Some((last.name.clone(), Version::parse(&last.to).ok()?))
    }

    /// Pins the chosen versions; `current` tells which the tree has.
    pub(super) fn add(
        &mut self,
        gathered: &Gathered,
        chosen: &[Option<usize>],
        current: impl Fn(&str) -> Option<String>,
    ) {
        for (package, choice) in gathered.known.iter().zip(chosen) {
            let Some(choice) = *choice else { continue };
            let version: &Version = package.version(choice);
            self.options.pick.pins.push((package.registry_name.clone(), version.clone()));
            let found = current(&package.name);
            let to = version.to_string();
            if found.as_deref() != Some(&to) {
                self.options.update.push(package.name.clone());
            }
            // What npm's rules choose for a direct dependency comes first; the tree may have
            // another version of it already.
            let is_direct = package.direct.is_some();
            let first = Some(package.version(0).to_string()).filter(|_| is_direct);
            let from = first.filter(|first| *first != to).or(found);
            if from.as_ref().is_some_and(|from| *from != to) {
                let name = package.name.clone();
                self.moves.push(Move { name, from, to, is_direct, reason: None });
            }
        }
    }
}
