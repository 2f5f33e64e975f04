//! Building of a whole tree in staging folders, and the switch to it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use dx_pkg_format::dxp::FileMode;
use dx_pkg_os::files::Dir;

use crate::import::Counts;
use crate::place::{descendants, link_commands, place, with_parents};
use crate::run::Run;
use crate::staging::Staging;
use crate::tree::{NODE_MODULES, PlacementSource, Site, Sites};
use crate::{LinkError, parallel};

/// Builds the whole tree in staging folders, then renames it into place. Returns the replaced trees
/// that are still to be removed.
pub(crate) fn fresh(run: &Run<'_>, sites: &Sites<'_>) -> Result<Vec<PathBuf>, LinkError> {
    let mut leftovers = Vec::new();
    let mut stagings = Vec::new();
    for importer in importers(run, sites) {
        let folder = run.folder(importer)?;
        leftovers.extend(Staging::sweep(&folder, run.packages.store, run.options.keep_foreign)?);
        let mut staging = Staging::create(&folder)?;
        staging.trust();
        stagings.push((importer, staging));
    }
    let jobs = jobs(run, sites, &stagings)?;
    let built = parallel::for_each(&jobs, run.threads, |job| job.work(run));
    drop(jobs);
    if let Err(error) = built {
        give_back(run, sites.0.iter().map(|site| (site, site.inner)), |importer| {
            stagings.iter().find(|(other, _)| *other == importer).map(|(_, staging)| staging)
        });
        return Err(error);
    }

    write_extra_files(stagings.last().map(|(_, root)| root), run.options.extra_files)?;
    leftovers.extend(switch_all(run, stagings, |importer| sites.has_packages(importer))?);
    Ok(leftovers)
}

/// Moves packages of a discarded tree back to the store, so that they need not be fetched again.
/// `sites` have their names in the staging folder of their importer, parents first.
pub(crate) fn give_back<'s, N: AsRef<str>>(
    run: &Run<'_>,
    sites: impl DoubleEndedIterator<Item = (&'s Site<'s>, N)>,
    staging: impl Fn(&str) -> Option<&'s Staging>,
) {
    for (site, name) in sites.rev() {
        if let PlacementSource::Package(id) = site.placement.source
            && run.movable.contains(&id)
            && let Some(staging) = staging(site.importer)
        {
            // A package that is not there was not moved yet.
            let _ = run.packages.store.take_back(id, &staging.dir, name.as_ref());
        }
    }
}

/// Writes the state files into the staging folder of the project itself.
pub(crate) fn write_extra_files(
    root: Option<&Staging>,
    files: &[(String, Vec<u8>)],
) -> Result<(), LinkError> {
    let Some(root) = root else { return Ok(()) };
    for (name, data) in files {
        with_parents(&root.dir, name, &mut Counts::default(), || {
            root.dir.write_file(name, data, FileMode::PLAIN.bits())
        })
        .map_err(LinkError::io("write", Path::new(NODE_MODULES).join(name)))?;
    }
    Ok(())
}

/// Switches to the staged trees, one importer after the other, the project itself last. Returns the
/// replaced trees that are still to be removed.
pub(crate) fn switch_all(
    run: &Run<'_>,
    stagings: Vec<(&str, Staging)>,
    has_packages: impl Fn(&str) -> bool,
) -> Result<Vec<PathBuf>, LinkError> {
    let mut leftovers = Vec::new();
    if let [_, .., (_, root)] = stagings.as_slice() {
        root.forget_extra_files(run.options.extra_files)?;
    }
    for (importer, staging) in stagings {
        leftovers.extend(staging.switch(run, importer.is_empty() || has_packages(importer))?);
    }
    Ok(leftovers)
}

/// Returns every folder whose `node_modules` is replaced, the project itself last, as its
/// `node_modules` has the state files of all. Workspaces whose packages are all gone are included.
pub(crate) fn importers<'a>(run: &Run<'_>, sites: &Sites<'a>) -> Vec<&'a str> {
    let mut importers: Vec<&str> = Vec::new();
    for site in &sites.0 {
        importers.push(site.importer);
        if let PlacementSource::Symlink { target } = &site.placement.source
            && !target.starts_with("..")
            && !target.split('/').any(|segment| segment == NODE_MODULES)
            && run.project.join(target).join(NODE_MODULES).symlink_metadata().is_ok()
        {
            importers.push(target);
        }
    }
    importers.sort_unstable();
    importers.dedup();
    importers.retain(|importer| !importer.is_empty());
    importers.push("");
    importers
}

/// A part of the work, in folders that no other part touches.
pub(crate) enum Job<'j> {
    /// A package directly in `node_modules`, with the packages within it.
    Packages { dir: &'j Dir, sites: &'j [Site<'j>] },
    /// The commands of the packages directly in `node_modules`.
    Commands { dir: &'j Dir, sites: Vec<Site<'j>> },
}

/// Returns the jobs, the heaviest first, so that no thread ends long after the others.
fn jobs<'j>(
    run: &Run<'_>,
    sites: &'j Sites<'j>,
    stagings: &'j [(&str, Staging)],
) -> Result<Vec<Job<'j>>, LinkError> {
    let mut jobs = Vec::new();
    for (importer, staging) in stagings {
        let dir = &staging.dir;
        let own = || sites.0.iter().filter(|site| site.importer == *importer);
        let direct: Vec<Site<'j>> =
            own().filter(|site| site.inner_folder().is_empty()).copied().collect();
        jobs.push(Weighed {
            weight: direct.len().into(),
            job: Job::Commands { dir, sites: direct },
        });
    }
    for sites in sites.by_top() {
        let own = stagings.iter().find(|(importer, _)| *importer == sites[0].importer);
        if let Some((_, Staging { dir, .. })) = own {
            jobs.push(Weighed { weight: 0.into(), job: Job::Packages { dir, sites } });
        }
    }
    parallel::for_each(&jobs, run.threads, |weighed| {
        if let Job::Packages { sites, .. } = &weighed.job {
            for site in *sites {
                weighed.weight.fetch_add(run.packages.weight(site), Ordering::Relaxed);
            }
        }
        Ok(())
    })?;
    jobs.sort_by_key(|weighed| std::cmp::Reverse(weighed.weight.load(Ordering::Relaxed)));
    Ok(jobs.into_iter().map(|weighed| weighed.job).collect())
}

/// A job, and the number of files and commands that it creates.
struct Weighed<'j> {
    weight: AtomicUsize,
    job: Job<'j>,
}

impl Job<'_> {
    /// Carries the job out.
    pub(crate) fn work(&self, run: &Run<'_>) -> Result<(), LinkError> {
        run.check_cancelled()?;
        match self {
            Self::Commands { dir, sites } => link_commands(run, dir, "", sites),
            Self::Packages { dir, sites } => {
                for (index, site) in sites.iter().enumerate() {
                    place(run, dir, site.inner, site, descendants(&sites[index..]))?;
                }
                let mut nested: Vec<Site<'_>> =
                    sites.iter().filter(|site| !site.inner_folder().is_empty()).copied().collect();
                nested.sort_by_key(Site::inner_folder);
                for sites in nested.chunk_by(|a, b| a.inner_folder() == b.inner_folder()) {
                    link_commands(run, dir, sites[0].inner_folder(), sites)?;
                }
                Ok(())
            }
        }
    }
}
