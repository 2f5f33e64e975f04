//! Approvals of scripts in the forms of pnpm, Yarn and Bun.

use dx_pkg_testkit::{Project, ProjectBuilder, Registry, Run};
use serde_json::{Value, json};

use crate::harness::{command, dx, fails, ok};

const NOTE: &str = "echo \"$npm_package_name@$npm_package_version\" >> \"$INIT_CWD/ran\"";

fn registry() -> Registry {
    let registry = Registry::start();
    for (name, version) in [("a", "1.0.0"), ("b", "2.0.0")] {
        registry.package(name, version).script("postinstall", NOTE).publish();
    }
    registry
}

fn builder(registry: &Registry) -> ProjectBuilder {
    Project::new(registry).dep("a", "1.0.0").dep("b", "2.0.0")
}

/// Returns the packages whose scripts ran.
fn ran(project: &Project) -> Vec<String> {
    let text = if project.exists("ran") { project.read("ran") } else { String::new() };
    let mut ran: Vec<String> = text.lines().map(str::to_owned).collect();
    ran.sort_unstable();
    ran
}

fn warnings(run: &Run) -> Vec<&str> {
    run.stderr.lines().filter_map(|line| line.strip_prefix("warning: ")).collect()
}

#[test]
fn fields_of_every_manager_approve() {
    let registry = registry();
    for (field, value, expected) in [
        ("trustedDependencies", json!(["a"]), vec!["a@1.0.0"]),
        ("trustedDependencies", json!(["a", "b"]), vec!["a@1.0.0", "b@2.0.0"]),
        ("trustedDependencies", json!([]), vec![]),
        ("dependenciesMeta", json!({ "a": { "built": true } }), vec!["a@1.0.0"]),
        ("dependenciesMeta", json!({ "b@2.0.0": { "built": true } }), vec!["b@2.0.0"]),
        ("dependenciesMeta", json!({ "b@2.0.1": { "built": true } }), vec![]),
        ("pnpm", json!({ "onlyBuiltDependencies": ["b"] }), vec!["b@2.0.0"]),
        (
            "pnpm",
            json!({ "onlyBuiltDependencies": ["a@1.0.0 || 1.0.1", "b@1.0.0"] }),
            vec!["a@1.0.0"],
        ),
        ("pnpm", json!({ "allowBuilds": { "a": true, "b": false } }), vec!["a@1.0.0"]),
        ("pnpm", json!({ "neverBuiltDependencies": ["a"] }), vec![]),
        ("pnpm", json!({ "dangerouslyAllowAllBuilds": true }), vec![]),
        ("lavamoat", json!({ "allowScripts": { "a": true } }), vec![]),
    ] {
        let project = builder(&registry).field(field, value.clone()).create();
        let run = ok(&project, ["install"]);
        assert_eq!(ran(&project), expected, "{field} {value}: {run}");
        let again = ok(&project, ["install"]);
        assert_eq!(again.stdout, "Already up to date\n", "{field} {value}");
    }
}

#[test]
fn what_is_denied_is_not_named_as_skipped() {
    let registry = registry();
    let denied = json!({ "ignoredBuiltDependencies": ["a"], "allowBuilds": { "b": false } });
    let run = ok(&builder(&registry).field("pnpm", denied).create(), ["install"]);
    assert!(!run.stderr.contains("not run"), "{run}");
    let project = builder(&registry).field("trustedDependencies", json!(["a"])).create();
    let run = ok(&project, ["install"]);
    assert!(run.stderr.contains("install scripts not run: b@2.0.0;"), "{run}");
}

#[test]
fn settings_file_of_pnpm_approves_as_its_version_reads_it() {
    let registry = registry();
    let text = "allowBuilds:\n  a: true\nonlyBuiltDependencies:\n  - b\n";
    for (manager, expected) in [
        ("pnpm@10.9.0", vec!["a@1.0.0", "b@2.0.0"]),
        ("pnpm@12.0.0", vec!["a@1.0.0"]),
        ("npm@12.0.0", vec![]),
    ] {
        let project = builder(&registry)
            .field("packageManager", json!(manager))
            .file("pnpm-workspace.yaml", text)
            .create();
        let run = ok(&project, ["install"]);
        assert_eq!(ran(&project), expected, "{manager}: {run}");
        let ignored = run.stderr.contains("pnpm 12 reads allowBuilds instead");
        assert_eq!(ignored, manager.starts_with("pnpm@12"), "{run}");
    }
    let in_manifest = |manager: &str| {
        let project = builder(&registry)
            .field("packageManager", json!(manager))
            .field("pnpm", json!({ "onlyBuiltDependencies": ["a"] }))
            .create();
        let run = ok(&project, ["install"]);
        (ran(&project).len(), run.stderr.contains("in pnpm-workspace.yaml only since version 11"))
    };
    assert_eq!(in_manifest("pnpm@10.0.0"), (1, false));
    assert_eq!(in_manifest("pnpm@11.0.0"), (0, true));
}

#[test]
fn strict_dep_builds_of_pnpm_makes_skipped_scripts_an_error() {
    let registry = registry();
    let text = "strictDepBuilds: true\nallowBuilds:\n  a: true\n";
    let project = builder(&registry).file("pnpm-workspace.yaml", text).create();
    let stderr = fails(dx(&project, ["install"]), "DX_SCRIPTS_UNDECIDED");
    assert!(stderr.contains("b@2.0.0"), "{stderr}");
    project.write("pnpm-workspace.yaml", format!("{text}  b: false\n"));
    ok(&project, ["install"]);
    assert_eq!(ran(&project), ["a@1.0.0"]);
}

#[test]
fn a_file_with_names_counts_if_it_is_the_projects_own() {
    let registry = registry();
    let with = |file: &str| {
        builder(&registry)
            .field("pnpm", json!({ "onlyBuiltDependenciesFile": file }))
            .file("allow.json", r#"["a"]"#)
            .create()
    };
    let project = with("./allow.json");
    ok(&project, ["install"]);
    assert_eq!(ran(&project), ["a@1.0.0"]);
    // Its change is noticed.
    project.write("allow.json", r#"["a", "b"]"#);
    let run = ok(&project, ["install"]);
    assert_ne!(run.stdout, "Already up to date\n");
    for file in ["../allow.json", "/etc/allow.json", "node_modules/x/allow.json", "missing.json"] {
        let project = with(file);
        let run = ok(&project, ["install"]);
        assert!(run.stderr.contains("onlyBuiltDependenciesFile"), "{file}: {run}");
        assert!(ran(&project).is_empty(), "{file}");
    }
}

#[test]
fn between_two_forms_the_denial_counts_and_is_named() {
    let registry = registry();
    let project = builder(&registry)
        .field("allowScripts", json!({ "a": true, "b": true }))
        .field("dependenciesMeta", json!({ "a": { "built": false } }))
        .create();
    let run = ok(&project, ["install"]);
    assert_eq!(ran(&project), ["b@2.0.0"]);
    let told = warnings(&run);
    let expected = "allowScripts allows the scripts of a, and dependenciesMeta.built denies those of \
                    a: the denial counts";
    assert_eq!(told, [expected], "{run}");
}

#[test]
fn names_are_approved_to_the_packages_of_the_registry() {
    let registry = registry();
    // The lockfile gives an approved name to another tarball.
    let project = builder(&registry).field("trustedDependencies", json!(["b"])).create();
    command(&project).args(["install", "--ignore-scripts"]).run().success();
    let mut lock = project.json("package-lock.json");
    let packages = lock["packages"].as_object_mut().unwrap();
    let other = packages["node_modules/a"].clone();
    let entry = packages["node_modules/b"].as_object_mut().unwrap();
    entry.insert("resolved".to_owned(), other["resolved"].clone());
    entry.insert("integrity".to_owned(), other["integrity"].clone());
    project.write("package-lock.json", lock.to_string());
    let run = command(&project).args(["ci"]).run();
    assert!(ran(&project).is_empty(), "{run}");
}

#[test]
fn a_folder_that_the_project_requires_is_approved_by_its_name_as_with_bun() {
    let registry = registry();
    let folder = json!({
        "name": "lib", "version": "1.0.0", "scripts": { "postinstall": NOTE },
    });
    let with = |trusted: Value| {
        Project::new(&registry)
            .dep("lib", "file:./lib")
            .field("trustedDependencies", trusted)
            .file("lib/package.json", folder.to_string())
            .create()
    };
    let project = with(json!(["lib"]));
    ok(&project, ["install"]);
    assert_eq!(ran(&project), ["lib@1.0.0"]);
    let project = with(json!(["other"]));
    ok(&project, ["install"]);
    assert!(ran(&project).is_empty());
}

#[test]
fn approvals_count_in_the_projects_own_manifest_only() {
    let registry = registry();
    let project = builder(&registry)
        .field("workspaces", json!(["w"]))
        .file("w/package.json", r#"{"name":"w","trustedDependencies":["a"]}"#)
        .create();
    let run = ok(&project, ["install"]);
    assert!(ran(&project).is_empty());
    assert!(run.stderr.contains("trustedDependencies in w/package.json (it counts in"), "{run}");
}
