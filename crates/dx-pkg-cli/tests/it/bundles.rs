//! Packages inside other packages' tarballs.

use std::os::unix::fs::PermissionsExt;

use dx_pkg_testkit::{PackageBuilder, Project, Registry};
use serde_json::{Value, json};

use crate::harness::{command, locked, maintain, ok};

const SCRIPT: &str = "#!/usr/bin/env node\nconsole.log(1)\n";

/// Adds a package with a command to the tarball, in `folder`. Its file is not executable.
fn with_inner<'r>(
    package: PackageBuilder<'r>,
    folder: &str,
    name: &str,
    command: &str,
) -> PackageBuilder<'r> {
    let manifest = json!({ "name": name, "version": "1.2.0", "bin": { command: "cli.js" } });
    package
        .file(&format!("{folder}/package.json"), manifest.to_string())
        .file(&format!("{folder}/cli.js"), SCRIPT)
}

/// Publishes `m`, which bundles `q`, and `q` itself.
fn registry(bundle: (&str, Value)) -> Registry {
    let registry = Registry::start();
    let m = registry.package("m", "1.0.0").dep("q", "^1.0.0").field(bundle.0, bundle.1);
    with_inner(m, "node_modules/q", "q", "qbin").publish();
    registry.package("q", "1.0.0").publish();
    registry.package("q", "1.2.0").publish();
    registry.package("z", "1.0.0").publish();
    registry
}

fn list() -> (&'static str, Value) {
    ("bundleDependencies", json!(["q"]))
}

#[track_caller]
fn has_command(project: &Project, folder: &str, name: &str, target: &str) {
    let link = project.path().join(folder).join(".bin").join(name);
    assert_eq!(std::fs::read_link(&link).unwrap().to_str(), Some(target));
    let mode = std::fs::metadata(&link).unwrap().permissions().mode();
    assert_eq!(mode & 0o111, 0o111, "{mode:o}");
}

const INNER: &str = "node_modules/m/node_modules";

#[test]
fn commands_of_bundled_packages_are_linked_and_executable_in_every_spelling() {
    for bundle in [
        list(),
        ("bundledDependencies", json!(["q"])),
        ("bundleDependencies", json!(true)),
        ("bundleDependencies", json!({ "q": "*" })),
    ] {
        let registry = registry(bundle);
        let project = Project::new(&registry).dep("m", "1").create();
        for args in [["install"], ["ci"]] {
            ok(&project, args);
            has_command(&project, INNER, "qbin", "../q/cli.js");
        }
        project.remove("node_modules");
        ok(&project, ["install"]);
        has_command(&project, INNER, "qbin", "../q/cli.js");
        assert_eq!(locked(&project, "node_modules/m/node_modules/q")["inBundle"], true);
    }
}

#[test]
fn commands_are_linked_at_every_depth_of_a_bundle() {
    let registry = Registry::start();
    let deep = registry
        .package("deep", "1.0.0")
        .dep("@s/q", "1")
        .field("bundleDependencies", json!(["@s/q"]));
    let requires = json!({
        "name": "@s/q", "version": "1.0.0", "bin": { "sq": "cli.js" },
        "dependencies": { "z": "1", "flat": "1" },
    });
    let deep = with_inner(deep, "node_modules/@s/q/node_modules/z", "z", "zbin")
        .file("node_modules/@s/q/package.json", requires.to_string())
        .file("node_modules/@s/q/cli.js", SCRIPT);
    with_inner(deep, "node_modules/flat", "flat", "fbin").publish();
    let project = Project::new(&registry).dep("deep", "1").create();
    ok(&project, ["install"]);
    let top = "node_modules/deep/node_modules";
    has_command(&project, top, "sq", "../@s/q/cli.js");
    has_command(&project, top, "fbin", "../flat/cli.js");
    has_command(&project, &format!("{top}/@s/q/node_modules"), "zbin", "../z/cli.js");
}

#[test]
fn lockfile_alone_has_what_the_tarball_bundles() {
    let registry = registry(list());
    let project = Project::new(&registry).dep("m", "1").create();
    ok(&project, ["install", "--package-lock-only"]);
    let alone = project.read("package-lock.json");
    let q = locked(&project, "node_modules/m/node_modules/q");
    assert_eq!(q, json!({ "version": "1.2.0", "inBundle": true, "bin": { "qbin": "cli.js" } }));
    assert!(!project.exists("node_modules"));
    assert_eq!(registry.tarball_requests(), 1, "only the bundling package is fetched");
    ok(&project, ["install"]);
    assert_eq!(project.read("package-lock.json"), alone);
    has_command(&project, INNER, "qbin", "../q/cli.js");
}

/// Gives the entry of the bundled package an address and an integrity, as old lockfiles have them.
fn with_integrity(registry: &Registry, project: &Project) {
    let mut lock = project.json("package-lock.json");
    let q = &mut lock["packages"]["node_modules/m/node_modules/q"];
    q["resolved"] = format!("{}q/-/q-1.2.0.tgz", registry.url()).into();
    q["integrity"] = registry.integrity("q", "1.2.0").into();
    project.write("package-lock.json", format!("{lock:#}\n"));
    project.remove("node_modules");
}

#[test]
fn integrity_of_a_bundled_entry_does_not_put_another_package_in_its_place() {
    for args in [["ci"], ["install"]] {
        let registry = registry(list());
        let project = Project::new(&registry).dep("m", "1").create();
        ok(&project, ["install"]);
        with_integrity(&registry, &project);
        registry.clear_requests();
        ok(&project, args);
        has_command(&project, INNER, "qbin", "../q/cli.js");
        let asked_for_q =
            registry.requests().iter().any(|request| request.path.contains("q-1.2.0"));
        assert!(!asked_for_q, "{args:?}");
        let q = locked(&project, "node_modules/m/node_modules/q");
        assert_eq!(q["integrity"].is_null(), args == ["install"], "as npm rewrites the entry");
    }
}

#[test]
fn what_the_project_itself_bundles_is_installed_from_the_registry() {
    let registry = registry(list());
    let project = Project::new(&registry)
        .dep("q", "1.0.0")
        .dep("m", "1")
        .field("bundleDependencies", json!(["q", "m"]))
        .create();
    for args in [["install"], ["ci"], ["install"]] {
        ok(&project, args);
        assert_eq!(locked(&project, "node_modules/m/node_modules/q")["inBundle"], true);
        assert!(project.exists("node_modules/q/index.js"));
        has_command(&project, INNER, "qbin", "../q/cli.js");
    }
}

#[test]
fn packages_placed_for_what_proves_to_be_bundled_are_left_out() {
    let registry = Registry::start();
    let shadow = registry
        .package("shadow", "1.0.0")
        .dep("q", "^1.0.0")
        .dep("z", "^1.0.0")
        .field("bundleDependencies", json!(["q"]));
    let shadow = with_inner(shadow, "node_modules/q", "q", "qbin");
    with_inner(shadow, "node_modules/z", "z", "zbin").publish();
    registry.package("z", "1.0.0").publish();
    let project = Project::new(&registry).dep("shadow", "1").create();
    ok(&project, ["install"]);
    assert!(locked(&project, "node_modules/z").is_null());
    assert!(!project.exists("node_modules/z"));
    has_command(&project, "node_modules/shadow/node_modules", "zbin", "../z/cli.js");
}

#[test]
fn folder_without_a_version_is_no_package() {
    let registry = Registry::start();
    registry
        .package("m", "1.0.0")
        .dep("q", "1")
        .field("bundleDependencies", json!(["q"]))
        .file("node_modules/q/package.json", r#"{ "name": "q", "bin": "cli.js" }"#)
        .file("node_modules/q/cli.js", SCRIPT)
        .publish();
    let project = Project::new(&registry).dep("m", "1").create();
    ok(&project, ["install"]);
    assert!(locked(&project, "node_modules/m/node_modules/q").is_null());
    assert!(project.exists("node_modules/m/node_modules/q/cli.js"));
    assert!(!project.exists("node_modules/m/node_modules/.bin"));
}

#[test]
fn changes_beside_a_bundling_package_keep_its_commands() {
    let registry = registry(list());
    let m2 = registry.package("m", "2.0.0").dep("q", "^1.0.0").field(list().0, list().1);
    with_inner(m2, "node_modules/q", "q", "other").publish();
    let project = Project::new(&registry).dep("m", "1").create();
    ok(&project, ["install"]);
    ok(&project, ["install", "z"]);
    has_command(&project, INNER, "qbin", "../q/cli.js");
    ok(&project, ["uninstall", "z"]);
    has_command(&project, INNER, "qbin", "../q/cli.js");
    ok(&project, ["install", "m@2"]);
    has_command(&project, INNER, "other", "../q/cli.js");
    assert!(!project.exists("node_modules/m/node_modules/.bin/qbin"));
    ok(&project, ["uninstall", "m"]);
    assert!(!project.exists("node_modules/m"));
    assert_eq!(project.json("package-lock.json")["packages"].as_object().unwrap().len(), 1);
}

#[test]
fn prepared_tree_has_the_commands_of_bundled_packages() {
    let registry = registry(list());
    let project = Project::new(&registry).dep("m", "1").create();
    command(&project).env("DX_PREPARED_TREES", "1").args(["install"]).run().success();
    maintain(&project);
    project.remove("node_modules");
    command(&project).env("DX_PREPARED_TREES", "1").args(["ci"]).run().success();
    has_command(&project, INNER, "qbin", "../q/cli.js");
}

#[test]
fn scripts_of_bundled_packages_are_never_run() {
    let registry = Registry::start();
    let manifest = json!({
        "name": "q", "version": "1.2.0", "scripts": { "install": "echo ran > ran.txt" },
    });
    registry
        .package("m", "1.0.0")
        .dep("q", "1")
        .field("bundleDependencies", json!(["q"]))
        .file("node_modules/q/package.json", manifest.to_string())
        .publish();
    let project =
        Project::new(&registry).dep("m", "1").field("allowScripts", json!({ "q": true })).create();
    let run = ok(&project, ["install"]);
    assert!(!project.exists("node_modules/m/node_modules/q/ran.txt"));
    assert!(!run.stderr.contains('q'), "nothing could allow them: {run}");
}
