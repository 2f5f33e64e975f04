//! Packages of which there is to be one version only: chosen so, or told why there is none.

use dx_pkg_core::{Spec, Version};
use dx_pkg_lock::{Lock, LockIndex, LockPackage};
use rustc_hash::FxHashSet;

use super::gather::{Source, asked_by, gather};
use super::search::one_of_each;
use super::trial::Trial;
use crate::intern::registry_range;
use crate::pick::Picker;
use crate::several::{SeveralVersions, Single};
use crate::solve::Input;
use crate::{Options, Provider, Requirements, Resolution, ResolveError, settled};

/// The most versions that are tried as the only one.
const MOST_TRIED: usize = 24;

/// Returns a resolution in which the packages that are to have one version have one; `None` where
/// `base` is such.
///
/// # Errors
/// There is none, or the lockfile would have to change and must not.
pub(crate) fn with_single(
    base: &Resolution,
    requirements: &Requirements,
    previous: Option<&Lock>,
    provider: &dyn Provider,
    options: &Options,
) -> Result<Option<Resolution>, ResolveError> {
    let Some(first) = several(&base.lock, requirements).into_iter().next() else { return Ok(None) };
    if options.frozen {
        let several = SeveralVersions { is_locked: true, ..first };
        return Err(ResolveError::SingleVersion(Box::new(several)));
    }
    let picker = Picker::new(options.pick.clone());
    let trial = Trial { requirements, provider, options };
    // First one version for all; where that is impossible, for one workspace after the other.
    let workspaces = requirements.single.iter().filter(|single| !single.from.is_empty());
    for scope in std::iter::once(None).chain(workspaces.map(Some)) {
        let lists =
            requirements.single.iter().filter(|single| scope.is_none_or(|own| own == *single));
        let names: Vec<&str> = lists.flat_map(|single| &single.names).map(String::as_str).collect();
        let source = Source {
            lock: &base.lock,
            other: None,
            previous,
            requirements,
            provider,
            picker: &picker,
            options,
            importer: scope.map(|single| single.from.as_str()),
        };
        let Some(problem) = gather(&source) else { continue };
        let Some(selection) = one_of_each(&problem, &names) else { continue };
        for found in trial.resolutions(&problem, &selection, &base.lock) {
            if several(&found.lock, requirements).is_empty() && trial.is_clean(&found, base) {
                let changed = previous.is_none_or(|previous| *previous != found.lock);
                return Ok(Some(Resolution { changed, ..found }));
            }
        }
    }
    let input = Input { requirements, previous, provider, options };
    if let Some(found) = one_after_the_other(&first, base, input) {
        return Ok(Some(found));
    }
    let several = SeveralVersions { asked: contradicting(&first, &base.lock, provider), ..first };
    Err(ResolveError::SingleVersion(Box::new(several)))
}

/// Looks for a resolution in which a package has one version by leaving out all others, one version
/// after the other from the newest on: peers may have to move with it.
fn one_after_the_other(
    first: &SeveralVersions,
    base: &Resolution,
    input: Input<'_>,
) -> Option<Resolution> {
    let packument = input.provider.packument(&first.name).ok()?;
    let mut versions: Vec<Version> = packument.versions().map(|view| view.version()).collect();
    versions.sort_by(|a, b| b.cmp(a));
    let named: Vec<Version> =
        first.versions.iter().filter_map(|text| Version::parse(text).ok()).collect();
    // The versions that are there come first.
    let others = versions.iter().filter(|one| !one.is_prerelease() && !named.contains(one));
    let candidates: Vec<Version> = named.iter().rev().chain(others).cloned().collect();
    candidates.into_iter().take(MOST_TRIED).find_map(|version| {
        let mut options = Options { strict_peer_deps: false, ..input.options.clone() };
        let excluded = versions.iter().filter(|other| **other != version);
        options.pick.excluded.extend(excluded.map(|other| (first.name.clone(), other.clone())));
        options.update.push(first.name.clone());
        let tried = Input { options: &options, ..input };
        let found = settled(tried).ok()?;
        let is_clean = !found.refused_by_npm && found.conflicts.is_empty()
            || found.conflicts.len() <= base.conflicts.len() && base.refused_by_npm;
        let has_all = !found.has_unmet && several(&found.lock, input.requirements).is_empty();
        (is_clean && has_all).then_some(found)
    })
}

/// Returns the packages that have several versions in a lock and are to have one.
pub(super) fn several(lock: &Lock, requirements: &Requirements) -> Vec<SeveralVersions> {
    let mut found = Vec::new();
    for Single { from, names } in &requirements.single {
        let used = used_by(lock, from);
        for name in names {
            let mut versions: Vec<&str> = used
                .iter()
                .filter(|entry| entry.package_name() == name)
                .filter_map(|entry| entry.version.as_deref())
                .collect();
            versions.sort_by_cached_key(|text| Version::parse(text).ok());
            versions.dedup();
            if versions.len() > 1 {
                found.push(SeveralVersions {
                    name: name.clone(),
                    from: from.clone(),
                    versions: versions.into_iter().map(str::to_owned).collect(),
                    asked: Vec::new(),
                    is_locked: false,
                });
            }
        }
    }
    found
}

/// Returns the packages that a workspace uses, directly or not; for the project all of them.
fn used_by<'l>(lock: &'l Lock, from: &str) -> Vec<&'l LockPackage> {
    let is_package = |entry: &&LockPackage| !entry.link && entry.path.contains("node_modules/");
    if from.is_empty() {
        return lock.packages.iter().filter(is_package).collect();
    }
    let index = lock.index();
    let mut seen: FxHashSet<&str> = FxHashSet::default();
    let mut waiting: Vec<&LockPackage> = index.get(from).into_iter().collect();
    let mut used = Vec::new();
    while let Some(entry) = waiting.pop() {
        if !seen.insert(&entry.path) {
            continue;
        }
        used.push(entry);
        waiting.extend(asked_by(entry).filter_map(|(name, ..)| found(&index, &entry.path, name)));
    }
    used.retain(is_package);
    used
}

/// Returns what a dependent finds under a name, the folder where that is a link.
fn found<'l>(index: &LockIndex<'l>, from: &str, name: &str) -> Option<&'l LockPackage> {
    let found = index.resolve(from, name)?;
    match found.resolved.as_deref().filter(|_| found.link) {
        Some(target) => index.get(target),
        None => Some(found),
    }
}

/// Returns requirements for the package that no version meets together: two where there are such,
/// else all.
fn contradicting(
    several: &SeveralVersions,
    lock: &Lock,
    provider: &dyn Provider,
) -> Vec<(String, String)> {
    let mut asked: Vec<(String, String)> = Vec::new();
    let own = lock.packages.iter().filter(|entry| !entry.path.contains("node_modules/"));
    for entry in used_by(lock, &several.from).into_iter().chain(own) {
        let dependent = match (&entry.version, entry.path.as_str()) {
            (_, "") => "package.json".to_owned(),
            (_, path) if !path.contains("node_modules/") => format!("{path}/package.json"),
            (version, _) => {
                format!("{}@{}", entry.package_name(), version.as_deref().unwrap_or("?"))
            }
        };
        for (name, spec, is_optional, is_peer) in asked_by(entry) {
            if name == several.name && !(is_optional && is_peer) {
                asked.push((dependent.clone(), spec.to_owned()));
            }
        }
    }
    asked.sort();
    asked.dedup();
    let Ok(packument) = provider.packument(&several.name) else { return asked };
    let versions: Vec<Version> = packument.versions().map(|view| view.version()).collect();
    let allows = |spec: &str, version: &Version| {
        let spec = Spec::parse(spec);
        spec.ok().is_none_or(|spec| {
            registry_range(&spec).is_none_or(|range| range.satisfied_by(version))
        })
    };
    for (at, first) in asked.iter().enumerate() {
        for second in &asked[at + 1..] {
            if !versions.iter().any(|one| allows(&first.1, one) && allows(&second.1, one)) {
                return vec![first.clone(), second.clone()];
            }
        }
    }
    asked
}
