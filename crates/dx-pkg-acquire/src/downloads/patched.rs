//! Patched packages: made from the packages as they are published, in the store under ids of their
//! own, so that no other project sees a patch.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

use dx_pkg_compat::patch::{MAX_PATCH_SIZE, PatchedFile, PatchedFiles, apply};
use dx_pkg_core::{Integrity, PackageId};
use dx_pkg_format::dxp::FileEntry;
use dx_pkg_lock::{LockPackage, Patched};

use super::{Downloads, Shared, Status};
use crate::AcquireError;
use crate::package::{label, package_id};

/// The most bytes of a package that is patched: it is done in memory.
const MAX_PATCHED: u64 = 128 << 20;

/// A patched package that waits for the one that it is made from.
pub(super) struct PatchJob {
    /// Its id.
    id: PackageId,
    /// The id of the package as it is published.
    base: PackageId,
    /// The package with its version.
    package: String,
    patch: Patched,
    /// The patch file.
    file: PathBuf,
}

impl Downloads {
    /// Starts the download of the package that `package` is made from, and makes it once that is
    /// there. The store has neither yet, or at least not the patched one.
    pub(super) fn start_patched(
        &self,
        id: PackageId,
        package: &LockPackage,
        patch: &Patched,
        bytes: Option<u64>,
    ) -> Result<(), AcquireError> {
        let plain = LockPackage { patched: None, ..package.clone() };
        let Some(base) = package_id(&plain)? else { return Ok(()) };
        self.shared.lock().insert(id, Status::Running);
        let job = PatchJob {
            id,
            base,
            package: label(package),
            patch: patch.clone(),
            file: self.root.join(&patch.path),
        };
        self.shared.waiting().push(job);
        if let Err(error) = self.start(base, &plain, bytes, None) {
            self.shared.waiting().retain(|job| job.id != id);
            self.shared.lock().remove(&id);
            return Err(error);
        }
        let is_done = matches!(self.shared.lock().get(&base), Some(Status::Done(_)));
        if is_done {
            self.shared.patch_waiting(base);
        }
        Ok(())
    }
}

impl Shared {
    fn waiting(&self) -> std::sync::MutexGuard<'_, Vec<PatchJob>> {
        self.patch_jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether a patched package waits for this one.
    pub(super) fn is_waited_for(&self, base: PackageId) -> bool {
        self.waiting().iter().any(|job| job.base == base)
    }

    /// Makes the patched packages that wait for this one, which is there or has failed.
    pub(super) fn patch_waiting(&self, base: PackageId) {
        loop {
            let job = {
                let mut jobs = self.waiting();
                let at = jobs.iter().position(|job| job.base == base);
                match at {
                    Some(at) => jobs.swap_remove(at),
                    None => return,
                }
            };
            let outcome = match self.lock().get(&base) {
                Some(Status::Done(outcome)) => outcome.clone(),
                _ => Ok(()),
            };
            let made = outcome.and_then(|()| self.make(&job));
            self.done(job.id, made);
        }
    }

    /// Records the failure of patched packages that were not made.
    pub(super) fn fail_waiting(&self, base: PackageId) {
        let jobs: Vec<PatchJob> = {
            let mut waiting = self.waiting();
            let (failed, others) = waiting.drain(..).partition(|job| job.base == base);
            *waiting = others;
            failed
        };
        for job in jobs {
            self.done(job.id, Err(AcquireError::Panicked));
        }
    }

    /// Puts a patched package into the store.
    fn make(&self, job: &PatchJob) -> Result<(), AcquireError> {
        let failed = |source| AcquireError::Patch {
            package: job.package.clone(),
            file: job.patch.path.clone(),
            source: Arc::new(source),
        };
        let patch = read_patch(job)?;
        let Some(package) = self.store.open_package(job.base)? else {
            return Err(AcquireError::Panicked);
        };
        let dxp = package.dxp();
        if dxp.entries().map(|entry| entry.size).sum::<u64>() > MAX_PATCHED {
            let (package, limit) = (job.package.clone(), MAX_PATCHED);
            return Err(AcquireError::PatchTooLarge { package, limit });
        }
        let mut files = PatchedFiles::new();
        for entry in dxp.entries() {
            // A damaged package is fetched again by the next command.
            let damaged = |_: &_| drop(self.store.reject(job.base));
            let data = package.read(&entry).inspect_err(damaged)?;
            let data = Cow::Owned(data.into_owned());
            files.insert(entry.path.to_owned(), PatchedFile { mode: entry.mode, data });
        }
        apply(&patch, &mut files).map_err(failed)?;
        if files.contains_key("binding.gyp") && self.store.gyp().contains(&job.base) {
            self.store.mark_gyp(job.id)?;
        }
        let entries: Vec<FileEntry<'_>> = files
            .iter()
            .map(|(path, file)| FileEntry { path, mode: file.mode, data: &file.data })
            .collect();
        Ok(self.store.insert(job.id, None, &entries)?)
    }
}

/// Reads the patch file, which must be the one that the lockfile or the project names.
fn read_patch(job: &PatchJob) -> Result<Vec<u8>, AcquireError> {
    let file: &Path = &job.file;
    if !dx_pkg_compat::manifest::is_inside(&job.patch.path) {
        return Err(AcquireError::PatchOutside { file: job.patch.path.clone() });
    }
    let patch = dx_pkg_os::files::read_bounded(file, MAX_PATCH_SIZE)
        .map_err(|error| AcquireError::io(format!("reading {}", file.display()), error))?;
    let integrity = Integrity::parse(&job.patch.integrity).map_err(|source| {
        AcquireError::BadIntegrity { entry: format!("{}: patched", job.package), source }
    })?;
    match integrity.verify(&patch) {
        Ok(()) => Ok(patch),
        Err(_) => Err(AcquireError::OtherPatch {
            package: job.package.clone(),
            file: job.patch.path.clone(),
        }),
    }
}
