//! Building of a tree while its packages arrive, so that little work remains after the last.
//!
//! A package directly in `node_modules` is placed, with those within it, once all of them are in
//! the store. Nothing is visible before [`Built::place`].

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use dx_pkg_core::PackageId;
use dx_pkg_store::{Arrival, Store};

use crate::bins::BIN;
use crate::build::{Job, give_back, importers, switch_all, write_extra_files};
use crate::import::Counts;
use crate::options::check_extra_files;
use crate::place::link_commands;
use crate::run::Run;
use crate::staging::Staging;
use crate::tree::{PlacementSource, Site, Sites};
use crate::{LinkError, LinkOptions, LinkReport, NoProgress, Placement, Progress, Tree};

/// A tree that was built beside its place, and is removed unless it is placed.
pub struct Built {
    stagings: Vec<(String, Staging)>,
    counts: Counts,
    leftovers: Vec<PathBuf>,
    placed: Vec<Placement>,
    /// The packages that may have been moved out of the store.
    movable: HashSet<PackageId>,
}

/// Places groups of sites as their packages arrive, and adds each group that was begun to `placed`.
fn place_arriving(
    run: &mut Run<'_>,
    sites: &Sites<'_>,
    stagings: &[(String, Staging)],
    arrivals: impl IntoIterator<Item = Arrival>,
    placed: &mut Vec<Placement>,
) -> Result<(), LinkError> {
    let groups: Vec<&[Site<'_>]> = sites.by_top().collect();
    let mut waiting = Waiting::of(&groups);
    let mut place = |run: &Run<'_>, complete: Vec<usize>| {
        complete.into_iter().try_for_each(|group| {
            placed.extend(groups[group].iter().map(|site| site.placement.clone()));
            job(stagings, groups[group]).map_or(Ok(()), |job| job.work(run))
        })
    };
    place(run, waiting.ready())?;
    for Arrival { id, is_own } in arrivals {
        if !is_own {
            run.movable.remove(&id);
        }
        place(run, waiting.arrived(id))?;
    }
    Ok(())
}

impl Built {
    /// Builds `tree` from the packages in `arrivals`, until there are no more arrivals.
    ///
    /// The caller holds the project's lock, and there is no tree in place to be changed instead.
    ///
    /// # Errors
    /// The errors of [`crate::materialise`]; the unfinished tree is removed.
    pub fn ahead(
        project: &Path,
        store: &Store,
        tree: &Tree,
        options: &LinkOptions<'_>,
        arrivals: impl IntoIterator<Item = Arrival>,
    ) -> Result<Self, LinkError> {
        let sites = Sites::of(tree, options.links_outside)?;
        let ids: Vec<PackageId> = tree.placements.iter().filter_map(id_of).collect();
        let mut run = Run::new(project, store, tree.placed_once(&ids), options, &NoProgress);
        let mut leftovers = Vec::new();
        let mut stagings = Vec::new();
        for importer in importers(&run, &sites) {
            let folder = run.folder(importer)?;
            leftovers.extend(Staging::sweep(&folder, store, options.keep_foreign)?);
            let mut staging = Staging::create(&folder)?;
            staging.trust();
            stagings.push((importer.to_owned(), staging));
        }
        let mut placed = Vec::with_capacity(tree.placements.len());
        let outcome = place_arriving(&mut run, &sites, &stagings, arrivals, &mut placed);
        let movable = std::mem::take(&mut run.movable);
        let built = Built { stagings, counts: run.into_counts(), leftovers, placed, movable };
        match outcome {
            Ok(()) => Ok(built),
            Err(error) => {
                built.give_back(project, store);
                Err(error)
            }
        }
    }

    /// Completes or reduces this tree to `tree`, and switches the project to it.
    ///
    /// # Errors
    /// The errors of [`crate::materialise`].
    pub fn place(
        self,
        project: &Path,
        store: &Store,
        tree: &Tree,
        options: &LinkOptions<'_>,
        progress: &dyn Progress,
    ) -> Result<LinkReport, LinkError> {
        check_extra_files(options.extra_files)?;
        let sites = Sites::of(tree, options.links_outside)?;
        let run = Run::new(project, store, tree.placed_once(options.movable), options, progress);
        let Built { stagings, counts, mut leftovers, placed, .. } = self;
        run.count(counts);
        if let Err(error) = complete(&run, &sites, &stagings, &placed) {
            give_back(&run, sites.0.iter().map(|site| (site, site.inner)), |importer| {
                of_importer(&stagings, importer)
            });
            return Err(error);
        }
        let named = stagings.iter().map(|(importer, _)| importer.clone()).collect::<Vec<_>>();
        let stagings = named
            .iter()
            .map(String::as_str)
            .zip(stagings.into_iter().map(|(_, staging)| staging))
            .collect();
        leftovers.extend(switch_all(&run, stagings, |importer| sites.has_packages(importer))?);
        let added = sites.unpacked();
        Ok(LinkReport { fresh: true, added, leftovers, ..LinkReport::default() }
            .with_counts(run.into_counts()))
    }

    /// Discards the tree. Packages that were moved out of the store are moved back, so that they
    /// need not be fetched again.
    pub fn give_back(self, project: &Path, store: &Store) {
        let options = LinkOptions::default();
        let Built { stagings, placed, movable, .. } = self;
        let run = Run::new(project, store, movable, &options, &NoProgress);
        let sites = Sites::of_placements(&placed, true).unwrap_or_default();
        give_back(&run, sites.0.iter().map(|site| (site, site.inner)), |importer| {
            of_importer(&stagings, importer)
        });
    }
}

/// Changes the built tree to `sites`, and adds commands and state files.
fn complete(
    run: &Run<'_>,
    sites: &Sites<'_>,
    stagings: &[(String, Staging)],
    placed: &[Placement],
) -> Result<(), LinkError> {
    let wanted: HashSet<&Placement> = sites.0.iter().map(|site| site.placement).collect();
    let (kept, dropped): (Vec<&Placement>, Vec<&Placement>) =
        placed.iter().partition(|placement| wanted.contains(placement));
    let kept: HashSet<&Placement> = kept.into_iter().collect();
    drop_placements(run, stagings, sites, &dropped)?;
    for sites in sites.by_top() {
        // A group is built as a whole or not at all.
        if !sites.iter().any(|site| kept.contains(site.placement)) {
            job(stagings, sites).map_or(Ok(()), |job| job.work(run))?;
        }
    }
    for (importer, staging) in stagings {
        let direct = sites
            .0
            .iter()
            .filter(|site| site.importer == importer && site.inner_folder().is_empty());
        Job::Commands { dir: &staging.dir, sites: direct.copied().collect() }.work(run)?;
    }
    write_extra_files(stagings.last().map(|(_, root)| root), run.options.extra_files)
}

/// Removes packages that were built but are no longer wanted, with their commands.
fn drop_placements(
    run: &Run<'_>,
    stagings: &[(String, Staging)],
    sites: &Sites<'_>,
    dropped: &[&Placement],
) -> Result<(), LinkError> {
    let dropped = Sites::of_placements(dropped.iter().copied(), true)?;
    for site in &dropped.0 {
        let Some(staging) = of_importer(stagings, site.importer) else { continue };
        let gone =
            |inner: &str| staging.dir.remove_tree(inner).map_err(LinkError::io("remove", inner));
        gone(site.inner)?;
        let folder = site.inner_folder();
        if !folder.is_empty() && !site.placement.bins.is_empty() {
            gone(&format!("{folder}/{BIN}"))?;
            let beside = sites
                .0
                .iter()
                .filter(|other| other.importer == site.importer && other.inner_folder() == folder);
            link_commands(run, &staging.dir, folder, &beside.copied().collect::<Vec<_>>())?;
        }
    }
    Ok(())
}

fn of_importer<'s>(stagings: &'s [(String, Staging)], importer: &str) -> Option<&'s Staging> {
    stagings.iter().find(|(known, _)| known == importer).map(|(_, staging)| staging)
}

fn job<'j>(stagings: &'j [(String, Staging)], sites: &'j [Site<'j>]) -> Option<Job<'j>> {
    let staging = of_importer(stagings, sites.first()?.importer)?;
    Some(Job::Packages { dir: &staging.dir, sites })
}

fn id_of(placement: &Placement) -> Option<PackageId> {
    match placement.source {
        PlacementSource::Package(id) => Some(id),
        PlacementSource::Symlink { .. } | PlacementSource::Bundled { .. } => None,
    }
}

/// The groups of sites that lack packages.
struct Waiting {
    lacking: Vec<usize>,
    groups_of: HashMap<PackageId, Vec<usize>>,
}

impl Waiting {
    fn of(groups: &[&[Site<'_>]]) -> Self {
        let mut groups_of: HashMap<PackageId, Vec<usize>> = HashMap::new();
        let mut lacking = vec![0; groups.len()];
        for (number, sites) in groups.iter().enumerate() {
            for id in sites.iter().filter_map(|site| id_of(site.placement)) {
                let waiting = groups_of.entry(id).or_default();
                if waiting.last() != Some(&number) {
                    waiting.push(number);
                    lacking[number] += 1;
                }
            }
        }
        Self { lacking, groups_of }
    }

    /// Returns the groups that lack nothing from the start: those of links.
    fn ready(&self) -> Vec<usize> {
        (0..self.lacking.len()).filter(|group| self.lacking[*group] == 0).collect()
    }

    /// Returns the groups that the arrival of `id` completes.
    fn arrived(&mut self, id: PackageId) -> Vec<usize> {
        let mut groups = self.groups_of.remove(&id).unwrap_or_default();
        groups.retain(|group| {
            self.lacking[*group] -= 1;
            self.lacking[*group] == 0
        });
        groups
    }
}
