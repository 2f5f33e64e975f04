//! Installs whose packages cannot be built: they leave the project as it was.

use std::collections::BTreeMap;

use dx_pkg_testkit::{Project, ProjectBuilder, Registry};
use serde_json::json;

use crate::harness::{command, dx, fails, files, ok, required};

/// A script that makes a file, and fails unless the project has a compiler.
const BUILD: &str = "node -e \"const fs = require('fs'); fs.writeFileSync('built', ''); \
                     process.exit(fs.existsSync(process.env.INIT_CWD + '/compiler') ? 0 : 3)\"";

fn registry() -> Registry {
    let registry = Registry::start();
    registry.package("plain", "1.0.0").bin("plain", "p.js").file("p.js", "").publish();
    registry.package("plain", "2.0.0").publish();
    registry.package("deep", "1.0.0").publish();
    registry.package("deep", "2.0.0").publish();
    registry.package("user", "1.0.0").dep("deep", "1").dep("plain", "1").publish();
    for version in ["1.0.0", "2.0.0"] {
        registry
            .package("native", version)
            .script("install", BUILD)
            .dep("deep", version)
            .bin("native", "n.js")
            .file("n.js", "")
            .publish();
    }
    registry
}

fn project(registry: &Registry) -> ProjectBuilder {
    Project::new(registry).field("allowScripts", json!({"native": true}))
}

/// Returns the files of a project, but for what tells that nothing has changed.
fn all(project: &Project) -> BTreeMap<String, Vec<u8>> {
    let mut files = files(project);
    files.retain(|path, _| path != "node_modules/.dx/state" && path != "compiler");
    files
}

#[test]
fn what_was_added_and_cannot_be_built_is_taken_back() {
    let registry = registry();
    let project = project(&registry).dep("user", "1").dep("deep", "2").create();
    ok(&project, ["install"]);
    let before = all(&project);
    for words in [["add", "native@1"].as_slice(), &["add", "plain@2", "native@2", "deep@1"]] {
        for _ in 0..2 {
            fails(command(&project).args(words).run(), "DX_SCRIPT_FAILED");
            assert_eq!(all(&project), before);
        }
        assert!(ok(&project, ["install"]).stdout.starts_with("Already up to date"));
    }
    project.write("compiler", "");
    ok(&project, ["add", "native@1"]);
    assert!(project.exists("node_modules/native/built"));
    assert_eq!(project.json("package.json")["dependencies"]["native"], "^1.0.0");
    assert_eq!(ok(&project, ["install"]).stdout, "Already up to date\n");
}

#[test]
fn what_was_built_before_is_there_again() {
    let registry = registry();
    let project = project(&registry).dep("native", "1").dep("user", "1").file("compiler", "");
    let project = project.create();
    ok(&project, ["install"]);
    project.write("node_modules/native/mine", "kept");
    project.remove("compiler");
    let before = all(&project);
    fails(dx(&project, ["add", "native@2"]), "DX_SCRIPT_FAILED");
    assert_eq!(all(&project), before);
    fails(dx(&project, ["add", "native@2", "plain@2", "deep@2"]), "DX_SCRIPT_FAILED");
    assert_eq!(all(&project), before);
    let link = project.path().join("node_modules/.bin/native");
    assert!(std::fs::canonicalize(link).unwrap().ends_with("node_modules/native/n.js"));
    assert_eq!(ok(&project, ["ls"]).stderr, "");
    project.write("compiler", "");
    ok(&project, ["add", "native@2"]);
    assert!(!project.exists("node_modules/native/mine"));
    assert_eq!(required(&project, "native"), "native@2.0.0");
}

#[test]
fn a_first_install_that_fails_leaves_nothing() {
    let registry = registry();
    let project = project(&registry).dep("native", "1").dep("user", "1").create();
    let before = all(&project);
    for _ in 0..2 {
        fails(dx(&project, ["install"]), "DX_SCRIPT_FAILED");
        assert_eq!(all(&project), before);
        assert!(!project.exists("node_modules"));
    }
    project.write("compiler", "");
    ok(&project, ["install"]);
    project.remove("compiler");
    let lockfile = project.read("package-lock.json");
    fails(dx(&project, ["ci"]), "DX_SCRIPT_FAILED");
    assert!(!project.exists("node_modules"));
    assert_eq!(project.read("package-lock.json"), lockfile);
    project.write("compiler", "");
    project.write("node_modules/.cache/mine", "kept");
    project.remove("compiler");
    fails(dx(&project, ["install"]), "DX_SCRIPT_FAILED");
    assert_eq!(project.read("node_modules/.cache/mine"), "kept");
    assert!(!project.exists("node_modules/native") && !project.exists("node_modules/.dx/lock.dxl"));
    project.write("compiler", "");
    ok(&project, ["install"]);
    assert!(project.exists("node_modules/native/built"));
}

#[test]
fn a_manifest_that_the_command_made_goes_again() {
    let registry = registry();
    let project = project(&registry).create();
    project.remove("package.json");
    project.write(".npmrc", "dangerously-allow-all-scripts=true\n");
    let words = ["add", "native", "--registry", registry.url(), "--dangerously-allow-all-scripts"];
    fails(dx(&project, words), "DX_SCRIPT_FAILED");
    assert!(!project.exists("package.json") && !project.exists("package-lock.json"));
}

#[test]
fn a_workspace_that_cannot_be_built_takes_back_the_change() {
    let registry = registry();
    let manifest = format!(r#"{{"name": "w", "scripts": {{"install": {}}}}}"#, json!(BUILD));
    let project = project(&registry)
        .field("workspaces", json!(["w"]))
        .file("w/package.json", manifest)
        .file("compiler", "")
        .create();
    ok(&project, ["install"]);
    project.remove("compiler");
    let before = all(&project);
    fails(dx(&project, ["add", "user"]), "DX_SCRIPT_FAILED");
    assert_eq!(all(&project), before);
}

#[test]
fn the_projects_own_scripts_come_when_all_is_there() {
    let registry = registry();
    let project = project(&registry).script("dependencies", "exit 3").create();
    fails(dx(&project, ["add", "user"]), "DX_SCRIPT_FAILED");
    assert_eq!(project.json("package.json")["dependencies"]["user"], "^1.0.0");
    assert!(project.exists("node_modules/user") && project.exists("package-lock.json"));
}

#[test]
fn a_global_package_that_cannot_be_built_is_not_installed() {
    let registry = registry();
    let project = Project::new(&registry)
        .user_npmrc(&format!("registry={}", registry.url()))
        .file("compiler", "")
        .create();
    let run = |words: &[&str]| {
        let prefix = project.path().join("prefix");
        let flag = "--dangerously-allow-all-scripts";
        command(&project).env("npm_config_prefix", prefix).args(words).args([flag]).run()
    };
    run(&["add", "-g", "native@1", "plain@1"]).success();
    project.remove("compiler");
    let before = all(&project);
    fails(run(&["add", "-g", "native@2"]), "DX_SCRIPT_FAILED");
    assert_eq!(all(&project), before);
    run(&["rm", "-g", "native"]).success();
    fails(run(&["add", "-g", "native@2"]), "DX_SCRIPT_FAILED");
    assert!(!project.exists("prefix/lib/node_modules/native"));
    assert!(!project.exists("prefix/bin/native") && project.exists("prefix/bin/plain"));
}
