//! Pins of versions by other managers: `resolutions`, `pnpm.overrides`, overrides in
//! `pnpm-workspace.yaml`, and Bun's.

use dx_pkg_testkit::{Project, ProjectBuilder, Registry};
use serde_json::{Value, json};

use crate::harness::{dx, fails, locked_version, ok};

/// `c` requires `b`, which requires `a`; so do `c` and `d` themselves.
fn registry() -> Registry {
    let registry = Registry::start();
    for version in ["1.0.0", "1.1.0", "2.0.0", "3.0.0"] {
        registry.package("a", version).publish();
    }
    registry.package("b", "1.0.0").dep("a", "^1.0.0").publish();
    registry.package("b", "2.0.0").dep("a", "^2.0.0").publish();
    registry.package("c", "1.0.0").dep("b", "^1.0.0").dep("a", "^3.0.0").publish();
    registry.package("p", "1.0.0").peer("a", "^1.0.0").publish();
    registry.package("other", "5.0.0").publish();
    registry
}

#[track_caller]
fn round_trip(project: &Project) {
    let run = ok(project, ["install"]);
    // It says once whose place it takes.
    assert!(run.stderr.lines().all(|line| line.ends_with("dx takes its place")), "{run}");
    let lockfile = project.read("package-lock.json");
    assert_eq!(ok(project, ["install"]).stdout, "Already up to date\n");
    ok(project, ["ci"]);
    project.remove("node_modules");
    ok(project, ["install"]);
    assert_eq!(project.read("package-lock.json"), lockfile);
}

/// Returns the versions of every installed `name`, by path.
fn versions(project: &Project, name: &str) -> Vec<String> {
    let lockfile = project.json("package-lock.json");
    let entries = lockfile["packages"].as_object().unwrap();
    let of_name =
        entries.iter().filter(|(path, _)| path.ends_with(&format!("node_modules/{name}")));
    let version = |entry: &Value| entry["version"].as_str().unwrap_or("linked").to_owned();
    of_name.map(|(path, entry)| format!("{path}@{}", version(entry))).collect()
}

fn yarn(registry: &Registry, resolutions: Value) -> ProjectBuilder {
    Project::new(registry).field("packageManager", "yarn@4.10.0").field("resolutions", resolutions)
}

fn pnpm(registry: &Registry, overrides: &str) -> ProjectBuilder {
    Project::new(registry)
        .field("packageManager", "pnpm@11.0.0")
        .file("pnpm-workspace.yaml", format!("overrides:\n{overrides}"))
}

#[test]
fn resolutions_of_yarn_are_carried_out() {
    let registry = registry();
    for (resolutions, expected) in [
        (json!({ "a": "1.0.0" }), vec!["node_modules/a@1.0.0"]),
        (json!({ "**/a": "npm:1.0.0" }), vec!["node_modules/a@1.0.0"]),
        (
            json!({ "b/a": "1.0.0" }),
            vec!["node_modules/a@3.0.0", "node_modules/b/node_modules/a@1.0.0"],
        ),
        (json!({ "c/a": "1.1.0" }), vec!["node_modules/a@1.1.0"]),
        // Only directly below: b's is below c, and keeps its own.
        (
            json!({ "c/a": "2.0.0" }),
            vec!["node_modules/a@2.0.0", "node_modules/b/node_modules/a@1.1.0"],
        ),
        // Anywhere below.
        (json!({ "c/**/a": "1.0.0" }), vec!["node_modules/a@1.0.0"]),
        (
            json!({ "a@npm:^3.0.0": "2.0.0" }),
            vec!["node_modules/a@2.0.0", "node_modules/b/node_modules/a@1.1.0"],
        ),
        (json!({ "a@^3.0.0": "1.1.0" }), vec!["node_modules/a@1.1.0"]),
        (
            json!({ "b@npm:2.0.0/a": "1.0.0" }),
            vec!["node_modules/a@3.0.0", "node_modules/b/node_modules/a@1.1.0"],
        ),
        (
            json!({ "b@npm:1.0.0/a": "1.0.0" }),
            vec!["node_modules/a@3.0.0", "node_modules/b/node_modules/a@1.0.0"],
        ),
        (
            json!({ "b@npm:^1/a": "1.0.0" }),
            vec!["node_modules/a@3.0.0", "node_modules/b/node_modules/a@1.1.0"],
        ),
        // The first one counts.
        (json!({ "a": "2.0.0", "b/a": "1.0.0" }), vec!["node_modules/a@2.0.0"]),
        (json!({ "a": "npm:other@5.0.0" }), vec!["node_modules/a@5.0.0"]),
    ] {
        let project = yarn(&registry, resolutions.clone()).dep("c", "1.0.0").create();
        round_trip(&project);
        let mut found = versions(&project, "a");
        found.sort();
        assert_eq!(found, expected, "{resolutions}");
        // The requirement stays as its package has it.
        let lockfile = project.json("package-lock.json");
        assert_eq!(lockfile["packages"]["node_modules/b"]["dependencies"]["a"], "^1.0.0");
    }
    // They hold for the project's own requirements, too.
    let project =
        yarn(&registry, json!({ "a": "2.0.0" })).dep("a", "^1.0.0").dep("p", "1").create();
    ok(&project, ["install"]);
    assert_eq!(versions(&project, "a"), ["node_modules/a@2.0.0"]);
    assert_eq!(project.json("package-lock.json")["packages"][""]["dependencies"]["a"], "^1.0.0");
}

#[test]
fn folders_and_workspaces_take_the_place_of_packages() {
    let registry = registry();
    let link = |project: &Project| {
        let link = std::fs::read_link(project.path().join("node_modules/a")).unwrap();
        link.to_string_lossy().replace('\\', "/")
    };
    for (value, place) in [
        ("portal:./mine", "../mine"),
        ("link:./mine", "../mine"),
        ("file:./mine", "../mine"),
        ("workspace:^", "../w/a"),
    ] {
        let project = yarn(&registry, json!({ "a": value }))
            .dep("b", "1.0.0")
            .field("workspaces", json!(["w/*"]))
            .file("w/a/package.json", r#"{"name":"a","version":"9.0.0"}"#)
            .file("w/x/package.json", r#"{"name":"x","dependencies":{"a":"^1.0.0"}}"#)
            .file("mine/package.json", r#"{"name":"a","version":"9.0.0"}"#);
        let project = if place == "../mine" {
            project.file("w/a/package.json", r#"{"name":"z","version":"9.0.0"}"#)
        } else {
            project
        };
        let project = project.create();
        round_trip(&project);
        assert_eq!(link(&project), place, "{value}");
        assert_eq!(versions(&project, "a"), ["node_modules/a@linked"], "{value}");
    }
}

#[test]
fn overrides_of_pnpm_are_carried_out() {
    let registry = registry();
    for (overrides, expected) in [
        ("  a: 1.0.0\n", vec!["node_modules/a@1.0.0"]),
        (
            "  'a@^3.0.0': 2.0.0\n",
            vec!["node_modules/a@2.0.0", "node_modules/b/node_modules/a@1.1.0"],
        ),
        ("  'b>a': 1.0.0\n", vec!["node_modules/a@3.0.0", "node_modules/b/node_modules/a@1.0.0"]),
        ("  'c>a': 1.1.0\n", vec!["node_modules/a@1.1.0"]),
        ("  'b@2>a': 1.0.0\n", vec!["node_modules/a@3.0.0", "node_modules/b/node_modules/a@1.1.0"]),
        (
            "  'b@1>a@^1': 1.0.0\n",
            vec!["node_modules/a@3.0.0", "node_modules/b/node_modules/a@1.0.0"],
        ),
        ("  'c>a': '-'\n", vec!["node_modules/a@1.1.0"]),
        ("  a: '-'\n", vec![]),
        ("  a: $other\n", vec!["node_modules/a@5.0.0"]),
        ("  a: 'catalog:'\ncatalog:\n  a: 2.0.0\n", vec!["node_modules/a@2.0.0"]),
        // The narrower one counts, wherever it stands.
        (
            "  a: 2.0.0\n  'b>a': 1.0.0\n",
            vec!["node_modules/a@2.0.0", "node_modules/b/node_modules/a@1.0.0"],
        ),
    ] {
        let project = pnpm(&registry, overrides).dep("c", "1.0.0").dev("other", "npm:other@5.0.0");
        let project = project.create();
        round_trip(&project);
        let mut found = versions(&project, "a");
        found.sort();
        assert_eq!(found, expected, "{overrides}");
    }
}

#[test]
fn peers_are_overridden_as_pnpm_does() {
    let registry = registry();
    let project = pnpm(&registry, "  'p>a': 2.0.0\n").dep("p", "1.0.0").dep("a", "2.0.0").create();
    round_trip(&project);
    assert_eq!(versions(&project, "a"), ["node_modules/a@2.0.0"]);
}

#[test]
fn bun_overrides_direct_dependencies_too() {
    let registry = registry();
    let builder = |manager: &str| {
        Project::new(&registry)
            .field("packageManager", manager)
            .field("overrides", json!({ "a": "2.0.0" }))
            .dep("a", "^1.0.0")
            .dep("b", "1.0.0")
    };
    fails(dx(&builder("npm@12.0.0").create(), ["install"]), "DX_OVERRIDE_CONFLICT");
    let project = builder("bun@1.4.0").create();
    round_trip(&project);
    assert_eq!(versions(&project, "a"), ["node_modules/a@2.0.0"]);
    // Nested ones are npm's.
    let project = Project::new(&registry)
        .field("packageManager", "bun@1.4.0")
        .field("overrides", json!({ "b": { "a": "1.0.0" } }))
        .dep("b", "1.0.0")
        .create();
    round_trip(&project);
    assert_eq!(versions(&project, "a"), ["node_modules/a@1.0.0"]);
}

#[test]
fn a_changed_pin_is_a_change() {
    let registry = registry();
    let project = pnpm(&registry, "  a: 1.0.0\n").dep("b", "1.0.0").create();
    ok(&project, ["install"]);
    project.write("pnpm-workspace.yaml", "overrides:\n  a: 2.0.0\n");
    fails(dx(&project, ["ci"]), "DX_LOCKFILE_OUT_OF_DATE");
    ok(&project, ["install"]);
    assert_eq!(locked_version(&project, "node_modules/a"), "2.0.0");
    // Another package beside it.
    ok(&project, ["add", "c"]);
    assert_eq!(versions(&project, "a"), ["node_modules/a@2.0.0"]);
    round_trip(&project);
    project.remove("pnpm-workspace.yaml");
    ok(&project, ["install"]);
    assert_eq!(locked_version(&project, "node_modules/b/node_modules/a"), "1.1.0");
}

#[test]
fn what_contradicts_each_other_is_an_error_that_names_both() {
    let registry = registry();
    let project = Project::new(&registry)
        .field("packageManager", "yarn@4.0.0")
        .field("resolutions", json!({ "b/a": "1.0.0" }))
        .field("overrides", json!({ "b": { "a": "1.1.0" } }))
        .dep("b", "1.0.0")
        .create();
    let stderr = fails(dx(&project, ["install"]), "DX_PIN_CONTRADICTION");
    assert!(stderr.contains("1.1.0 in overrides and to 1.0.0 in resolutions"), "{stderr}");
    let project = Project::new(&registry)
        .field("pnpm", json!({ "overrides": { "a": "1.0.0" } }))
        .file("pnpm-workspace.yaml", "overrides:\n  a: 1.1.0\n")
        .dep("b", "1.0.0")
        .create();
    let stderr = fails(dx(&project, ["install"]), "DX_PIN_CONTRADICTION");
    assert!(stderr.contains("overrides in pnpm-workspace.yaml and to 1.0.0 in pnpm.overrides"));
    assert!(!project.exists("node_modules"));
}

#[test]
fn pins_that_nobody_can_carry_out_are_refused_by_key() {
    let registry = registry();
    for (field, value) in [
        ("resolutions", json!({ "a": "exec:./a.js" })),
        ("resolutions", json!({ "a/b/c": "1.0.0" })),
        ("resolutions", json!(["a"])),
        ("pnpm", json!({ "overrides": { "a": 1 } })),
        ("pnpm", json!({ "overrides": { "b>c>a": "1.0.0" } })),
        ("pnpm", json!({ "overrides": { "a": "$nobody" } })),
    ] {
        let project =
            Project::new(&registry).field(field, value.clone()).dep("b", "1.0.0").create();
        let stderr = fails(dx(&project, ["install"]), "DX_FOREIGN_OVERRIDES");
        assert!(
            stderr.contains(if field == "pnpm" { "pnpm.overrides" } else { field }),
            "{stderr}"
        );
        let run = ok(&project, ["install", "--foreign-overrides=warn"]);
        assert!(run.stderr.contains("which dx cannot carry out"), "{run}");
        assert_eq!(ok(&project, ["install", "--foreign-overrides=ignore"]).stderr, "");
    }
}

#[test]
fn pins_of_managers_that_a_project_does_not_belong_to_are_named() {
    let registry = registry();
    for (manager, field, value, said) in [
        (
            "npm@12.0.0",
            "resolutions",
            json!({ "a": "1.0.0" }),
            "resolutions, as the project belongs to npm",
        ),
        ("npm@12.0.0", "pnpm", json!({ "overrides": { "a": "1.0.0" } }), "pnpm.overrides, as the"),
        (
            "pnpm@11.0.0",
            "pnpm",
            json!({ "overrides": { "a": "1.0.0" } }),
            "pnpm.overrides, which pnpm 11",
        ),
        ("pnpm@12.0.0", "resolutions", json!({ "a": "1.0.0" }), "resolutions, which pnpm 11"),
    ] {
        let project = Project::new(&registry)
            .field("packageManager", manager)
            .field(field, value)
            .dep("b", "1.0.0")
            .create();
        let run = ok(&project, ["install"]);
        assert!(run.stderr.contains(said), "{run}");
        assert_eq!(versions(&project, "a"), ["node_modules/a@1.1.0"]);
    }
    let project =
        pnpm(&registry, "  a: 1.0.0\n").field("packageManager", "npm@12.0.0").dep("b", "1");
    let run = ok(&project.create(), ["install"]);
    assert!(run.stderr.contains("pnpm-workspace.yaml, as the project belongs to npm"), "{run}");
}
