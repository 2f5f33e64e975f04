//! Workspaces, and folders that are dependencies.

use std::fs;

use dx_pkg_testkit::{Project, ProjectBuilder, Registry};
use serde_json::json;

use crate::harness::{command, dx, fails, files, locked, locked_version, ok, required};

fn registry() -> Registry {
    let registry = Registry::start();
    registry.package("b", "1.0.0").publish();
    registry.package("b", "2.0.0").publish();
    registry
}

fn monorepo(registry: &Registry) -> ProjectBuilder {
    Project::new(registry)
        .field("workspaces", json!(["packages/*"]))
        .file(
            "packages/one/package.json",
            r#"{"name":"one","version":"1.0.0","dependencies":{"two":"^1.0.0","b":"1"}}"#,
        )
        .file(
            "packages/one/index.js",
            "module.exports = 'one, ' + require('two') + ', ' + require('b')",
        )
        .file(
            "packages/two/package.json",
            r#"{"name":"@s/two","version":"1.5.0","dependencies":{"b":"2"}}"#,
        )
        .file("packages/two/index.js", "module.exports = 'two, ' + require('b')")
}

#[test]
fn workspaces_are_linked_and_find_each_other() {
    let registry = registry();
    let project = monorepo(&registry)
        .file(
            "packages/two/package.json",
            r#"{"name":"two","version":"1.5.0","dependencies":{"b":"2"}}"#,
        )
        .create();
    ok(&project, ["install"]);
    for name in ["one", "two"] {
        let link = project.path().join("node_modules").join(name);
        let target = fs::canonicalize(&link).unwrap();
        assert_eq!(target, project.path().join("packages").join(name));
        assert!(link.is_symlink());
        assert_eq!(
            locked(&project, &format!("node_modules/{name}")),
            json!({"resolved": format!("packages/{name}"), "link": true})
        );
    }
    assert_eq!(required(&project, "one"), "one, two, b@2.0.0, b@1.0.0");
    // The version that conflicts with the hoisted one is in its workspace.
    assert_eq!(locked_version(&project, "node_modules/b"), "1.0.0");
    assert_eq!(locked_version(&project, "packages/two/node_modules/b"), "2.0.0");
    assert_eq!(registry.metadata_requests(), 1, "workspaces are not asked for");
}

#[test]
fn second_install_of_a_monorepo_is_up_to_date() {
    let registry = registry();
    let project = monorepo(&registry)
        .file(
            "packages/two/package.json",
            r#"{"name":"two","version":"1.5.0","dependencies":{"b":"2"}}"#,
        )
        .create();
    ok(&project, ["install"]);
    assert_eq!(ok(&project, ["install"]).stdout, "Already up to date\n");
    project.remove("packages/two/node_modules");
    ok(&project, ["install"]);
    assert_eq!(required(&project, "one"), "one, two, b@2.0.0, b@1.0.0");
    ok(&project, ["ci"]);
    assert_eq!(required(&project, "one"), "one, two, b@2.0.0, b@1.0.0");
}

#[test]
fn new_workspace_is_noticed() {
    let registry = registry();
    let project = monorepo(&registry)
        .file("packages/two/package.json", r#"{"name":"two","version":"1.5.0"}"#)
        .create();
    ok(&project, ["install"]);
    project.write("packages/three/package.json", r#"{"name":"three","version":"1.0.0"}"#);
    ok(&project, ["install"]);
    assert!(project.path().join("node_modules/three").is_symlink());
    project.remove("packages/three");
    ok(&project, ["install"]);
    assert!(!project.exists("node_modules/three"));
    assert!(locked(&project, "node_modules/three").is_null());
}

#[test]
fn install_in_a_workspace_installs_what_it_needs() {
    let registry = registry();
    let project = monorepo(&registry)
        .file(
            "packages/two/package.json",
            r#"{"name":"two","version":"1.5.0","dependencies":{"b":"2"}}"#,
        )
        .create();
    command(&project)
        .current_dir(&project.path().join("packages/one"))
        .args(["install"])
        .run()
        .success();
    assert!(
        project.exists("package-lock.json") && !project.exists("packages/one/package-lock.json")
    );
    assert_eq!(required(&project, "one"), "one, two, b@2.0.0, b@1.0.0");
}

#[test]
fn workspaces_are_locked_as_npm_does_also_the_second_time() {
    let registry = registry();
    let project = monorepo(&registry)
        .file(
            "packages/two/package.json",
            r#"{"name":"two","version":"1.5.0","dependencies":{"b":"2"}}"#,
        )
        .create();
    ok(&project, ["install"]);
    let one =
        json!({"name": "one", "version": "1.0.0", "dependencies": {"two": "^1.0.0", "b": "1"}});
    assert_eq!(without_name(locked(&project, "packages/one")), without_name(one));
    let lock = project.read("package-lock.json");
    project.remove("node_modules/.dx/state");
    ok(&project, ["install"]);
    assert_eq!(project.read("package-lock.json"), lock);
}

/// Removes the name, which npm writes only if it is not the folder's.
fn without_name(mut entry: serde_json::Value) -> serde_json::Value {
    entry.as_object_mut().unwrap().remove("name");
    entry
}

#[test]
fn scripts_of_workspaces_run_as_the_projects_own() {
    let registry = registry();
    let note = |event: &str| format!(r#""{event}":"echo {event} >> ran""#);
    let scripts = ["postinstall", "prepare", "preinstall", "test"].map(note).join(",");
    let manifest = format!(r#"{{"name":"two","version":"1.0.0","scripts":{{{scripts}}}}}"#);
    let project = monorepo(&registry).file("packages/two/package.json", manifest).create();
    let run = ok(&project, ["install"]);
    assert_eq!(run.stderr, "", "nothing was passed over");
    assert_eq!(project.read("packages/two/ran"), "preinstall\nprepare\npostinstall\n");
    ok(&project, ["install", "--ignore-scripts", "b"]);
    assert_eq!(project.read("packages/two/ran"), "preinstall\nprepare\npostinstall\n");
}

#[test]
fn workspaces_of_one_name_are_refused() {
    let registry = registry();
    let project =
        monorepo(&registry).file("packages/three/package.json", r#"{"name":"one"}"#).create();
    let run = dx(&project, ["install"]);
    assert_eq!(run.status, Some(1), "{run}");
    assert!(!project.exists("node_modules"));
}

#[test]
fn folder_dependency_is_linked() {
    let registry = registry();
    let project = Project::new(&registry)
        .dep("lib", "file:./lib")
        .file("lib/package.json", r#"{"name":"lib","version":"0.1.0","dependencies":{"b":"^1"}}"#)
        .file("lib/index.js", "module.exports = 'lib, ' + require('b')")
        .create();
    ok(&project, ["install"]);
    assert!(project.path().join("node_modules/lib").is_symlink());
    assert_eq!(required(&project, "lib"), "lib, b@1.0.0");
    assert_eq!(locked(&project, "node_modules/lib"), json!({"resolved": "lib", "link": true}));
    assert_eq!(locked(&project, "lib"), json!({"version": "0.1.0", "dependencies": {"b": "^1"}}));
    ok(&project, ["ci"]);
    assert_eq!(required(&project, "lib"), "lib, b@1.0.0");
}

#[test]
fn changed_manifest_of_a_linked_folder_is_noticed() {
    let registry = registry();
    let project = Project::new(&registry)
        .dep("lib", "file:lib")
        .file("lib/package.json", r#"{"name":"lib","version":"0.1.0"}"#)
        .create();
    ok(&project, ["install"]);
    project
        .write("lib/package.json", r#"{"name":"lib","version":"0.1.0","dependencies":{"b":"^1"}}"#);
    ok(&project, ["install"]);
    assert_eq!(required(&project, "b"), "b@1.0.0");
}

#[test]
fn folder_that_is_not_there_is_an_error() {
    let registry = registry();
    let project = Project::new(&registry).dep("lib", "file:lib").create();
    let before = files(&project);
    fails(dx(&project, ["install"]), "DX_NO_FOLDER");
    assert_eq!(files(&project), before);
}
