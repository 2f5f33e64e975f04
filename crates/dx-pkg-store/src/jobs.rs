//! Preparation jobs: installed projects whose next tree a background process prepares.
//!
//! `prepared/jobs/<digest>` holds a sign and the project's folder: `+` after a prepared tree was
//! put in place, `*` after a whole tree was built there, `-` after a tree was changed. The digest
//! is that of the folder, so a project has one job at a time, its last.

use std::path::{Path, PathBuf};

use dx_pkg_os::files::{DirEntry, FileLock};

use crate::layout::{NOTE_LIMIT, absolute_path};
use crate::{Folder, Store, StoreError};

const JOBS: &str = "jobs";

/// A queued preparation: a project that was installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrepareJob {
    /// The project's folder, absolute.
    pub project: PathBuf,
    /// How the install made the tree in place.
    pub tree: TreeOrigin,
}

/// How an install has made the tree in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TreeOrigin {
    /// It was a prepared tree, whose files nobody has looked at since it was built.
    Prepared,
    /// It was built as a whole from the store.
    Built,
    /// One that was there was changed, or nothing was.
    Changed,
}

impl TreeOrigin {
    /// Returns whether the whole tree is new, so that all of it came from the store.
    #[must_use]
    pub fn is_new(self) -> bool {
        self != Self::Changed
    }

    fn sign(self) -> u8 {
        match self {
            Self::Prepared => b'+',
            Self::Built => b'*',
            Self::Changed => b'-',
        }
    }
}

impl PrepareJob {
    fn parse(text: &[u8]) -> Option<Self> {
        let (sign, project) = text.split_first()?;
        let tree = match sign {
            b'+' => TreeOrigin::Prepared,
            b'*' => TreeOrigin::Built,
            _ => TreeOrigin::Changed,
        };
        Some(PrepareJob { project: absolute_path(project)?, tree })
    }
}

impl Store {
    /// Queues a job, replacing an earlier one of the same project.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn queue_job(&self, job: &PrepareJob) -> Result<(), StoreError> {
        let project = job.project.as_os_str().as_encoded_bytes();
        let text = [&[job.tree.sign()], project].concat();
        self.write_prepared_part(JOBS, project_name(&job.project), &text)
    }

    /// Removes all jobs from the queue and returns them, the oldest first.
    #[must_use]
    pub fn take_jobs(&self) -> Vec<PrepareJob> {
        let Some(folder) = self.prepared_part(JOBS) else { return Vec::new() };
        let mut jobs = Vec::new();
        for DirEntry { name, .. } in folder.entries().unwrap_or_default() {
            let Some(queued) = folder.modified(&name) else { continue };
            let text = folder.read_file(&name, NOTE_LIMIT).unwrap_or_default();
            if folder.remove_file(&name).is_ok()
                && let Some(job) = PrepareJob::parse(&text)
            {
                jobs.push((queued, job));
            }
        }
        jobs.sort_by_key(|(queued, _)| *queued);
        jobs.into_iter().map(|(_, job)| job).collect()
    }

    /// Takes the lock of the store's one background process; `None` while another process holds it
    /// and `wait` is not set.
    ///
    /// # Errors
    /// When the lock file cannot be created.
    pub fn background_lock(&self, wait: bool) -> Result<Option<FileLock>, StoreError> {
        self.dir(Folder::Locks)?;
        let path = self.folder(Folder::Locks).join("background");
        let lock = if wait {
            FileLock::exclusive(&path, || {}).map(Some)
        } else {
            FileLock::try_exclusive(&path)
        };
        lock.map_err(StoreError::io("locking", path))
    }
}

/// Returns the name of a project's files in the store.
pub(crate) fn project_name(project: &Path) -> String {
    blake3::hash(project.as_os_str().as_encoded_bytes()).to_hex()[..32].to_owned()
}

#[cfg(test)]
mod tests;
