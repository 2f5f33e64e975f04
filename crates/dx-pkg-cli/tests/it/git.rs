//! Dependencies on git repositories: real ones, on this machine and from `git daemon`.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use dx_pkg_testkit::{Project, ProjectBuilder, Registry};

use crate::harness::{command, dx, fails, locked, ok};

/// Repositories in a folder of their own.
pub(crate) struct Repositories(tempfile::TempDir);

impl Repositories {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn git(&self, name: &str, arguments: &[&str]) -> String {
        let settings = ["user.name=a", "user.email=a@b", "protocol.file.allow=always"];
        let mut command = Command::new("git");
        for setting in settings {
            command.args(["-c", setting]);
        }
        let run = command.arg("-C").arg(self.path(name)).args(arguments).output().unwrap();
        assert!(run.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&run.stderr));
        String::from_utf8(run.stdout).unwrap().trim().to_owned()
    }

    /// Commits these files; returns the commit.
    pub(crate) fn commit(&self, name: &str, files: &[(&str, &str)]) -> String {
        if !self.path(name).exists() {
            fs::create_dir_all(self.path(name)).unwrap();
            self.git(name, &["init", "-q", "-b", "main"]);
        }
        for (path, text) in files {
            let file = self.path(name).join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        self.git(name, &["add", "-A"]);
        self.git(name, &["commit", "-q", "--allow-empty", "-m", "x"]);
        self.git(name, &["rev-parse", "HEAD"])
    }

    pub(crate) fn url(&self, name: &str) -> String {
        format!("git+file://{}", self.path(name).display())
    }
}

pub(crate) fn allowed(registry: &Registry) -> ProjectBuilder {
    // A package is built without the project's own settings.
    Project::new(registry).user_npmrc("allow-git=all").user_npmrc("registry=http:[HOST]")
}

pub(crate) const MANIFEST: &str =
    r#"{"name":"g","version":"1.0.0","dependencies":{"a":"^1"},"bin":"cli.js"}"#;

pub(crate) fn registry() -> Registry {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    registry.package("b", "1.0.0").publish();
    registry
}

#[test]
fn commit_is_installed_locked_and_needs_no_git_again() {
    let (registry, repositories) = (registry(), Repositories::new());
    let files = [
        ("package.json", MANIFEST),
        ("cli.js", "#!/usr/bin/env node\n"),
        (".npmignore", "x"),
        ("x", ""),
    ];
    let commit = repositories.commit("r", &files);
    let url = repositories.url("r");
    let project = allowed(&registry).dep("g", &url).create();
    ok(&project, ["install"]);
    let entry = locked(&project, "node_modules/g");
    assert_eq!(entry["resolved"], format!("{url}#{commit}"));
    assert_eq!(entry["version"], "1.0.0");
    assert!(entry["integrity"].is_null(), "as with npm, the commit says it all");
    assert!(project.exists("node_modules/.bin/g") && project.exists("node_modules/a"));
    assert!(!project.exists("node_modules/g/x") && !project.exists("node_modules/g/.git"));
    let lock = project.read("package-lock.json");
    fs::rename(repositories.path("r"), repositories.path("gone")).unwrap();
    assert_eq!(ok(&project, ["install"]).stdout, "Already up to date\n");
    for way in ["install", "ci"] {
        project.remove("node_modules");
        // Without the program too.
        let run = command(&project).args([way, "--offline"]).env("PATH", "/nowhere").run();
        assert!(project.exists("node_modules/g/cli.js"), "{way}: {run}");
        assert_eq!(project.read("package-lock.json"), lock, "{way}");
    }
    ok(&project, ["add", "b"]);
    assert!(project.exists("node_modules/g/cli.js") && project.exists("node_modules/b"));
    ok(&project, ["remove", "g"]);
    assert!(!project.exists("node_modules/g") && !project.exists("node_modules/a"));
}

#[test]
fn every_selector_finds_its_commit() {
    let (registry, repositories) = (registry(), Repositories::new());
    let version = |version: &str| format!(r#"{{"name":"g","version":"{version}"}}"#);
    let first = repositories.commit("r", &[("package.json", &version("1.0.0"))]);
    repositories.git("r", &["tag", "v1.0.0"]);
    let sub = [("package.json", version("1.1.0")), ("packages/s/package.json", version("7.0.0"))];
    let sub = sub.each_ref().map(|(path, text)| (*path, text.as_str()));
    repositories.commit("r", &sub);
    repositories.git("r", &["tag", "-a", "v1.1.0", "-m", "x"]);
    repositories.commit("r", &[("package.json", &version("2.0.0"))]);
    let url = repositories.url("r");
    for (selector, expected) in [
        ("", "2.0.0"),
        ("#main", "2.0.0"),
        ("#v1.0.0", "1.0.0"),
        (&format!("#{}", &first[..8]), "1.0.0"),
        (&format!("#{first}"), "1.0.0"),
        ("#semver:^1.0.0", "1.1.0"),
        ("#path:packages/s", "7.0.0"),
        ("#main::path:packages/s", "7.0.0"),
        ("#main&path:/packages/s", "7.0.0"),
        ("#semver:1.1.0::path:packages/s", "7.0.0"),
    ] {
        let project = allowed(&registry).dep("g", &format!("{url}{selector}")).create();
        ok(&project, ["install"]);
        let manifest = project.json("node_modules/g/package.json");
        assert_eq!(manifest["version"], expected, "{selector}");
        let resolved = locked(&project, "node_modules/g")["resolved"].as_str().unwrap().to_owned();
        let path = selector.find("path:").map(|at| &selector[at..]);
        assert_eq!(path, resolved.find("path:").map(|at| &resolved[at..]), "{selector}");
        project.remove("node_modules");
        ok(&project, ["ci"]);
        assert_eq!(project.json("node_modules/g/package.json")["version"], expected, "{selector}");
    }
}

#[test]
fn entry_of_npm_without_the_folder_keeps_its_commit() {
    let (registry, repositories) = (registry(), Repositories::new());
    let version = |version: &str| format!(r#"{{"name":"g","version":"{version}"}}"#);
    let files =
        |number: &str| [("package.json", version("1.0.0")), ("s/package.json", version(number))];
    let commit = |number: &str| {
        let files = files(number);
        repositories.commit("r", &files.each_ref().map(|(path, text)| (*path, text.as_str())))
    };
    let first = commit("7.0.0");
    let spec = format!("{}#main::path:s", repositories.url("r"));
    let project = allowed(&registry).dep("g", &spec).create();
    ok(&project, ["install"]);
    let with_folder = project.read("package-lock.json");
    commit("8.0.0");
    let npms = with_folder.replace(&format!("{first}::path:s"), &first);
    assert_ne!(npms, with_folder);
    project.write("package-lock.json", &npms);
    project.remove("node_modules");
    fails(dx(&project, ["ci"]), "DX_LOCKFILE_OUT_OF_DATE");
    ok(&project, ["install"]);
    assert_eq!(project.read("package-lock.json"), with_folder);
    assert_eq!(project.json("node_modules/g/package.json")["version"], "7.0.0");
}

#[test]
fn git_is_refused_unless_it_is_allowed() {
    let (registry, repositories) = (registry(), Repositories::new());
    repositories.commit("r", &[("package.json", MANIFEST)]);
    let url = repositories.url("r");
    registry.package("dep", "1.0.0").dep("g", &url).publish();
    let project = Project::new(&registry).dep("g", &url).create();
    let error = fails(dx(&project, ["install"]), "DX_SOURCE_NOT_ALLOWED");
    assert!(error.contains("allow-git=root"), "{error}");
    ok(&project, ["install", "--allow-git=root"]);
    project.remove("node_modules");
    fails(dx(&project, ["ci"]), "DX_SOURCE_NOT_ALLOWED");
    let indirect = Project::new(&registry).dep("dep", "1.0.0").create();
    fails(dx(&indirect, ["install", "--allow-git=root"]), "DX_SOURCE_NOT_ALLOWED");
    ok(&indirect, ["install", "--allow-git=all"]);
}

#[test]
fn added_repository_is_saved_under_its_own_name() {
    let (registry, repositories) = (registry(), Repositories::new());
    let first = repositories.commit("r", &[("package.json", MANIFEST)]);
    let project = allowed(&registry).create();
    let url = format!("{}#main", repositories.url("r"));
    ok(&project, ["add", &url]);
    assert_eq!(project.json("package.json")["dependencies"]["g"], url.as_str());
    let held = || locked(&project, "node_modules/g")["resolved"].as_str().unwrap().to_owned();
    assert!(held().ends_with(&first));
    // A branch moves where it is asked for again, not with every install.
    let second = repositories.commit("r", &[("x", "")]);
    ok(&project, ["install"]);
    assert!(held().ends_with(&first));
    ok(&project, ["add", &url]);
    assert!(held().ends_with(&second));
}

#[test]
fn commit_that_was_rewritten_is_an_error_that_changes_nothing() {
    let (registry, repositories) = (registry(), Repositories::new());
    repositories.commit("r", &[("package.json", MANIFEST)]);
    let project = allowed(&registry).dep("g", &repositories.url("r")).create();
    ok(&project, ["install", "--package-lock-only"]);
    let lock = project.read("package-lock.json");
    repositories.git("r", &["commit", "-q", "--amend", "-m", "other"]);
    repositories.git("r", &["reflog", "expire", "--expire=now", "--all"]);
    repositories.git("r", &["gc", "-q", "--prune=now"]);
    let store = tempfile::tempdir().unwrap();
    let run = command(&project).args(["ci"]).env("DX_STORE", store.path()).run();
    fails(run, "DX_GIT_NO_REVISION");
    assert_eq!(project.read("package-lock.json"), lock);
    assert!(!project.exists("node_modules/g"));
    // The store that has it still serves it.
    ok(&project, ["ci"]);
}

#[test]
fn package_is_built_only_where_its_scripts_are_allowed() {
    let (registry, repositories) = (registry(), Repositories::new());
    let manifest = r#"{"name":"g","version":"1.0.0","files":["dist"],"devDependencies":{"b":"^1"},
        "scripts":{"prepare":"mkdir -p dist && cp node_modules/b/package.json dist/b.json"}}"#;
    let commit = repositories.commit("r", &[("package.json", manifest)]);
    let url = repositories.url("r");
    let denied = allowed(&registry).dep("g", &url).create();
    let run = ok(&denied, ["install"]);
    assert!(run.stderr.contains("not run") && run.stderr.contains(&commit), "{}", run.stderr);
    assert!(!denied.exists("node_modules/g/dist"));
    for key in [url.clone(), format!("{url}#{}", &commit[..7])] {
        let rules = serde_json::json!({ key: true });
        let project = allowed(&registry).dep("g", &url).field("allowScripts", rules).create();
        let run = ok(&project, ["install"]);
        assert!(project.exists("node_modules/g/dist/b.json"), "{run}");
        assert!(!project.exists("node_modules/b"), "what it was built with is not the project's");
        assert!(!run.stderr.contains("not run"), "{}", run.stderr);
        let ignored = ok(&project, ["ci", "--ignore-scripts"]);
        assert!(!project.exists("node_modules/g/dist"), "{ignored}");
    }
    let other = serde_json::json!({ format!("{url}#0000000"): true });
    let project = allowed(&registry).dep("g", &url).field("allowScripts", other).create();
    ok(&project, ["install"]);
    assert!(!project.exists("node_modules/g/dist"));
}

#[test]
fn failing_build_is_an_error_that_leaves_nothing() {
    let (registry, repositories) = (registry(), Repositories::new());
    let manifest = r#"{"name":"g","version":"1.0.0","scripts":{"prepare":"exit 7"}}"#;
    repositories.commit("r", &[("package.json", manifest)]);
    let url = repositories.url("r");
    let rules = serde_json::json!({ url.clone(): true });
    let project = allowed(&registry).dep("g", &url).field("allowScripts", rules).create();
    let error = dx(&project, ["install"]).failure().stderr;
    assert!(error.contains("prepare") && error.contains('7'), "{error}");
    assert!(!project.exists("node_modules/g") && !project.exists("package-lock.json"));
}

#[test]
fn submodules_belong_to_the_package() {
    let (registry, repositories) = (registry(), Repositories::new());
    repositories.commit("inner", &[("inner.js", "1")]);
    repositories.commit("r", &[("package.json", MANIFEST)]);
    repositories.git("r", &["submodule", "-q", "add", "../inner", "lib"]);
    repositories.commit("r", &[]);
    let project = allowed(&registry).dep("g", &repositories.url("r")).create();
    ok(&project, ["install"]);
    assert!(project.exists("node_modules/g/lib/inner.js"));
    assert!(!project.exists("node_modules/g/lib/.git"));
}

#[test]
fn what_is_no_package_is_an_error() {
    let (registry, repositories) = (registry(), Repositories::new());
    repositories.commit("r", &[("a/b.js", "1")]);
    std::os::unix::fs::symlink("/etc", repositories.path("r").join("etc")).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", repositories.path("r").join("a/package.json"))
        .unwrap();
    repositories.commit("r", &[]);
    for (selector, code) in [
        ("", "DX_GIT_NO_PACKAGE"),
        ("#path:a", "DX_GIT_NO_PACKAGE"),
        ("#path:etc", "DX_GIT_NO_PACKAGE"),
        ("#path:.git", "DX_GIT_NO_PACKAGE"),
        ("#path:../x", "DX_BAD_SPEC"),
        ("#none", "DX_GIT_NO_REVISION"),
        ("#semver:^9", "DX_GIT_NO_REVISION"),
        ("#--upload-pack=touch x", "DX_BAD_SPEC"),
    ] {
        let spec = format!("{}{selector}", repositories.url("r"));
        let project = allowed(&registry).dep("g", &spec).create();
        fails(dx(&project, ["install"]), code);
    }
}

#[test]
fn commits_may_be_named_by_the_longer_hash() {
    let (registry, repositories) = (registry(), Repositories::new());
    fs::create_dir_all(repositories.path("r")).unwrap();
    repositories.git("r", &["init", "-q", "-b", "main", "--object-format=sha256"]);
    let commit = repositories.commit("r", &[("package.json", MANIFEST)]);
    assert_eq!(commit.len(), 64);
    repositories.commit("r", &[("x", "")]);
    let url = repositories.url("r");
    for selector in ["#main~1", &format!("#{commit}"), &format!("#{}", &commit[..9])] {
        let project = allowed(&registry).dep("g", &format!("{url}{selector}")).create();
        let store = tempfile::tempdir().unwrap();
        let run = command(&project).args(["install"]).env("DX_STORE", store.path()).run();
        let resolved = locked(&project, "node_modules/g")["resolved"].clone();
        assert_eq!(resolved, format!("{url}#{commit}"), "{run}");
        assert!(project.exists("node_modules/g/package.json"), "{selector}: {run}");
        project.remove("node_modules");
        ok(&project, ["ci"]);
    }
    // The hash that is usual for the user does not matter.
    repositories.commit("short", &[("package.json", MANIFEST)]);
    let project = allowed(&registry).dep("g", &repositories.url("short")).create();
    command(&project).args(["install"]).env("GIT_DEFAULT_HASH", "sha256").run();
    assert!(project.exists("node_modules/g/package.json"));
}

#[test]
fn without_git_the_error_says_so() {
    let (registry, repositories) = (registry(), Repositories::new());
    repositories.commit("r", &[("package.json", MANIFEST)]);
    let project = allowed(&registry).dep("g", &repositories.url("r")).create();
    let run = command(&project).args(["install"]).env("PATH", "/nowhere").run();
    fails(run, "DX_NO_GIT");
}

#[test]
fn hosted_shortcut_is_fetched_by_https_and_locked_as_ssh() {
    let (registry, repositories) = (registry(), Repositories::new());
    let commit = repositories.commit("u/g.git", &[("package.json", MANIFEST)]);
    let daemon = Daemon::start(repositories.0.path());
    let project = allowed(&registry).create();
    // The site, as this user's git reaches it.
    let site = dx_site();
    let config = format!("[url \"{}\"]\n\tinsteadOf = https://{site}/\n", daemon.url(""));
    fs::write(project.home().join(".gitconfig"), config).unwrap();
    ok(&project, ["add", "u/g#main"]);
    assert_eq!(project.json("package.json")["dependencies"]["g"], "github:u/g#main");
    let resolved = locked(&project, "node_modules/g")["resolved"].clone();
    assert_eq!(resolved, format!("git+ssh://git@{site}/u/g.git#{commit}"));
    project.remove("node_modules");
    drop(daemon);
    ok(&project, ["ci"]);
    assert!(project.exists("node_modules/g/package.json"));
}

/// The host of the site that `user/repository` is on.
fn dx_site() -> &'static str {
    "github.com"
}

/// `git daemon` for the repositories of a folder.
pub(crate) struct Daemon {
    process: Child,
    port: u16,
}

impl Daemon {
    pub(crate) fn start(folder: &Path) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let base = format!("--base-path={}", folder.display());
        let process = Command::new("git")
            .args(["daemon", "--export-all", "--listen=127.0.0.1", "--reuseaddr", &base])
            .arg(format!("--port={port}"))
            .process_group(0)
            .spawn()
            .unwrap();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { process, port }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("git://127.0.0.1:{}/{path}", self.port)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It serves from a process of its own.
        let group = format!("-{}", self.process.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.process.wait();
    }
}
