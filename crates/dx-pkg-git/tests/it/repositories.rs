use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use dx_pkg_core::{Coded, Range};
use dx_pkg_git::{Address, Commit, Git, GitError, GitOptions, Revision};

pub(crate) fn options() -> GitOptions {
    GitOptions {
        patience: Duration::from_secs(60),
        max_bytes: 1 << 30,
        max_files: 10_000,
        delays: Vec::new(),
    }
}

/// Runs git in a folder as a user would.
pub(crate) fn git(folder: &Path, arguments: &[&str]) -> String {
    let user = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "protocol.file.allow=always"];
    let run = Command::new("git").args(user).arg("-C").arg(folder).args(arguments).output();
    let run = run.unwrap();
    assert!(run.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8(run.stdout).unwrap().trim().to_owned()
}

/// Makes a repository with these files in its first commit.
pub(crate) fn repository(folder: &Path, files: &[(&str, &str)]) -> String {
    fs::create_dir_all(folder).unwrap();
    git(folder, &["init", "-q", "-b", "main"]);
    commit(folder, files)
}

pub(crate) fn commit(folder: &Path, files: &[(&str, &str)]) -> String {
    for (path, text) in files {
        let file = folder.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    git(folder, &["add", "-A"]);
    git(folder, &["commit", "-q", "--allow-empty", "-m", "x"]);
    git(folder, &["rev-parse", "HEAD"])
}

pub(crate) fn address(folder: &Path) -> Address {
    Address::parse(&format!("file://{}", folder.display())).unwrap()
}

pub(crate) struct Checked {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) commit: Commit,
}

impl Checked {
    pub(crate) fn read(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.path().join(path)).ok()
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("tree")
    }
}

pub(crate) fn check_out(address: &Address, revision: &Revision) -> Result<Checked, GitError> {
    let folder = tempfile::tempdir().unwrap();
    let git = Git::new(options(), &|| false);
    let tree = folder.path().join("tree");
    let commit = git.resolve(address, revision, &tree)?;
    git.check_out(address, &commit, &tree)?;
    Ok(Checked { folder, commit })
}

fn named(name: &str) -> Revision {
    Revision::Named(name.to_owned())
}

#[test]
fn every_kind_of_revision_is_found_and_checked_out() {
    let folder = tempfile::tempdir().unwrap();
    let first = repository(folder.path(), &[("a", "1")]);
    git(folder.path(), &["tag", "-a", "v1.0.0", "-m", "x"]);
    let second = commit(folder.path(), &[("a", "2")]);
    git(folder.path(), &["tag", "v1.1.0"]);
    git(folder.path(), &["branch", "feature/x", &first]);
    git(folder.path(), &["update-ref", "refs/pull/7/head", &first]);
    let third = commit(folder.path(), &[("a", "3")]);
    let address = address(folder.path());
    let version = |range: &str| Revision::Version(Range::parse(range).unwrap(), range.to_owned());
    let whole = |name: &str| Revision::Commit(Commit::parse(name).unwrap());
    for (revision, expected) in [
        (Revision::Head, &third),
        (named("main"), &third),
        (named("v1.0.0"), &first),
        (named("feature/x"), &first),
        (named("pull/7"), &first),
        (named(&second[..9]), &second),
        (named("main~1"), &second),
        (named("HEAD~2"), &first),
        (whole(&second), &second),
        (named(&first), &first),
        (version("^1.0.0"), &second),
        (version("1.0.x"), &first),
    ] {
        let checked = check_out(&address, &revision).unwrap();
        assert_eq!(checked.commit.as_str(), expected, "{revision:?}");
        let number = [&first, &second, &third].iter().position(|one| *one == expected).unwrap();
        assert_eq!(checked.read("a").unwrap(), (number + 1).to_string(), "{revision:?}");
    }
    for revision in [named("none"), version("^2"), whole(&"0".repeat(40)), named("--upload-pack=x")]
    {
        let error = check_out(&address, &revision).map(drop).unwrap_err();
        assert_eq!(error.code(), "DX_GIT_NO_REVISION", "{revision:?}: {error}");
    }
}

#[test]
fn submodules_are_checked_out_with_theirs() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    repository(&at("inner"), &[("c", "inner")]);
    repository(&at("middle"), &[("b", "middle")]);
    git(&at("middle"), &["submodule", "-q", "add", "../inner", "deep"]);
    commit(&at("middle"), &[]);
    repository(&at("outer"), &[("a", "outer")]);
    git(&at("outer"), &["submodule", "-q", "add", "../middle", "lib"]);
    commit(&at("outer"), &[]);
    let checked = check_out(&address(&at("outer")), &Revision::Head).unwrap();
    assert_eq!(checked.read("lib/b").unwrap(), "middle");
    assert_eq!(checked.read("lib/deep/c").unwrap(), "inner");
}

#[test]
fn repository_that_is_not_there_is_an_error_of_git() {
    let error = check_out(&address(Path::new("/nowhere/x")), &Revision::Head).map(drop);
    let error = error.unwrap_err();
    assert_eq!(error.code(), "DX_GIT_FAILED");
    assert!(error.to_string().contains("/nowhere/x"), "{error}");
}
