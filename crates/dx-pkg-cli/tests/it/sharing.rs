//! Files that projects share, and damage to them: files written to in place, prepared trees that
//! lose something, scripts that change their own package, another version of dx, a clock that was
//! set back.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use dx_pkg_testkit::{Project, Registry};
use serde_json::{Value, json};

use crate::harness::{
    command, dx_with_prepared_trees as dx, files, maintain, ok, required, unpacked,
};

/// Returns the number of prepared trees that an install used: 0 or 1.
#[track_caller]
fn prepared_trees_used<const N: usize>(project: &Project, args: [&str; N]) -> u64 {
    let result: Value = serde_json::from_str(&dx(project, args).stdout).unwrap();
    result["statistics"]["prepared_trees"].as_u64().unwrap()
}

fn registry() -> Registry {
    let registry = Registry::start();
    registry
        .package("a", "1.0.0")
        .dep("b", "1")
        .dep("@s/d", "1")
        .bin("ay", "cli.js")
        .executable("cli.js", "#!/usr/bin/env node\nconsole.log('ay')")
        .file("index.js", "module.exports = 'a with ' + require('b')")
        .file("lib/deep/x.js", "module.exports = 'deep'")
        .publish();
    registry.package("b", "1.0.0").file("index.js", "module.exports = 'b1.0.0'").publish();
    registry
        .package("@s/d", "1.0.0")
        .dep("b", "2")
        .file("index.js", "module.exports = require('b')")
        .publish();
    registry.package("b", "2.0.0").file("index.js", "module.exports = 'b2.0.0'").publish();
    registry.package("c", "1.0.0").file("index.js", "module.exports = 'c'").publish();
    registry
}

/// Returns the project's files but the state, which holds inodes and times.
fn tree(project: &Project) -> std::collections::BTreeMap<String, Vec<u8>> {
    let mut files = files(project);
    files.remove("node_modules/.dx/state");
    files
}

/// Returns the prepared trees in a project's store.
fn trees(project: &Project) -> Vec<PathBuf> {
    let list = |path: PathBuf| {
        fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path())
    };
    let prepared = list(project.store().join("v1/prepared"))
        .filter(|path| !path.ends_with("jobs"))
        .flat_map(list);
    let found = prepared.flat_map(list).filter(|path| path.is_dir()).collect::<Vec<_>>();
    assert!(!found.is_empty(), "there is no prepared tree");
    found
}

#[test]
fn a_file_overwritten_in_another_project_does_not_reach_the_next_tree() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").create();
    let other = Project::new(&registry).dep("c", "1").dep("b", "1").store(project.store()).create();
    dx(&project, ["install"]);
    dx(&other, ["install"]);
    let shared = |project: &Project| {
        fs::metadata(project.path().join("node_modules/b/index.js")).unwrap().ino()
    };
    assert_eq!(shared(&project), shared(&other), "the premise: both have the same file");
    other.write("node_modules/b/index.js", "module.exports = 'overwritten in place'");
    // The tree that is prepared meanwhile for the other project must not have it either.
    dx(&other, ["add", "@s/d"]);
    for command in ["install", "ci"] {
        project.remove("node_modules");
        dx(&project, [command]);
        assert_eq!(required(&project, "a"), "a with b1.0.0", "{command}");
    }
    ok(&project, ["store", "verify"]);
    project.remove("node_modules");
    assert_eq!(prepared_trees_used(&project, ["install", "--json"]), 1);
    assert_eq!(required(&project, "a"), "a with b1.0.0");
}

#[test]
fn damaged_prepared_tree_gives_a_whole_tree() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").create();
    dx(&project, ["install"]);
    let whole = tree(&project);
    let lost = [
        "node_modules/b",
        "node_modules/@s",
        "node_modules/@s/d",
        "node_modules/@s/d/node_modules/b/index.js",
        "node_modules/@s/d/node_modules",
        "node_modules/a/lib/deep/x.js",
        "node_modules/a/lib",
        "node_modules/.bin/ay",
        "node_modules/.bin",
        "node_modules/.dx",
        "node_modules/.package-lock.json",
        "node_modules",
    ];
    for lost in lost {
        for prepared in trees(&project) {
            let path = prepared.join(lost);
            let is_folder = path.symlink_metadata().unwrap().is_dir();
            let done = if is_folder { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            done.unwrap();
        }
        project.remove("node_modules");
        dx(&project, ["install"]);
        assert_eq!(tree(&project), whole, "without {lost}");
        assert_eq!(dx(&project, ["install"]).stdout, "Already up to date\n", "without {lost}");
    }
}

#[test]
fn packages_that_a_user_removes_from_a_tree_stay_removed() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").create();
    dx(&project, ["install"]);
    project.remove("node_modules");
    command(&project).env("DX_PREPARED_TREES", "1").args(["install"]).run().success();
    project.remove("node_modules/a/lib/deep");
    maintain(&project);
    dx(&project, ["add", "c"]);
    assert!(!project.exists("node_modules/a/lib/deep"));
}

#[test]
fn a_script_that_writes_into_its_package_changes_nothing_but_its_project() {
    let registry = registry();
    registry
        .package("s", "1.0.0")
        .file("index.js", "module.exports = 's'\n")
        .file("data.txt", "as published\n")
        .script(
            "postinstall",
            "echo \"module.exports += '!'\" >> index.js; rm data.txt; echo x > made.txt",
        )
        .publish();
    let allowed = || {
        Project::new(&registry)
            .dep("s", "1")
            .dep("b", "1")
            .field("allowScripts", json!({"s": true}))
    };
    let project = allowed().create();
    let other = Project::new(&registry).dep("s", "1").dep("b", "1").store(project.store()).create();
    dx(&other, ["install"]);
    dx(&project, ["install"]);
    assert_eq!(required(&project, "s"), "s!");
    for _ in 0..2 {
        assert_eq!(required(&other, "s"), "s");
        assert!(
            other.exists("node_modules/s/data.txt") && !other.exists("node_modules/s/made.txt")
        );
        ok(&project, ["store", "verify"]);
        for prepared in trees(&project) {
            let read = |path: &str| {
                fs::read_to_string(prepared.join("node_modules/s").join(path)).unwrap()
            };
            assert_eq!(read("index.js"), "module.exports = 's'\n");
            assert_eq!(read("data.txt"), "as published\n");
        }
        // From prepared trees as from none.
        project.remove("node_modules");
        assert_eq!(prepared_trees_used(&project, ["install", "--json"]), 1);
        assert_eq!(required(&project, "s"), "s!", "it ran once in the new tree");
        other.remove("node_modules");
        assert_eq!(prepared_trees_used(&other, ["install", "--json"]), 1);
    }
    let third = allowed().store(project.store()).create();
    third.write("package-lock.json", project.read("package-lock.json"));
    dx(&third, ["ci"]);
    assert_eq!(required(&third, "s"), "s!");
}

/// Returns a copy of this `dx` with another version number.
fn of_another_version(project: &Project) -> PathBuf {
    let mut bytes = fs::read(env!("CARGO_BIN_EXE_dx")).unwrap();
    let (own, other) = (env!("CARGO_PKG_VERSION").as_bytes(), b"0.9.9");
    assert_eq!(own.len(), other.len(), "the other number must have as many digits");
    let mut at = 0;
    while let Some(found) = bytes[at..].windows(own.len()).position(|window| window == own) {
        at += found;
        bytes[at..at + own.len()].copy_from_slice(other);
    }
    let path = project.home().join("dx-of-another-version");
    fs::write(&path, bytes).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn two_versions_of_dx_share_a_store_and_do_not_take_each_others_trees() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").create();
    let binary = of_another_version(&project);
    let other = |args: &[&str]| {
        let base = project.dx(&binary).env("DX_PREPARED_TREES", "1");
        base.env("npm_config_globalconfig", project.home().join("no-such-npmrc"))
            .args(args)
            .run()
            .success()
    };
    assert!(other(&["--version"]).stdout.contains("0.9.9"));
    dx(&project, ["install"]);
    let built = tree(&project);
    registry.clear_requests();
    for round in [0, 1] {
        project.remove("node_modules");
        let result: Value = serde_json::from_str(&other(&["install", "--json"]).stdout).unwrap();
        other(&["store", "maintain"]);
        assert_eq!(tree(&project), built);
        project.remove("node_modules");
        assert_eq!(prepared_trees_used(&project, ["ci", "--json"]), 1);
        assert_eq!(tree(&project), built);
        assert_eq!(
            result["statistics"]["prepared_trees"], round,
            "from the second time on it has one of its own"
        );
    }
    assert_eq!(registry.tarball_requests(), 0, "packages are shared");
    ok(&project, ["store", "verify"]);
}

/// Gives everything below a folder a time in the future, as it looks after the clock was set
/// back.
fn from_the_future(folder: &Path) {
    let time = SystemTime::now() + Duration::from_secs(400 * 24 * 3600);
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            from_the_future(&entry.path());
        }
        if !kind.is_symlink() {
            fs::File::open(entry.path()).unwrap().set_modified(time).unwrap();
        }
    }
    fs::File::open(folder).unwrap().set_modified(time).unwrap();
}

#[test]
fn a_clock_that_was_set_back_costs_time_only() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").create();
    dx(&project, ["install"]);
    let built = tree(&project);
    from_the_future(&project.path());
    from_the_future(project.store());
    for args in [["install"], ["install"], ["ci"], ["install"]] {
        dx(&project, args);
        assert_eq!(tree(&project), built);
        ok(&project, ["store", "verify"]);
    }
    dx(&project, ["store", "prune", "--unused-for", "0"]);
    project.remove("node_modules");
    dx(&project, ["ci"]);
    assert_eq!(required(&project, "a"), "a with b1.0.0");
}

#[test]
fn files_not_placed_by_dx_survive_every_install_and_no_ci() {
    let registry = registry();
    registry.package("e", "1.0.0").publish();
    let project = Project::new(&registry).dep("a", "1").create();
    let kept = [".cache/tool/x", ".vite/deps/y.js", ".my-tool.json", "notes.txt"];
    let keep = |project: &Project| {
        kept.iter().for_each(|path| project.write(&format!("node_modules/{path}"), path))
    };
    let is_kept =
        |project: &Project| kept.map(|path| project.exists(&format!("node_modules/{path}")));
    dx(&project, ["install"]);
    keep(&project);
    dx(&project, ["add", "c"]);
    assert_eq!(is_kept(&project), [true; 4], "a change");
    // Without its records a tree is replaced as a whole, by a prepared one and by one that is
    // built.
    for prepared_trees in [1, 0] {
        project.remove("node_modules/.dx");
        project.remove("node_modules/.package-lock.json");
        if prepared_trees == 0 {
            fs::remove_dir_all(project.store().join("v1/prepared")).unwrap();
        }
        let run = command(&project)
            .env("DX_PREPARED_TREES", "1")
            .args(["install", "--json"])
            .run()
            .success();
        let result: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(result["statistics"]["prepared_trees"], prepared_trees, "{result}");
        assert_eq!(is_kept(&project), [true; 4], "replaced, prepared trees: {prepared_trees}");
        maintain(&project);
    }
    // A package that no manifest asks for is none of the user's entries.
    project.write("node_modules/stranger/package.json", "{}");
    dx(&project, ["install", "e"]);
    assert_eq!(is_kept(&project), [true; 4], "a stranger was removed");
    assert!(!project.exists("node_modules/stranger"));
    // None of it is in the next project's tree.
    let copy = Project::new(&registry).store(project.store()).create();
    copy.write("package.json", project.read("package.json"));
    copy.write("package-lock.json", project.read("package-lock.json"));
    assert_eq!(prepared_trees_used(&copy, ["install", "--json"]), 1);
    assert_eq!(is_kept(&copy), [false; 4]);
    dx(&project, ["ci"]);
    assert_eq!(is_kept(&project), [false; 4], "ci");
}

#[test]
fn a_prepared_tree_for_an_earlier_lockfile_is_changed_instead_of_built() {
    let registry = registry();
    for name in ["e", "f", "g", "h", "i"] {
        registry
            .package(name, "1.0.0")
            .bin(name, "cli.js")
            .executable("cli.js", "#!/bin/sh\n")
            .publish();
    }
    let base = Project::new(&registry)
        .dep("a", "1")
        .dep("e", "1")
        .dep("f", "1")
        .dep("g", "1")
        .dep("h", "1");
    let project = base.create();
    dx(&project, ["install"]);
    command(&project).env("DX_PREPARED_TREES", "0").args(["install", "i"]).run().success();
    command(&project).env("DX_PREPARED_TREES", "0").args(["remove", "e"]).run().success();
    // The first change asked for no tree; this one does.
    command(&project).env("DX_PREPARED_TREES", "1").args(["install", "c"]).run().success();
    let patched = maintain(&project);
    let built = trees(&project);
    assert_eq!(built.len(), 1, "changed, not added: {patched}");
    project.remove("node_modules");
    command(&project).env("DX_PREPARED_TREES", "0").args(["ci"]).run().success();
    // The ci took it; what it would have built itself is the same.
    let from_prepared_tree = tree(&project);
    project.remove("node_modules");
    command(&project).env("DX_PREPARED_TREES", "0").args(["ci"]).run().success();
    assert_eq!(tree(&project), from_prepared_tree);
    assert!(project.exists("node_modules/.bin/i") && !project.exists("node_modules/.bin/e"));
    assert_eq!(required(&project, "a"), "a with b1.0.0");
}

#[test]
fn expanded_files_without_their_package_are_not_used() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").create();
    ok(&project, ["install"]);
    let before = tree(&project);
    let again = || {
        fs::remove_dir_all(project.path().join("node_modules")).unwrap();
        ok(&project, ["install"]);
        assert_eq!(tree(&project), before);
    };
    again();
    let store = project.store().join("v1");
    for id in unpacked(&project) {
        let id = dx_pkg_core::PackageId::from_hex(&id).unwrap();
        let store = dx_pkg_store::Store::open(project.store()).unwrap();
        let lost = store.file_path(id, "index.js").unwrap();
        fs::remove_file(&lost).unwrap();
        fs::write(&lost, "nothing vouches for this").unwrap();
    }
    fs::remove_dir_all(store.join("packages")).unwrap();
    again();
}
