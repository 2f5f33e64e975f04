//! Values in manifests that are not as documented: the lockfile has them as npm writes them.

use dx_pkg_testkit::{Project, Registry};
use serde_json::{Value, json};

use crate::harness::{locked, ok};

/// A field, its value, the field of the lockfile's entry, and its value there.
type Case = (&'static str, Value, &'static str, Value);

fn cases() -> Vec<Case> {
    let same = |field: &'static str, value: Value| (field, value.clone(), field, value);
    let none = |field: &'static str, value: Value| (field, value, field, Value::Null);
    vec![
        same("license", json!(["MIT", "ISC"])),
        same("license", json!([{ "type": "MIT" }])),
        same("license", json!({ "name": "MIT" })),
        same("license", json!(5)),
        ("license", json!({ "type": "MIT", "url": "x" }), "license", json!("MIT")),
        none("license", json!("")),
        none("license", json!([])),
        ("licenses", json!([{ "type": "MIT" }]), "license", Value::Null),
        same("deprecated", json!(true)),
        same("deprecated", json!("use another")),
        none("deprecated", json!(false)),
        none("deprecated", json!("")),
        same("engines", json!(["node >= 0.4"])),
        same("engines", json!("node")),
        same("engines", json!({ "node": "*", "npm": 5 })),
        none("engines", json!([])),
        none("engines", json!({})),
        ("funding", json!("https://x.test"), "funding", json!({ "url": "https://x.test" })),
        same("funding", json!(["a", "b"])),
        same("funding", json!([{ "url": "u" }, "x"])),
        none("funding", json!([])),
        none("funding", json!("")),
        ("bin", json!(["x.js", "lib/y.js"]), "bin", json!({ "x.js": "x.js", "y.js": "lib/y.js" })),
        (
            "bin",
            json!({ "../e": "./x.js", "d": "../x.js" }),
            "bin",
            json!({ "d": "x.js", "e": "x.js" }),
        ),
        none("bin", json!({ "c": 5 })),
        none("bin", json!([])),
        same("os", json!("!plan9")),
        none("os", json!([])),
        same("workspaces", json!(["w"])),
        same("workspaces", json!({ "packages": ["w"] })),
    ]
}

#[test]
fn packages_of_a_registry_keep_odd_values() {
    let registry = Registry::start();
    let mut project = Project::new(&registry);
    for (place, (field, value, ..)) in cases().into_iter().enumerate() {
        let name = format!("p{place}");
        registry.package(&name, "1.0.0").field(field, value).file("x.js", "").publish();
        project = project.dep(&name, "1.0.0");
    }
    registry.package("later", "1.0.0").publish();
    let project = project.create();
    for arguments in [["install", "--ignore-scripts"], ["add", "later"], ["remove", "later"]] {
        ok(&project, arguments);
        for (place, (field, value, of, expected)) in cases().into_iter().enumerate() {
            let entry = locked(&project, &format!("node_modules/p{place}"));
            assert_eq!(entry[of], expected, "{arguments:?} {field} {value}: {entry}");
        }
    }
}

#[test]
fn package_that_bundles_keeps_its_workspaces() {
    let registry = Registry::start();
    registry
        .package("bundling", "1.0.0")
        .field("workspaces", json!(["w"]))
        .bundle("inside", "1.0.0")
        .publish();
    let project = Project::new(&registry).dep("bundling", "1.0.0").create();
    ok(&project, ["install"]);
    assert_eq!(locked(&project, "node_modules/bundling")["workspaces"], json!(["w"]));
    ok(&project, ["ci"]);
}

#[test]
fn empty_name_counts_as_none() {
    let registry = Registry::start();
    let project = Project::new(&registry).field("name", "").create();
    ok(&project, ["install"]);
    let folder = project.path().file_name().unwrap().to_str().unwrap().to_owned();
    assert_eq!(project.json("package-lock.json")["name"], json!(folder));
    assert_eq!(locked(&project, "")["name"], Value::Null);
}

#[test]
fn folder_of_commands_is_listed() {
    let registry = Registry::start();
    let manifest = r#"{"name":"w","version":"1.0.0","directories":{"bin":"./b/"}}"#;
    let project = Project::new(&registry)
        .field("workspaces", json!(["w"]))
        .file("w/package.json", manifest)
        .file("w/b/y", "#!/bin/sh\necho y\n")
        .file("w/b/sub/z", "#!/bin/sh\n")
        .file("w/b/.hidden", "")
        .create();
    ok(&project, ["install"]);
    let listed = json!({ "sub": "b/sub", "y": "b/y", "z": "b/sub/z" });
    assert_eq!(locked(&project, "w")["bin"], listed);
    assert!(project.exists("node_modules/.bin/y") && project.exists("node_modules/.bin/z"));
    ok(&project, ["ci"]);
    assert!(project.exists("node_modules/.bin/y"));
}
