//! The user's own git, for the commit and the tag of a version: with hooks, signatures and settings
//! as the user has them.

use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Stdio};

use dx_pkg_compat::npmrc::Config;

use super::VersionError;
use crate::AuthorError;
use crate::script::Told;

/// Runs git in a folder, and returns its output.
fn git(folder: &Path, words: &[&str]) -> Result<String, VersionError> {
    match started(folder, words) {
        Ok(output) => Ok(output?),
        Err(error) => Err(failed(words, error.to_string())),
    }
}

fn failed(words: &[&str], message: String) -> VersionError {
    let command = words.first().copied().unwrap_or_default().to_owned();
    VersionError::Git { command, message }
}

/// Runs git; the outer error is that it cannot be started.
fn started(folder: &Path, words: &[&str]) -> std::io::Result<Result<String, VersionError>> {
    let output = Command::new("git")
        .arg("--no-replace-objects")
        .args(words)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()?;
    if output.status.success() {
        return Ok(Ok(String::from_utf8_lossy(&output.stdout).into_owned()));
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.trim();
    let message = if said.is_empty() { output.status.to_string() } else { said.to_owned() };
    Ok(Err(failed(words, message)))
}

/// Returns the last tag that may be a version.
pub(super) fn last_tag(folder: &Path) -> Result<String, VersionError> {
    let found = git(folder, &["describe", "--tags", "--abbrev=0", "--match=*.*.*"])?;
    Ok(found.trim().to_owned())
}

/// Returns whether git can be used in a repository.
///
/// # Errors
/// It has changes that are not committed, unless they are to be passed over.
pub(super) fn is_ready(folder: &Path, force: bool, told: &dyn Told) -> Result<bool, VersionError> {
    let status = match started(folder, &["status", "--porcelain=v1", "-uno"]) {
        Ok(status) => status?,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            told.warning("there is no git command, so no commit and no tag is made");
            return Ok(false);
        }
        Err(error) => return Err(failed(&["status"], error.to_string())),
    };
    if status.trim().is_empty() {
        return Ok(true);
    }
    if !force {
        return Err(VersionError::NotClean);
    }
    told.warning("the git repository has changes that are not committed");
    Ok(true)
}

/// Commits the files of a version, and tags the commit.
pub(super) fn record(
    folder: &Path,
    version: &str,
    lockfiles: &[&str],
    config: &Config,
) -> Result<(), AuthorError> {
    let same = config.allow_same_version()?;
    let message = config.message()?.replace("%s", version);
    git(folder, &["add", "package.json"])?;
    for lockfile in lockfiles {
        // It may be ignored.
        let _ = git(folder, &["add", lockfile]);
    }
    let mut commit = vec!["commit"];
    if !config.commit_hooks()? {
        commit.push("-n");
    }
    if same {
        commit.push("--allow-empty");
    }
    if config.sign_git_commit()? {
        commit.push("-S");
    }
    commit.extend(["-m", &message]);
    git(folder, &commit)?;
    let signed = if config.sign_git_tag()? { "s" } else { "" };
    let flags = format!("-{signed}{}m", if same { "f" } else { "" });
    let tag = format!("{}{version}", config.tag_version_prefix()?);
    // A prefix is the project's, and may look like an option.
    git(folder, &["tag", &flags, &message, "--", &tag])?;
    Ok(())
}
