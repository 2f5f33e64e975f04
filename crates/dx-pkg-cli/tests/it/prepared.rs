//! Trees that are prepared before an install needs them.

use std::fs;
use std::os::unix::fs::MetadataExt;

use dx_pkg_testkit::{Fault, Project, Registry};
use serde_json::Value;

use crate::harness::{
    command, dx_with_prepared_trees as dx, files, locked_version, maintain, required, stored,
};

/// Runs an install; returns its result and the number of prepared trees it used: 0 or 1.
#[track_caller]
fn install<const N: usize>(project: &Project, args: [&str; N]) -> (Value, u64) {
    let result: Value = serde_json::from_str(&dx(project, args).stdout).unwrap();
    let prepared_trees = result["statistics"]["prepared_trees"].as_u64().unwrap();
    (result, prepared_trees)
}

fn registry() -> Registry {
    let registry = Registry::start();
    registry
        .package("a", "1.0.0")
        .dep("b", "^1")
        .bin("ay", "cli.js")
        .executable("cli.js", "#!/usr/bin/env node\nconsole.log('ay')")
        .file("index.js", "module.exports = 'a with ' + require('b')")
        .publish();
    registry.package("b", "1.0.0").file("index.js", "module.exports = 'b1.0.0'").publish();
    registry.package("c", "1.0.0").file("index.js", "module.exports = 'c'").publish();
    registry
}

/// Returns the project's files but the state, which holds inodes and times.
fn tree(project: &Project) -> std::collections::BTreeMap<String, Vec<u8>> {
    let mut files = files(project);
    files.remove("node_modules/.dx/state").unwrap();
    files
}

#[test]
fn a_second_tree_is_renamed_into_place_and_is_the_same() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").create();
    dx(&project, ["install"]);
    let built = tree(&project);
    project.remove("node_modules");
    registry.clear_requests();
    let (result, prepared_trees) = install(&project, ["install", "--json"]);
    assert_eq!(
        (prepared_trees, &result["packages"], &result["added"]),
        (1, &2.into(), &2.into()),
        "{result}"
    );
    assert_eq!(tree(&project), built);
    assert_eq!(required(&project, "a"), "a with b1.0.0");
    assert_eq!(dx(&project, ["install"]).stdout, "Already up to date\n");
    assert_eq!(registry.requests().len(), 0);
    project.remove("node_modules");
    assert_eq!(install(&project, ["ci", "--json"]).1, 1);
    assert_eq!(tree(&project), built);
}

#[test]
fn a_project_without_a_lockfile_gets_tree_and_lockfile_without_resolving() {
    let registry = registry();
    registry.cache_control("max-age=300");
    let project = Project::new(&registry).dep("a", "1").create();
    dx(&project, ["install"]);
    let built = tree(&project);
    project.remove("node_modules");
    project.remove("package-lock.json");
    registry.clear_requests();
    assert_eq!(install(&project, ["install", "--json"]).1, 1);
    assert_eq!(tree(&project), built);
    assert_eq!(registry.requests().len(), 0);
}

#[test]
fn changed_packument_is_resolved_again() {
    let registry = registry();
    registry.cache_control("max-age=300");
    let project = Project::new(&registry).dep("a", "1").create();
    dx(&project, ["install"]);
    registry.package("b", "1.5.0").file("index.js", "module.exports = 'b1.5.0'").publish();
    // Another project makes dx request the packument again.
    let other = Project::new(&registry)
        .dep("b", "1")
        .npmrc("prefer-online=true")
        .store(project.store())
        .create();
    dx(&other, ["install"]);
    project.remove("node_modules");
    project.remove("package-lock.json");
    let (_, prepared_trees) = install(&project, ["install", "--json"]);
    assert_eq!(prepared_trees, 0);
    assert_eq!(locked_version(&project, "node_modules/b"), "1.5.0");
    assert_eq!(required(&project, "a"), "a with b1.5.0");
}

#[test]
fn stale_metadata_is_requested_again() {
    let registry = registry();
    registry.cache_control("max-age=0");
    let project = Project::new(&registry).dep("a", "1").create();
    dx(&project, ["install"]);
    project.remove("node_modules");
    project.remove("package-lock.json");
    registry.clear_requests();
    dx(&project, ["install"]);
    assert_eq!(registry.metadata_requests(), 2);
}

#[test]
fn a_frozen_install_never_takes_a_tree_that_comes_with_a_lockfile() {
    let registry = registry();
    registry.cache_control("max-age=300");
    let project = Project::new(&registry).dep("a", "1").create();
    dx(&project, ["install"]);
    project.remove("node_modules");
    project.remove("package-lock.json");
    let run = command(&project).env("DX_PREPARED_TREES", "1").args(["ci"]).run();
    assert_eq!(run.status, Some(1));
    assert!(run.stderr.contains("[DX_NO_LOCKFILE]"), "{run}");
    assert!(!project.exists("node_modules"));
}

#[test]
fn a_change_of_manifest_settings_or_lockfile_is_another_install() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").dev("c", "1").create();
    dx(&project, ["install"]);
    project.remove("node_modules");
    let (result, prepared_trees) = install(&project, ["install", "--omit=dev", "--json"]);
    assert_eq!((prepared_trees, &result["packages"]), (0, &2.into()));
    assert!(!project.exists("node_modules/c"));
    project.remove("node_modules");
    assert_eq!(install(&project, ["install", "--omit=dev", "--json"]).1, 1, "prepared meanwhile");
    assert!(!project.exists("node_modules/c"));
    project.remove("node_modules");
    assert_eq!(install(&project, ["install", "--json"]).1, 1);
    assert!(project.exists("node_modules/c"));

    project.remove("node_modules");
    let manifest = project.read("package.json").replace("\"a\": \"1\"", "\"b\": \"1\"");
    project.write("package.json", manifest);
    assert_eq!(install(&project, ["install", "--json"]).1, 0);
    assert!(!project.exists("node_modules/a"));
}

#[test]
fn another_folder_with_the_same_project_takes_a_prepared_tree() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").create();
    dx(&project, ["install"]);
    let copy = Project::new(&registry).dep("a", "1").store(project.store()).create();
    copy.write("package.json", project.read("package.json"));
    copy.write("package-lock.json", project.read("package-lock.json"));
    assert_eq!(install(&copy, ["install", "--json"]).1, 1);
    assert_eq!(required(&copy, "a"), "a with b1.0.0");
}

#[test]
fn workspaces_get_prepared_trees() {
    let registry = registry();
    registry.package("b", "2.0.0").file("index.js", "module.exports = 'b2.0.0'").publish();
    let project = Project::new(&registry)
        .dep("b", "2")
        .field("workspaces", serde_json::json!(["packages/*"]))
        .file(
            "packages/w/package.json",
            r#"{"name":"w","version":"1.0.0","dependencies":{"a":"1","b":"1"}}"#,
        )
        .file("packages/w/index.js", "module.exports = require('a') + ' ' + require('b')")
        .create();
    dx(&project, ["install"]);
    let built = tree(&project);
    assert!(project.exists("packages/w/node_modules/b"));
    project.remove("node_modules");
    project.remove("packages/w/node_modules");
    assert_eq!(install(&project, ["install", "--json"]).1, 1);
    assert_eq!(tree(&project), built);
    assert_eq!(required(&project, "w"), required(&project, "./packages/w"));
}

#[test]
fn scripts_run_in_a_prepared_tree_as_in_a_built_one() {
    let registry = registry();
    registry.package("s", "1.0.0").script("postinstall", "echo done > made.txt").publish();
    let project = Project::new(&registry)
        .dep("s", "1")
        .field("allowScripts", serde_json::json!({"s": true}))
        .script("postinstall", "echo own > own.txt")
        .create();
    dx(&project, ["install"]);
    project.remove("node_modules");
    project.remove("own.txt");
    let (_, prepared_trees) = install(&project, ["install", "--json"]);
    assert_eq!(prepared_trees, 1);
    assert_eq!(project.read("node_modules/s/made.txt"), "done\n");
    assert_eq!(project.read("own.txt"), "own\n");
    let stored = fs::read_dir(project.store().join("v1/prepared")).unwrap().count();
    assert!(stored > 0);
}

#[test]
fn missing_or_incomplete_prepared_tree_costs_time_only() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").create();
    dx(&project, ["install"]);
    fs::remove_dir_all(project.store().join("v1/prepared")).unwrap();
    project.remove("node_modules");
    assert_eq!(install(&project, ["install", "--json"]).1, 0);
    assert_eq!(required(&project, "a"), "a with b1.0.0");
    for shard in fs::read_dir(project.store().join("v1/prepared")).unwrap().flatten() {
        for prepared in fs::read_dir(shard.path()).unwrap().flatten() {
            for prepared in fs::read_dir(prepared.path()).into_iter().flatten().flatten() {
                let _ = fs::remove_dir_all(prepared.path().join("node_modules"));
            }
        }
    }
    project.remove("node_modules");
    assert_eq!(install(&project, ["install", "--json"]).1, 0);
    assert_eq!(required(&project, "a"), "a with b1.0.0");
}

#[test]
fn a_shared_file_that_was_written_to_does_not_reach_the_next_tree() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").create();
    dx(&project, ["install"]);
    let file = project.path().join("node_modules/b/index.js");
    let inode = fs::metadata(&file).unwrap().ino();
    fs::write(&file, "module.exports = 'changed in place'").unwrap();
    project.remove("node_modules");
    // The prepared tree has the changed file; maintenance in the background restores it.
    dx(&project, ["install"]);
    assert_eq!(required(&project, "a"), "a with b1.0.0");
    assert_ne!(fs::metadata(&file).unwrap().ino(), inode);
    project.remove("node_modules");
    assert_eq!(install(&project, ["install", "--json"]).1, 1);
    assert_eq!(required(&project, "a"), "a with b1.0.0");
    assert_eq!(maintain(&project)["repaired"], 0);
}

#[test]
fn an_edit_of_an_installed_package_is_left_to_its_project() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").create();
    dx(&project, ["install"]);
    project.write("node_modules/b/index.js", "module.exports = 'mine'");
    dx(&project, ["add", "c"]);
    assert_eq!(required(&project, "a"), "a with mine");
    project.remove("node_modules");
    dx(&project, ["install"]);
    assert_eq!(required(&project, "a"), "a with b1.0.0");
}

#[test]
fn other_files_in_node_modules_survive_and_old_trees_are_deleted_later() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").create();
    dx(&project, ["install"]);
    project.write("node_modules/.cache/tool", "kept");
    // A tree whose records are gone is replaced as a whole.
    project.remove("node_modules/.dx");
    project.remove("node_modules/.package-lock.json");
    let run =
        command(&project).env("DX_PREPARED_TREES", "1").args(["install", "--json"]).run().success();
    let result: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(result["statistics"]["prepared_trees"], 1, "{result}");
    assert_eq!(project.read("node_modules/.cache/tool"), "kept");
    maintain(&project);
    assert_eq!(fs::read_dir(project.store().join("v1/trash")).unwrap().count(), 0);
    command(&project).args(["ci"]).run().success();
    assert!(!project.exists("node_modules/.cache"));
}

#[test]
fn nothing_is_prepared_if_the_settings_forbid_it() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").npmrc("prepared-trees=0").create();
    let run = |variables: &[(&str, &str)]| {
        let mut command = command(&project).args(["install"]);
        for (name, value) in variables {
            command = command.env(name, value);
        }
        command.run().success();
        project.remove("node_modules");
        project.store().join("v1/prepared").exists()
    };
    assert!(!run(&[("DX_PREPARED_TREES", "")]), "the setting");
    project.write(".npmrc", project.read(".npmrc").replace("prepared-trees=0\n", ""));
    assert!(!run(&[("DX_PREPARED_TREES", ""), ("CI", "true")]), "continuous integration");
    assert!(!run(&[("DX_PREPARED_TREES", "0")]), "the variable");
    assert!(run(&[("DX_PREPARED_TREES", "1"), ("CI", "true")]), "asked for");
    maintain(&project);
    let run = command(&project).env("DX_PREPARED_TREES", "many").args(["install"]).run();
    assert!(run.stderr.contains("[DX_CONFIG_INVALID]"), "{run}");
}

#[test]
fn store_reports_its_contents_and_prunes_unused_entries() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").create();
    dx(&project, ["install"]);
    let status = || -> Value {
        serde_json::from_str(&dx(&project, ["store", "status", "--json"]).stdout).unwrap()
    };
    assert_eq!(status()["packages"]["entries"], 2);
    assert_eq!(status()["preparedTrees"]["entries"], 1);
    let text = dx(&project, ["store", "status"]).stdout;
    assert!(text.contains("2 packages "), "{text}");

    let prune = || -> Value {
        serde_json::from_str(
            &dx(&project, ["store", "prune", "--unused-for", "0", "--json"]).stdout,
        )
        .unwrap()
    };
    assert_eq!(prune()["packages"], 0, "the project shares their files");
    project.remove("node_modules");
    fs::remove_dir_all(project.store().join("v1/prepared")).unwrap();
    assert_eq!(prune()["packages"], 2);
    assert_eq!(status()["packages"]["entries"], 0);
    dx(&project, ["install"]);
    assert_eq!(required(&project, "a"), "a with b1.0.0");

    let run = command(&project).args(["store", "prune", "--max-size", "lots"]).run();
    assert_eq!(run.status, Some(2), "{run}");
}

#[test]
fn fetched_packages_are_stored_afterwards_from_the_trees_files() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").create();
    command(&project).env("DX_PREPARED_TREES", "1").args(["install"]).run().success();
    maintain(&project);
    assert_eq!(stored(&project).iter().filter(|name| name.ends_with(".dxt")).count(), 2);
    registry.stop();
    let other = Project::new(&registry).dep("a", "1").store(project.store()).create();
    other.write("package-lock.json", project.read("package-lock.json"));
    dx(&other, ["ci", "--offline"]);
    assert_eq!(required(&other, "a"), "a with b1.0.0");
    let verified = dx(&project, ["store", "verify", "--json"]);
    assert!(verified.stdout.contains(r#""damaged":0"#), "{verified}");
}

#[test]
fn packages_fetched_by_a_failed_install_are_not_fetched_again() {
    let registry = registry();
    registry.package("d", "1.0.0").publish();
    let fault = registry.fault("/d/-/*", Fault::status(404));
    let project = Project::new(&registry).dep("a", "1").dep("d", "1").create();
    let run = command(&project).env("DX_PREPARED_TREES", "1").args(["install"]).run();
    assert_eq!(run.status, Some(1), "{run}");
    maintain(&project);
    fault.clear();
    registry.clear_requests();
    dx(&project, ["install"]);
    assert!(registry.tarball_requests() < 3, "{:?}", registry.requests());
    assert_eq!(required(&project, "a"), "a with b1.0.0");
}

#[test]
fn an_edit_right_after_an_install_does_not_reach_the_store() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").create();
    // No maintenance runs while this holds its lock.
    fs::create_dir_all(project.store().join("v1/locks")).unwrap();
    let lock = fs::File::create(project.store().join("v1/locks/background")).unwrap();
    lock.lock().unwrap();
    command(&project).env("DX_PREPARED_TREES", "1").args(["install"]).run().success();
    project.write("node_modules/b/index.js", "module.exports = 'mine'");
    drop(lock);
    maintain(&project);
    assert_eq!(required(&project, "a"), "a with mine");
    project.remove("node_modules");
    dx(&project, ["install"]);
    assert_eq!(required(&project, "a"), "a with b1.0.0");
}

#[test]
fn resolved_tree_equals_the_tree_of_its_lockfile() {
    let registry = registry();
    registry
        .package("z", "1.0.0")
        .field("license", "MIT")
        .dep("b", "1")
        .dep("a", "1")
        .bin("zz", "cli.js")
        .bin("aa", "cli.js")
        .executable("cli.js", "#!/usr/bin/env node")
        .publish();
    let project = Project::new(&registry).dep("z", "1").create();
    dx(&project, ["install"]);
    let built = tree(&project);
    // Without cached installs, the lockfile is read and resolved.
    for folder in ["v1/resolutions", "v1/lockfiles"] {
        let _ = fs::remove_dir_all(project.store().join(folder));
    }
    project.remove("node_modules/.dx/state");
    let (result, _) = install(&project, ["install", "--json"]);
    assert_eq!((&result["changed"], &result["added"]), (&0.into(), &0.into()));
    assert_eq!(tree(&project), built);
    fs::remove_dir_all(project.store().join("v1/resolutions")).unwrap();
    project.remove("node_modules");
    assert_eq!(install(&project, ["install", "--json"]).1, 1);
    assert_eq!(tree(&project), built);
}
