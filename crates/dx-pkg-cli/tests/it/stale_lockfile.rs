//! Lockfiles that `package.json` or a bot has left behind: overrides that came later, and peers
//! that are no longer met.

use dx_pkg_testkit::{Project, Registry};
use serde_json::{Value, json};

use crate::harness::{dx, fails, locked, locked_version, ok};

/// `dom` has `ui` as a peer; `app` depends on `lib`, and that on `leaf`.
fn registry() -> Registry {
    let registry = Registry::start();
    for version in ["1.0.0", "1.1.0", "2.0.0"] {
        for name in ["ui", "leaf", "other"] {
            registry.package(name, version).publish();
        }
    }
    registry.package("dom", "1.0.0").peer("ui", "^1.1.0").publish();
    registry.package("app", "1.0.0").dep("lib", "1").publish();
    registry.package("lib", "1.0.0").dep("leaf", "^1.0.0").publish();
    registry
}

fn set(project: &Project, key: &str, value: Value) {
    let mut manifest = project.json("package.json");
    manifest[key] = value;
    project.write("package.json", manifest.to_string());
}

fn version_of(project: &Project, path: &str) -> String {
    project.json(&format!("{path}/package.json"))["version"].as_str().unwrap().to_owned()
}

#[test]
fn an_override_of_a_peer_that_came_later_takes_effect_and_ci_refuses_without_it() {
    let registry = registry();
    let project = Project::new(&registry).dep("dom", "1.0.0").create();
    ok(&project, ["install"]);
    assert_eq!(version_of(&project, "node_modules/ui"), "1.1.0");
    for version in ["1.0.0", "2.0.0"] {
        set(&project, "overrides", json!({"ui": version}));
        let before = project.read("package-lock.json");
        let error = fails(dx(&project, ["ci"]), "DX_LOCKFILE_OUT_OF_DATE");
        assert!(error.contains("ui"), "{error}");
        assert_eq!(project.read("package-lock.json"), before);
        ok(&project, ["install"]);
        assert_eq!(version_of(&project, "node_modules/ui"), version);
        assert_eq!(locked_version(&project, "node_modules/ui"), version);
        ok(&project, ["ci"]);
    }
    set(&project, "overrides", json!({}));
    fails(dx(&project, ["ci"]), "DX_LOCKFILE_OUT_OF_DATE");
    ok(&project, ["install"]);
    assert_eq!(version_of(&project, "node_modules/ui"), "1.1.0");
}

#[test]
fn every_command_that_writes_the_lockfile_applies_a_new_override() {
    let registry = registry();
    let commands: [&[&str]; 3] =
        [&["install", "--package-lock-only"], &["add", "other@1.0.0"], &["remove", "other"]];
    for command in commands {
        let project = Project::new(&registry).dep("dom", "1").dep("other", "1").create();
        ok(&project, ["install"]);
        set(&project, "overrides", json!({"ui": "2.0.0"}));
        crate::harness::command(&project).args(command).run().success();
        assert_eq!(locked_version(&project, "node_modules/ui"), "2.0.0", "{command:?}");
    }
}

#[test]
fn an_override_by_another_package_replaces_one_of_the_same_version() {
    let registry = registry();
    let project = Project::new(&registry).dep("dom", "1").create();
    ok(&project, ["install"]);
    set(&project, "overrides", json!({"ui": "npm:other@^1"}));
    fails(dx(&project, ["ci"]), "DX_LOCKFILE_OUT_OF_DATE");
    ok(&project, ["install"]);
    assert_eq!(locked(&project, "node_modules/ui")["name"], "other");
    ok(&project, ["ci"]);
}

#[test]
fn an_override_reaches_what_a_workspace_depends_on() {
    let registry = registry();
    let member = json!({"name": "one", "dependencies": {"app": "1", "dom": "1"}});
    let project = Project::new(&registry)
        .field("workspaces", json!(["packages/*"]))
        .file("packages/one/package.json", member.to_string())
        .create();
    ok(&project, ["install"]);
    set(&project, "overrides", json!({"ui": "2.0.0", "lib": {"leaf": "2.0.0"}}));
    fails(dx(&project, ["ci"]), "DX_LOCKFILE_OUT_OF_DATE");
    ok(&project, ["install"]);
    for name in ["ui", "leaf"] {
        assert_eq!(version_of(&project, &format!("node_modules/{name}")), "2.0.0");
    }
}

#[test]
fn a_peer_follows_the_package_that_a_bot_moved() {
    let registry = registry();
    registry.package("dom", "1.1.0").peer("ui", "^2.0.0").publish();
    let project = Project::new(&registry).dep("dom", "1.0.0").create();
    ok(&project, ["install"]);
    let bot = Project::new(&registry).dep("dom", "1.1.0").create();
    ok(&bot, ["install"]);
    let mut lock = project.json("package-lock.json");
    lock["packages"]["node_modules/dom"] =
        bot.json("package-lock.json")["packages"]["node_modules/dom"].clone();
    lock["packages"][""]["dependencies"]["dom"] = json!("1.1.0");
    project.write("package-lock.json", lock.to_string());
    set(&project, "dependencies", json!({"dom": "1.1.0"}));
    fails(dx(&project, ["ci"]), "DX_LOCKFILE_OUT_OF_DATE");
    ok(&project, ["install"]);
    assert_eq!(version_of(&project, "node_modules/ui"), "2.0.0");
    ok(&project, ["ci"]);
}

#[test]
fn a_conflict_that_the_project_itself_makes_costs_no_request_later() {
    let registry = registry();
    let project = Project::new(&registry).dep("dom", "1").dep("ui", "2.0.0").create();
    ok(&project, ["install"]);
    for command in ["install", "ci"] {
        project.remove("node_modules");
        for folder in ["metadata", "resolutions"] {
            let _ = std::fs::remove_dir_all(project.store().join("v1").join(folder));
        }
        registry.clear_requests();
        let run = ok(&project, [command]);
        assert!(run.stderr.contains("dom@1.0.0 needs ui@^1.1.0"), "{command}: {}", run.stderr);
        assert_eq!(registry.metadata_requests(), 0, "{command}");
        assert_eq!(version_of(&project, "node_modules/ui"), "2.0.0");
    }
}
