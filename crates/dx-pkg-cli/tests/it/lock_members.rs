//! Members of lockfile entries, as npm writes them.

use dx_pkg_testkit::{Project, Registry};
use serde_json::{Value, json};

use crate::harness::{locked, ok};

/// The members of an entry that every package has.
const USUAL: [&str; 3] = ["version", "resolved", "integrity"];

fn members(project: &Project, path: &str) -> Value {
    let mut entry = locked(project, path);
    let members = entry.as_object_mut().unwrap();
    members.retain(|key, _| !USUAL.contains(&key.as_str()));
    entry
}

#[test]
fn unusual_values_are_copied_as_they_are() {
    for (fields, expected) in [
        (json!({ "workspaces": ["website"] }), json!({ "workspaces": ["website"] })),
        (json!({ "workspaces": { "packages": [] } }), json!({ "workspaces": { "packages": [] } })),
        (json!({ "workspaces": [] }), json!({})),
        (
            json!({ "acceptDependencies": { "b": "1" } }),
            json!({ "acceptDependencies": { "b": "1" } }),
        ),
        (json!({ "license": ["MIT", "BSD"] }), json!({ "license": ["MIT", "BSD"] })),
        (json!({ "license": { "url": "u" } }), json!({ "license": { "url": "u" } })),
        (json!({ "license": { "type": ["MIT"] } }), json!({ "license": ["MIT"] })),
        (json!({ "license": true }), json!({ "license": true })),
        (json!({ "license": [] }), json!({})),
        (json!({ "deprecated": true }), json!({ "deprecated": true })),
        (json!({ "deprecated": ["no"] }), json!({ "deprecated": ["no"] })),
        (json!({ "deprecated": {} }), json!({})),
        (json!({ "funding": true }), json!({ "funding": true })),
        (json!({ "engines": "node >= 4" }), json!({ "engines": "node >= 4" })),
        (json!({ "engines": "" }), json!({})),
        (
            json!({ "engines": { "node": "*", "b": 1 } }),
            json!({ "engines": { "b": 1, "node": "*" } }),
        ),
        (json!({ "engines": ["a", { "b": 1 }] }), json!({ "engines": ["a", { "b": 1 }] })),
        (json!({ "os": "!win31" }), json!({ "os": "!win31" })),
        (json!({ "os": "" }), json!({})),
        (
            json!({ "peerDependenciesMeta": { "p": { "optional": true, "why": "x" } } }),
            json!({ "peerDependenciesMeta": { "p": { "optional": true, "why": "x" } } }),
        ),
        (
            json!({ "peerDependenciesMeta": { "p": {}, "r": { "optional": true } } }),
            json!({ "peerDependenciesMeta": { "p": {}, "r": { "optional": true } } }),
        ),
        (json!({ "_hasShrinkwrap": true }), json!({})),
    ] {
        let registry = Registry::start();
        let mut package = registry.package("odd", "1.0.0");
        for (key, value) in fields.as_object().unwrap() {
            package = package.field(key, value.clone());
        }
        package.publish();
        registry.package("b", "1.0.0").publish();
        for flag in ["--package-lock-only", "--ignore-scripts"] {
            let project = Project::new(&registry).dep("odd", "1").create();
            ok(&project, ["install", flag]);
            assert_eq!(members(&project, "node_modules/odd"), expected, "{flag} {fields}");
            let before = locked(&project, "node_modules/odd");
            ok(&project, ["install", "b", flag]);
            assert_eq!(locked(&project, "node_modules/odd"), before, "{flag} {fields}");
            ok(&project, ["ci"]);
        }
    }
}

#[test]
fn projects_own_unusual_values_are_copied_too() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let own = json!({
        "acceptDependencies": { "a": "1" }, "deprecated": true, "license": ["MIT"],
        "peerDependenciesMeta": { "p": {} }, "os": "!win31", "devDependencies": {},
    });
    let mut project = Project::new(&registry).dep("a", "1").field("workspaces", json!(["w"]));
    for (key, value) in own.as_object().unwrap() {
        project = project.field(key, value.clone());
    }
    let mut workspace = own.clone();
    workspace["name"] = "w".into();
    let project = project.file("w/package.json", workspace.to_string()).create();
    ok(&project, ["install"]);
    for path in ["", "w"] {
        let entry = locked(&project, path);
        for (key, value) in own.as_object().unwrap() {
            assert_eq!(&entry[key], value, "{path:?} {key}");
        }
    }
}

#[test]
fn empty_dev_dependencies_stay_when_a_package_is_added() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    registry.package("b", "1.0.0").publish();
    let project =
        Project::new(&registry).dep("a", "1").field("devDependencies", json!({})).create();
    ok(&project, ["install"]);
    assert_eq!(locked(&project, "")["devDependencies"], json!({}));
    ok(&project, ["install", "b"]);
    assert_eq!(locked(&project, "")["devDependencies"], json!({}));
    assert!(locked(&project, "node_modules/a")["devDependencies"].is_null());
}

#[test]
fn empty_version_is_left_out() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let project = Project::new(&registry)
        .package_json(r#"{ "name": "x", "version": "", "dependencies": { "a": "1" } }"#)
        .create();
    ok(&project, ["install"]);
    let lock = project.json("package-lock.json");
    assert!(lock["version"].is_null(), "{lock}");
    assert!(lock["packages"][""]["version"].is_null(), "{lock}");
}

#[test]
fn version_2_requires_what_overrides_ask_for() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").dep("b", "^1.0.0").publish();
    for version in ["1.0.0", "2.0.0"] {
        registry.package("b", version).publish();
    }
    registry.package("c", "1.0.0").publish();
    let project = Project::new(&registry)
        .dep("a", "1")
        .field("overrides", json!({ "b": "2.0.0" }))
        .file("package-lock.json", r#"{ "lockfileVersion": 2, "requires": true, "packages": {} }"#)
        .create();
    for args in [["install", "--ignore-scripts"], ["install", "c"]] {
        ok(&project, args);
        let lock = project.json("package-lock.json");
        assert_eq!(lock["lockfileVersion"], 2);
        assert_eq!(lock["dependencies"]["a"]["requires"], json!({ "b": "2.0.0" }));
        assert_eq!(locked(&project, "node_modules/a")["dependencies"], json!({ "b": "^1.0.0" }));
    }
}
