//! Packages of git repositories that are built before they are packed: when, with which settings,
//! and what is told where it goes wrong.

use dx_pkg_testkit::Registry;
use serde_json::json;

use crate::git::{Repositories, allowed, registry};
use crate::harness::{command, dx, ok};

/// A package that is built by a package for development.
const BUILT: &str = r#"{"name":"g","version":"1.0.0","files":["dist"],"devDependencies":{"b":"^1"},
    "scripts":{"prepare":"mkdir -p dist && cp node_modules/b/package.json dist/b.json"}}"#;

#[test]
fn settings_for_the_command_do_not_hold_for_the_build() {
    let (registry, repositories) = (registry(), Repositories::new());
    for (variable, value) in [
        ("npm_config_package_lock_only", "true"),
        ("npm_config_dry_run", "true"),
        ("npm_config_omit", "dev"),
        ("npm_config_workspace", "none"),
        ("npm_config_os", "none"),
        ("NODE_ENV", "production"),
    ] {
        repositories.commit("r", &[("package.json", BUILT), ("x", variable)]);
        let url = repositories.url("r");
        let rules = json!({ url.clone(): true });
        let project = allowed(&registry).dep("g", &url).field("allowScripts", rules).create();
        let run = command(&project).args(["install"]).env(variable, value).run();
        ok(&project, ["install"]);
        assert!(project.exists("node_modules/g/dist/b.json"), "{variable}: {run}");
    }
}

#[test]
fn flags_hold_for_the_build() {
    let (registry, repositories) = (Registry::start(), Repositories::new());
    for (version, year) in [("1.0.0", 2016), ("1.1.0", 2026)] {
        let time = format!("{year}-01-02T00:00:00.000Z");
        registry.package("b", version).published_at(&time).publish();
    }
    repositories.commit("r", &[("package.json", BUILT)]);
    let url = repositories.url("r");
    let rules = json!({ url.clone(): true });
    let project = allowed(&registry).dep("g", &url).field("allowScripts", rules).create();
    ok(&project, ["install", "--before=2020-01-01"]);
    assert_eq!(project.json("node_modules/g/dist/b.json")["version"], "1.0.0");
    repositories.commit("r", &[("x", "")]);
    ok(&project, ["update", "g", "--min-release-age=3000"]);
    assert_eq!(project.json("node_modules/g/dist/b.json")["version"], "1.0.0");
}

#[test]
fn a_package_is_built_once_it_is_allowed() {
    let (registry, repositories) = (registry(), Repositories::new());
    repositories.commit("r", &[("package.json", BUILT)]);
    let url = repositories.url("r");
    let project = allowed(&registry).dep("g", &url).create();
    let run = ok(&project, ["install"]);
    assert!(run.stderr.contains("not run"), "{run}");
    assert!(!project.exists("node_modules/g/dist"));
    ok(&project, ["approve-scripts", "g"]);
    let run = ok(&project, ["install"]);
    assert!(project.exists("node_modules/g/dist/b.json"), "{run}");
    assert_eq!(ok(&project, ["install"]).stdout, "Already up to date\n");
    project.remove("node_modules");
    ok(&project, ["ci"]);
    assert!(project.exists("node_modules/g/dist/b.json"));
}

#[test]
fn a_repository_that_is_allowed_is_so_with_its_folders() {
    let (registry, repositories) = (registry(), Repositories::new());
    let commit = repositories.commit("r", &[("s/package.json", BUILT)]);
    let url = repositories.url("r");
    for key in [url.clone(), format!("{url}#{commit}"), format!("{url}#::path:s")] {
        let rules = json!({ key.clone(): true });
        let dependency = format!("{url}#::path:s");
        let project = allowed(&registry).dep("g", &dependency).field("allowScripts", rules);
        let project = project.create();
        ok(&project, ["install"]);
        assert!(project.exists("node_modules/g/dist/b.json"), "{key}");
    }
}

#[test]
fn the_output_of_a_build_that_fails_is_shown() {
    let (registry, repositories) = (registry(), Repositories::new());
    let manifest = r#"{"name":"g","version":"1.0.0",
        "scripts":{"prepare":"echo what went wrong; exit 7"}}"#;
    repositories.commit("r", &[("package.json", manifest)]);
    let url = repositories.url("r");
    let rules = json!({ url.clone(): true });
    let project = allowed(&registry).dep("g", &url).field("allowScripts", rules).create();
    let stderr = dx(&project, ["install"]).failure().stderr;
    assert!(stderr.contains("\nwhat went wrong\n") || stderr.starts_with("what"), "{stderr}");
    let printed = dx(&project, ["install", "--json"]).failure().stdout;
    let printed: serde_json::Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(printed["error"]["output"].as_str().unwrap().trim(), "what went wrong");
}
