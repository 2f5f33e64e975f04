//! Packages that a change has taken out of the tree, kept until it is certain that the change
//! stays.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use dx_pkg_core::PackageId;
use dx_pkg_os::files::Dir;
use dx_pkg_store::Store;

use crate::place::descendants;
use crate::staging::Staging;
use crate::tree::{PlacementSource, Site, Sites};

/// What a change has taken out of the tree. It is removed unless it is put back; if the process is
/// killed, the next run removes it.
#[derive(Default)]
pub struct Retired(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    /// The folders that have the packages, each with its importer.
    stagings: Vec<(String, Staging)>,
    /// The place of each package in the folder of its importer, by its path in the tree.
    places: HashMap<String, (String, String)>,
}

impl fmt::Debug for Retired {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Retired").field("packages", &self.lock().places.len()).finish()
    }
}

impl Retired {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that what was at `site` is now called `name` in the staging folder.
    pub(crate) fn note(&self, site: &Site<'_>, name: String) {
        let place = (site.importer.to_owned(), name);
        self.lock().places.insert(site.placement.path.clone(), place);
    }

    /// Takes over the staging folder of an importer.
    pub(crate) fn keep(&self, importer: &str, staging: Staging) {
        self.lock().stagings.push((importer.to_owned(), staging));
    }

    /// Returns whether something that was at `path` is kept.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.lock().places.contains_key(path)
    }

    /// Moves what was at `path` to `name` in `into`; returns whether it could.
    pub(crate) fn take(&self, path: &str, into: &Dir, name: &str) -> bool {
        let kept = self.lock();
        let Some((importer, from)) = kept.places.get(path) else { return false };
        let staging = kept.stagings.iter().find(|(other, _)| other == importer);
        staging.is_some_and(|(_, staging)| staging.dir.rename(from, into, name).is_ok())
    }

    /// Removes what is kept. Returns the folders that are still to be removed.
    pub fn discard(self, store: &Store) -> Vec<PathBuf> {
        let kept = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        kept.stagings.into_iter().filter_map(|(_, staging)| staging.finish(store)).collect()
    }

    /// Moves packages back to the store that this command moved out of it. One that others were
    /// nested in is fetched again when it is needed.
    pub(crate) fn give_back(&self, store: &Store, sites: &Sites<'_>, movable: &[PackageId]) {
        let kept = self.lock();
        for (index, site) in sites.0.iter().enumerate() {
            let PlacementSource::Package(id) = site.placement.source else { continue };
            let is_alone = descendants(&sites.0[index..])
                .iter()
                .all(|within| within.placement.source.is_bundled());
            if site.placement.private_copy || !is_alone || !movable.contains(&id) {
                continue;
            }
            if let Some((importer, name)) = kept.places.get(&site.placement.path)
                && let Some((_, staging)) = kept.stagings.iter().find(|(one, _)| one == importer)
            {
                let _ = store.take_back(id, &staging.dir, name);
            }
        }
    }
}

/// What becomes of the packages that a change takes out, and where those that it adds come from.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Undo<'u> {
    /// Keeps what is taken out.
    pub(crate) keeps: Option<&'u Retired>,
    /// Has packages that are put back as they were, rather than built.
    pub(crate) restores: Option<&'u Retired>,
}

impl Undo<'_> {
    /// Returns whether something that was at `path` is to be put back.
    pub(crate) fn has(self, path: &str) -> bool {
        self.restores.is_some_and(|retired| retired.has(path))
    }

    /// Notes that what was at `site` is now called `name` in the staging folder.
    pub(crate) fn note(self, site: &Site<'_>, name: &str) {
        if let Some(keeps) = self.keeps {
            keeps.note(site, name.to_owned());
        }
    }

    /// Removes a staging folder, or keeps it. Returns it if it is still to be removed.
    pub(crate) fn finish(self, importer: &str, staging: Staging, store: &Store) -> Option<PathBuf> {
        match self.keeps {
            Some(keeps) => {
                keeps.keep(importer, staging);
                None
            }
            None => staging.finish(store),
        }
    }

    /// Brings packages that are put back into the staging folders, where `name` gives a site its
    /// name. `jobs` are the sites to be placed, parents first; returns the places of those that are
    /// there now, and of those among them that are within another.
    pub(crate) fn restore<'s>(
        self,
        next: &Sites<'_>,
        jobs: &[usize],
        staging: impl Fn(&str) -> Option<&'s Staging>,
        name: impl Fn(usize) -> String,
    ) -> Restored {
        let mut restored = Restored::default();
        let Some(retired) = self.restores else { return restored };
        let mut taken: Vec<(usize, &str)> = Vec::new();
        for &index in jobs {
            let site = &next.0[index];
            let path = site.placement.path.as_str();
            let Some(Staging { dir, .. }) = staging(site.importer) else { continue };
            if retired.take(path, dir, &name(index)) {
                taken.push((index, path));
                restored.there.insert(index);
                continue;
            }
            let around = taken.iter().rev().find(|(_, around)| {
                path.strip_prefix(around).is_some_and(|inner| inner.starts_with('/'))
            });
            let is_within = around.is_some_and(|(parent, around)| {
                let inner = format!("{}{}", name(*parent), &path[around.len()..]);
                matches!(dir.identity(&inner), Ok(Some(_)))
            });
            if is_within {
                restored.there.insert(index);
                restored.within.insert(index);
            }
        }
        restored
    }
}

/// The sites of a wanted tree that need not be built, by their places in it.
#[derive(Debug, Default)]
pub(crate) struct Restored {
    pub(crate) there: HashSet<usize>,
    /// Those that come with the package around them.
    pub(crate) within: HashSet<usize>,
}
