//! `lockfile-version`: which version of the lockfile is written, as with npm.

use dx_pkg_testkit::{Project, Registry};

use crate::harness::{dx, fails, ok};

fn registry() -> Registry {
    let registry = Registry::start();
    registry.package("a", "1.0.0").dep("b", "^1.0.0").bin("a", "index.js").publish();
    for version in ["1.0.0", "1.1.0"] {
        registry.package("b", version).publish();
    }
    registry.package("c", "1.0.0").peer("b", "1").publish();
    registry
}

fn version(project: &Project) -> u64 {
    project.json("package-lock.json")["lockfileVersion"].as_u64().unwrap()
}

/// Returns which of `packages` and `dependencies` the lockfile has.
fn parts(project: &Project) -> (bool, bool) {
    let lock = project.json("package-lock.json");
    (lock.get("packages").is_some(), lock.get("dependencies").is_some())
}

#[test]
fn a_new_lockfile_is_of_the_version_that_is_asked_for() {
    let registry = registry();
    for (asked, expected) in [(1, (false, true)), (2, (true, true)), (3, (true, false))] {
        let project = Project::new(&registry).dep("a", "1").dep("c", "1").create();
        let run = ok(&project, ["install", &format!("--lockfile-version={asked}")]);
        assert_eq!(run.stderr, "");
        assert_eq!((version(&project), parts(&project)), (asked, expected));
        let hidden = project.json("node_modules/.package-lock.json");
        assert_eq!(hidden["lockfileVersion"], 3, "whatever the lockfile's is");
        // A clone gets the same tree, commands too.
        let text = project.read("package-lock.json");
        project.remove("node_modules");
        ok(&project, ["ci"]);
        assert!(project.exists("node_modules/.bin/a"), "version {asked}");
        assert_eq!(project.read("package-lock.json"), text);
    }
}

#[test]
fn a_lockfile_is_converted_though_nothing_else_changes_and_that_is_said() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").create();
    ok(&project, ["install"]);
    let third = project.read("package-lock.json");
    for (from, to) in [(3, 2), (2, 1), (1, 2), (2, 3), (3, 1), (1, 3)] {
        let run = ok(&project, ["install", &format!("--lockfile-version={to}")]);
        assert_eq!(version(&project), to);
        // The registry is asked for what version 1 lacks, which has a message of its own.
        let said = if from == 1 { "is now written as version" } else { "lockfile-version" };
        assert!(run.stderr.contains(said), "from {from} to {to}: {}", run.stderr);
        let before = project.read("package-lock.json");
        let again = ok(&project, ["install", &format!("--lockfile-version={to}")]);
        assert_eq!((again.stderr.as_str(), project.read("package-lock.json")), ("", before));
    }
    assert_eq!(project.read("package-lock.json"), third);
}

#[test]
fn the_setting_of_an_npmrc_lasts_and_add_and_remove_keep_it() {
    let registry = registry();
    for asked in [1, 2] {
        let line = format!("lockfile-version={asked}");
        let project = Project::new(&registry).dep("a", "1").npmrc(&line).create();
        ok(&project, ["install"]);
        let before = project.read("package-lock.json");
        ok(&project, ["add", "c@1"]);
        assert_eq!(version(&project), asked);
        assert!(project.read("package-lock.json").contains("/c-1.0.0.tgz"));
        ok(&project, ["remove", "c"]);
        assert_eq!(project.read("package-lock.json"), before);
        assert!(project.exists("node_modules/.bin/a"));
    }
}

#[test]
fn without_the_setting_a_lockfile_keeps_its_version_but_one_of_version_1() {
    let registry = registry();
    for (wrote, becomes) in [(1, 3), (2, 2), (3, 3)] {
        let project = Project::new(&registry).dep("a", "1").create();
        ok(&project, ["install", &format!("--lockfile-version={wrote}")]);
        ok(&project, ["add", "c@1"]);
        assert_eq!(version(&project), becomes);
    }
}

#[test]
fn commands_that_do_not_write_the_lockfile_leave_its_version() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").create();
    ok(&project, ["install"]);
    let text = project.read("package-lock.json");
    for command in [
        ["ci", "--lockfile-version=1"].as_slice(),
        &["install", "--frozen-lockfile", "--lockfile-version=2"],
        &["install", "--no-save", "--lockfile-version=2"],
        &["install", "--dry-run", "--lockfile-version=2"],
        &["add", "c", "--no-save", "--lockfile-version=1"],
    ] {
        crate::harness::command(&project).args(command).run().success();
        assert_eq!(project.read("package-lock.json"), text, "{command:?}");
    }
    let error = fails(dx(&project, ["install", "--lockfile-version=4"]), "DX_CONFIG_INVALID");
    assert!(error.contains("1, 2 or 3"), "{error}");
}

#[test]
fn what_overrides_replace_is_what_old_npm_is_told() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").create();
    let mut manifest = project.json("package.json");
    manifest["overrides"] = serde_json::json!({"b": "1.0.0"});
    project.write("package.json", manifest.to_string());
    for asked in ["1", "2"] {
        ok(&project, ["install", "--lockfile-version", asked]);
        let lock = project.json("package-lock.json");
        assert_eq!(lock["dependencies"]["a"]["requires"]["b"], "1.0.0", "version {asked}");
    }
}

#[test]
fn the_part_for_old_npm_is_completed_though_nothing_else_changes() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").create();
    ok(&project, ["install", "--lockfile-version=2"]);
    let whole = project.read("package-lock.json");
    let mut lock = project.json("package-lock.json");
    lock.as_object_mut().unwrap().remove("dependencies");
    project.write("package-lock.json", serde_json::to_string_pretty(&lock).unwrap());
    ok(&project, ["install"]);
    assert_eq!(project.read("package-lock.json"), whole);
}

#[test]
fn a_lockfile_with_the_markers_of_a_merge_keeps_its_version() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").create();
    ok(&project, ["install", "--lockfile-version=2"]);
    let whole = project.read("package-lock.json");
    let line = "      \"version\": \"1.1.0\",\n";
    let both =
        format!("<<<<<<< ours\n{line}=======\n      \"version\": \"1.0.0\",\n>>>>>>> theirs\n");
    assert!(whole.contains(line));
    project.write("package-lock.json", whole.replacen(line, &both, 1));
    ok(&project, ["install"]);
    assert_eq!(project.read("package-lock.json"), whole);
}

#[test]
fn the_place_of_an_optional_package_that_nobody_has_is_no_package() {
    let registry = registry();
    for asked in ["1", "2"] {
        let project = Project::new(&registry).dep("a", "1").optional("absent", "9").create();
        ok(&project, ["install", "--lockfile-version", asked]);
        let lock = project.json("package-lock.json");
        assert_eq!(lock["dependencies"]["absent"], serde_json::json!({"optional": true}));
        let text = project.read("package-lock.json");
        ok(&project, ["ci"]);
        ok(&project, ["install", "--lockfile-version", asked]);
        assert_eq!(project.read("package-lock.json"), text, "version {asked}");
        ok(&project, ["install", "--lockfile-version=3"]);
        assert!(!project.read("package-lock.json").contains("node_modules/absent"));
    }
}

/// npm 7 to 10 wrote such entries, and then stopped at them: `Invalid Version`.
#[test]
fn an_entry_without_a_package_is_as_good_as_none() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").optional("absent", "9").create();
    ok(&project, ["install"]);
    let whole = project.read("package-lock.json");
    let mut lock = project.json("package-lock.json");
    lock["packages"]["node_modules/absent"] = serde_json::json!({"optional": true});
    project.write("package-lock.json", serde_json::to_string_pretty(&lock).unwrap() + "\n");
    let odd = project.read("package-lock.json");
    project.remove("node_modules");
    ok(&project, ["ci"]);
    assert_eq!(project.read("package-lock.json"), odd);
    ok(&project, ["install"]);
    assert_eq!(project.read("package-lock.json"), whole);
}
