//! The entry to linking: makes the project's `node_modules` folders a planned tree.

use std::io;
use std::path::{Path, PathBuf};

use dx_pkg_store::Store;

use crate::options::check_extra_files;
use crate::retired::Undo;
use crate::run::Run;
use crate::staging::Staging;
use crate::tree::{NODE_MODULES, PlacementSource, Sites};
use crate::{LinkError, LinkOptions, LinkReport, Progress, Tree, build, change, prepared};

/// Makes the project's `node_modules` folders the given tree.
///
/// Without `previous` every tree is built beside its place and renamed into it, so at any instant
/// the old or the new one is there. With `previous`, which must be the tree in place, only the
/// difference is applied, one package at a time. The state files are deleted before the first
/// change, so a crash leaves a tree without them, which the caller then replaces. The caller holds
/// the project's lock.
///
/// # Errors
/// An unsafe path, a package that is not in the store, and any refusal of the system.
pub fn materialise(
    project: &Path,
    store: &Store,
    tree: &Tree,
    previous: Option<&Tree>,
    options: &LinkOptions<'_>,
    progress: &dyn Progress,
) -> Result<LinkReport, LinkError> {
    materialise_with(project, store, (tree, previous), (options, Undo::default()), progress)
}

/// Does what [`materialise`] does; what `undo` says becomes of packages where the difference is
/// applied.
pub(crate) fn materialise_with(
    project: &Path,
    store: &Store,
    (tree, previous): (&Tree, Option<&Tree>),
    (options, undo): (&LinkOptions<'_>, Undo<'_>),
    progress: &dyn Progress,
) -> Result<LinkReport, LinkError> {
    let next = Sites::of(tree, options.links_outside)?;
    check_extra_files(options.extra_files)?;
    let run = Run::new(project, store, tree.placed_once(options.movable), options, progress);
    let previous = previous.map(|previous| Sites::of(previous, true)).transpose()?;
    let changed = match previous.filter(|previous| is_in_place(project, previous)) {
        Some(previous) => refused_rename(change::apply(&run, &previous, &next, undo))?,
        None => None,
    };
    let mut report = match changed {
        Some(report) => report,
        None => {
            let (leftovers, was_prepared) = build_or_place(&run, &next)?;
            LinkReport {
                fresh: true,
                added: next.unpacked(),
                was_prepared,
                leftovers,
                ..LinkReport::default()
            }
        }
    };
    if options.after_interruption {
        report.leftovers.extend(sweep_workspaces(&run, &next)?);
    }
    Ok(report.with_counts(run.into_counts()))
}

/// Removes what killed runs left in the folders in the project that links lead to. Returns the
/// folders that are still to be removed.
fn sweep_workspaces(run: &Run<'_>, sites: &Sites<'_>) -> Result<Vec<PathBuf>, LinkError> {
    let mut leftovers = Vec::new();
    for site in &sites.0 {
        if let PlacementSource::Symlink { target } = &site.placement.source
            && !target.is_empty()
            && !target.starts_with("..")
            && run.project.join(target).is_dir()
        {
            let folder = run.folder(target)?;
            let keep = run.options.keep_foreign;
            leftovers.extend(Staging::sweep(&folder, run.packages.store, keep)?);
        }
    }
    Ok(leftovers)
}

/// Applies the difference between `previous` and `next` to the tree in place.
///
/// Both may leave out unaffected packages. They must have the packages around and within those that
/// differ, and packages with commands beside them. Returns `None` if the tree cannot be changed in
/// place; it must then be built anew from the whole.
///
/// # Errors
/// The errors of [`materialise`].
pub fn materialise_difference(
    project: &Path,
    store: &Store,
    previous: &Tree,
    next: &Tree,
    options: &LinkOptions<'_>,
    progress: &dyn Progress,
) -> Result<Option<LinkReport>, LinkError> {
    check_extra_files(options.extra_files)?;
    let (previous, sites) = (Sites::of(previous, true)?, Sites::of(next, options.links_outside)?);
    let run = Run::new(project, store, next.placed_once(options.movable), options, progress);
    if !is_in_place(project, &previous) {
        return Ok(None);
    }
    let report = refused_rename(change::apply(&run, &previous, &sites, Undo::default()))?;
    Ok(report.map(|report| report.with_counts(run.into_counts())))
}

/// Places the prepared tree if there is one that fits, else builds the tree. Returns the replaced
/// trees that are still to be removed, and whether the tree was prepared.
fn build_or_place(run: &Run<'_>, sites: &Sites<'_>) -> Result<(Vec<PathBuf>, bool), LinkError> {
    if let Some(prepared) = run.options.prepared
        && let Some(leftovers) = prepared::place(
            run,
            &build::importers(run, sites),
            |importer| sites.has_packages(importer),
            prepared,
        )?
    {
        return Ok((leftovers, true));
    }
    Ok((build::fresh(run, sites)?, false))
}

/// Turns the refusal of a layered file system to rename a folder of a lower layer into `None`.
fn refused_rename(changed: Result<LinkReport, LinkError>) -> Result<Option<LinkReport>, LinkError> {
    match changed {
        Err(LinkError::Io { source, .. }) if source.kind() == io::ErrorKind::CrossesDevices => {
            Ok(None)
        }
        changed => changed.map(Some),
    }
}

/// Returns whether every importer has a `node_modules` folder.
fn is_in_place(project: &Path, previous: &Sites<'_>) -> bool {
    previous.by_importer().iter().all(|(importer, _)| {
        project
            .join(importer)
            .join(NODE_MODULES)
            .symlink_metadata()
            .is_ok_and(|metadata| metadata.is_dir())
    })
}
