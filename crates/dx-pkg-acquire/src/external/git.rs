//! Commits of git repositories: fetched, packed as npm packs them, and put into the store, which
//! remembers the package that a commit became. No git is started for a commit that it knows.

mod packed;

use dx_pkg_compat::manifest::Manifest;
use dx_pkg_core::Integrity;
use dx_pkg_core::spec::GitSpec;
use dx_pkg_git::{Commit, Revision};
use dx_pkg_lock::LockPackage;

use self::packed::Source;
use super::{Externals, Wanted};
use crate::package::label;
use crate::sources::{commit_of, named_commit};
use crate::{AcquireError, Context, Downloads};

/// Returns whether npm prepares a package before it packs it: whether it has a script for that, or
/// workspaces.
fn is_to_be_built(manifest: &Manifest) -> bool {
    const SCRIPTS: [&str; 6] =
        ["postinstall", "build", "preinstall", "install", "prepack", "prepare"];
    let has = |name: &&str| manifest.script(name).is_some_and(|script| !script.is_empty());
    manifest.workspaces.is_some() || SCRIPTS.iter().any(|name| has(&name))
}

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
    let commit = match named_commit(git) {
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

/// Puts the package of a lockfile's entry into the store, if the store does not have it; returns
/// its integrity.
///
/// # Errors
/// The entry names no commit, or the commit is no longer there.
pub fn locked(
    context: &Context,
    downloads: &Downloads,
    package: &LockPackage,
) -> Result<Integrity, AcquireError> {
    let resolved = package.resolved.as_deref().unwrap_or_default();
    let (git, commit) = commit_of(resolved).ok_or_else(|| AcquireError::UnsupportedOrigin {
        package: label(package),
        place: dx_pkg_compat::npmrc::redact_urls(resolved),
    })?;
    let source = Source::new(context, downloads, label(package), &git)?;
    source.package(&commit)
}

/// Returns the commit of the lockfile's entry, if it is of the same repository.
fn locked_commit(wanted: &Wanted<'_>, git: &GitSpec) -> Option<Commit> {
    let (held, commit) = commit_of(wanted.locked.as_ref()?.resolved.as_deref()?)?;
    held.is_same_place(git).then_some(commit)
}

fn revision(git: &GitSpec) -> Revision {
    match (&git.semver, &git.committish) {
        (Some(range), _) => Revision::Version(range.clone(), range.to_string()),
        (None, Some(name)) => Revision::Named(name.to_string()),
        (None, None) => Revision::Head,
    }
}
