//! `bundleDependencies` in every form, in the project and in a workspace, as npm 12.2 records it.

use dx_pkg_testkit::{Project, Registry};
use serde_json::{Value, json};

use crate::harness::ok;

/// Each form with what the lockfile has.
fn forms() -> Vec<(Value, Option<Value>)> {
    vec![
        (json!(true), Some(json!(["a"]))),
        (json!(false), None),
        (json!(["a"]), Some(json!(["a"]))),
        (json!({ "a": "1" }), Some(json!(["a"]))),
        (json!(["a", "ghost"]), Some(json!(["a", "ghost"]))),
        (json!({ "ghost": true }), Some(json!(["ghost"]))),
        (json!([]), None),
        (json!("a"), None),
        (Value::Null, None),
    ]
}

#[test]
fn forms_of_the_project_are_those_of_npm() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    for field in ["bundleDependencies", "bundledDependencies"] {
        for (form, expected) in forms() {
            let project = Project::new(&registry).dep("a", "1.0.0").field(field, form.clone());
            let project = project.create();
            ok(&project, ["install"]);
            let lock = project.json("package-lock.json");
            let found = lock["packages"][""].get("bundleDependencies");
            assert_eq!(found, expected.as_ref(), "{field} {form}");
            let is_bundled = expected.is_some_and(|names| names[0] == "a");
            let entry = lock["packages"]["node_modules/a"].get("inBundle");
            assert_eq!(entry, is_bundled.then_some(&json!(true)), "{field} {form}");
            assert!(project.exists("node_modules/a/package.json"), "{field} {form}");
            let before = project.read("package-lock.json");
            ok(&project, ["ci"]);
            assert_eq!(project.read("package-lock.json"), before);
        }
    }
}

#[test]
fn forms_of_a_workspace_bundle_nothing_in_the_tree() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    for (form, expected) in forms() {
        let workspace = json!({
            "name": "w", "version": "1.0.0", "dependencies": { "a": "1.0.0" },
            "bundleDependencies": form,
        });
        let project = Project::new(&registry)
            .field("workspaces", json!(["w"]))
            .file("w/package.json", workspace.to_string())
            .create();
        ok(&project, ["install"]);
        let lock = project.json("package-lock.json");
        let found = lock["packages"]["w"].get("bundleDependencies");
        assert_eq!(found, expected.as_ref(), "{form}");
        assert_eq!(lock["packages"]["node_modules/a"].get("inBundle"), None, "{form}");
        assert!(project.exists("node_modules/a/package.json"), "{form}");
    }
}

#[test]
fn bundle_dependencies_win_over_the_other_spelling() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let project = Project::new(&registry)
        .dep("a", "1.0.0")
        .field("bundleDependencies", json!(false))
        .field("bundledDependencies", json!(["a"]))
        .create();
    ok(&project, ["install"]);
    let lock = project.json("package-lock.json");
    assert_eq!(lock["packages"][""].get("bundleDependencies"), None);
}
