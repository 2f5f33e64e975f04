//! Commits that lockfile entries name, and what builds the packages that they become.

use std::path::Path;
use std::sync::Arc;

use dx_pkg_core::spec::GitSpec;
use dx_pkg_core::{CodedError, Spec};
use dx_pkg_git::Commit;

/// Builds packages of git repositories before they are packed, as npm does.
pub trait GitBuilder: Send + Sync {
    /// Returns whether the scripts of a commit may run; `resolved` is its lockfile entry's.
    fn may_build(&self, resolved: &str) -> bool;

    /// Installs the dependencies of the package in `folder`, those for development too, and runs
    /// its scripts. `resolved` is that of [`Self::may_build`].
    ///
    /// # Errors
    /// The reason for the user.
    fn build(&self, folder: &Path, resolved: &str) -> Result<(), Arc<dyn CodedError>>;
}

/// Returns the folder of the package in its repository; empty for the repository's own.
pub(crate) fn subfolder(git: &GitSpec) -> &str {
    git.subdirectory.as_deref().unwrap_or_default().trim_matches('/')
}

/// Returns the repository and the commit of a lockfile's `resolved`; `None` unless it names one.
pub(crate) fn commit_of(resolved: &str) -> Option<(GitSpec, Commit)> {
    let Ok(Spec::Git(git)) = Spec::parse(resolved) else { return None };
    let commit = named_commit(&git)?;
    Some((*git, commit))
}

/// Returns the commit that a requirement names by its whole name.
pub(crate) fn named_commit(git: &GitSpec) -> Option<Commit> {
    git.committish.as_deref().and_then(Commit::parse)
}
