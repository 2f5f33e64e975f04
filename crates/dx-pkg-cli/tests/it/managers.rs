//! The package manager that a project names, and fields whose names are misspelt.

use dx_pkg_testkit::{Project, ProjectBuilder, Registry, Run};
use serde_json::{Value, json};

use crate::harness::{command, fails, ok};

fn registry() -> Registry {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    registry
}

fn builder(registry: &Registry) -> ProjectBuilder {
    Project::new(registry).dep("a", "1.0.0").script("t", "echo ran")
}

fn warnings(run: &Run) -> Vec<&str> {
    run.stderr.lines().filter_map(|line| line.strip_prefix("warning: ")).collect()
}

/// What is said of a package manager whose place dx takes.
fn note(named: &str) -> String {
    format!("note: package.json asks for {named}; dx takes its place\n")
}

#[test]
fn dx_takes_the_place_of_any_package_manager_and_says_so_once() {
    let registry = registry();
    let engine = |value: Value| json!({ "packageManager": value });
    for (field, value, named) in [
        ("packageManager", json!("pnpm@9.1.0"), "pnpm@9.1.0"),
        ("packageManager", json!("yarn@4.9.1+sha512.0123456789abcdef"), "yarn@4.9.1"),
        (
            "devEngines",
            engine(json!({ "name": "pnpm", "version": "^9", "onFail": "error" })),
            "pnpm@^9",
        ),
        ("devEngines", engine(json!({ "name": "bun", "onFail": "download" })), "bun"),
        ("devEngines", engine(json!([{ "name": "yarn" }, { "name": "pnpm" }])), "yarn"),
    ] {
        let project = builder(&registry).field(field, value).create();
        assert_eq!(ok(&project, ["install"]).stderr, note(named));
        for arguments in [["install"].as_slice(), &["run", "t"], &["add", "a@1.0.0"], &["ci"]] {
            let run = command(&project).args(arguments).run().success();
            assert_eq!(run.stderr.find("package.json asks"), None, "{arguments:?} {run}");
            assert!(warnings(&run).is_empty(), "{arguments:?} {run}");
        }
        // Neither is it new where a colleague has installed with dx, or another checkout is made.
        project.remove("node_modules");
        assert_eq!(ok(&project, ["install"]).stderr, "");
    }
    for value in ["npm@10.0.0", "npm@12.2.0+sha512.00", "dx@0.1.0"] {
        let project = builder(&registry).field("packageManager", json!(value)).create();
        assert_eq!(ok(&project, ["install"]).stderr, "", "{value}");
    }
}

#[test]
fn the_word_about_a_package_manager_is_for_people_and_for_installs() {
    let registry = registry();
    let project = || builder(&registry).field("packageManager", json!("pnpm@9.1.0")).create();
    assert_eq!(ok(&project(), ["add", "a@1.0.0"]).stderr, note("pnpm@9.1.0"));
    assert_eq!(ok(&project(), ["install", "--dry-run"]).stderr, note("pnpm@9.1.0"));
    assert_eq!(ok(&project(), ["install", "--silent"]).stderr, "");
    let run = ok(&project(), ["install", "--json"]);
    assert_eq!(run.stderr, "");
    assert!(!run.stdout.contains("takes its place"), "{run}");
    let without = project();
    let run = command(&without).args(["ci"]).run();
    assert!(!run.stderr.contains("takes its place"), "{run}");
    fails(run, "DX_NO_LOCKFILE");
    // Without a lockfile it is once for each folder.
    let unlocked = project();
    assert_eq!(ok(&unlocked, ["install", "--no-package-lock"]).stderr, note("pnpm@9.1.0"));
    assert_eq!(ok(&unlocked, ["install", "--no-package-lock", "--force"]).stderr, "");
}

#[test]
fn a_version_of_npm_is_compared_with_the_one_that_dx_follows() {
    let registry = registry();
    for (on_fail, is_error) in [("error", true), ("download", true), ("warn", false)] {
        let demand = json!({ "name": "npm", "version": "^10", "onFail": on_fail });
        let project = builder(&registry).field("devEngines", json!({ "packageManager": demand }));
        let run = command(&project.create()).args(["install"]).run();
        if is_error {
            fails(run, "DX_DEV_ENGINES");
        } else {
            assert_eq!(warnings(&run.success()).len(), 1);
        }
    }
}

#[test]
fn a_package_manager_of_another_form_is_named() {
    let registry = registry();
    for value in [json!("pnpm@^9"), json!("npm"), json!("npm@12.0.0+sha512.xyz"), json!(["npm"])] {
        let project = builder(&registry).field("packageManager", value.clone()).create();
        let run = ok(&project, ["install"]);
        assert!(run.stderr.contains("warning: packageManager "), "{value}: {run}");
    }
}

#[test]
fn misspelt_fields_are_named_and_those_of_tools_are_not() {
    let registry = registry();
    let project = builder(&registry)
        .field("devDependecies", json!({ "a": "1.0.0" }))
        .field("overides", json!({ "a": "1.0.0" }))
        .field("eslint", json!({ "rules": {} }))
        .create();
    let run = ok(&project, ["install"]);
    let [told] = warnings(&run)[..] else { panic!("{run}") };
    assert_eq!(
        told,
        "package.json: nothing reads \"devDependecies\" (did you mean \"devDependencies\"?), \
         \"overides\" (did you mean \"overrides\"?)"
    );
    assert_eq!(ok(&project, ["install"]).stderr, "");
}
