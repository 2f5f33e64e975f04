//! What is hostile runs nothing, and what does not end is ended.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use dx_pkg_core::Coded;
use dx_pkg_git::{Address, Git, GitOptions, Revision};

use crate::repositories::{address, check_out, git, options, repository};

#[test]
fn addresses_that_git_would_take_for_options_or_programs_are_refused() {
    for text in [
        "ext::sh -c touch% evil",
        "fd::17",
        "--upload-pack=touch evil",
        "-u",
        "ssh://-oProxyCommand=touch evil/x.git",
        "ssh://git@-oProxyCommand=x/y.git",
        "ssh://%2doProxyCommand=x/y.git",
        "git@-oProxyCommand=x:y.git",
        "ftp://127.0.0.1/x.git",
        "rsync://127.0.0.1/x.git",
        "https+ext://x",
        "file:///x\n[core]",
        "/tmp/x",
        "../x",
        "",
    ] {
        let error = Address::parse(text).map(drop).unwrap_err();
        assert_eq!(error.code(), "DX_GIT_ADDRESS", "{text:?}");
    }
    for text in ["https://h/x.git", "git@h:u/p.git", "ssh://git@h:22/x", "git://h/x", "file:///x"] {
        assert!(Address::parse(text).is_ok(), "{text}");
    }
}

#[test]
fn credentials_of_an_address_are_not_shown() {
    let address = Address::parse("https://user:SECRET@127.0.0.1:1/x.git").unwrap();
    let error = check_out(&address, &Revision::Head).map(drop).unwrap_err();
    assert!(!error.to_string().contains("SECRET"), "{error}");
    assert!(error.to_string().contains("127.0.0.1:1/x.git"), "{error}");
}

#[test]
fn hooks_filters_and_monitors_of_a_repository_are_not_run() {
    let folder = tempfile::tempdir().unwrap();
    let evil = folder.path().join("evil");
    let repo = folder.path().join("repo");
    let script = format!("touch {}", evil.display());
    repository(
        &repo,
        &[
            (".gitattributes", "* filter=evil diff=evil merge=evil\n*.lfs filter=lfs\n"),
            (".gitconfig", &format!("[core]\n\tfsmonitor = {script}\n\thooksPath = hooks\n")),
            ("hooks/post-checkout", &format!("#!/bin/sh\n{script}\n")),
            ("a.lfs", "version https://git-lfs.github.com/spec/v1\n"),
            ("a", "1"),
        ],
    );
    git(&repo, &["config", "filter.evil.smudge", &script]);
    git(&repo, &["config", "core.fsmonitor", &script]);
    git(&repo, &["config", "uploadpack.packObjectsHook", &script]);
    fs::write(repo.join(".git/hooks/post-checkout"), format!("#!/bin/sh\n{script}\n")).unwrap();
    let checked = check_out(&address(&repo), &Revision::Head).unwrap();
    assert_eq!(checked.read("a").unwrap(), "1");
    assert!(checked.read("a.lfs").unwrap().starts_with("version"));
    assert!(!evil.exists());
}

#[test]
fn hostile_submodules_run_nothing() {
    for (path, url) in [
        ("lib", "ext::sh -c 'touch EVIL'"),
        ("lib", "--upload-pack=touch EVIL"),
        ("-u./payload", "../inner"),
        ("lib", "ssh://-oProxyCommand=touch EVIL/x"),
        ("../../out", "../inner"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let evil = folder.path().join("evil");
        let inner = repository(&folder.path().join("inner"), &[("c", "inner")]);
        let repo = folder.path().join("repo");
        let url = url.replace("EVIL", &evil.display().to_string());
        let list = format!(
            "[submodule \"x\"]\n\tpath = {path}\n\turl = {url}\n\tupdate = !touch {}\n",
            evil.display()
        );
        repository(&repo, &[(".gitmodules", &list)]);
        let at = if path.starts_with(['-', '.']) { "lib" } else { path };
        git(&repo, &["update-index", "--add", "--cacheinfo", &format!("160000,{inner},{at}")]);
        git(&repo, &["commit", "-q", "-m", "x"]);
        let _ = check_out(&address(&repo), &Revision::Head);
        assert!(!evil.exists(), "{path} {url}");
        assert!(!folder.path().join("out").exists());
    }
}

#[test]
fn list_of_submodules_that_is_a_link_is_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let repo = folder.path().join("repo");
    repository(&repo, &[("a", "1")]);
    // Git itself adds no such link.
    let blob = git(&repo, &["hash-object", "-w", "a"]);
    let tree = repo.join("tree");
    fs::write(&tree, format!("100644 blob {blob}\ta\n120000 blob {blob}\t.gitmodules\n")).unwrap();
    let tree = mktree(&repo, &tree);
    let made = git(&repo, &["commit-tree", &tree, "-m", "x"]);
    git(&repo, &["update-ref", "refs/heads/main", &made]);
    // Newer versions of git refuse it altogether.
    if let Ok(checked) = check_out(&address(&repo), &Revision::Head) {
        assert_eq!(checked.read("a").unwrap(), "1");
    }
}

#[test]
fn git_that_hangs_is_killed_with_all_it_started() {
    // A server that takes the connection and says nothing.
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let address = Address::parse(&format!("git://127.0.0.1:{port}/x.git")).unwrap();
    let options = GitOptions { patience: Duration::from_millis(500), ..options() };
    let begun = Instant::now();
    let error = Git::new(options, &|| false).refs(&address).map(drop).unwrap_err();
    assert_eq!(error.code(), "DX_GIT_TIMED_OUT", "{error}");
    assert!(begun.elapsed() < Duration::from_secs(30));
}

#[test]
fn cancelled_command_ends_git() {
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let address = Address::parse(&format!("git://127.0.0.1:{port}/x.git")).unwrap();
    let error = Git::new(options(), &|| true).refs(&address).map(drop).unwrap_err();
    assert_eq!(error.code(), "DX_CANCELLED");
}

#[test]
fn files_on_this_machine_are_no_submodules_of_a_repository_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let inner = repository(&at("inner"), &[("secret", "1")]);
    let list =
        format!("[submodule \"x\"]\n\tpath = lib\n\turl = file://{}\n", at("inner").display());
    repository(&at("repo"), &[(".gitmodules", &list)]);
    git(&at("repo"), &["update-index", "--add", "--cacheinfo", &format!("160000,{inner},lib")]);
    git(&at("repo"), &["commit", "-q", "-m", "x"]);
    let daemon = Daemon::start(folder.path());
    let address = Address::parse(&daemon.url("repo")).unwrap();
    let error = check_out(&address, &Revision::Head).map(drop).unwrap_err();
    assert!(error.to_string().contains("not allowed"), "{error}");
}

fn mktree(repo: &Path, list: &Path) -> String {
    let list = fs::File::open(list).unwrap();
    let mut run = std::process::Command::new("git");
    let made = run.arg("-C").arg(repo).arg("mktree").stdin(list).output().unwrap();
    String::from_utf8(made.stdout).unwrap().trim().to_owned()
}

/// `git daemon` for the repositories of a folder.
pub(crate) struct Daemon {
    process: std::process::Child,
    port: u16,
}

impl Daemon {
    pub(crate) fn start(folder: &Path) -> Self {
        let port = {
            let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            free.local_addr().unwrap().port()
        };
        let mut command = std::process::Command::new("git");
        // It serves from a process of its own.
        dx_pkg_os::process::own_group(&mut command);
        let process = command
            .args(["daemon", "--export-all", "--listen=127.0.0.1", "--reuseaddr"])
            .arg(format!("--port={port}"))
            .arg(format!("--base-path={}", folder.display()))
            .spawn()
            .unwrap();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { process, port }
    }

    pub(crate) fn url(&self, name: &str) -> String {
        format!("git://127.0.0.1:{}/{name}", self.port)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        dx_pkg_os::process::kill_group(&mut self.process);
        let _ = self.process.wait();
    }
}
