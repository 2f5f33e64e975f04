//! The one entry: from a planned tree to what lies on disk.

use std::collections::{HashMap, HashSet};
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use dx_pkg_core::PackageId;
use dx_pkg_store::Store;

use crate::build::{self, Run};
use crate::import::Counts;
use crate::tree::{NODE_MODULES, Sites};
use crate::{ImportMethod, LinkError, PlacementSource, Tree, change, prepared};

/// How a tree is to be put in place.
#[derive(Clone, Copy, Debug)]
pub struct LinkOptions<'o> {
    /// How files get from the store into the tree.
    pub import: ImportMethod,
    /// Whether dot-entries and plain files of an old `node_modules` that belong to no package manager survive: yes for `install`,
    /// no for `ci`.
    pub keep_foreign: bool,
    /// Whether links may lead out of the project, as `file:` dependencies in a manifest may ask for.
    pub links_outside: bool,
    /// Packages that were put into the store for this tree: where one is placed once, its files are moved instead of
    /// linked, so that each file is created once. The store keeps the package and can expand it again.
    pub movable: &'o [PackageId],
    /// A folder with this very tree, ready: it is renamed into place instead of being built, where it can be. Its state
    /// files must be there already, with the contents of `extra_files`.
    pub prepared: Option<&'o Path>,
    /// Once set, building ends with [`LinkError::Cancelled`]; what was built is removed.
    pub cancelled: Option<&'o AtomicBool>,
    /// Threads to use; by default as many as there are processors, at most eight.
    pub threads: Option<NonZeroUsize>,
    /// Files below the project's `node_modules`, such as `.package-lock.json` and `.dx/lock.dxl`, with their contents.
    ///
    /// They describe the tree, so they are part of what becomes visible at once, or are removed before the first
    /// change and written after the last. Their times are newer than those of all folders.
    pub extra_files: &'o [(String, Vec<u8>)],
}

impl Default for LinkOptions<'_> {
    fn default() -> Self {
        Self {
            import: ImportMethod::Auto,
            keep_foreign: true,
            links_outside: false,
            movable: &[],
            prepared: None,
            cancelled: None,
            threads: None,
            extra_files: &[],
        }
    }
}

/// Told of progress, from any thread.
pub trait Progress: Sync {
    /// So many more packages are in place.
    fn linked(&self, packages: usize);
}

/// A listener that ignores what it is told.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn linked(&self, _packages: usize) {}
}

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkReport {
    /// Whether the whole tree was built anew; otherwise only the difference was applied.
    pub fresh: bool,
    /// Whether it was ready and only had to be renamed.
    pub was_prepared: bool,
    /// Packages and links put in place where there was none.
    pub added: u64,
    /// Packages and links put in place of another.
    pub replaced: u64,
    /// Packages and links taken away.
    pub removed: u64,
    /// Folders made.
    pub directories: u64,
    /// Files that share everything with the store.
    pub hardlinks: u64,
    /// Files that share their blocks with the store.
    pub reflinks: u64,
    /// Files that share nothing with the store.
    pub copies: u64,
    /// Files that were moved out of the store.
    pub moves: u64,
    /// Packages that were moved out of the store, each by one rename.
    pub packages_moved: u64,
    /// Links made, commands included.
    pub symlinks: u64,
    /// Bytes of linked, reflinked and moved files: what copying would have written.
    pub bytes_saved: u64,
    /// Bytes written.
    pub bytes_copied: u64,
    /// Replaced trees that could not be moved into the store's trash: to be removed when there is time.
    /// The next run removes them if this one does not.
    pub leftovers: Vec<PathBuf>,
}

impl LinkReport {
    /// Files put in place, by whatever means.
    #[must_use]
    pub fn files(&self) -> u64 {
        self.hardlinks + self.reflinks + self.copies + self.moves
    }

    pub(crate) fn count(mut self, counts: Counts) -> Self {
        self.directories = counts.directories;
        self.hardlinks = counts.hardlinks;
        self.reflinks = counts.reflinks;
        self.copies = counts.copies;
        self.moves = counts.moves;
        self.packages_moved = counts.packages_moved;
        self.symlinks = counts.symlinks;
        self.bytes_saved = counts.bytes_saved;
        self.bytes_copied = counts.bytes_copied;
        self
    }
}

/// Those of `ids` that `tree` has at one place only.
pub(crate) fn placed_once(tree: &Tree, ids: &[PackageId]) -> HashSet<PackageId> {
    let mut uses: HashMap<PackageId, usize> = ids.iter().map(|id| (*id, 0)).collect();
    for placement in &tree.placements {
        if let PlacementSource::Package(id) = &placement.source
            && let Some(count) = uses.get_mut(id)
        {
            *count += 1;
        }
    }
    uses.into_iter().filter(|(_, count)| *count == 1).map(|(id, _)| id).collect()
}

/// Makes the project's `node_modules` folders what `tree` says.
///
/// Without `previous` every tree is built beside its place and renamed into it, so at any instant the old or the new
/// one is there. With `previous`, which must be what is in place, only the difference is applied, one package at a
/// time; before the first change the extra files are deleted, so a crash leaves a tree without a state, which the
/// caller then replaces. The caller holds the project's lock.
///
/// # Errors
/// An unsafe path, a package that is not in the store, and whatever the system refuses.
pub fn materialise(
    project: &Path,
    store: &Store,
    tree: &Tree,
    previous: Option<&Tree>,
    options: &LinkOptions<'_>,
    progress: &dyn Progress,
) -> Result<LinkReport, LinkError> {
    let next = Sites::of(tree, options.links_outside)?;
    check_extra_files(options.extra_files)?;
    let run = Run::new(project, store, placed_once(tree, options.movable), options, progress);
    let previous = previous.map(|previous| Sites::of(previous, true)).transpose()?;
    let changed = match previous.filter(|previous| is_in_place(project, previous)) {
        Some(previous) => refused_rename(change::apply(&run, &previous, &next))?,
        None => None,
    };
    let report = match changed {
        Some(report) => report,
        None => {
            let (leftovers, was_prepared) = build_or_place(&run, &next)?;
            LinkReport {
                fresh: true,
                added: next.0.len() as u64,
                was_prepared,
                leftovers,
                ..LinkReport::default()
            }
        }
    };
    Ok(report.count(run.into_counts()))
}

/// Changes the tree in place by the difference between `previous` and `next`, which may both leave out what has nothing to
/// do with it: they must have what lies around and within what differs, and beside that whatever offers commands. `None`
/// where the tree cannot be changed in place: then it must be made anew, from the whole.
///
/// # Errors
/// As for [`materialise`].
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
    let run = Run::new(project, store, placed_once(next, options.movable), options, progress);
    if !is_in_place(project, &previous) {
        return Ok(None);
    }
    let report = refused_rename(change::apply(&run, &previous, &sites))?;
    Ok(report.map(|report| report.count(run.into_counts())))
}

/// Puts the prepared in place where there is one that fits, else builds the tree; says which.
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

/// Turns the refusal of a layered file system to rename a folder of a lower layer into "to be built anew".
fn refused_rename(changed: Result<LinkReport, LinkError>) -> Result<Option<LinkReport>, LinkError> {
    match changed {
        Err(LinkError::Io { source, .. }) if source.kind() == io::ErrorKind::CrossesDevices => {
            Ok(None)
        }
        changed => changed.map(Some),
    }
}

/// Whether there is a tree to be changed for every importer.
fn is_in_place(project: &Path, previous: &Sites<'_>) -> bool {
    previous.by_importer().iter().all(|(importer, _)| {
        project
            .join(importer)
            .join(NODE_MODULES)
            .symlink_metadata()
            .is_ok_and(|metadata| metadata.is_dir())
    })
}

pub(crate) fn check_extra_files(files: &[(String, Vec<u8>)]) -> Result<(), LinkError> {
    for (path, _) in files {
        let refuse = |reason| LinkError::UnsafePath { path: path.clone(), reason };
        crate::tree::check_segments(path).map_err(refuse)?;
        if !path.starts_with('.') || path.starts_with(".bin/") {
            return Err(refuse("a state file's path begins with a dot"));
        }
    }
    Ok(())
}
