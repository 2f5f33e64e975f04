//! Commits of git repositories: fetched, packed as npm packs them, and put into the store, which
//! remembers the package that a commit became. No git is started for a commit that it knows.

use std::sync::Arc;

use dx_pkg_compat::npmrc::redact_urls;
use dx_pkg_core::Spec;
use dx_pkg_core::spec::GitSpec;
use dx_pkg_git::{Commit, Revision};
use dx_pkg_lock::LockPackage;
use dx_pkg_store::StoreMode;

use super::{Externals, Wanted};
use crate::downloads::commits::Source;
use crate::sources::{commit_of, named_commit};
use crate::{AcquireError, Context, Downloads};

/// Fetches the commit that `git` means, packs it, and loads the package.
///
/// # Errors
/// There is no such commit, or no package in it.
pub(super) fn load(
    externals: &Externals<'_>,
    wanted: &Wanted<'_>,
    git: &GitSpec,
) -> Result<LockPackage, AcquireError> {
    let (context, downloads) = (externals.context, externals.downloads()?);
    let source = Source::new(context, downloads, wanted.label(), git)?;
    let known = named_commit(git).or_else(|| commit_without_folder(wanted, git));
    let commit = match known {
        Some(commit) => commit,
        None if context.config.offline()? => locked_commit(wanted, git)
            .ok_or_else(|| AcquireError::Offline { what: wanted.label(), place: "the lockfile" })?,
        None => source.resolve(&revision(git))?,
    };
    let integrity = source.package(&commit)?;
    let package = downloads.manifest_of_kept(&wanted.label(), &integrity)?;
    let resolved = git.resolved(commit.as_str());
    Ok(LockPackage { resolved: Some(resolved), ..package })
}

/// Packs the commit that a word of the user's means, without a project and without a script.
/// Returns the tarball, not compressed, and whether npm would have built the package first.
///
/// # Errors
/// The settings forbid it, there is no such commit, or no package in it.
pub fn packed(
    context: &Arc<Context>,
    word: &str,
    git: &GitSpec,
) -> Result<(Vec<u8>, bool), AcquireError> {
    context.sources()?.check(None, word, &Spec::Git(Box::new(git.clone())), true)?;
    let offline = context.config.offline()?;
    let label = redact_urls(word).to_string();
    if offline {
        return Err(AcquireError::Offline { what: label, place: "the store" });
    }
    let downloads = Downloads::new(context, offline, StoreMode::Now, Arc::default());
    let source = Source::new(context, &downloads, label, git)?;
    let commit = match named_commit(git) {
        Some(commit) => commit,
        None => source.resolve(&revision(git))?,
    };
    source.tarball(&commit)
}

/// Returns the commit of the lockfile's entry, if it is of the same repository.
fn locked_commit(wanted: &Wanted<'_>, git: &GitSpec) -> Option<Commit> {
    let (held, commit) = commit_of(wanted.locked.as_ref()?.resolved.as_deref()?)?;
    held.is_same_place(git).then_some(commit)
}

/// Returns the commit of the lockfile's entry, if npm has written it: it drops the folder of the
/// repository that is required, and keeps the commit.
fn commit_without_folder(wanted: &Wanted<'_>, git: &GitSpec) -> Option<Commit> {
    let (held, commit) = commit_of(wanted.locked.as_ref()?.resolved.as_deref()?)?;
    let is_dropped = git.subdirectory.is_some() && held.subdirectory.is_none();
    (is_dropped && held.url == git.url).then_some(commit)
}

/// Returns whether the requirement `spec` selects the revision of a repository that the one of the
/// lockfile, `before`, selects, so that the locked commit stands for it. True where one of them is
/// none for a repository.
#[must_use]
pub fn is_same_revision(before: Option<&str>, spec: &str) -> bool {
    let git = |text: &str| match Spec::parse(text) {
        Ok(Spec::Git(git)) => Some(git),
        _ => None,
    };
    match (before.and_then(git), git(spec)) {
        (Some(before), Some(now)) => before.is_same_revision(&now),
        _ => true,
    }
}

fn revision(git: &GitSpec) -> Revision {
    match (&git.semver, &git.committish) {
        (Some(range), _) => Revision::Version(range.clone(), range.to_string()),
        (None, Some(name)) => Revision::Named(name.to_string()),
        (None, None) => Revision::Head,
    }
}
