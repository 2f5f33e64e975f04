//! Trees are prepared for projects that use them, and within their share of the disk.

use std::fs;
use std::path::Path;

use dx_pkg_testkit::{Device, Project, Registry};
use serde_json::Value;

use crate::harness::{command, dx_with_prepared_trees as dx, maintain, ok};

fn registry() -> Registry {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    for number in 0..9 {
        registry.package(&format!("n{number}"), "1.0.0").publish();
    }
    registry
}

fn prepared_trees(store: &Path) -> usize {
    let folder = store.join("v1/prepared");
    let below = |path: &Path| -> Vec<std::path::PathBuf> {
        fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
    };
    let entries = below(&folder).into_iter().filter(|path| path.file_name().unwrap().len() == 2);
    let entries = entries.flat_map(|shard| below(&shard));
    entries
        .flat_map(|entry| below(&entry))
        .filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("tree-"))
        .count()
}

/// Returns what `dx store status` says of the project's trees.
fn preparation(project: &Project) -> Value {
    let run = command(project).env("DX_PREPARED_TREES", "1").args(["store", "status", "--json"]);
    serde_json::from_str::<Value>(&run.run().success().stdout).unwrap()["preparation"].clone()
}

/// Runs an install whose job the maintenance that follows carries out; returns its result.
fn install(project: &Project, args: &[&str]) -> Value {
    let command = command(project).env("DX_PREPARED_TREES", "1").env("DX_BACKGROUND", "0");
    command.args(args).run().success();
    maintain(project)
}

#[test]
fn a_project_that_only_changes_gets_no_more_trees_until_one_is_needed() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").create();
    assert_eq!(preparation(&project)["prepares"], true, "it is new");
    let mut prepared = vec![install(&project, &["install"])["prepared"].as_u64().unwrap()];
    for number in 0..6 {
        let maintained = install(&project, &["add", &format!("n{number}")]);
        prepared.push(maintained["prepared"].as_u64().unwrap());
    }
    assert_eq!(prepared, [1, 1, 1, 1, 1, 0, 0]);
    let told = preparation(&project);
    assert_eq!(told["prepares"], false);
    assert!(told["reason"].as_str().unwrap().contains("none was used"), "{told}");
    assert_eq!(prepared_trees(project.store()), 0, "the trees of earlier locks are of no use");
    // A whole tree is needed once more: from then on the next is ready.
    project.remove("node_modules");
    assert_eq!(install(&project, &["install"])["prepared"], 1);
    assert_eq!(preparation(&project)["prepares"], true);
    assert_eq!(install(&project, &["add", "n7"])["prepared"], 1);
}

#[test]
fn without_a_setting_the_first_tree_is_prepared_once_one_was_needed_again() {
    let registry = registry();
    let install = |project: &Project, args: &[&str]| {
        let run = |args: &[&str]| {
            let command = command(project).env("DX_PREPARED_TREES", "").env("CI", "");
            command.env("DX_BACKGROUND", "0").args(args).run().success()
        };
        run(args);
        let maintained = run(&["store", "maintain", "--json"]);
        serde_json::from_str::<Value>(&maintained.stdout).unwrap()["prepared"].as_u64().unwrap()
    };
    let first = Project::new(&registry).dep("a", "1").create();
    assert_eq!(install(&first, &["install"]), 0, "most projects are installed once");
    assert_eq!(install(&first, &["add", "n0"]), 0);
    assert_eq!(install(&first, &["ci"]), 1);
    // Who needs trees again in one project does in the next.
    let second = Project::new(&registry).dep("n1", "1").store(first.store()).create();
    assert_eq!(install(&second, &["install"]), 1);
}

#[test]
fn a_second_checkout_finds_a_tree_and_counts_for_the_first() {
    let registry = registry();
    let first = Project::new(&registry).dep("a", "1").create();
    install(&first, &["install"]);
    let second = Project::new(&registry).dep("a", "1").store(first.store()).create();
    second.write("package.json", first.read("package.json"));
    second.write("package-lock.json", first.read("package-lock.json"));
    install(&second, &["ci"]);
    for project in [&first, &second] {
        let told = preparation(project);
        assert!(told["reason"].as_str().unwrap().contains("put in place again today"), "{told}");
    }
}

#[test]
fn damaged_facts_about_a_project_are_forgotten() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").create();
    install(&project, &["install"]);
    let folder = project.store().join("v1/prepared/projects");
    let file = fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    fs::write(&file, [0xff; 40]).unwrap();
    assert_eq!(preparation(&project)["prepares"], true);
    project.remove("node_modules");
    dx(&project, ["install"]);
    assert!(fs::read_to_string(file).unwrap().starts_with("1 "));
}

#[test]
fn status_says_in_words_and_fields_whether_trees_are_prepared_and_what_they_may_take() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").create();
    install(&project, &["install"]);
    let told = preparation(&project);
    let (bytes, most) = (told["bytes"].as_u64().unwrap(), told["mostBytes"].as_u64().unwrap());
    assert!(bytes > 4096 && most > bytes, "{told}");
    let run = command(&project).env("DX_PREPARED_TREES", "1").args(["store", "status"]).run();
    let text = run.success().stdout;
    assert!(text.contains("\nTrees are prepared for this project: it is new"), "{text}");
    assert!(text.contains("a twentieth of the free space"), "{text}");
    // The harness turns prepared trees off.
    let text = ok(&project, ["store", "status"]).stdout;
    assert!(text.contains("\nNo trees are prepared: prepared-trees is 0"), "{text}");
    let run = command(&project).env("DX_PREPARED_TREES", "1").env("DX_BACKGROUND", "0");
    let text = run.args(["store", "status"]).run().success().stdout;
    assert!(text.contains("`dx store maintain` does it: background is false"), "{text}");
    let elsewhere = tempfile::tempdir().unwrap();
    let run = command(&project).env("DX_PREPARED_TREES", "1").current_dir(elsewhere.path());
    let text = run.args(["store", "status"]).run().success().stdout;
    assert!(text.contains("There is no package.json here"), "{text}");
}

#[test]
fn a_tree_that_would_take_more_than_its_share_of_the_disk_is_not_made() {
    let Some(device) = Device::memory("size=20m") else { return };
    let registry = Registry::start();
    let mut package = registry.package("wide", "1.0.0");
    // A twentieth of 20 MB is some 250 folders.
    for number in 0..400 {
        package = package.file(&format!("lib/{number}/index.js"), "0");
    }
    package.publish();
    registry.package("a", "1.0.0").publish();
    let inside = device.path().join("project");
    fs::create_dir_all(&inside).unwrap();
    let store = device.path().join("store");
    let install = |name: &str| {
        let project = Project::new(&registry).dep(name, "1").store(&store).create();
        for file in ["package.json", ".npmrc"] {
            fs::copy(project.path().join(file), inside.join(file)).unwrap();
        }
        for entry in ["node_modules", "package-lock.json"] {
            let path = inside.join(entry);
            let _ = fs::remove_dir_all(&path).or_else(|_| fs::remove_file(&path));
        }
        let command = command(&project).env("DX_PREPARED_TREES", "1").env("DX_BACKGROUND", "0");
        command.current_dir(&inside).args(["install"]).run().success();
        (maintain(&project)["prepared"].clone(), prepared_trees(&store))
    };
    assert_eq!(install("a"), (1.into(), 1));
    // The first one is made, as its size is not known before, and dropped.
    assert_eq!(install("wide"), (1.into(), 1), "that of a stays");
    assert_eq!(install("wide"), (0.into(), 1), "its size is known by now");
    assert_eq!(install("a"), (1.into(), 1));
}
