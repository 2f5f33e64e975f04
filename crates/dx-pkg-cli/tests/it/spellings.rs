//! Every spelling of a repository and of a tarball through its life: installed, kept while its
//! server changes, served without it, updated, and refused where something else comes.

use dx_pkg_testkit::{Fault, Project, Registry};

use crate::git::{Daemon, Repositories, allowed};
use crate::harness::{command, dx, fails, locked, ok};

fn version(version: &str) -> String {
    format!(r#"{{"name":"g","version":"{version}"}}"#)
}

/// Commits a version of the package, and of one in a folder; returns the commit.
fn commit(repositories: &Repositories, number: &str) -> String {
    let (own, inner) = (version(number), version(&format!("{number}-inner")));
    repositories.commit("r", &[("package.json", &own), ("packages/s/package.json", &inner)])
}

fn installed(project: &Project) -> String {
    project.json("node_modules/g/package.json")["version"].as_str().unwrap().to_owned()
}

#[test]
fn every_spelling_of_a_repository_lives_without_its_server_and_is_updated() {
    let registry = Registry::start();
    // The spelling after the address, what it is at first, and what an update makes of it.
    let spellings = |first: &str| {
        [
            (String::new(), "1.0.0", "1.1.0"),
            ("#main".to_owned(), "1.0.0", "1.1.0"),
            ("#refs/heads/main".to_owned(), "1.0.0", "1.1.0"),
            ("#semver:^1.0.0".to_owned(), "1.0.0", "1.1.0"),
            ("#main::path:packages/s".to_owned(), "1.0.0-inner", "1.1.0-inner"),
            ("#main&path:packages/s".to_owned(), "1.0.0-inner", "1.1.0-inner"),
            ("#path:packages/s".to_owned(), "1.0.0-inner", "1.1.0-inner"),
            ("#semver:^1::path:packages/s".to_owned(), "1.0.0-inner", "1.1.0-inner"),
            ("#v1.0.0".to_owned(), "1.0.0", "1.0.0"),
            (format!("#{first}"), "1.0.0", "1.0.0"),
            (format!("#{}", &first[..8]), "1.0.0", "1.0.0"),
        ]
    };
    let repositories = Repositories::new();
    let first = commit(&repositories, "1.0.0");
    repositories.git("r", &["tag", "v1.0.0"]);
    let daemon = Daemon::start(&repositories.path(""));
    let address = daemon.url("r/.git");
    let projects: Vec<_> = spellings(&first)
        .into_iter()
        .map(|(spelling, before, after)| {
            let spec = format!("{address}{spelling}");
            let project = allowed(&registry).dep("g", &spec).create();
            ok(&project, ["install"]);
            assert_eq!(installed(&project), before, "{spelling}");
            (spelling, project, before, after)
        })
        .collect();
    let second = commit(&repositories, "1.1.0");
    repositories.git("r", &["tag", "-a", "v1.1.0", "-m", "x"]);
    for (spelling, project, before, after) in &projects {
        let lock = project.read("package-lock.json");
        project.remove("node_modules");
        ok(project, ["install"]);
        assert_eq!(installed(project), *before, "{spelling}: what is locked stays");
        assert_eq!(project.read("package-lock.json"), lock, "{spelling}");
        ok(project, ["update"]);
        assert_eq!(installed(project), *after, "{spelling}");
        let held = locked(project, "node_modules/g")["resolved"].as_str().unwrap().to_owned();
        let expected = if before == after { &first } else { &second };
        assert!(held.contains(expected.as_str()), "{spelling}: {held}");
        assert_eq!(held.contains("path:packages/s"), spelling.contains("path:"), "{held}");
    }
    drop(daemon);
    for (spelling, project, _, after) in &projects {
        let lock = project.read("package-lock.json");
        for way in ["ci", "install"] {
            project.remove("node_modules");
            ok(project, [way]);
            assert_eq!(installed(project), *after, "{spelling} {way}");
            assert_eq!(project.read("package-lock.json"), lock, "{spelling} {way}");
        }
        let empty = tempfile::tempdir().unwrap();
        project.remove("node_modules");
        let run = command(project).args(["ci"]).env("DX_STORE", empty.path()).run();
        fails(run, "DX_GIT_FAILED");
        assert!(!project.exists("node_modules/g"), "{spelling}");
    }
}

#[test]
fn commit_that_is_not_there_is_refused_for_every_spelling() {
    let registry = Registry::start();
    let repositories = Repositories::new();
    let first = commit(&repositories, "1.0.0");
    repositories.git("r", &["tag", "v1.0.0"]);
    let daemon = Daemon::start(&repositories.path(""));
    let address = daemon.url("r/.git");
    for spelling in ["", "#main", "#v1.0.0", "#semver:^1", "#main::path:packages/s"] {
        let project = allowed(&registry).dep("g", &format!("{address}{spelling}")).create();
        ok(&project, ["install", "--package-lock-only"]);
        let lock = project.read("package-lock.json").replace(&first, &"1".repeat(40));
        project.write("package-lock.json", &lock);
        let empty = tempfile::tempdir().unwrap();
        for way in ["ci", "install"] {
            let run = command(&project).args([way]).env("DX_STORE", empty.path()).run();
            fails(run, "DX_GIT_NO_REVISION");
            assert!(!project.exists("node_modules/g"), "{spelling} {way}");
            assert_eq!(project.read("package-lock.json"), lock, "{spelling} {way}");
        }
    }
}

/// Publishes `lib` as its first version with another content.
fn publish(server: &Registry, says: &str) {
    server.unpublish("lib", "1.0.0");
    server.package("lib", "1.0.0").file("says", says).publish();
}

#[test]
fn every_spelling_of_an_address_is_kept_served_without_its_server_and_refused_when_it_changes() {
    let registry = Registry::start();
    let spellings = ["", "?download=1", "#readme", "?token=abc#readme", "redirect", "credentials"];
    for spelling in spellings {
        let (server, other) = (Registry::start(), Registry::start());
        let served = if spelling == "redirect" { &other } else { &server };
        served.package("lib", "1.0.0").file("says", "first").publish();
        let mut base = server.url().trim_end_matches('/').to_owned();
        let mut end = spelling;
        match spelling {
            "redirect" => {
                server.fault("/lib/-/*", Fault::Redirect(other.url().to_owned())).every(1);
                end = "";
            }
            "credentials" => {
                // user:secret
                server.require_authorization("Basic dXNlcjpzZWNyZXQ=");
                base = base.replace("http://", "http://user:secret@");
                end = "";
            }
            _ => {}
        }
        let url = format!("{base}/lib/-/lib-1.0.0.tgz{end}");
        let project =
            Project::new(&registry).user_npmrc("allow-remote=root").dep("lib", &url).create();
        ok(&project, ["install"]);
        let lock = project.read("package-lock.json");
        assert!(lock.contains(&served.integrity("lib", "1.0.0")), "{spelling}");
        // Other bytes, which nobody asked for.
        publish(served, "second");
        let empty = tempfile::tempdir().unwrap();
        for way in ["ci", "install"] {
            project.remove("node_modules");
            let run = command(&project).args([way]).env("DX_STORE", empty.path()).run();
            project.write("node_modules/.keep", "");
            fails(run, "DX_INTEGRITY_MISMATCH");
            assert!(!project.exists("node_modules/lib"), "{spelling} {way}");
            assert_eq!(project.read("package-lock.json"), lock, "{spelling} {way}");
        }
        server.stop();
        other.stop();
        for way in ["ci", "install"] {
            project.remove("node_modules");
            ok(&project, [way]);
            assert_eq!(project.read("node_modules/lib/says"), "first", "{spelling} {way}");
            assert_eq!(project.read("package-lock.json"), lock, "{spelling} {way}");
        }
        assert_eq!(dx(&project, ["install"]).stdout, "Already up to date\n", "{spelling}");
    }
}
