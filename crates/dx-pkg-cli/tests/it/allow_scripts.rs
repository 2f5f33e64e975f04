//! `allowScripts`: which packages its keys name, and the line that names what was skipped.

use dx_pkg_testkit::{Project, ProjectBuilder, Registry};
use serde_json::{Value, json};

use crate::harness::{dx, fails, ok};

/// A script that records in the project which package ran which event.
const NOTE: &str = "echo \"$npm_package_name:$npm_lifecycle_event\" >> \"$INIT_CWD/ran\"";

const EVENTS: [&str; 4] = ["preinstall", "prepare", "install", "postinstall"];

/// Returns the manifest of a folder with all scripts.
fn folder(name: &str) -> String {
    let scripts: Value = EVENTS.iter().map(|event| (*event, NOTE)).collect();
    json!({ "name": name, "version": "1.0.0", "scripts": scripts }).to_string()
}

fn with_folder(registry: &Registry) -> ProjectBuilder {
    Project::new(registry).dep("lib", "file:./lib").file("lib/package.json", folder("lib"))
}

/// Returns the scripts that ran since the last call.
fn ran(project: &Project) -> Vec<String> {
    let text = if project.exists("ran") { project.read("ran") } else { String::new() };
    project.write("ran", "");
    text.lines().map(str::to_owned).collect()
}

fn all_of(name: &str) -> Vec<String> {
    EVENTS.iter().map(|event| format!("{name}:{event}")).collect()
}

/// Sets `allowScripts` of a project.
fn allow(project: &Project, keys: &Value) {
    let mut manifest = project.json("package.json");
    manifest["allowScripts"] = keys.clone();
    project.write("package.json", manifest.to_string());
}

#[test]
fn folders_are_allowed_by_their_path_also_as_npm_writes_it() {
    let registry = Registry::start();
    for key in ["file:./lib", "file:lib", "./lib", "lib@file:lib", "file:../lib"] {
        let project = with_folder(&registry).field("allowScripts", json!({ key: true })).create();
        let run = ok(&project, ["install"]);
        assert_eq!(ran(&project), all_of("lib"), "{key}");
        assert!(!run.stderr.contains("not run"), "{key}: {run}");
        ok(&project, ["ci"]);
        assert_eq!(ran(&project), all_of("lib"), "{key}");
    }
}

#[test]
fn folders_are_not_allowed_by_a_name() {
    let registry = Registry::start();
    registry.package("late", "1.0.0").publish();
    let project = with_folder(&registry).field("allowScripts", json!({ "lib": true })).create();
    for args in [&["install"][..], &["install"], &["ci"], &["install", "late"]] {
        let run = crate::harness::command(&project).args(args).run().success();
        let line = "install scripts not run: lib@file:lib; to run them, add \"allowScripts\": \
                    { \"file:lib\": true } to package.json\n";
        assert!(run.stderr.contains(line), "{args:?}: {run}");
    }
    assert_eq!(ran(&project).len(), 0);
    allow(&project, &json!({ "file:lib": false }));
    assert_eq!(ok(&project, ["install"]).stderr, "");
    allow(&project, &json!({ "file:lib": true }));
    ok(&project, ["install"]);
    assert_eq!(ran(&project), all_of("lib"));
}

#[test]
fn folder_with_nothing_but_prepare_is_told_and_run() {
    let registry = Registry::start();
    registry.package("late", "1.0.0").publish();
    let manifest = json!({ "name": "lib", "scripts": { "prepare": NOTE } }).to_string();
    let project = Project::new(&registry)
        .dep("lib", "file:../outside/lib")
        .file("../outside/lib/package.json", manifest)
        .create();
    let run = ok(&project, ["install"]);
    assert!(run.stderr.contains("{ \"file:../outside/lib\": true }"), "{run}");
    allow(&project, &json!({ "file:../outside/lib": true }));
    ok(&project, ["install", "late"]);
    assert_eq!(ran(&project), ["lib:prepare"], "as with npm, also when something is added");
}

#[test]
fn strict_setting_concerns_folders_too() {
    let registry = Registry::start();
    let project = with_folder(&registry).npmrc("strict-allow-scripts=true").create();
    let stderr = fails(dx(&project, ["install"]), "DX_SCRIPTS_UNDECIDED");
    assert!(stderr.contains("lib@file:lib"), "{stderr}");
    assert!(!project.exists("node_modules"));
}

#[test]
fn tarballs_are_allowed_by_their_path_only() {
    let registry = Registry::start();
    let packed = registry.package("packed", "1.0.0").script("install", NOTE);
    let tarball = packed.tarball();
    let entry = json!({
        "version": "1.0.0", "resolved": "file:packed.tgz", "hasInstallScript": true,
        "integrity": dx_pkg_core::Integrity::sha512_of(&tarball).to_string(),
    });
    let requires = json!({ "packed": "file:packed.tgz" });
    let lock = json!({
        "name": "project", "version": "1.0.0", "lockfileVersion": 3, "requires": true,
        "packages": {
            "": { "name": "project", "version": "1.0.0", "dependencies": requires },
            "node_modules/packed": entry,
        },
    });
    for (key, runs) in [("packed", false), ("file:packed.tgz", true), ("./packed.tgz", true)] {
        let project = Project::new(&registry)
            .dep("packed", "file:packed.tgz")
            .file("packed.tgz", tarball.clone())
            .file("package-lock.json", lock.to_string())
            .field("allowScripts", json!({ key: true }))
            .create();
        let run = ok(&project, ["ci"]);
        assert_eq!(ran(&project).len(), usize::from(runs), "{key}");
        let is_told = run.stderr.contains("{ \"file:packed.tgz\": true }");
        assert_eq!(is_told, !runs, "{key}: {run}");
    }
}

#[test]
fn several_exact_versions_are_a_key_and_a_range_is_none() {
    let registry = Registry::start();
    registry.package("native", "1.2.0").script("install", NOTE).publish();
    for (key, runs) in [
        ("native@1.0.0 || 1.2.0", true),
        ("native@*", true),
        ("native@^1", false),
        ("native@latest", false),
    ] {
        let project =
            Project::new(&registry).dep("native", "1").field("allowScripts", json!({ key: true }));
        let project = project.create();
        ok(&project, ["install"]);
        assert_eq!(ran(&project).len(), usize::from(runs), "{key}");
    }
}

#[test]
fn skipped_scripts_are_named_in_one_line_at_every_install() {
    let registry = Registry::start();
    registry.package("native", "1.0.0").script("install", NOTE).publish();
    registry.package("@s/other", "2.0.0").script("postinstall", NOTE).publish();
    registry.package("late", "1.0.0").publish();
    let project = Project::new(&registry).dep("native", "1").dep("@s/other", "2").create();
    let line = "warning: install scripts not run: @s/other@2.0.0, native@1.0.0; to run them, add \
                \"allowScripts\": { \"@s/other\": true, \"native\": true } to package.json\n";
    for args in [
        &["install"][..],
        &["install"],
        &["ci"],
        &["install", "--prefer-offline"],
        &["install", "late"],
        &["remove", "late"],
        &["install", "--force"],
    ] {
        let run = crate::harness::command(&project).args(args).run().success();
        assert_eq!(run.stderr, line, "{args:?}: {run}");
    }
    let quiet = ok(&project, ["install", "--silent"]);
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
    assert_eq!(ok(&project, ["install", "--ignore-scripts"]).stderr, "", "it was wanted");
    let json = ok(&project, ["install", "--json"]).stdout;
    assert!(json.contains(r#""scriptsSkipped":["@s/other@2.0.0","native@1.0.0"]"#), "{json}");
}
