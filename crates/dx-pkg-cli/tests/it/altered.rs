//! Files that a script or a user changes in place in one project: no other project keeps them.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use dx_pkg_testkit::{Command, Project, ProjectBuilder, Registry, Run};
use serde_json::Value;

use crate::harness::{command, maintain, required};

const PUBLISHED: &str = "module.exports = 'published'\n";
const FILE: &str = "node_modules/v/index.js";

/// Appends to the file, and fails where that was done before.
const PATCH: &str = "const fs = require('fs'), f = 'node_modules/v/index.js';
const s = fs.readFileSync(f, 'utf8');
if (s.includes('patched')) { console.error('does not apply'); process.exit(1) }
fs.writeFileSync(f, s + \"module.exports = 'patched'\\n\");
";

fn registry() -> Registry {
    let registry = Registry::start();
    registry.package("v", "1.0.0").file("index.js", PUBLISHED).publish();
    registry.package("w", "1.0.0").dep("v", "1").publish();
    registry
}

fn project(registry: &Registry) -> ProjectBuilder {
    Project::new(registry).dep("v", "1").dep("w", "1")
}

fn dx(project: &Project, trees: &str) -> Command {
    command(project).env("DX_PREPARED_TREES", trees)
}

/// Runs `dx` and then the background's work.
#[track_caller]
fn with_maintenance(project: &Project, trees: &str, args: &[&str]) -> Run {
    let run = dx(project, trees).args(args.iter().copied()).run().success();
    if trees != "0" {
        maintain(project);
    }
    run
}

fn inode(project: &Project) -> u64 {
    fs::metadata(project.path().join(FILE)).unwrap().ino()
}

#[test]
fn what_the_projects_own_script_writes_is_seen_in_no_other_project() {
    for trees in ["0", "1"] {
        let registry = registry();
        let patched = project(&registry)
            .script("postinstall", "node patch.js")
            .file("patch.js", PATCH)
            .create();
        let other = project(&registry).store(patched.store()).create();
        with_maintenance(&patched, trees, &["install"]);
        with_maintenance(&other, trees, &["install"]);
        assert_eq!(required(&other, "v"), "published", "trees: {trees}");
        for command in ["install", "ci", "install"] {
            patched.remove("node_modules");
            with_maintenance(&patched, trees, &[command]);
            assert_eq!(required(&patched, "v"), "patched", "{command}, trees: {trees}");
            assert_eq!(required(&other, "v"), "published", "{command}, trees: {trees}");
        }
        let third = project(&registry).store(patched.store()).create();
        with_maintenance(&third, trees, &["install"]);
        assert_eq!(required(&third, "v"), "published", "trees: {trees}");
        assert!(!other.exists("node_modules/.dx/notices"), "it has its files as published");
    }
}

#[test]
fn a_script_that_comes_later_and_one_that_fails_are_undone_elsewhere() {
    for trees in ["0", "1"] {
        let registry = registry();
        let other = project(&registry).create();
        with_maintenance(&other, trees, &["install"]);
        let script = format!("{PATCH}fs.chmodSync('node_modules/w/package.json', 0o755);");
        let patched = project(&registry)
            .store(other.store())
            .script("postinstall", "node patch.js && false")
            .file("patch.js", script)
            .create();
        patched.write("package-lock.json", other.read("package-lock.json"));
        dx(&patched, trees).args(["install"]).run().failure();
        assert_eq!(required(&other, "v"), "published", "trees: {trees}");
        let mode = |project: &Project| {
            let path = project.path().join("node_modules/w/package.json");
            fs::metadata(path).unwrap().permissions().mode() & 0o777
        };
        assert_eq!((mode(&other), mode(&patched)), (0o644, 0o755), "trees: {trees}");
        let next = project(&registry).store(other.store()).create();
        with_maintenance(&next, trees, &["install"]);
        assert_eq!((required(&next, "v").as_str(), mode(&next)), ("published", 0o644));
    }
}

/// Two projects that share the file, and an edit of it in the first.
fn edited(registry: &Registry, trees: &str, edit: fn(&std::path::Path)) -> (Project, Project) {
    let first = project(registry).create();
    let second = project(registry).store(first.store()).create();
    with_maintenance(&first, trees, &["install"]);
    first.remove("node_modules");
    with_maintenance(&first, trees, &["install"]);
    with_maintenance(&second, trees, &["install"]);
    assert_eq!(inode(&first), inode(&second), "the premise: both have the same file");
    edit(&first.path().join(FILE));
    (first, second)
}

const EDITS: [fn(&std::path::Path); 3] = [
    |path| fs::write(path, "module.exports = 'edited'\n").unwrap(),
    |path| fs::write(path, PUBLISHED.replace("published", "publisher")).unwrap(),
    |path| fs::set_permissions(path, PermissionsExt::from_mode(0o700)).unwrap(),
];

#[track_caller]
fn is_published(project: &Project, what: &str) {
    assert_eq!(project.read(FILE), PUBLISHED, "{what}");
    let mode = fs::metadata(project.path().join(FILE)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o644, "{what}");
}

#[test]
fn an_edit_in_place_does_not_reach_trees_that_are_linked() {
    for edit in EDITS {
        let registry = registry();
        let (first, second) = edited(&registry, "0", edit);
        let new = project(&registry).store(first.store()).create();
        with_maintenance(&new, "0", &["install"]);
        is_published(&new, "a new project");
        with_maintenance(&second, "0", &["ci"]);
        is_published(&second, "`dx ci`");
        assert_ne!(inode(&new), inode(&first), "the edit stays where it was made");
        // The package is a copy of its own from now on.
        let next = project(&registry).store(first.store()).create();
        with_maintenance(&next, "0", &["install"]);
        assert_eq!(fs::metadata(next.path().join(FILE)).unwrap().nlink(), 1);
    }
}

#[test]
fn the_setting_verify_says_when_a_prepared_tree_is_checked() {
    // The setting, a command, and whether its tree is right at once.
    let cases = [
        ("", "ci", true),
        ("", "install", false),
        ("verify=always", "install", true),
        ("verify=always", "ci", true),
        ("verify=ci", "ci", true),
        ("verify=after", "ci", false),
    ];
    for (setting, command, at_once) in cases {
        for edit in EDITS {
            let registry = registry();
            let (first, _) = edited(&registry, "1", edit);
            let new = project(&registry).store(first.store()).user_npmrc(setting).create();
            new.write("package-lock.json", first.read("package-lock.json"));
            let run = dx(&new, "1").args([command, "--json"]).run().success();
            let result: Value = serde_json::from_str(&run.stdout).unwrap();
            let used = result["statistics"]["prepared_trees"] == 1;
            assert_eq!(used, !at_once, "{setting} {command}: {result}");
            if at_once {
                is_published(&new, &format!("{setting} {command}"));
            }
            maintain(&new);
            is_published(&new, &format!("{setting} {command}, afterwards"));
            let told = dx(&new, "1").args(["install"]).run().success().stderr;
            assert_eq!(told.contains(FILE) && told.contains("restored"), !at_once, "{told}");
            let told = dx(&new, "1").args(["install"]).run().success();
            assert_eq!((told.stdout.as_str(), told.stderr.as_str()), ("Already up to date\n", ""));
        }
    }
}

#[test]
fn projects_that_share_an_edited_file_are_told_at_their_next_command() {
    for trees in ["0", "1"] {
        let registry = registry();
        let (first, second) = edited(&registry, trees, EDITS[0]);
        let new = project(&registry).store(first.store()).create();
        with_maintenance(&new, trees, &["install"]);
        for sharing in [&first, &second] {
            let run = dx(sharing, trees).args(["install"]).run().success();
            assert!(run.stderr.contains(FILE) && run.stderr.contains("`dx ci`"), "{run}");
            let again = dx(sharing, trees).args(["install"]).run().success();
            assert_eq!(again.stderr, "", "told once");
            assert_eq!(required(sharing, "v"), "edited", "it may be this project's edit");
        }
        with_maintenance(&second, trees, &["ci"]);
        assert_eq!(
            (required(&first, "v"), required(&second, "v")),
            ("edited".into(), "published".into())
        );
    }
}

#[test]
fn notices_are_shown_by_dx_run_too() {
    let registry = registry();
    let project = project(&registry).script("hello", "true").create();
    with_maintenance(&project, "0", &["install"]);
    project.write("node_modules/.dx/notices", "a notice\n");
    let run = dx(&project, "0").args(["run", "hello"]).run().success();
    assert!(run.stderr.contains("a notice"), "{run}");
    assert!(!project.exists("node_modules/.dx/notices"));
}
