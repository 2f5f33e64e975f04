//! The files of a commit, in a folder of their own.

use std::fs;
use std::path::{Path, PathBuf};

use dx_pkg_core::Range;

use crate::GitError;
use crate::address::Address;
use crate::command::Git;
use crate::refs::{Commit, Refs};

/// The most bytes of what git answers to a question about one commit.
const MAX_ANSWER: usize = 1 << 16;

/// What of a repository is wanted.
#[derive(Debug, Clone)]
pub enum Revision {
    /// The default branch.
    Head,
    /// A commit by its whole name.
    Commit(Commit),
    /// A branch, a tag, a pull request, or anything else that git takes for a commit, such as the
    /// beginning of its name.
    Named(String),
    /// The highest version among the tags that is in a range.
    Version(Range, String),
}

impl Revision {
    /// Returns the revision for messages.
    fn shown(&self) -> String {
        match self {
            Self::Head => "default branch".to_owned(),
            Self::Commit(commit) => format!("commit {}", commit.as_str()),
            Self::Named(name) => format!("branch, tag or commit {name:?}"),
            Self::Version(_, text) => format!("tag of a version in {text:?}"),
        }
    }
}

impl Git<'_> {
    /// Returns the commit that a revision is now. `scratch` is an empty folder for what has to be
    /// fetched to find out.
    ///
    /// # Errors
    /// There is no git, no answer, or no such revision.
    pub fn resolve(
        &self,
        address: &Address,
        revision: &Revision,
        scratch: &Path,
    ) -> Result<Commit, GitError> {
        let missing =
            || GitError::NoRevision { address: address.shown(), revision: revision.shown() };
        if let Revision::Commit(commit) = revision {
            return Ok(commit.clone());
        }
        let refs = self.refs(address)?;
        let found = match revision {
            Revision::Head => refs.head(),
            Revision::Version(range, _) => refs.in_range(range),
            Revision::Named(name) => refs.named(name),
            Revision::Commit(_) => None,
        };
        match (found, revision) {
            (Some(commit), _) => Ok(commit.clone()),
            // The start of a commit's name, or an expression such as `main~2`.
            (None, Revision::Named(name)) => {
                self.resolve_by_fetching(address, name, &refs, scratch)?.ok_or_else(missing)
            }
            (None, _) => Err(missing()),
        }
    }

    fn resolve_by_fetching(
        &self,
        address: &Address,
        name: &str,
        refs: &Refs,
        scratch: &Path,
    ) -> Result<Option<Commit>, GitError> {
        let is_plain = |c: char| c.is_alphanumeric() || "/._-~^@{}+".contains(c);
        if name.starts_with('-') || !name.chars().all(is_plain) {
            return Ok(None);
        }
        self.begin(address, scratch, refs.hash())?;
        self.fetch(address, scratch, &["+refs/*:refs/*"], false)?;
        let name = match (name.strip_prefix("HEAD"), refs.head()) {
            (Some(rest), Some(head)) => format!("{}{rest}", head.as_str()),
            _ => name.to_owned(),
        };
        let mut command = self.in_folder(address, scratch)?;
        command.args(["rev-parse", "--quiet", "--verify", "--end-of-options"]);
        command.arg(format!("{name}^{{commit}}"));
        match self.run(address, "rev-parse", &mut command, None, MAX_ANSWER) {
            Ok(answer) => Ok(Commit::parse(answer.trim())),
            Err(GitError::Failed { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Puts the files of a commit and of its submodules into `folder`, which is empty or was given
    /// to [`Self::resolve`]. They stand beside git's own folder `.git`.
    ///
    /// # Errors
    /// There is no git, no answer, no such commit, or too much.
    pub fn check_out(
        &self,
        address: &Address,
        commit: &Commit,
        folder: &Path,
    ) -> Result<(), GitError> {
        let name = commit.as_str();
        if !folder.join(".git").exists() {
            self.begin(address, folder, commit.hash())?;
        }
        if !self.has(address, commit, folder)? {
            // Not every server gives a commit by its name, or a history in part.
            let shallow = self.fetch(address, folder, &[name], true);
            if shallow.is_err() || !self.has(address, commit, folder)? {
                match shallow {
                    Err(error @ GitError::Failed { .. }) if error.is_transient() => {
                        return Err(error);
                    }
                    Err(GitError::Failed { .. }) | Ok(()) => {}
                    Err(error) => return Err(error),
                }
                self.fetch(address, folder, &["+refs/*:refs/*"], false)?;
            }
        }
        if !self.has(address, commit, folder)? {
            let revision = Revision::Commit(commit.clone()).shown();
            return Err(GitError::NoRevision { address: address.shown(), revision });
        }
        let mut command = self.in_folder(address, folder)?;
        command.args(["checkout", "--quiet", "--force", "--detach", name, "--"]);
        self.run(address, "checkout", &mut command, Some(folder), MAX_ANSWER)?;
        self.submodules(address, folder)
    }

    /// Makes an empty repository whose commits are named by this hash, in git's words.
    fn begin(&self, address: &Address, folder: &Path, hash: &str) -> Result<(), GitError> {
        let failed = |error| GitError::io(&address.shown(), "making a folder", &error);
        fs::create_dir_all(folder).map_err(failed)?;
        let mut command = self.command(address)?;
        // Git before 2.29 has no other hash than the usual one, nor a flag for it.
        command.env("GIT_DEFAULT_HASH", hash);
        command.args(["init", "--quiet", "--template=", "--"]).arg(folder);
        self.run(address, "init", &mut command, None, MAX_ANSWER)?;
        // Addresses of submodules may be relative to it.
        let mut command = self.in_folder(address, folder)?;
        command.args(["config", "remote.origin.url", address.as_str()]);
        self.run(address, "config", &mut command, None, MAX_ANSWER).map(drop)
    }

    fn fetch(
        &self,
        address: &Address,
        folder: &Path,
        refs: &[&str],
        is_shallow: bool,
    ) -> Result<(), GitError> {
        let mut command = self.in_folder(address, folder)?;
        command.args(["fetch", "--quiet", "--no-tags", "--no-recurse-submodules"]);
        command.arg("--update-head-ok");
        if is_shallow {
            command.arg("--depth=1");
        }
        command.args(["--", address.as_str()]).args(refs);
        self.run_remote(address, "fetch", &mut command, Some(folder), MAX_ANSWER).map(drop)
    }

    fn has(&self, address: &Address, commit: &Commit, folder: &Path) -> Result<bool, GitError> {
        let mut command = self.in_folder(address, folder)?;
        command.args(["cat-file", "-e", &format!("{}^{{tree}}", commit.as_str())]);
        match self.run(address, "cat-file", &mut command, None, MAX_ANSWER) {
            Ok(_) => Ok(true),
            Err(GitError::Failed { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn submodules(&self, address: &Address, folder: &Path) -> Result<(), GitError> {
        let listed = fs::symlink_metadata(folder.join(".gitmodules"));
        // Git refuses a list that is a link; without one there are no submodules.
        if !listed.is_ok_and(|status| status.is_file()) {
            return Ok(());
        }
        let mut command = self.in_folder(address, folder)?;
        command.args(["submodule", "--quiet", "update", "--init", "--recursive"]);
        command.args(["--checkout", "--force"]);
        self.run_remote(address, "submodule update", &mut command, Some(folder), MAX_ANSWER)
            .map(drop)
    }

    /// Returns a command that works in the repository of `folder`, and in no other.
    fn in_folder(
        &self,
        address: &Address,
        folder: &Path,
    ) -> Result<std::process::Command, GitError> {
        let mut command = self.command(address)?;
        let ceiling: PathBuf = folder.parent().unwrap_or(folder).to_owned();
        command.env("GIT_CEILING_DIRECTORIES", ceiling).arg("-C").arg(folder);
        Ok(command)
    }
}
