//! What is aimed at, and what a tree has of it.

use std::collections::{BTreeMap, BTreeSet};

use dx_pkg_core::Version;
use dx_pkg_lock::Lock;

use crate::Provider;

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

impl Score {
    /// Counts the versions in a lock, and with [`Aim::Newest`] those that are outdated.
    pub(super) fn of(lock: &Lock, aim: Aim, provider: &dyn Provider) -> Self {
        let versions = versions(lock);
        let is_outdated = |(name, text): &(&str, &str)| {
            let Ok(packument) = provider.packument(name) else { return false };
            let latest = packument.tag("latest").map(|at| packument.version(at).version());
            matches!((Version::parse(text), latest), (Ok(own), Some(latest)) if own < latest)
        };
        let all = versions.iter().flat_map(|(name, list)| list.iter().map(|text| (*name, *text)));
        let outdated = if aim == Aim::Newest { all.clone().filter(is_outdated).count() } else { 0 };
        Score { versions: all.count(), outdated }
    }

    /// Returns what is compared, of which less is better.
    pub(super) fn key(self, aim: Aim) -> (usize, usize) {
        match aim {
            Aim::Fewest => (self.versions, 0),
            Aim::Newest => (self.outdated, self.versions),
        }
    }
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
pub(super) fn steps(before: &Lock, after: &Lock) -> Vec<Step> {
    let (before, after) = (versions(before), versions(after));
    let names: BTreeSet<&str> = before.keys().chain(after.keys()).copied().collect();
    let of = |found: &BTreeMap<&str, Vec<&str>>, name: &str| -> Vec<String> {
        let texts = found.get(name).into_iter().flatten();
        texts.map(|text| (*text).to_owned()).collect()
    };
    let step = |name: &str| {
        let (from, to) = (of(&before, name), of(&after, name));
        let lowest =
            |list: &[String]| list.iter().filter_map(|text| Version::parse(text).ok()).min();
        let is_older = matches!((lowest(&from), lowest(&to)), (Some(from), Some(to)) if to < from);
        Step { name: name.to_owned(), from, to, is_older }
    };
    names.into_iter().map(step).filter(|step| step.from != step.to).collect()
}
