//! Projects without a lockfile: what is in `node_modules` stays where it fits, as with npm.

use dx_pkg_testkit::{Project, ProjectBuilder, Registry};
use serde_json::json;

use crate::harness::{command, ok, required};

fn registry() -> Registry {
    let registry = Registry::start();
    registry.package("b", "1.0.0").publish();
    registry.package("y", "1.0.0").publish();
    registry.package("user", "1.0.0").dep("b", "^1.0.0").dep("deep", "1").publish();
    registry.package("deep", "1.0.0").publish();
    registry
}

fn project(registry: &Registry) -> ProjectBuilder {
    Project::new(registry).dep("b", "^1.0.0").dep("y", "1").dep("user", "1")
}

/// Publishes newer versions of what projects have installed.
fn publish(registry: &Registry) {
    registry.package("b", "1.1.0").publish();
    registry.package("deep", "1.1.0").publish();
    registry.package("new", "1.0.0").dep("deep", "1").publish();
}

#[test]
fn changes_leave_what_is_installed() {
    let registry = registry();
    let project = project(&registry).npmrc("package-lock=false").create();
    ok(&project, ["install"]);
    publish(&registry);
    for words in [["remove", "y"], ["add", "new"], ["install", "--prefer-online"]] {
        ok(&project, words);
        assert_eq!(required(&project, "b"), "b@1.0.0", "{words:?}");
        assert_eq!(required(&project, "deep"), "deep@1.0.0", "{words:?}");
    }
    assert!(!project.exists("node_modules/y") && !project.exists("package-lock.json"));
    assert_eq!(required(&project, "new"), "new@1.0.0");
    ok(&project, ["update", "b", "--prefer-online"]);
    assert_eq!(required(&project, "b"), "b@1.1.0");
    assert_eq!(required(&project, "deep"), "deep@1.0.0");
    ok(&project, ["update", "--prefer-online"]);
    assert_eq!(required(&project, "deep"), "deep@1.1.0");
}

#[test]
fn a_lost_lockfile_is_written_for_what_is_there() {
    let registry = registry();
    let project = project(&registry).create();
    ok(&project, ["install"]);
    let lockfile = project.read("package-lock.json");
    publish(&registry);
    project.remove("package-lock.json");
    ok(&project, ["install", "--prefer-online"]);
    assert_eq!(project.read("package-lock.json"), lockfile);
    // Something is missing, and something is another package than the record says.
    project.remove("package-lock.json");
    std::fs::remove_dir_all(project.path().join("node_modules/deep")).unwrap();
    project.write("node_modules/b/package.json", r#"{"name": "b", "version": "0.9.0"}"#);
    ok(&project, ["install", "--prefer-online"]);
    assert_eq!(required(&project, "b"), "b@1.1.0");
    assert_eq!(required(&project, "deep"), "deep@1.1.0");
    ok(&project, ["ci"]);
    // Without a tree there is nothing to start from.
    project.remove("package-lock.json");
    std::fs::remove_dir_all(project.path().join("node_modules")).unwrap();
    ok(&project, ["install", "--prefer-online"]);
    assert_eq!(required(&project, "b"), "b@1.1.0");
}

#[test]
fn a_lockfile_that_is_not_read_holds_nothing_back() {
    let registry = registry();
    let project = project(&registry).create();
    ok(&project, ["install"]);
    let lockfile = project.read("package-lock.json");
    publish(&registry);
    ok(&project, ["remove", "y", "--no-package-lock", "--prefer-online"]);
    assert_eq!(required(&project, "b"), "b@1.1.0");
    assert_eq!(required(&project, "deep"), "deep@1.1.0");
    assert_eq!(project.read("package-lock.json"), lockfile);
}

#[test]
fn workspaces_keep_their_own_packages() {
    let registry = registry();
    registry.package("b", "2.0.0").publish();
    let project = Project::new(&registry)
        .field("workspaces", json!(["w1", "w2"]))
        .dep("lib", "file:lib")
        .file("lib/package.json", r#"{"name": "lib", "dependencies": {"deep": "1"}}"#)
        .file("w1/package.json", r#"{"name": "w1", "dependencies": {"b": "2", "user": "1"}}"#)
        .file("w2/package.json", r#"{"name": "w2", "dependencies": {"b": "1", "w1": "*"}}"#)
        .create();
    ok(&project, ["install"]);
    let (lockfile, before) = (project.read("package-lock.json"), project.installed());
    publish(&registry);
    project.remove("package-lock.json");
    ok(&project, ["install", "--prefer-online"]);
    assert_eq!(project.read("package-lock.json"), lockfile);
    assert_eq!(project.installed(), before);
    project.remove("package-lock.json");
    command(&project).args(["remove", "b", "-w", "w1", "--prefer-online"]).run().success();
    assert_eq!(required(&project, "deep"), "deep@1.0.0");
}
