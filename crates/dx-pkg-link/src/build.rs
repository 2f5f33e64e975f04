//! Building packages, links and commands in a folder nobody looks at yet, and a whole tree from nothing.

use std::collections::HashSet;
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use dx_pkg_core::PackageId;
use dx_pkg_os::Dir;
use dx_pkg_store::{PackageTables, Store};

use crate::bins::{self, BIN};
use crate::import::{Counts, Folder, Importer, Need};
use crate::packages::Packages;
use crate::staging::Staging;
use crate::tree::{NODE_MODULES, PlacementSource, Site, Sites, below};
use crate::{LinkError, LinkOptions, Progress, parallel};

/// What one call of `materialise` works with.
pub(crate) struct Run<'r> {
    pub(crate) project: &'r Path,
    pub(crate) packages: Packages<'r>,
    pub(crate) importer: Importer,
    /// Packages that are to be moved: this run's own, placed once.
    pub(crate) movable: HashSet<PackageId>,
    pub(crate) options: &'r LinkOptions<'r>,
    pub(crate) progress: &'r dyn Progress,
    pub(crate) threads: usize,
    counts: Mutex<Counts>,
}

impl<'r> Run<'r> {
    /// What `options` ask for.
    pub(crate) fn new(
        project: &'r Path,
        store: &'r Store,
        movable: HashSet<PackageId>,
        options: &'r LinkOptions<'r>,
        progress: &'r dyn Progress,
    ) -> Self {
        Run {
            project,
            packages: Packages { store },
            importer: Importer::new(options.import),
            movable,
            options,
            progress,
            threads: options.threads.map_or_else(parallel::default_threads, NonZeroUsize::get),
            counts: Mutex::default(),
        }
    }

    /// The folder of an importer, which a link in the project must not lead out of it.
    pub(crate) fn folder(&self, importer: &str) -> Result<PathBuf, LinkError> {
        let folder = self.project.join(importer);
        if !importer.is_empty() && !self.options.links_outside {
            let real =
                |path: &Path| path.canonicalize().map_err(LinkError::io("find the folder", path));
            if !real(&folder)?.starts_with(real(self.project)?) {
                return Err(LinkError::UnsafePath {
                    path: importer.to_owned(),
                    reason: "a link leads it out of the project",
                });
            }
        }
        Ok(folder)
    }

    /// An error once the run was cancelled.
    pub(crate) fn go_on(&self) -> Result<(), LinkError> {
        match self.options.cancelled {
            Some(cancelled) if cancelled.load(Ordering::Relaxed) => Err(LinkError::Cancelled),
            _ => Ok(()),
        }
    }

    pub(crate) fn count(&self, counts: Counts) {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner) += counts;
    }

    /// What was counted.
    pub(crate) fn into_counts(self) -> Counts {
        self.counts.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Builds the whole tree beside its place, then renames it in; returns the replaced trees that are still to be removed.
pub(crate) fn fresh(run: &Run<'_>, sites: &Sites<'_>) -> Result<Vec<PathBuf>, LinkError> {
    let mut leftovers = Vec::new();
    let mut stagings = Vec::new();
    for importer in importers(run, sites) {
        let folder = run.folder(importer)?;
        leftovers.extend(Staging::sweep(&folder, run.packages.store, run.options.keep_foreign)?);
        stagings.push((importer, Staging::create(&folder)?));
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

/// Gives packages that were moved into a tree which will not be back to the store, so that they need not be fetched again.
/// Sites come with their names in the staging folder of their importer, parents first.
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
            // What is not there was not moved yet.
            let _ = run.packages.store.take_back(id, &staging.dir, name.as_ref());
        }
    }
}

/// Writes the files that describe a tree into the project's own `node_modules` to be.
pub(crate) fn write_extra_files(
    root: Option<&Staging>,
    files: &[(String, Vec<u8>)],
) -> Result<(), LinkError> {
    let Some(root) = root else { return Ok(()) };
    for (name, data) in files {
        with_parents(&root.dir, name, &mut Counts::default(), || {
            root.dir.write_file(name, data, 0o666)
        })
        .map_err(LinkError::io("write", Path::new(NODE_MODULES).join(name)))?;
    }
    Ok(())
}

/// Makes what was built visible, one importer after another, the project's own last.
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

/// Every folder whose `node_modules` is to be replaced, the project itself last: its holds the state of all.
/// A workspace that has packages of its own no more is among them.
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

/// A share of the work that touches no folder of another.
pub(crate) enum Job<'j> {
    /// A package directly in `node_modules` with all that lies within it.
    Packages { dir: &'j Dir, sites: &'j [Site<'j>] },
    /// The commands of the packages directly in `node_modules`.
    Commands { dir: &'j Dir, sites: Vec<Site<'j>> },
}

/// The heaviest job first, so that none is left over at the end.
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

/// A job and the number of files and commands it makes.
struct Weighed<'j> {
    weight: AtomicUsize,
    job: Job<'j>,
}

impl Job<'_> {
    /// Does it.
    pub(crate) fn work(&self, run: &Run<'_>) -> Result<(), LinkError> {
        run.go_on()?;
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

/// Of sites sorted by segments, those that lie within the first.
pub(crate) fn descendants<'s, 'a>(sites: &'s [Site<'a>]) -> &'s [Site<'a>] {
    let Some((first, rest)) = sites.split_first() else {
        return &[];
    };
    let end = rest.iter().position(|site| !below(&site.placement.path, &first.placement.path));
    &rest[..end.unwrap_or(rest.len())]
}

/// Makes what `site` describes as `name` below `into`; `within` are the sites that lie in it, which it leaves room for.
pub(crate) fn place(
    run: &Run<'_>,
    into: &Dir,
    name: &str,
    site: &Site<'_>,
    within: &[Site<'_>],
) -> Result<(), LinkError> {
    let path = site.placement.path.as_str();
    let mut counts = Counts::default();
    match &site.placement.source {
        PlacementSource::Symlink { target } => {
            let target = relative(path, target);
            with_parents(into, name, &mut counts, || into.symlink(&target, name))
                .map_err(LinkError::io("link", path))?;
            counts.symlinks += 1;
        }
        PlacementSource::Package(id) => {
            let package = run.packages.open(*id, path)?;
            if place_whole(run, into, name, site, within, &package)? {
                run.progress.linked(1);
                return Ok(());
            }
            let dir = with_parents(into, name, &mut counts, || into.make_dir(name))
                .map_err(LinkError::io("make the folder", path))?;
            counts.directories += 1;
            let source = run.importer.source(run.packages.store, *id, path, &package);
            let commands = bins::commands(site);
            let private = site.placement.private_copy;
            let mut last = "";
            for entry in source.dxp.entries() {
                if occupied(entry.path, path, within) {
                    continue;
                }
                make_folders(&dir, last, entry.path, &mut counts).map_err(LinkError::io(
                    "make the folders of",
                    Path::new(path).join(entry.path),
                ))?;
                last = entry.path;
                let need = if commands.iter().any(|command| command.file == entry.path) {
                    Need::Command { private }
                } else if private {
                    Need::Private
                } else {
                    Need::Shared
                };
                run.importer.file(
                    &source,
                    &entry,
                    Folder { dir: &dir, path },
                    need,
                    &mut counts,
                )?;
            }
        }
    }
    run.count(counts);
    run.progress.linked(1);
    Ok(())
}

/// Puts a package in its place by one call, and says whether it did: by a rename where it is this run's to move, by
/// a clone of its folder where the system can.
fn place_whole(
    run: &Run<'_>,
    into: &Dir,
    name: &str,
    site: &Site<'_>,
    within: &[Site<'_>],
    package: &PackageTables,
) -> Result<bool, LinkError> {
    let PlacementSource::Package(id) = site.placement.source else {
        return Ok(false);
    };
    let moves = run.importer.moves() && !site.placement.private_copy && run.movable.contains(&id);
    if !moves && !run.importer.clones_trees() {
        return Ok(false);
    }
    let path = site.placement.path.as_str();
    let store = run.packages.store;
    let source = run.importer.source(store, id, path, package);
    let commands: Vec<String> =
        bins::commands(site).into_iter().map(|command| command.file).collect();
    let shadowed = source.dxp.entries().any(|entry| occupied(entry.path, path, within));
    if shadowed || !Importer::fits_whole(&source, &commands) {
        return Ok(false);
    }
    let mut counts = Counts::default();
    let placed = with_parents(into, name, &mut counts, || {
        if moves {
            store.move_expanded(id, into, name)
        } else {
            store.clone_expanded(id, into, name)
        }
    });
    if placed.is_ok() {
        let files = source.dxp.len() as u64;
        counts.bytes_saved += source.dxp.entries().map(|entry| entry.size).sum::<u64>();
        if moves {
            counts.moves += files;
            counts.packages_moved += 1;
        } else {
            counts.reflinks += files;
        }
    }
    run.count(counts);
    // What cannot be placed so, for whatever reason, is placed file by file.
    Ok(placed.is_ok())
}

/// Whether a bundled file would lie where the tree puts another package.
pub(crate) fn occupied(file: &str, path: &str, within: &[Site<'_>]) -> bool {
    file.starts_with("node_modules/")
        && within.iter().any(|site| {
            site.placement
                .path
                .strip_prefix(path)
                .is_some_and(|inner| below(file, inner.trim_start_matches('/')))
        })
}

/// Makes the folders of `file` that its predecessor in sorted order does not share with it.
fn make_folders(dir: &Dir, last: &str, file: &str, counts: &mut Counts) -> io::Result<()> {
    for (end, _) in file.match_indices('/') {
        if !last.starts_with(&file[..=end]) {
            dir.create_dir(&file[..end])?;
            counts.directories += 1;
        }
    }
    Ok(())
}

/// Does `work`, and once more with all parents of `name` made where they were missing.
pub(crate) fn with_parents<T>(
    dir: &Dir,
    name: &str,
    counts: &mut Counts,
    work: impl Fn() -> io::Result<T>,
) -> io::Result<T> {
    match work() {
        Err(error) if error.kind() == io::ErrorKind::NotFound && name.contains('/') => {}
        done => return done,
    }
    for (end, _) in name.match_indices('/') {
        match dir.create_dir(&name[..end]) {
            Ok(()) => counts.directories += 1,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    work()
}

/// Makes the `.bin` of a folder that has none.
pub(crate) fn link_commands(
    run: &Run<'_>,
    dir: &Dir,
    folder: &str,
    sites: &[Site<'_>],
) -> Result<(), LinkError> {
    let winners = bins::winners(run, sites, |_| true)?;
    if winners.is_empty() {
        return Ok(());
    }
    let bin = if folder.is_empty() { BIN.to_owned() } else { format!("{folder}/{BIN}") };
    let at = |name: &str| Path::new(sites[0].folder()).join(BIN).join(name);
    let mut counts = Counts { directories: 1, ..Counts::default() };
    let bin = with_parents(dir, &bin, &mut counts, || dir.make_or_open_dir(&bin))
        .map_err(LinkError::io("make", at("")))?;
    for (name, target) in winners {
        bins::make(&bin, name, &target).map_err(LinkError::io("link the command", at(name)))?;
        counts.symlinks += 1;
    }
    run.count(counts);
    Ok(())
}

/// The text of a link at `path` that leads to `target`, both relative to the project.
fn relative(path: &str, target: &str) -> String {
    let mut from: Vec<&str> = path.split('/').collect();
    from.pop();
    let to: Vec<&str> = target.split('/').filter(|segment| !segment.is_empty()).collect();
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let mut text = vec![".."; from.len() - common];
    text.extend(&to[common..]);
    if text.is_empty() { ".".to_owned() } else { text.join("/") }
}
