//! `dx prune` and `dx rebuild`.

use std::fs;

use dx_pkg_testkit::{Project, Registry};
use serde_json::json;

use crate::harness::{dx, fails, ok};

/// A script that records in its package that it ran.
fn note(event: &str) -> String {
    format!("echo {event} >> ran")
}

/// Publishes packages with and without scripts and commands.
fn registry() -> Registry {
    let registry = Registry::start();
    registry.package("plain", "1.0.0").publish();
    registry
        .package("built", "1.0.0")
        .script("preinstall", &note("preinstall"))
        .script("postinstall", &note("postinstall"))
        .bin("built", "cli.js")
        .executable("cli.js", "#!/usr/bin/env node\nconsole.log('built')\n")
        .publish();
    registry.package("built", "2.0.0").script("install", &note("install")).publish();
    registry.package("undecided", "1.0.0").script("install", "echo no >> ran").publish();
    registry.package("fails", "1.0.0").script("install", "test ! -e \"$INIT_CWD/fail\"").publish();
    registry
}

fn project(registry: &Registry) -> Project {
    Project::new(registry)
        .dep("plain", "^1.0.0")
        .dep("built", "1.0.0")
        .dep("second", "npm:built@2.0.0")
        .dev("undecided", "1.0.0")
        .script("postinstall", "echo own >> own-ran")
        .script("dependencies", "echo tree >> tree-ran")
        .field("allowScripts", json!({ "built": true }))
        .create()
}

/// Returns which scripts a package has run.
fn ran(project: &Project, name: &str) -> Vec<String> {
    let path = format!("node_modules/{name}/ran");
    if !project.exists(&path) {
        return Vec::new();
    }
    let text = project.read(&path);
    project.write(&path, "");
    text.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn prune_removes_what_is_not_required_and_restores_what_is() {
    let registry = registry();
    let project = project(&registry);
    ok(&project, ["install", "--ignore-scripts"]);
    let lock = project.read("package-lock.json");
    project.write("node_modules/stray/package.json", r#"{ "name": "stray", "version": "1.0.0" }"#);
    project.write("node_modules/@s/stray/package.json", r#"{ "name": "@s/stray" }"#);
    project.write("node_modules/.cache/kept", "");
    project.remove("node_modules/plain");
    let dry = ok(&project, ["prune", "--dry-run", "--json"]);
    assert!(project.exists("node_modules/stray"), "{dry}");
    // npm names of them only what is no longer required; the names given do not matter.
    ok(&project, ["prune", "nothing"]);
    for path in ["node_modules/stray", "node_modules/@s/stray"] {
        assert!(!project.exists(path), "{path}");
    }
    for path in ["node_modules/.cache/kept", "node_modules/plain", "node_modules/undecided"] {
        assert!(project.exists(path), "{path}");
    }
    assert!(!project.exists("own-ran"));
    assert!(project.exists("tree-ran"));
    assert_eq!(project.read("package-lock.json"), lock);
    for flag in ["--omit=dev", "--production"] {
        ok(&project, ["install", "--ignore-scripts"]);
        ok(&project, ["prune", flag]);
        assert!(!project.exists("node_modules/undecided"), "{flag}");
        assert!(project.exists("node_modules/built"), "{flag}");
    }
    assert_eq!(project.read("package-lock.json"), lock);
    assert!(ok(&project, ["prune", "--omit=dev"]).stdout.contains("up to date"));
}

#[test]
fn prune_without_manifest_leaves_nothing() {
    let registry = Registry::start();
    let project = Project::new(&registry).create();
    project.remove("package.json");
    project.write("node_modules/stray/package.json", "{}");
    ok(&project, ["prune"]);
    assert!(!project.exists("node_modules/stray"));
    assert!(!project.exists("package.json"));
}

#[test]
#[cfg(unix)]
fn rebuild_runs_the_allowed_scripts_of_what_is_named() {
    let registry = registry();
    let project = project(&registry);
    ok(&project, ["install"]);
    ran(&project, "built");
    ran(&project, "second");
    project.remove("own-ran");
    let (one, both) = (["preinstall", "postinstall"].as_slice(), ["install"].as_slice());
    // The arguments, and the scripts of built@1.0.0 and built@2.0.0 that run.
    for (words, first, second) in [
        ("rebuild", one, both),
        ("rb", one, both),
        ("rebuild built", one, &[]),
        ("rebuild built@^1", one, &[]),
        ("rebuild built@1.0.0 second@2", one, both),
        ("rebuild built@2", &[], &[]),
        ("rebuild second", &[], both),
        ("rebuild ./node_modules/built", one, &[]),
        ("rebuild plain", &[], &[]),
        ("rebuild nothere", &[], &[]),
        ("rebuild --ignore-scripts", &[], &[]),
        ("rebuild undecided", &[], &[]),
    ] {
        let run = crate::harness::command(&project).args(words.split(' ')).run().success();
        assert_eq!(run.stdout, "rebuilt dependencies successfully\n", "{words}: {run}");
        assert_eq!(ran(&project, "built"), first, "{words}");
        assert_eq!(ran(&project, "second"), second, "{words}");
    }
    assert!(ran(&project, "undecided").is_empty());
    assert!(!project.exists("own-ran"));
    assert!(ok(&project, ["rebuild"]).stderr.contains("undecided"));
    for wrong in ["built@latest", "https://host.example/x.tgz", "user/repository"] {
        fails(dx(&project, ["rebuild", wrong]), "DX_REBUILD_ARGUMENT");
    }
}

#[test]
#[cfg(unix)]
fn rebuild_links_commands_again() {
    let registry = registry();
    let project = project(&registry);
    ok(&project, ["install", "--ignore-scripts"]);
    let command = project.path().join("node_modules/.bin/built");
    let target = fs::read_link(&command).unwrap();
    project.remove("node_modules/.bin");
    ok(&project, ["rebuild", "plain"]);
    ok(&project, ["rebuild", "--no-bin-links"]);
    assert!(!project.exists("node_modules/.bin"));
    ok(&project, ["rebuild", "built"]);
    assert_eq!(fs::read_link(&command).unwrap(), target);
    fs::remove_file(&command).unwrap();
    std::os::unix::fs::symlink("../plain/index.js", &command).unwrap();
    // Strays stay, as nothing is installed or removed.
    project.write("node_modules/stray/package.json", "{}");
    ok(&project, ["rebuild"]);
    assert_eq!(fs::read_link(&command).unwrap(), target);
    assert!(project.exists("node_modules/stray"));
}

#[test]
#[cfg(unix)]
fn what_a_rebuilt_package_writes_is_its_own() {
    let registry = Registry::start();
    registry
        .package("writes", "1.0.0")
        .file("data.txt", "published")
        .script("postinstall", "echo changed > data.txt")
        .publish();
    let first = Project::new(&registry).dep("writes", "1.0.0").create();
    let second = Project::new(&registry).dep("writes", "1.0.0").store(first.store()).create();
    ok(&first, ["install"]);
    ok(&second, ["install"]);
    let mut manifest = first.json("package.json");
    manifest["allowScripts"] = json!({ "writes": true });
    first.write("package.json", manifest.to_string());
    ok(&first, ["rebuild"]);
    assert_eq!(first.read("node_modules/writes/data.txt"), "changed\n");
    assert_eq!(second.read("node_modules/writes/data.txt"), "published");
    // The next install finds it built.
    ok(&first, ["install"]);
    assert_eq!(first.read("node_modules/writes/data.txt"), "changed\n");
}

#[test]
#[cfg(unix)]
fn a_failing_script_fails_the_rebuild_also_of_an_optional_package() {
    let registry = registry();
    let project = Project::new(&registry)
        .optional("fails", "1.0.0")
        .field("allowScripts", json!({ "fails": true }))
        .create();
    ok(&project, ["install"]);
    ok(&project, ["rebuild"]);
    project.write("fail", "");
    fails(dx(&project, ["rebuild"]), "DX_SCRIPT_FAILED");
    assert!(project.exists("node_modules/fails"));
    let strict = project.json("package.json");
    assert!(strict["optionalDependencies"]["fails"].is_string());
}

#[test]
fn rebuild_of_nothing_is_no_error() {
    let project = Project::offline().create();
    ok(&project, ["rebuild"]);
    project.remove("package.json");
    let run = ok(&project, ["rebuild", "--json"]);
    assert_eq!(run.stdout.trim(), r#"{"packages":0,"scriptsSkipped":[]}"#);
}
