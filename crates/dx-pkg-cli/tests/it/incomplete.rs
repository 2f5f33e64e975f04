//! Lockfiles that tell less than installing needs: version 1, and those of another system. What is
//! missing is requested, as npm does, before anything rests on it.

use dx_pkg_testkit::{Fault, Project, Registry};
use serde_json::{Value, json};

use crate::harness::{dx, fails, impatient, ok, required};

/// The operating system of this machine and another one, as npm names them.
const HERE: &str = if cfg!(target_os = "macos") { "darwin" } else { "linux" };
const OTHER: &str = if cfg!(target_os = "macos") { "linux" } else { "darwin" };

/// Returns the entry that a lockfile has for a version; `more` has its other members.
pub(crate) fn entry(registry: &Registry, name: &str, more: Value) -> Value {
    let mut entry = json!({
        "version": "1.0.0",
        "resolved": format!("{}{name}/-/{name}-1.0.0.tgz", base(registry)),
        "integrity": registry.integrity(name, "1.0.0"),
    });
    let members = entry.as_object_mut().unwrap();
    members.extend(more.as_object().unwrap().clone());
    // A member that is null is left out.
    members.retain(|_, value| !value.is_null());
    entry
}

pub(crate) fn base(registry: &Registry) -> String {
    format!("{}/", registry.url().trim_end_matches('/'))
}

fn manifest(dependencies: &Value) -> String {
    json!({"name": "app", "version": "1.0.0", "dependencies": dependencies}).to_string()
}

/// Returns a lockfile of version 3.
pub(crate) fn version_3(dependencies: &Value, entries: Value) -> String {
    let mut packages =
        json!({"": {"name": "app", "version": "1.0.0", "dependencies": dependencies}});
    packages.as_object_mut().unwrap().extend(entries.as_object().unwrap().clone());
    let lock = json!({
        "name": "app", "version": "1.0.0", "lockfileVersion": 3, "requires": true,
        "packages": packages,
    });
    format!("{}\n", serde_json::to_string_pretty(&lock).unwrap())
}

/// Returns a lockfile of version 1.
fn version_1(entries: &Value) -> String {
    json!({
        "name": "app", "version": "1.0.0", "lockfileVersion": 1, "requires": true,
        "dependencies": entries,
    })
    .to_string()
}

pub(crate) fn project(registry: &Registry, dependencies: &Value, lock: String) -> Project {
    impatient(registry)
        .package_json(&manifest(dependencies))
        .file("package-lock.json", lock)
        .create()
}

/// Returns the lockfile's entry below `node_modules`.
pub(crate) fn locked(project: &Project, name: &str) -> Value {
    project.json("package-lock.json")["packages"][format!("node_modules/{name}")].clone()
}

/// Publishes a tool with a command, a dependency, a package for another system and one with an
/// install script.
fn tools() -> Registry {
    let registry = Registry::start();
    registry
        .package("tool", "1.0.0")
        .bin("tool", "index.js")
        .dep("helper", "^1.0.0")
        .optional("foreign", "^1.0.0")
        .file("index.js", "#!/usr/bin/env node\n")
        .field("license", "MIT")
        .publish();
    registry.package("helper", "1.0.0").publish();
    registry.package("helper", "1.1.0").publish();
    registry.package("foreign", "1.0.0").os([OTHER]).publish();
    registry.package("built", "1.0.0").script("install", "echo yes > RAN").publish();
    registry
}

fn tools_project(registry: &Registry) -> Project {
    let lock = version_1(&json!({
        "built": entry(registry, "built", json!({})),
        "foreign": entry(registry, "foreign", json!({"optional": true})),
        "helper": entry(registry, "helper", json!({})),
        "tool": entry(registry, "tool", json!({"requires": {"helper": "^1.0.0", "foreign": "^1.0.0"}})),
    }));
    let manifest = json!({
        "name": "app", "version": "1.0.0", "allowScripts": {"built": true},
        "dependencies": {"tool": "^1.0.0", "built": "^1.0.0"},
    });
    impatient(registry).package_json(&manifest.to_string()).file("package-lock.json", lock).create()
}

#[cfg(unix)]
#[test]
fn version_1_lockfile_gets_commands_platforms_and_scripts_from_the_registry() {
    for command in [["ci"], ["install"]] {
        let registry = tools();
        let project = tools_project(&registry);
        let before = project.read("package-lock.json");
        ok(&project, command);
        assert!(project.exists("node_modules/.bin/tool"), "{command:?}");
        assert!(!project.exists("node_modules/foreign"), "{command:?}");
        assert!(project.exists("node_modules/built/RAN"), "{command:?}");
        assert_eq!(required(&project, "helper"), "helper@1.0.0");
        if command == ["ci"] {
            assert_eq!(registry.metadata_requests(), 4, "each package once");
        }
        assert_eq!(command == ["ci"], project.read("package-lock.json") == before);
    }
}

#[test]
fn version_1_lockfile_is_written_as_version_3_with_what_it_lacked() {
    for command in [["install", "--ignore-scripts"], ["install", "--package-lock-only"]] {
        let registry = tools();
        let project = tools_project(&registry);
        let run = ok(&project, command);
        assert!(run.stderr.contains("is of an old npm"), "{run}");
        assert_eq!(project.json("package-lock.json")["lockfileVersion"], json!(3));
        let tool = locked(&project, "tool");
        assert_eq!(tool["bin"], json!({"tool": "index.js"}));
        assert_eq!(tool["license"], json!("MIT"));
        assert_eq!(tool["optionalDependencies"], json!({"foreign": "^1.0.0"}));
        assert_eq!(locked(&project, "foreign")["os"], json!([OTHER]));
        assert_eq!(locked(&project, "built")["hasInstallScript"], json!(true));
        registry.clear_requests();
        ok(&project, ["ci"]);
        assert_eq!(registry.metadata_requests(), 0, "it is complete now");
    }
}

#[test]
fn install_after_ci_writes_the_version_1_lockfile_anew() {
    let registry = tools();
    let project = tools_project(&registry);
    ok(&project, ["ci"]);
    ok(&project, ["install"]);
    assert_eq!(project.json("package-lock.json")["lockfileVersion"], json!(3));
}

#[test]
fn lockfile_without_a_version_is_an_old_one() {
    let registry = tools();
    let entries = json!({
        "node_modules/helper": entry(&registry, "helper", json!({})),
        "node_modules/tool": entry(&registry, "tool", json!({})),
    });
    let dependencies = json!({"tool": "^1.0.0"});
    let lock = version_3(&dependencies, entries).replace("  \"lockfileVersion\": 3,\n", "");
    let project = project(&registry, &dependencies, lock);
    ok(&project, ["install"]);
    assert_eq!(project.json("package-lock.json")["lockfileVersion"], json!(3));
    assert_eq!(locked(&project, "tool")["dependencies"], json!({"helper": "^1.0.0"}));
    assert!(project.exists("node_modules/helper"));
}

#[test]
fn peers_that_version_1_does_not_know_are_added_by_install_and_not_demanded_by_ci() {
    let registry = Registry::start();
    registry.package("plug", "1.0.0").peer("host", "^1.0.0").publish();
    registry.package("host", "1.0.0").publish();
    let lock = version_1(&json!({"plug": entry(&registry, "plug", json!({}))}));
    let project = project(&registry, &json!({"plug": "^1.0.0"}), lock);
    ok(&project, ["ci"]);
    assert!(!project.exists("node_modules/host"));
    ok(&project, ["install"]);
    assert!(project.exists("node_modules/host"));
    assert_eq!(locked(&project, "host")["peer"], json!(true));
    ok(&project, ["ci"]);
}

#[test]
fn commands_of_an_alias_and_of_a_shrinkwrap_of_version_1_are_found() {
    let registry = tools();
    let lock = version_1(&json!({
        "helper": entry(&registry, "helper", json!({})),
        "foreign": entry(&registry, "foreign", json!({"optional": true})),
        "other": entry(&registry, "tool", json!({"version": "npm:tool@1.0.0"})),
    }));
    let project = impatient(&registry)
        .package_json(&manifest(&json!({"other": "npm:tool@^1.0.0"})))
        .file("npm-shrinkwrap.json", lock)
        .create();
    ok(&project, ["ci"]);
    assert!(project.exists("node_modules/.bin/tool"));
    ok(&project, ["install"]);
    assert_eq!(project.json("npm-shrinkwrap.json")["lockfileVersion"], json!(3));
    assert!(!project.exists("package-lock.json"));
}

#[test]
fn what_no_registry_knows_of_a_version_1_lockfile_is_said_and_installed_as_it_is() {
    let registry = tools();
    let lock = version_1(&json!({
        "helper": entry(&registry, "helper", json!({"version": "1.9.9"})),
    }));
    let project = project(&registry, &json!({"helper": "^1.0.0"}), lock);
    let run = ok(&project, ["ci"]);
    assert!(run.stderr.contains("knows nothing of helper@1.9.9"), "{run}");
    assert!(project.exists("node_modules/helper"));
}

#[test]
fn a_registry_that_does_not_answer_stops_the_install_before_anything_changes() {
    let registry = tools();
    let project = tools_project(&registry);
    registry.fault("/helper", Fault::status(500)).every(1);
    let before = project.read("package-lock.json");
    for command in [["ci"], ["install"]] {
        let run = dx(&project, command);
        assert_eq!(run.status, Some(1), "{run}");
        assert!(!project.exists("node_modules"));
        assert_eq!(project.read("package-lock.json"), before);
    }
}

#[test]
fn offline_uses_what_is_cached_of_a_version_1_lockfile() {
    let registry = tools();
    let project = tools_project(&registry);
    fails(dx(&project, ["ci", "--offline"]), "DX_OFFLINE");
    assert_eq!(registry.requests().len(), 0);
    ok(&project, ["ci"]);
    registry.clear_requests();
    ok(&project, ["ci", "--offline"]);
    assert!(project.exists("node_modules/.bin/tool"));
    assert_eq!(registry.requests().len(), 0);
}

#[test]
fn a_version_in_a_lockfile_is_never_too_new() {
    let registry = Registry::start();
    registry
        .package("tool", "1.0.0")
        .bin("tool", "index.js")
        .published_at("2999-01-01T00:00:00.000Z")
        .publish();
    let lock = version_1(&json!({"tool": entry(&registry, "tool", json!({}))}));
    let project = project(&registry, &json!({"tool": "^1.0.0"}), lock);
    ok(&project, ["ci"]);
    assert!(project.exists("node_modules/.bin/tool"));
}

/// Publishes a package with an optional one for each system, the first of which needs another.
fn native() -> Registry {
    let registry = Registry::start();
    registry
        .package("native", "1.0.0")
        .optional("native-here", "1.0.0")
        .optional("native-other", "1.0.0")
        .publish();
    registry.package("native-here", "1.0.0").os([HERE]).dep("helper", "^1.0.0").publish();
    registry.package("native-other", "1.0.0").os([OTHER]).publish();
    registry.package("helper", "1.0.0").publish();
    registry.package("above", "1.0.0").dep("native", "^1.0.0").publish();
    registry
}

/// Returns a project whose lockfile, written on another system, lacks one of the optional packages.
fn native_project(registry: &Registry, lacks: &str) -> Project {
    let optional = json!({"native-here": "1.0.0", "native-other": "1.0.0"});
    let mut entries = json!({
        "node_modules/above": entry(registry, "above", json!({"dependencies": {"native": "^1.0.0"}})),
        "node_modules/native": entry(registry, "native", json!({"optionalDependencies": optional})),
    });
    let mut add = |name: &str, more: Value| {
        if name != lacks {
            entries[format!("node_modules/{name}")] = entry(registry, name, more);
        }
    };
    add("native-other", json!({"optional": true, "os": [OTHER]}));
    add(
        "native-here",
        json!({"optional": true, "os": [HERE], "dependencies": {"helper": "^1.0.0"}}),
    );
    if lacks != "native-here" {
        entries["node_modules/helper"] = entry(registry, "helper", json!({"optional": true}));
    }
    let dependencies = json!({"above": "^1.0.0"});
    project(registry, &dependencies, version_3(&dependencies, entries))
}

#[test]
fn optional_package_that_the_lockfile_lacks_is_added_by_install_and_refused_by_ci() {
    for lacks in ["native-here", "native-other"] {
        let registry = native();
        for args in [
            ["ci", "--ignore-scripts"],
            ["install", "--frozen-lockfile"],
            ["ci", "--omit=optional"],
        ] {
            let project = native_project(&registry, lacks);
            let error = fails(dx(&project, args), "DX_LOCKFILE_OUT_OF_DATE");
            assert!(error.contains(lacks) && error.contains("optional"), "{error}");
            assert!(!project.exists("node_modules"));
        }
        let project = native_project(&registry, lacks);
        ok(&project, ["install"]);
        assert!(project.exists("node_modules/native-here/package.json"));
        assert!(project.exists("node_modules/helper/package.json"));
        assert!(!project.exists("node_modules/native-other"));
        assert_eq!(locked(&project, lacks)["optional"], json!(true));
        ok(&project, ["ci"]);
    }
}

#[test]
fn adding_a_package_repairs_the_lockfile_of_another_system() {
    let registry = native();
    registry.package("x", "1.0.0").publish();
    let project = native_project(&registry, "native-here");
    ok(&project, ["add", "x"]);
    assert!(project.exists("node_modules/native-here/package.json"));
    assert!(!locked(&project, "native-here").is_null());
}

#[test]
fn optional_package_that_no_registry_has_does_not_stop_ci() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").optional("nowhere", "^1.0.0").publish();
    let project = Project::new(&registry).dep("a", "^1.0.0").create();
    ok(&project, ["install"]);
    let run = ok(&project, ["ci"]);
    assert!(run.stderr.contains("nowhere"), "{run}");
}
