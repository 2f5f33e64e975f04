//! Packages made of commits of git repositories: fetched, built where that is allowed, packed, and
//! put into the store, which remembers what a commit became.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use dx_pkg_compat::manifest::Manifest;
use dx_pkg_compat::npm_registry::retry_policy;
use dx_pkg_compat::npmrc::redact_urls;
use dx_pkg_compat::packlist::{self, PackError, PackOptions};
use dx_pkg_compat::tarball::Limits;
use dx_pkg_core::spec::GitSpec;
use dx_pkg_core::{Coded, CodedError, Integrity, PackageId};
use dx_pkg_git::{Address, Commit, Git, GitError, GitOptions, Revision};
use dx_pkg_lock::LockPackage;
use dx_pkg_os::files::{create_private_dir, read_bounded, remove_tree, unique_name};
use dx_pkg_store::Folder;

use crate::package::{label, package_id};
use crate::sources::{commit_of, subfolder};
use crate::{AcquireError, Context, Downloads};

/// The longest time in which git may do nothing, unless `fetch-timeout` says otherwise: npm's.
const PATIENCE: Duration = Duration::from_secs(300);
/// How many times the size of a package its repository may have.
const REPOSITORY: u64 = 4;
/// The most tries of one git command.
const MOST_TRIES: u32 = 3;
/// The most bytes of a manifest.
const MAX_MANIFEST: u64 = 4 * 1024 * 1024;

/// The reason why a commit is no package.
#[derive(Debug, thiserror::Error)]
enum NoPackage {
    #[error("{commit} has no folder {folder:?}")]
    NoFolder { commit: String, folder: String },
    #[error("{commit} has no package.json{below}")]
    NoManifest { commit: String, below: String },
    #[error("package.json of {commit} cannot be read: {reason}")]
    Manifest { commit: String, reason: String },
}

impl Coded for NoPackage {
    fn code(&self) -> &'static str {
        "DX_GIT_NO_PACKAGE"
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoFolder { .. } => "correct the path after #path:",
            Self::NoManifest { .. } => {
                "name the folder of the package in the repository with #path:, as in \
                 user/repository#main::path:packages/name"
            }
            Self::Manifest { .. } => return None,
        };
        Some(hint.to_owned())
    }
}

/// Puts the package of a lockfile's entry into the store, if the store does not have it; returns
/// its integrity.
///
/// # Errors
/// The entry names no commit, or the commit is no longer there.
pub(super) fn locked(
    context: &Context,
    downloads: &Downloads,
    package: &LockPackage,
) -> Result<Integrity, AcquireError> {
    let resolved = package.resolved.as_deref().unwrap_or_default();
    let (git, commit) = commit_of(resolved).ok_or_else(|| AcquireError::UnsupportedOrigin {
        package: label(package),
        place: redact_urls(resolved),
    })?;
    let source = Source::new(context, downloads, label(package), &git)?;
    source.package(&commit)
}

/// Returns whether npm prepares a package before it packs it: whether it has a script for that, or
/// workspaces.
fn is_to_be_built(manifest: &Manifest) -> bool {
    const SCRIPTS: [&str; 6] =
        ["postinstall", "build", "preinstall", "install", "prepack", "prepare"];
    let has = |name: &&str| manifest.script(name).is_some_and(|script| !script.is_empty());
    manifest.workspaces.is_some() || SCRIPTS.iter().any(has)
}

/// A repository that packages are taken from.
pub(crate) struct Source<'s> {
    context: &'s Context,
    downloads: &'s Downloads,
    /// The package for messages.
    label: String,
    git: &'s GitSpec,
    patience: Duration,
    limits: Limits,
}

impl Context {
    /// Returns whether a package of a git repository was packed without its scripts, which may run
    /// now.
    #[must_use]
    pub fn awaits_build(&self, package: &LockPackage) -> bool {
        let resolved = package.resolved.as_deref().unwrap_or_default();
        let may_be_built = || self.git_builder.get().is_some_and(|it| it.may_build(resolved));
        let Some((git, commit)) = commit_of(resolved).filter(|_| may_be_built()) else {
            return false;
        };
        let built = self.store.git_package(commit.as_str(), subfolder(&git), true);
        let built = built.as_ref().map(PackageId::from_integrity);
        built.is_none() || package_id(package).ok().flatten() != built
    }
}

impl<'s> Source<'s> {
    /// Returns the repository of `git`; `label` names the package in messages.
    pub(crate) fn new(
        context: &'s Context,
        downloads: &'s Downloads,
        label: String,
        git: &'s GitSpec,
    ) -> Result<Self, AcquireError> {
        let patience = match context.config.fetch_timeout()? {
            Some(limit) if limit.is_zero() => Duration::MAX,
            limit => limit.unwrap_or(PATIENCE),
        };
        let limits = Limits::allowing(context.config.max_package_bytes()?);
        Ok(Source { context, downloads, label, git, patience, limits })
    }

    /// Returns the commit that a revision is now.
    pub(crate) fn resolve(&self, revision: &Revision) -> Result<Commit, AcquireError> {
        let scratch = Scratch::new(self)?;
        self.try_addresses(|git, address| git.resolve(address, revision, &scratch.tree()))
    }

    /// Returns the integrity of the package that a commit is; the store has it then.
    pub(crate) fn package(&self, commit: &Commit) -> Result<Integrity, AcquireError> {
        let store = &self.context.store;
        let folder = subfolder(self.git);
        let resolved = self.git.resolved(commit.as_str());
        let builder = self.context.git_builder.get().filter(|it| it.may_build(&resolved));
        let is_built = builder.is_some();
        let known = store.git_package(commit.as_str(), folder, is_built);
        if let Some(integrity) = known {
            let id = PackageId::from_integrity(&integrity);
            if store.has(id) || store.has_tarball(id) {
                return Ok(integrity);
            }
        }
        if self.context.config.offline()? {
            let what = format!("{} at commit {}", self.label, commit.as_str());
            return Err(AcquireError::Offline { what, place: "the store" });
        }
        let scratch = Scratch::new(self)?;
        let (package, mut manifest) = self.check_out(commit, &scratch)?;
        if let Some(builder) = builder.filter(|_| is_to_be_built(&manifest)) {
            let package = self.label.clone();
            let failed = |source| AcquireError::InPackage { package, source };
            let built = builder.build(&scratch.tree().join(folder), &resolved);
            self.context.cancel.check()?;
            built.map_err(failed)?;
            // What its scripts made of it counts.
            manifest = self.manifest(&scratch.tree().join(folder), commit, folder)?;
        }
        let tarball = scratch.0.join("package.tar");
        self.pack(&package, &manifest, &tarball)?;
        let integrity = self.downloads.keep_file(&tarball)?;
        store.put_git_package(commit.as_str(), folder, is_built, &integrity)?;
        Ok(integrity)
    }

    /// Returns the tarball of the package that a commit is, not compressed, as the commit has it;
    /// and whether npm would have built it first. The store does not get it.
    pub(crate) fn tarball(&self, commit: &Commit) -> Result<(Vec<u8>, bool), AcquireError> {
        let scratch = Scratch::new(self)?;
        let (package, manifest) = self.check_out(commit, &scratch)?;
        let tarball = scratch.0.join("package.tar");
        self.pack(&package, &manifest, &tarball)?;
        let bytes = read_bounded(&tarball, u64::MAX)
            .map_err(|error| AcquireError::io(format!("reading {}", tarball.display()), error))?;
        Ok((bytes, is_to_be_built(&manifest)))
    }

    /// Checks a commit out, and returns the folder of the package with its manifest.
    fn check_out(
        &self,
        commit: &Commit,
        scratch: &Scratch,
    ) -> Result<(PathBuf, Manifest), AcquireError> {
        self.try_addresses(|git, address| git.check_out(address, commit, &scratch.tree()))?;
        let folder = subfolder(self.git);
        let package = self.folder_of(&scratch.tree(), commit, folder)?;
        let manifest = self.manifest(&package, commit, folder)?;
        Ok((package, manifest))
    }

    /// Tries the addresses of the repository in turn; the error is that of the first.
    fn try_addresses<T>(
        &self,
        attempt: impl Fn(&Git<'_>, &Address) -> Result<T, GitError>,
    ) -> Result<T, AcquireError> {
        let options = GitOptions {
            patience: self.patience,
            max_bytes: self.limits.max_bytes.saturating_mul(REPOSITORY),
            max_files: self.limits.max_entries,
            delays: self.delays()?,
        };
        let is_cancelled = || self.context.cancel.is_cancelled();
        let git = Git::new(options, &is_cancelled);
        let mut first = None;
        for address in self.git.addresses() {
            let tried = Address::parse(&address).and_then(|address| attempt(&git, &address));
            match tried {
                Ok(found) => return Ok(found),
                Err(GitError::Cancelled) => return Err(AcquireError::Cancelled),
                Err(error) if error.may_be_address() => first = first.or(Some(error)),
                Err(error) => return Err(self.failed(error)),
            }
        }
        Err(first.map_or(AcquireError::Panicked, |error| self.failed(error)))
    }

    /// Returns the delays before further tries: as many as for requests, but no more than npm's.
    fn delays(&self) -> Result<Vec<Duration>, AcquireError> {
        let policy = retry_policy(&self.context.config)?;
        Ok((1..policy.tries.min(MOST_TRIES)).map(|failed| policy.delay(failed, None)).collect())
    }

    /// Returns the folder of the package in a checked-out commit. No link is followed.
    fn folder_of(
        &self,
        tree: &Path,
        commit: &Commit,
        folder: &str,
    ) -> Result<PathBuf, AcquireError> {
        let mut at = tree.to_owned();
        for part in folder.split('/').filter(|part| !matches!(*part, "" | ".")) {
            at.push(part);
            let is_folder = fs::symlink_metadata(&at).is_ok_and(|status| status.is_dir());
            if !is_folder || part == ".." || part == ".git" {
                let (commit, folder) = (commit.as_str().to_owned(), folder.to_owned());
                return Err(self.failed(NoPackage::NoFolder { commit, folder }));
            }
        }
        Ok(at)
    }

    fn manifest(
        &self,
        package: &Path,
        commit: &Commit,
        folder: &str,
    ) -> Result<Manifest, AcquireError> {
        let file = package.join("package.json");
        let commit = commit.as_str().to_owned();
        // A link may lead out of the repository, and npm packs none.
        if !fs::symlink_metadata(&file).is_ok_and(|status| status.is_file()) {
            let below = if folder.is_empty() { String::new() } else { format!(" in {folder:?}") };
            return Err(self.failed(NoPackage::NoManifest { commit, below }));
        }
        let text = read_bounded(&file, MAX_MANIFEST).map_err(|error| error.to_string());
        let parsed = text.and_then(|text| {
            Manifest::parse(&String::from_utf8_lossy(&text)).map_err(|error| error.to_string())
        });
        parsed.map_err(|reason| self.failed(NoPackage::Manifest { commit, reason }))
    }

    /// Writes the tarball of a folder. It is not compressed: then it stays the same with every
    /// version of whatever compresses.
    fn pack(&self, folder: &Path, manifest: &Manifest, to: &Path) -> Result<(), AcquireError> {
        let options = PackOptions {
            max_bytes: self.limits.max_bytes,
            max_entries: self.limits.max_entries,
            stays_inside: true,
        };
        let write = || {
            let files = packlist::files(folder, manifest, &options)?;
            let mut out = BufWriter::new(File::create(to).map_err(PackError::Write)?);
            packlist::write_tar(folder, &files, &options, &mut out)?;
            out.flush().map_err(PackError::Write)
        };
        write().map_err(|error| self.failed(error))
    }

    fn failed(&self, error: impl CodedError + 'static) -> AcquireError {
        AcquireError::InPackage { package: self.label.clone(), source: Arc::new(error) }
    }
}

/// A folder of the store for a repository, removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(source: &Source<'_>) -> Result<Self, AcquireError> {
        let folder = source.context.store.folder(Folder::Tmp).join(unique_name("git"));
        let failed = |error| AcquireError::io(format!("making {}", folder.display()), error);
        fs::create_dir_all(source.context.store.folder(Folder::Tmp)).map_err(failed)?;
        create_private_dir(&folder).map_err(failed)?;
        Ok(Self(folder))
    }

    fn tree(&self) -> PathBuf {
        self.0.join("tree")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays is removed by maintenance.
        let _ = remove_tree(&self.0);
    }
}
