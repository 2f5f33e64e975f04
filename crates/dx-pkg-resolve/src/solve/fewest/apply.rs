//! Resolves with the versions that were chosen, and checks what comes of it.

use std::collections::BTreeMap;

use dx_pkg_core::Version;
use dx_pkg_lock::{Lock, LockPackage};

use super::gather::{Source, gather};
use super::problem::{Problem, Selection};
use super::search::search;
use super::single::several;
use crate::{Options, Picker, Provider, Requirements, Resolution, ResolveError, resolve_once};

/// What is to be as little as possible.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Aim {
    /// The number of versions of packages.
    Fewest,
    /// The number of versions that are not the latest, then the number of versions.
    Newest,
}

/// The versions of packages in a tree: each name with each of its versions counts once.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Score {
    /// All of them.
    pub versions: usize,
    /// Those that are older than the one that is tagged as the latest.
    pub outdated: usize,
}

/// A package whose versions are others than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// The versions before.
    pub from: Vec<String>,
    /// The versions now.
    pub to: Vec<String>,
    /// Whether one of them is older than all that were there before.
    pub is_older: bool,
}

/// What a search for fewer versions came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fewer {
    /// The versions that npm's rules give.
    pub before: Score,
    /// The versions now; the same where nothing better was found.
    pub after: Score,
    /// The packages that have other versions, by name.
    pub steps: Vec<Step>,
    /// Whether the search came to its end.
    pub is_complete: bool,
}

/// Resolves `requirements` with the fewest versions of packages, or the fewest outdated ones.
/// `is_over` tells that the time for the search is up; the best that was found until then counts.
///
/// The result is one of npm's rules with other versions chosen within the same ranges. It has no
/// peer conflict more than that without the choice, which is returned where nothing is better.
///
/// # Errors
/// As [`crate::resolve`], whose result is the start of the search.
pub fn minimise(
    requirements: &Requirements,
    previous: Option<&Lock>,
    provider: &dyn Provider,
    options: &Options,
    aim: Aim,
    is_over: &dyn Fn() -> bool,
) -> Result<(Resolution, Fewer), ResolveError> {
    let base = crate::resolve(requirements, previous, provider, options)?;
    let renewed = (aim == Aim::Newest)
        .then(|| resolve_once(requirements, None, provider, options).ok())
        .flatten();
    let picker = Picker::new(options.pick.clone());
    let trial = Trial { requirements, previous, provider, options, aim };
    let before = trial.score(&base.lock);
    let (mut best, mut after) = (base.clone(), before);
    let mut is_complete = false;
    if let Some(renewed) = &renewed {
        trial.take_better(renewed.clone(), &base, &mut best, &mut after);
    }
    let start = best.clone();
    let source = Source {
        lock: &start.lock,
        other: Some(&base.lock).filter(|_| renewed.is_some()),
        previous,
        requirements,
        provider,
        picker: &picker,
        options,
        importer: None,
    };
    if let Some(mut problem) = gather(&source) {
        for keeps_peers in [false, true] {
            if keeps_peers {
                problem.keep_peers();
            }
            let found = search(&problem, aim, is_over);
            is_complete = found.is_best;
            let lowest = after;
            for candidate in trial.resolutions(&problem, &found.selection, &start.lock) {
                trial.take_better(candidate, &base, &mut best, &mut after);
            }
            if after != lowest || found.selection == problem.present() {
                break;
            }
        }
    }
    let steps = steps(&base.lock, &best.lock);
    Ok((best, Fewer { before, after, steps, is_complete }))
}

/// The input of the resolutions in which a choice is tried.
pub(super) struct Trial<'t> {
    pub(super) requirements: &'t Requirements,
    pub(super) previous: Option<&'t Lock>,
    pub(super) provider: &'t dyn Provider,
    pub(super) options: &'t Options,
    pub(super) aim: Aim,
}

impl Trial<'_> {
    /// Returns the resolutions with the versions of a selection: one that starts from the tree, in
    /// which everything else stays, and one that starts from nothing.
    pub(super) fn resolutions<'s>(
        &'s self,
        problem: &'s Problem,
        selection: &'s Selection,
        tree: &'s Lock,
    ) -> impl Iterator<Item = Resolution> + 's {
        let mut options = Options { prefer_dedupe: true, ..self.options.clone() };
        options.solves_conflicts = false;
        for (package, chosen) in problem.packages.iter().zip(selection) {
            let mut versions: Vec<&Version> =
                chosen.iter().map(|one| &package.candidates[*one].version).collect();
            versions.sort_by(|a, b| b.cmp(a));
            let pins = versions.into_iter().map(|version| (package.name.clone(), version.clone()));
            options.pick.pins.extend(pins);
        }
        let renewed = renewed_names(problem, selection, tree);
        let from_tree = Options { update: renewed, ..options.clone() };
        [(from_tree, Some(tree)), (options, None)].into_iter().filter_map(|(options, start)| {
            resolve_once(self.requirements, start, self.provider, &options).ok()
        })
    }

    /// Takes a resolution in place of the best one if it is better and has no new conflict.
    fn take_better(
        &self,
        resolution: Resolution,
        base: &Resolution,
        best: &mut Resolution,
        score: &mut Score,
    ) {
        let own = self.score(&resolution.lock);
        let key = |score: &Score| match self.aim {
            Aim::Fewest => (score.versions, 0),
            Aim::Newest => (score.outdated, score.versions),
        };
        if key(&own) < key(score)
            && self.is_clean(&resolution, base)
            && several(&resolution.lock, self.requirements).is_empty()
        {
            let changed = self.previous.is_none_or(|previous| *previous != resolution.lock);
            *best = Resolution { changed, ..resolution };
            *score = own;
        }
    }

    /// Returns whether a resolution has nothing to complain of that another one has not.
    pub(super) fn is_clean(&self, resolution: &Resolution, base: &Resolution) -> bool {
        (base.refused_by_npm || !resolution.refused_by_npm)
            && resolution.conflicts.len() <= base.conflicts.len()
            && resolution.unfit.len() <= base.unfit.len()
            && resolution.skipped.len() <= base.skipped.len()
    }

    fn score(&self, lock: &Lock) -> Score {
        let versions = versions(lock);
        let is_outdated = |name: &str, text: &str| {
            let Ok(packument) = self.provider.packument(name) else { return false };
            let latest = packument.tag("latest").map(|at| packument.version(at).version());
            let own = Version::parse(text);
            matches!((own, latest), (Ok(own), Some(latest)) if own < latest)
        };
        let outdated = if self.aim == Aim::Newest {
            let all = versions.iter().flat_map(|(name, list)| list.iter().map(move |one| (*name, one)));
            all.filter(|(name, version)| is_outdated(name, version)).count()
        } else {
            0
        };
        Score { versions: versions.values().map(Vec::len).sum(), outdated }
    }
}

/// Returns the names under which packages are installed that get other versions.
fn renewed_names(problem: &Problem, selection: &Selection, tree: &Lock) -> Vec<String> {
    let packages = problem.packages.iter().zip(selection);
    let changed: Vec<&str> = packages
        .filter(|(package, chosen)| package.present != **chosen)
        .map(|(package, _)| package.name.as_str())
        .collect();
    let is_changed = |entry: &&LockPackage| changed.contains(&entry.package_name());
    let entries = tree.packages.iter().filter(is_changed);
    let mut names: Vec<String> =
        entries.map(|entry| dx_pkg_lock::name_of_path(&entry.path).to_owned()).collect();
    names.extend(changed.iter().map(|name| (*name).to_owned()));
    names.sort_unstable();
    names.dedup();
    names
}

/// Returns the versions of each package, in ascending order.
fn versions(lock: &Lock) -> BTreeMap<&str, Vec<&str>> {
    let mut found: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for entry in &lock.packages {
        if !entry.link && entry.path.contains("node_modules/") {
            let versions = found.entry(entry.package_name()).or_default();
            let version = entry.version.as_deref().unwrap_or_default();
            if !versions.contains(&version) {
                versions.push(version);
            }
        }
    }
    for versions in found.values_mut() {
        versions.sort_by_cached_key(|text| Version::parse(text).ok());
    }
    found
}

/// Returns the packages whose versions differ between two locks.
fn steps(before: &Lock, after: &Lock) -> Vec<Step> {
    let (before, after) = (versions(before), versions(after));
    let names: std::collections::BTreeSet<&str> = before.keys().chain(after.keys()).copied().collect();
    let of = |found: &BTreeMap<&str, Vec<&str>>, name: &str| -> Vec<String> {
        let texts = found.get(name).into_iter().flatten();
        texts.map(|text| (*text).to_owned()).collect()
    };
    let step = |name: &str| {
        let (from, to) = (of(&before, name), of(&after, name));
        let lowest =
            |list: &[String]| list.iter().filter_map(|text| Version::parse(text).ok()).min();
        let is_older =
            matches!((lowest(&from), lowest(&to)), (Some(from), Some(to)) if to < from);
        Step { name: name.to_owned(), from, to, is_older }
    };
    names.into_iter().map(step).filter(|step| step.from != step.to).collect()
}
