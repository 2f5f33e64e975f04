//! The context that one run of linking shares between its steps and threads.

use std::collections::HashSet;
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};

use dx_pkg_core::PackageId;
use dx_pkg_os::files::Dir;
use dx_pkg_store::Store;

use crate::import::{Counts, Importer};
use crate::packages::Packages;
use crate::tree::{split, split_folder};
use crate::{LinkError, LinkOptions, Progress, parallel};

/// The context of one run: the project, the store, the options, and the counts.
pub(crate) struct Run<'r> {
    pub(crate) project: &'r Path,
    pub(crate) packages: Packages<'r>,
    pub(crate) importer: Importer,
    /// The packages whose files may be moved: those of this run with one placement.
    pub(crate) movable: HashSet<PackageId>,
    pub(crate) options: &'r LinkOptions<'r>,
    pub(crate) progress: &'r dyn Progress,
    pub(crate) threads: usize,
    counts: Mutex<Counts>,
}

impl<'r> Run<'r> {
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
            importer: Importer::new(
                options.import,
                options.store_is_checked,
                options.compares_bytes,
            ),
            movable,
            options,
            progress,
            threads: options.threads.map_or_else(parallel::default_threads, NonZeroUsize::get),
            counts: Mutex::default(),
        }
    }

    /// Returns an importer's folder.
    ///
    /// # Errors
    /// When a link leads the folder out of the project, and `links_outside` is not set.
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

    /// Opens a folder of the tree; `path` is relative to the project. No link is followed below the
    /// importer's own folder.
    pub(crate) fn open(&self, path: &str) -> io::Result<Dir> {
        let (importer, _) = split(path).or_else(|| split_folder(path)).unwrap_or_default();
        let inner = path.get(importer.len()..).unwrap_or_default().trim_start_matches('/');
        Dir::open(self.project.join(importer))?.open_dir(inner)
    }

    /// Returns an error once the run was cancelled.
    pub(crate) fn check_cancelled(&self) -> Result<(), LinkError> {
        match self.options.cancelled {
            Some(cancelled) if cancelled.load(Ordering::Relaxed) => Err(LinkError::Cancelled),
            _ => Ok(()),
        }
    }

    /// Adds to the counts.
    pub(crate) fn count(&self, counts: Counts) {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner) += counts;
    }

    /// Returns the counts.
    pub(crate) fn into_counts(self) -> Counts {
        self.counts.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}
