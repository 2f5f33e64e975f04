//! `dx fetch`, `dx deploy` and `dx import`.

use std::fs;
use std::path::Path;

use dx_pkg_testkit::{Project, Registry};
use serde_json::{Value, json};

use crate::harness::{command, dx, fails, ok, stored};

fn registry() -> Registry {
    let registry = Registry::start();
    for version in ["1.0.0", "1.1.0", "2.0.0"] {
        registry.package("one", version).publish();
    }
    registry.package("uses", "1.0.0").dep("one", "^2.0.0").publish();
    registry.package("dev", "1.0.0").publish();
    registry.package("elsewhere", "1.0.0").os(["nowhere"]).publish();
    registry
}

/// A project whose workspace `a` needs `b` and another `one` than the project.
fn monorepo(registry: &Registry) -> Project {
    let a = json!({
        "name": "a", "version": "1.0.0", "files": ["index.js"],
        "dependencies": { "one": "^1.0.0", "uses": "1.0.0", "b": "1.0.0" },
        "devDependencies": { "dev": "1.0.0" },
        "optionalDependencies": { "elsewhere": "1.0.0" },
        "scripts": { "prepare": "exit 1", "start": "node index.js" }
    });
    let b = json!({ "name": "b", "version": "1.0.0", "dependencies": { "one": "1.0.0" } });
    let index = "console.log(require('one/package.json').version, require('b'),\
                 require('uses/package.json').version)\n";
    let project = Project::new(registry)
        .field("workspaces", json!(["packages/*"]))
        .dep("one", "2.0.0")
        .file("packages/a/package.json", a.to_string())
        .file("packages/a/index.js", index)
        .file("packages/a/secret.txt", "not packed")
        .file("packages/b/package.json", b.to_string())
        .file("packages/b/index.js", "module.exports = require('one/package.json').version\n")
        .create();
    ok(&project, ["install", "--ignore-scripts"]);
    project
}

fn json_in(folder: &Path, file: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(folder.join(file)).unwrap()).unwrap()
}

#[test]
fn a_deployed_workspace_stands_alone() {
    let registry = registry();
    let project = monorepo(&registry);
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().canonicalize().unwrap().join("app");
    let place = folder.to_str().unwrap();
    let words = ["deploy", "--filter", "a", place];
    let run = ok(&project, words);
    assert!(run.stdout.contains(&format!("Deployed a to {place}")), "{run}");
    for path in ["index.js", "node_modules/one/package.json", "package-lock.json"] {
        assert!(folder.join(path).exists(), "{path}");
    }
    for path in ["secret.txt", "node_modules/dev", "node_modules/elsewhere", ".npmrc"] {
        assert!(!folder.join(path).exists(), "{path}");
    }
    let manifest = json_in(&folder, "package.json");
    assert!(manifest.get("devDependencies").is_none());
    assert_eq!(manifest["dependencies"]["b"], "file:.workspaces/b");
    // It is the same wherever it is put, and whatever becomes of the project.
    let moved = out.path().join("moved");
    fs::rename(&folder, &moved).unwrap();
    if dx_pkg_testkit::require::node() {
        let output = std::process::Command::new("node").arg(moved.join("index.js")).output();
        let output = String::from_utf8(output.unwrap().stdout).unwrap();
        assert_eq!(output.trim(), "1.1.0 1.0.0 1.0.0");
    }
    // Its lockfile is one that dx takes.
    let lock = fs::read_to_string(moved.join("package-lock.json")).unwrap();
    let again = command(&project).current_dir(&moved);
    let words = ["ci", "--omit=dev", "--ignore-scripts"];
    again.env("npm_config_registry", registry.url()).args(words).run().success();
    let install = command(&project).current_dir(&moved).env("npm_config_registry", registry.url());
    install.args(["install", "--ignore-scripts"]).run().success();
    assert_eq!(fs::read_to_string(moved.join("package-lock.json")).unwrap(), lock);
}

#[test]
fn a_workspace_is_named_in_each_way_and_a_folder_is_not_overwritten() {
    let registry = registry();
    let project = monorepo(&registry);
    let out = tempfile::tempdir().unwrap();
    let place = |name: &str| out.path().join(name).display().to_string();
    ok(&project, ["deploy", "-F", "packages/b", &place("by-folder")]);
    let inside = command(&project).current_dir(&project.path().join("packages/b"));
    inside.args(["deploy", &place("inside")]).run().success();
    for name in ["by-folder", "inside"] {
        assert_eq!(json_in(&out.path().join(name), "package.json")["name"], "b", "{name}");
        assert!(out.path().join(name).join("node_modules/one").exists(), "{name}");
    }
    fails(dx(&project, ["deploy", "-F", "b", &place("inside")]), "DX_DEPLOY");
    fs::write(out.path().join("inside/old.js"), "").unwrap();
    ok(&project, ["deploy", "-F", "b", &place("inside"), "--force"]);
    assert!(!out.path().join("inside/old.js").exists());
    fails(dx(&project, ["deploy", "-F", "c", &place("none")]), "DX_NO_WORKSPACE");
    fails(dx(&project, ["deploy", &place("none")]), "DX_NO_WORKSPACE");
    let own = project.path().join("packages/b").display().to_string();
    fails(dx(&project, ["deploy", "-F", "b", &own, "--force"]), "DX_DEPLOY");
    assert!(project.exists("packages/b/index.js"));
    let with_dev = ["deploy", "-F", "a", &place("dev"), "--include=dev"];
    ok(&project, with_dev);
    assert!(out.path().join("dev/node_modules/dev").exists());
    project.remove("package-lock.json");
    fails(dx(&project, ["deploy", "-F", "b", &place("none")]), "DX_NO_LOCKFILE");
    assert!(!out.path().join("none").exists());
}

#[test]
fn the_projects_overrides_hold_for_what_a_workspace_requires() {
    let registry = registry();
    let b = json!({ "name": "b", "version": "1.0.0", "dependencies": { "one": "^1.0.0" } });
    let project = Project::new(&registry)
        .field("workspaces", json!(["packages/*"]))
        .dep("one", "1.0.0")
        .field("overrides", json!({ "one": "$one" }))
        .file("packages/b/package.json", b.to_string())
        .create();
    ok(&project, ["install"]);
    let out = tempfile::tempdir().unwrap();
    let place = out.path().join("app");
    ok(&project, ["deploy", "-F", "b", place.to_str().unwrap()]);
    let manifest = json_in(&place, "package.json");
    assert_eq!(manifest["dependencies"]["one"], "1.0.0");
    assert_eq!(manifest["overrides"]["one"], "1.0.0");
    assert_eq!(json_in(&place, "node_modules/one/package.json")["version"], "1.0.0");
}

#[test]
fn a_failed_deployment_leaves_no_folder() {
    let registry = registry();
    let project = monorepo(&registry);
    let out = tempfile::tempdir().unwrap();
    let place = out.path().join("app");
    let lock = project.read("package-lock.json");
    let lock = lock.replace("one-2.0.0.tgz", "gone-2.0.0.tgz");
    project.write("package-lock.json", lock);
    fs::remove_dir_all(project.store()).unwrap();
    let run = dx(&project, ["deploy", "-F", "a", place.to_str().unwrap()]);
    assert_eq!(run.status, Some(1), "{run}");
    assert!(!place.exists());
}

#[test]
fn commands_that_only_write_refuse_a_dry_run() {
    let registry = registry();
    let project = monorepo(&registry);
    let out = tempfile::tempdir().unwrap();
    let place = out.path().join("deployed").display().to_string();
    for words in [&["fetch"][..], &["import"], &["deploy", "-F", "b", &place]] {
        let run = command(&project).args(words).args(["--dry-run"]).run();
        assert!(fails(run, "DX_USAGE").contains("has no dry run"), "{words:?}");
    }
    let several = ["deploy", "-w", "a", "-w", "b", &place];
    assert!(fails(dx(&project, several), "DX_USAGE").contains("a, b"));
    assert!(!out.path().join("deployed").exists());
}

#[test]
fn a_lockfile_alone_fills_the_store() {
    let registry = registry();
    let project = Project::new(&registry)
        .dep("uses", "1.0.0")
        .dev("dev", "1.0.0")
        .optional("elsewhere", "1.0.0")
        .create();
    ok(&project, ["install", "--lockfile-only"]);
    let manifest = project.read("package.json");
    project.remove("package.json");
    let run = ok(&project, ["fetch", "--omit=dev"]);
    assert!(run.stdout.contains("Fetched 2 of 2 packages"), "{run}");
    assert_eq!(stored(&project).len(), 2);
    assert!(!project.exists("node_modules") && !project.exists("package.json"));
    let run = ok(&project, ["fetch", "--json"]);
    assert_eq!(run.stdout.trim(), r#"{"packages":3,"fetched":1,"leftOut":[]}"#);
    project.write("package.json", manifest);
    registry.clear_requests();
    ok(&project, ["ci", "--offline"]);
    assert_eq!(registry.requests().len(), 0);
    project.remove("package-lock.json");
    fails(dx(&project, ["fetch"]), "DX_NO_LOCKFILE");
    project.write("yarn.lock", "");
    fails(dx(&project, ["fetch"]), "DX_FOREIGN_LOCKFILE");
}

#[test]
fn older_lockfiles_are_converted_and_others_named() {
    let registry = registry();
    let project = Project::new(&registry).dep("uses", "1.0.0").create();
    ok(&project, ["install", "--lockfile-version=2"]);
    let packages = project.json("package-lock.json")["packages"].clone();
    ok(&project, ["import"]);
    let lock = project.json("package-lock.json");
    assert_eq!((&lock["lockfileVersion"], &lock["packages"]), (&json!(3), &packages));
    let run = ok(&project, ["import"]);
    assert!(run.stdout.contains("as dx writes it"), "{run}");
    fs::rename(
        project.path().join("package-lock.json"),
        project.path().join("npm-shrinkwrap.json"),
    )
    .unwrap();
    let run = ok(&project, ["import", "--json"]);
    assert_eq!(run.stdout.trim(), r#"{"from":"npm-shrinkwrap.json","changed":true}"#);
    assert!(!project.exists("npm-shrinkwrap.json"));
    assert_eq!(project.json("package-lock.json")["packages"], packages);
    project.remove("package-lock.json");
    fails(dx(&project, ["import"]), "DX_NOTHING_TO_IMPORT");
    for foreign in ["pnpm-lock.yaml", "yarn.lock", "bun.lock"] {
        project.write(foreign, "");
        let text = fails(dx(&project, ["import"]), "DX_FOREIGN_LOCKFILE");
        assert!(text.contains(foreign), "{text}");
        project.remove(foreign);
    }
}
