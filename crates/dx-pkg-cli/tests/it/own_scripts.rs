//! Scripts of the project itself: what they change in `package.json`, and when they run again.

use dx_pkg_testkit::{Project, ProjectBuilder, Registry};
use serde_json::json;

use crate::harness::{command, ok};

/// Changes `package.json`: requires `two` and adds a script.
const CHANGE: &str = "node -e \"const fs = require('fs'); \
    const manifest = JSON.parse(fs.readFileSync('package.json')); \
    manifest.dependencies.two = '1.0.0'; \
    manifest.scripts.postprepare = 'echo late >> ran'; \
    fs.writeFileSync('package.json', JSON.stringify(manifest))\"";

fn registry() -> Registry {
    let registry = Registry::start();
    registry.package("one", "1.0.0").publish();
    registry.package("two", "1.0.0").publish();
    registry
}

fn project(registry: &Registry) -> ProjectBuilder {
    Project::new(registry).dep("one", "1")
}

fn ran(project: &Project) -> usize {
    let text = if project.exists("ran") { project.read("ran") } else { String::new() };
    project.write("ran", "");
    text.lines().count()
}

#[test]
fn what_preinstall_changes_in_package_json_is_installed() {
    let registry = registry();
    let project = project(&registry).script("preinstall", CHANGE).create();
    ok(&project, ["install"]);
    let installed: Vec<String> = project.installed().into_keys().collect();
    assert_eq!(installed, ["node_modules/one", "node_modules/two"]);
    assert!(project.json("package-lock.json")["packages"]["node_modules/two"].is_object());
    assert_eq!(project.json("package.json")["dependencies"]["two"], "1.0.0");
    assert_eq!(ran(&project), 1, "the script that it added");
    assert_eq!(ok(&project, ["install"]).stdout, "Already up to date\n");
}

#[test]
fn what_later_scripts_change_is_installed_next_time() {
    let registry = registry();
    for event in ["install", "postinstall", "prepublish", "preprepare", "prepare", "dependencies"] {
        let project = project(&registry).script(event, CHANGE).create();
        ok(&project, ["install"]);
        assert!(!project.exists("node_modules/two"), "{event}");
        assert_eq!(ran(&project), 1, "{event}: the script that it added");
        ok(&project, ["install"]);
        assert!(project.exists("node_modules/two"), "{event}");
    }
}

#[test]
fn ci_installs_what_the_files_said_before_preinstall_as_npm_does() {
    let registry = registry();
    let project = project(&registry).create();
    ok(&project, ["install"]);
    let mut manifest = project.json("package.json");
    manifest["scripts"] = json!({ "preinstall": CHANGE });
    project.write("package.json", manifest.to_string());
    ok(&project, ["ci"]);
    assert!(!project.exists("node_modules/two"));
    assert!(project.json("package-lock.json")["packages"]["node_modules/two"].is_null());
    ok(&project, ["install"]);
    assert!(project.exists("node_modules/two"));
}

#[test]
fn preinstall_may_write_lockfile_and_workspaces() {
    let registry = registry();
    registry.package("one", "1.1.0").publish();
    let locked = Project::new(&registry).dep("one", "1.0.0").create();
    ok(&locked, ["install"]);
    let lock = locked.read("package-lock.json").replace("\"one\": \"1.0.0\"", "\"one\": \"1\"");
    let generate = "mv saved package-lock.json; mkdir -p w; \
                    echo '{\"name\":\"w\",\"version\":\"1.0.0\"}' > w/package.json";
    let project = project(&registry)
        .field("workspaces", json!(["w"]))
        .script("preinstall", generate)
        .file("saved", lock)
        .create();
    ok(&project, ["install"]);
    assert_eq!(project.installed()["node_modules/one"], "one@1.0.0");
    assert!(project.exists("node_modules/w/package.json"));
}

#[test]
fn own_scripts_run_again_with_force_or_the_setting_only() {
    let registry = registry();
    let project = project(&registry)
        .script("prepare", "echo x >> ran")
        .file("w/package.json", r#"{"name":"w","scripts":{"prepare":"echo w >> ../ran"}}"#)
        .field("workspaces", json!(["w"]))
        .create();
    let runs = |args: &[&str], variable: Option<&str>| {
        let command = command(&project);
        let command = match variable {
            Some(variable) => command.env(variable, "true"),
            None => command,
        };
        command.args(args).run().success();
        ran(&project)
    };
    assert_eq!(runs(&["install"], None), 2);
    assert_eq!(runs(&["install"], None), 0);
    assert_eq!(runs(&["install", "--always-run-scripts"], None), 2);
    assert_eq!(runs(&["install", "--always-run-scripts"], None), 2, "each time");
    assert_eq!(runs(&["install"], Some("npm_config_always_run_scripts")), 2);
    assert_eq!(runs(&["install", "--force"], None), 2);
    assert_eq!(runs(&["install"], Some("npm_config_force")), 2);
    runs(&["install"], None);
    assert_eq!(runs(&["install"], None), 0);
    project.write(".npmrc", format!("{}\nforce=true\n", project.read(".npmrc")));
    for _ in 0..2 {
        let run = command_of(&project).success();
        assert_ne!(run.stdout, "Already up to date\n");
        assert_eq!(ran(&project), 2);
    }
    project.write(".npmrc", project.read(".npmrc").replace("force", "always-run-scripts"));
    for _ in 0..2 {
        command_of(&project).success();
        assert_eq!(ran(&project), 2);
    }
}

fn command_of(project: &Project) -> dx_pkg_testkit::Run {
    command(project).args(["install"]).run()
}
