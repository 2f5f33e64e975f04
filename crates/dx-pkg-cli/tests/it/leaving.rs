//! `dx uninstall --self` removes the store and the links to dx, and nothing else.

use std::fs;

use dx_pkg_testkit::{Project, Registry, Run};
use serde_json::{Value, json};

use crate::harness::{command, dx, ok};

/// A project with one package installed, whose store is the usual one of its home.
fn installed() -> (Registry, Project) {
    let registry = Registry::start();
    registry.package("a", "1.0.0").file("index.js", "1").publish();
    let project = Project::new(&registry).field("name", "p").dep("a", "1.0.0").create();
    let store = project.home().join(".local/share/dx/store");
    own(&project, &["install"]).success();
    assert!(store.join("v1/packages").is_dir());
    (registry, project)
}

#[test]
fn links_are_the_users_wherever_the_store_is() {
    let (_registry, project) = installed();
    let elsewhere = project.path().join("elsewhere/store");
    command(&project).args(["shims"]).env("DX_STORE", &elsewhere).run().success();
    assert!(project.home().join(".local/share/dx/shims/npm").exists());
    assert!(!project.exists("elsewhere/shims"));
}

fn own(project: &Project, words: &[&str]) -> Run {
    command(project).args(words).env("DX_STORE", "").run()
}

#[test]
fn store_and_links_go_and_nothing_else() {
    let (_registry, project) = installed();
    let data = project.home().join(".local/share/dx");
    own(&project, &["shims"]).success();
    assert!(data.join("shims/npm").exists());
    let bin = project.path().join("bin");
    own(&project, &["shims", "bin", "--tool", "npm"]).success();
    fs::write(bin.join("pnpm"), "mine").unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let run =
        |words: &[&str]| command(&project).args(words).env("DX_STORE", "").env("PATH", &path).run();

    let asked = run(&["uninstall", "--self"]);
    assert_eq!(asked.status, Some(1));
    assert!(asked.stderr.contains("DX_UNINSTALL_NOT_AGREED"), "{asked}");
    let shown = run(&["uninstall", "--self", "--dry-run"]).success();
    assert!(shown.stdout.contains("Would remove:"), "{shown}");
    assert!(data.join("store/v1/packages").is_dir() && bin.join("npm").exists());

    let removed = run(&["uninstall", "--self", "--yes", "--json"]).success();
    let fields: Value = serde_json::from_str(&removed.stdout).unwrap();
    assert_eq!(fields["removed"], json!(true));
    assert_eq!(fields["stores"], json!([data.join("store/v1")]));
    assert_eq!(fields["shims"].as_array().unwrap().len(), 6, "{removed}");
    assert!(!data.exists(), "{:?}", fs::read_dir(&data).map(Iterator::count));
    assert_eq!(fs::read_to_string(bin.join("pnpm")).unwrap(), "mine");
    assert!(!bin.join("npm").exists());
    assert_eq!(project.read("node_modules/a/index.js"), "1");

    let again = run(&["uninstall", "--self", "--yes"]).success();
    assert!(again.stdout.contains("There is no store"), "{again}");
    own(&project, &["ci"]).success();
}

#[test]
fn folder_with_something_else_in_it_is_left_alone() {
    let (_registry, project) = installed();
    let v1 = project.home().join(".local/share/dx/store/v1");
    fs::write(v1.join("thesis.txt"), "mine").unwrap();
    let run = own(&project, &["uninstall", "--self", "--yes"]);
    assert_eq!(run.status, Some(1));
    assert!(run.stderr.contains("DX_UNINSTALL_FOREIGN"), "{run}");
    assert!(run.stderr.contains("thesis.txt"), "{run}");
    assert!(v1.join("packages").is_dir());
}

#[test]
fn folder_that_the_user_named_for_the_store_stays() {
    let (_registry, project) = installed();
    let store = project.path().join("cache");
    let run = |words: &[&str]| command(&project).args(words).env("DX_STORE", &store).run();
    run(&["ci"]).success();
    fs::write(store.join("notes"), "mine").unwrap();
    run(&["uninstall", "--self", "--yes"]).success();
    assert!(!store.join("v1").exists());
    assert_eq!(fs::read_to_string(store.join("notes")).unwrap(), "mine");
    assert!(project.home().join(".local/share/dx/store/v1").exists());
}

#[test]
fn packages_cannot_be_named_beside_it() {
    let project = Project::offline().field("name", "p").create();
    let run = dx(&project, ["uninstall", "--self", "a"]);
    assert_eq!(run.status, Some(2), "{run}");
    let run = dx(&project, ["uninstall"]);
    assert!(run.status == Some(2) && run.stderr.contains("DX_NOTHING_NAMED"), "{run}");
    ok(&project, ["uninstall", "--self", "--dry-run"]);
}
