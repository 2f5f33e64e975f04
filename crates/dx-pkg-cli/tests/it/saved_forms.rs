//! What `dx install <package>` and `dx remove` write for workspaces and for names that stand in
//! several sections.

use dx_pkg_testkit::{Project, Registry};
use serde_json::json;

use crate::harness::{locked, ok};

#[test]
fn a_workspace_is_saved_with_its_version_however_it_is_named() {
    let registry = Registry::start();
    registry.package("two", "1.0.0").publish();
    // The argument, and what npm 12 writes for it.
    for (argument, saved) in [
        ("two", "^3.0.0"),
        ("two@^3", "^3.0.0"),
        ("two@3.x", "^3.0.0"),
        ("./packages/two", "^3.0.0"),
        ("two@^1", "^3.0.0"),
    ] {
        let project = Project::new(&registry)
            .field("workspaces", json!(["packages/*"]))
            .file("packages/two/package.json", r#"{ "name": "two", "version": "3.0.0" }"#)
            .create();
        ok(&project, ["add", argument]);
        let dependencies = &project.json("package.json")["dependencies"];
        assert_eq!(*dependencies, json!({ "two": saved }), "{argument}");
        assert_eq!(locked(&project, "")["dependencies"], json!({ "two": saved }), "{argument}");
        let text = project.read("package-lock.json");
        project.remove("node_modules");
        ok(&project, ["ci"]);
        ok(&project, ["install"]);
        assert_eq!(project.read("package-lock.json"), text, "{argument}");
    }
}

#[test]
fn a_workspace_that_is_in_place_is_saved_with_its_version() {
    let registry = Registry::start();
    for argument in ["two", "./packages/two", "two@file:packages/two"] {
        let project = Project::new(&registry)
            .field("workspaces", json!(["packages/*"]))
            .file("packages/two/package.json", r#"{ "name": "two", "version": "3.0.0" }"#)
            .create();
        ok(&project, ["install"]);
        ok(&project, ["add", argument]);
        let dependencies = &project.json("package.json")["dependencies"];
        assert_eq!(*dependencies, json!({ "two": "^3.0.0" }), "{argument}");
        assert_eq!(locked(&project, "")["dependencies"], json!({ "two": "^3.0.0" }), "{argument}");
    }
}

#[test]
fn a_linked_folder_that_is_no_workspace_is_saved_by_its_path() {
    let registry = Registry::start();
    let project = Project::new(&registry)
        .file("lib/package.json", r#"{ "name": "lib", "version": "3.0.0" }"#)
        .create();
    ok(&project, ["add", "./lib"]);
    assert_eq!(project.json("package.json")["dependencies"], json!({ "lib": "file:lib" }));
}

#[test]
fn an_optional_dependency_leaves_dependencies_when_the_manifest_is_saved() {
    let registry = Registry::start();
    for name in ["a", "b", "c"] {
        registry.package(name, "1.0.0").publish();
    }
    for (arguments, left) in
        [(["add", "b"], json!({ "b": "^1.0.0", "c": "1" })), (["remove", "c"], json!(null))]
    {
        let project = Project::new(&registry)
            .dep("a", "1")
            .dep("c", "1")
            .field("optionalDependencies", json!({ "a": "^1.0.0" }))
            .create();
        ok(&project, arguments);
        let manifest = project.json("package.json");
        assert_eq!(manifest["dependencies"], left, "{manifest}");
        assert_eq!(manifest["optionalDependencies"], json!({ "a": "^1.0.0" }));
    }
}
