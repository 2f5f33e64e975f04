//! Git repositories on servers: `git daemon`, a bare repository in a folder, and smart HTTP with
//! redirects, credentials and failures.

use std::fs;
use std::path::Path;
use std::process::Command;

use dx_pkg_testkit::{Project, ProjectBuilder, Registry, Run};
use serde_json::json;

use crate::git::{Daemon, MANIFEST, Repositories, allowed, registry};
use crate::harness::{command, dx, fails, locked, ok};

mod http;

use http::{Behaviour, HttpServer};

/// `user:secret` in base64.
const SECRET: &str = "dXNlcjpzZWNyZXQ=";

const OTHER: &str = r#"{"name":"g","version":"2.0.0"}"#;

/// Makes the bare repository `r.git` of one commit; returns the commit.
fn bare(repositories: &Repositories) -> String {
    let commit = repositories.commit("r", &[("package.json", MANIFEST), ("cli.js", "")]);
    repositories.git("r", &["clone", "-q", "--bare", ".", "../r.git"]);
    commit
}

/// Adds a commit to the bare repository; returns it.
fn push(repositories: &Repositories) -> String {
    let commit = repositories.commit("r", &[("package.json", OTHER)]);
    repositories.git("r", &["push", "-q", "../r.git", "main"]);
    commit
}

fn held(project: &Project) -> String {
    locked(project, "node_modules/g")["resolved"].as_str().unwrap().to_owned()
}

/// Runs a command with a store that has nothing.
fn with_empty_store<const N: usize>(project: &Project, arguments: [&str; N]) -> Run {
    let store = tempfile::tempdir().unwrap();
    command(project).args(arguments).env("DX_STORE", store.path()).run()
}

/// Returns what every kind of server must serve: an install, another one while it is gone, and a
/// new commit where it is asked for.
fn lives_with(repositories: &Repositories, first: &str, url: &str, stop: impl FnOnce()) {
    let registry = registry();
    let project = allowed(&registry).dep("g", url).create();
    ok(&project, ["install"]);
    assert_eq!(held(&project), format!("{url}#{first}"));
    assert!(project.exists("node_modules/.bin/g") && project.exists("node_modules/a"));
    let second = push(repositories);
    project.remove("node_modules");
    ok(&project, ["install"]);
    assert_eq!(held(&project), format!("{url}#{first}"), "a lockfile stays as it is");
    ok(&project, ["add", url]);
    assert_eq!(held(&project), format!("{url}#{second}"));
    assert_eq!(project.json("node_modules/g/package.json")["version"], "2.0.0");
    let lock = project.read("package-lock.json");
    stop();
    for way in ["install", "ci"] {
        project.remove("node_modules");
        ok(&project, [way]);
        assert_eq!(project.json("node_modules/g/package.json")["version"], "2.0.0", "{way}");
        assert_eq!(project.read("package-lock.json"), lock, "{way}");
    }
    project.remove("node_modules");
    let error = fails(with_empty_store(&project, ["ci"]), "DX_GIT_FAILED");
    assert!(error.contains("g@"), "{error}");
    assert!(!project.exists("node_modules/g") && project.read("package-lock.json") == lock);
}

#[test]
fn daemon_serves_installs_and_updates() {
    let repositories = Repositories::new();
    let first = bare(&repositories);
    let daemon = Daemon::start(&repositories.path(""));
    let url = daemon.url("r.git");
    lives_with(&repositories, &first, &url, move || drop(daemon));
}

#[test]
fn bare_repository_in_a_folder_serves_installs_and_updates() {
    let repositories = Repositories::new();
    let first = bare(&repositories);
    let url = repositories.url("r.git");
    let gone = || fs::rename(repositories.path("r.git"), repositories.path("gone")).unwrap();
    lives_with(&repositories, &first, &url, gone);
}

#[test]
fn smart_http_serves_installs_and_updates() {
    let repositories = Repositories::new();
    let first = bare(&repositories);
    let server = HttpServer::start(&repositories.path(""), Behaviour::default());
    let url = server.url("r.git");
    lives_with(&repositories, &first, &url, || server.refuse(usize::MAX, 404));
}

#[test]
fn redirect_is_followed_and_the_address_stays_as_written() {
    let (registry, repositories) = (registry(), Repositories::new());
    let commit = bare(&repositories);
    let server = HttpServer::start(&repositories.path(""), Behaviour::default());
    let redirect = Behaviour { redirect: Some(server.base()), ..Behaviour::default() };
    let old = HttpServer::start(&repositories.path(""), redirect);
    let project = allowed(&registry).dep("g", &old.url("r.git")).create();
    ok(&project, ["install"]);
    assert_eq!(held(&project), format!("{}#{commit}", old.url("r.git")));
    assert!(!server.requests().is_empty());
    // To itself for ever.
    let round = HttpServer::start(&repositories.path(""), Behaviour::default());
    let redirect = Some(round.base());
    let round =
        HttpServer::start(&repositories.path(""), Behaviour { redirect, ..Behaviour::default() });
    let project = allowed(&registry).dep("g", &round.url("none.git")).create();
    fails(dx(&project, ["install"]), "DX_GIT_FAILED");
}

/// A project that requires `g` from a server that wants credentials.
fn secured() -> (Repositories, HttpServer, Registry, ProjectBuilder) {
    let repositories = Repositories::new();
    bare(&repositories);
    let behaviour = Behaviour { authorization: Some(SECRET), ..Behaviour::default() };
    let server = HttpServer::start(&repositories.path(""), behaviour);
    let registry = registry();
    let project = allowed(&registry).dep("g", &server.url("r.git"));
    (repositories, server, registry, project)
}

#[test]
fn credentials_come_from_the_users_helper() {
    let (_repositories, server, _registry, project) = secured();
    let project = project.create();
    let helper =
        "[credential]\n\thelper = \"!f() { echo username=user; echo password=secret; }; f\"\n";
    fs::write(project.home().join(".gitconfig"), helper).unwrap();
    ok(&project, ["install"]);
    assert!(project.exists("node_modules/g/cli.js"));
    let text = project.read("package-lock.json") + &project.read("node_modules/.package-lock.json");
    assert!(!text.contains("secret"), "{text}");
    assert!(server.requests().iter().any(|(_, has_credentials)| *has_credentials));
}

#[test]
fn without_credentials_the_error_says_what_is_missing_and_nothing_is_asked() {
    let (_repositories, server, _registry, project) = secured();
    let project = project.create();
    // A program that would ask in a window.
    let run = command(&project).args(["install"]).env("SSH_ASKPASS", "/bin/false").run();
    let error = fails(run, "DX_GIT_FAILED");
    assert!(error.contains("could not read Username"), "{error}");
    assert!(error.contains("credential helper"), "{error}");
    assert!(!project.exists("node_modules") && !project.exists("package-lock.json"));
    // Refused for good: once for the branch, and not again.
    assert_eq!(server.requests().len(), 1, "{:?}", server.requests());
    // The wrong ones.
    let helper = "[credential]\n\thelper = \"!f() { echo username=user; echo password=x; }; f\"\n";
    fs::write(project.home().join(".gitconfig"), helper).unwrap();
    let error = fails(dx(&project, ["install"]), "DX_GIT_FAILED");
    assert!(error.contains("Authentication failed"), "{error}");
}

#[test]
fn credentials_in_the_address_are_used_and_not_shown() {
    let (_repositories, server, registry, _) = secured();
    let with = |name: &str| {
        let url = format!("git+http://user:secret@127.0.0.1:{}/{name}", server.port());
        allowed(&registry).dep("g", &url).create()
    };
    ok(&with("r.git"), ["install"]);
    let error = fails(dx(&with("none.git"), ["install"]), "DX_GIT_FAILED");
    assert!(!error.contains("secret"), "{error}");
}

#[test]
fn failure_that_may_pass_is_tried_again() {
    let (registry, repositories) = (registry(), Repositories::new());
    bare(&repositories);
    let refusals = |times, status| {
        let refusals = (times, status);
        HttpServer::start(&repositories.path(""), Behaviour { refusals, ..Behaviour::default() })
    };
    for status in [500, 502, 503, 429] {
        let server = refusals(2, status);
        let project = allowed(&registry).dep("g", &server.url("r.git")).create();
        ok(&project, ["install"]);
        assert!(project.exists("node_modules/g/cli.js"), "{status}");
    }
    for (status, retries, tries) in [(503, "2", 3), (503, "0", 1), (503, "9", 3), (404, "2", 1)] {
        let server = refusals(usize::MAX, status);
        let project = allowed(&registry).dep("g", &server.url("r.git")).create();
        let run = command(&project).args(["install", "--fetch-retries", retries]).run();
        fails(run, "DX_GIT_FAILED");
        assert_eq!(server.requests().len(), tries, "{status}: {:?}", server.requests());
        assert!(!project.exists("node_modules") && !project.exists("package-lock.json"));
    }
}

#[test]
fn other_revision_of_a_requirement_is_looked_up_and_the_same_one_is_not() {
    let (registry, repositories) = (registry(), Repositories::new());
    let first = bare(&repositories);
    repositories.git("r", &["push", "-q", "../r.git", "main:old", "main:older"]);
    let second = push(&repositories);
    let server = HttpServer::start(&repositories.path(""), Behaviour::default());
    let url = server.url("r.git");
    let project = allowed(&registry).dep("g", &format!("{url}#old")).create();
    let requires = |section: &str, spec: &str| {
        let manifest = json!({"name": "p", section: {"g": spec}});
        project.write("package.json", manifest.to_string());
    };
    ok(&project, ["install"]);
    assert_eq!(held(&project), format!("{url}#{first}"));
    for (section, selector, expected) in [
        ("dependencies", "#main", &second),
        ("devDependencies", "#older", &first),
        ("devDependencies", "", &second),
        ("dependencies", &format!("#{first}"), &first),
        ("optionalDependencies", "#main", &second),
    ] {
        requires(section, &format!("{url}{selector}"));
        ok(&project, ["install"]);
        assert_eq!(&held(&project), &format!("{url}#{expected}"), "{selector}");
        // What the lockfile says counts from then on.
        let before = server.requests().len();
        project.remove("node_modules");
        ok(&project, ["ci"]);
        let again = ok(&project, ["install"]);
        assert!(again.stdout.starts_with("Already up to date"), "{again}");
        assert_eq!(server.requests().len(), before, "{selector}");
    }
    // Nothing stands for a branch that was never looked up.
    requires("dependencies", &format!("{url}#older"));
    let lock = project.read("package-lock.json");
    let error = fails(dx(&project, ["install", "--offline"]), "DX_OFFLINE");
    assert!(error.contains("older"), "{error}");
    assert_eq!(project.read("package-lock.json"), lock);
}

#[test]
fn commit_that_the_repository_does_not_have_is_refused() {
    let (registry, repositories) = (registry(), Repositories::new());
    let commit = bare(&repositories);
    let server = HttpServer::start(&repositories.path(""), Behaviour::default());
    let project = allowed(&registry).dep("g", &server.url("r.git")).create();
    ok(&project, ["install", "--package-lock-only"]);
    let lock = project.read("package-lock.json").replace(&commit, &"1".repeat(40));
    project.write("package-lock.json", &lock);
    for way in ["ci", "install"] {
        let error = fails(with_empty_store(&project, [way]), "DX_GIT_NO_REVISION");
        assert!(error.contains(&"1".repeat(40)), "{error}");
        assert!(!project.exists("node_modules/g"), "{way}");
        assert_eq!(project.read("package-lock.json"), lock, "{way}");
    }
}

#[test]
fn files_that_are_not_those_of_the_commit_are_refused() {
    let (registry, repositories) = (registry(), Repositories::new());
    let commit = bare(&repositories);
    let server = HttpServer::start(&repositories.path(""), Behaviour::default());
    let project = allowed(&registry).dep("g", &server.url("r.git")).create();
    ok(&project, ["install", "--package-lock-only"]);
    let lock = project.read("package-lock.json");
    // Another file in the place of one that the commit has, under the same name.
    let object = repositories.git("r", &["rev-parse", &format!("{commit}:package.json")]);
    repositories.commit("r", &[("evil", OTHER)]);
    let evil = repositories.git("r", &["rev-parse", "HEAD:evil"]);
    let loose = |repository: &str, name: &str| {
        repositories.path(repository).join("objects").join(&name[..2]).join(&name[2..])
    };
    unpack(&repositories.path("r.git"));
    let place = loose("r.git", &object);
    fs::remove_file(&place).unwrap();
    fs::copy(loose("r/.git", &evil), place).unwrap();
    fails(with_empty_store(&project, ["ci"]), "DX_GIT_FAILED");
    assert!(!project.exists("node_modules/g"));
    assert_eq!(project.read("package-lock.json"), lock);
}

/// Lets every object of a repository be a file of its own.
fn unpack(repository: &Path) {
    let packs = repository.join("objects/pack");
    for pack in fs::read_dir(&packs).into_iter().flatten().flatten() {
        if pack.path().extension().is_some_and(|extension| extension == "pack") {
            let moved = repository.join(pack.file_name());
            fs::rename(pack.path(), &moved).unwrap();
            let status = Command::new("git")
                .arg("-C")
                .arg(repository)
                .args(["unpack-objects", "-q"])
                .stdin(fs::File::open(&moved).unwrap())
                .status();
            assert!(status.unwrap().success());
        }
    }
}
