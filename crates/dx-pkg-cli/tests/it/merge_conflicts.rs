//! Lockfiles and manifests with the markers of a merge.

use dx_pkg_testkit::{Project, Registry};

use crate::harness::{dx, fails, files, locked, locked_version, ok};

fn registry() -> Registry {
    let registry = Registry::start();
    for version in ["1.0.0", "1.1.0"] {
        registry.package("shared", version).publish();
    }
    registry.package("ours", "1.0.0").publish();
    registry.package("theirs", "1.0.0").publish();
    registry
}

fn lockfile_of(registry: &Registry, dependencies: [(&str, &str); 2]) -> String {
    let mut project = Project::new(registry);
    for (name, spec) in dependencies {
        project = project.dep(name, spec);
    }
    let project = project.create();
    ok(&project, ["install", "--lockfile-only"]);
    project.read("package-lock.json")
}

/// Returns what `git merge` leaves of two texts: the first and last lines they share, and the rest
/// between markers.
fn merge(ours: &str, theirs: &str) -> String {
    let (ours, theirs): (Vec<&str>, Vec<&str>) = (ours.lines().collect(), theirs.lines().collect());
    let shared = ours.iter().zip(&theirs).take_while(|(a, b)| a == b).count();
    let end = ours.iter().rev().zip(theirs.iter().rev()).take_while(|(a, b)| a == b).count();
    let lines = [
        &ours[..shared],
        &["<<<<<<< HEAD"],
        &ours[shared..ours.len() - end],
        &["======="],
        &theirs[shared..theirs.len() - end],
        &[">>>>>>> other"],
        &ours[ours.len() - end..],
    ];
    lines.concat().join("\n") + "\n"
}

#[test]
fn a_conflict_in_the_lockfile_is_merged_and_ours_counts() {
    let registry = registry();
    let ours = lockfile_of(&registry, [("ours", "^1.0.0"), ("shared", "1.0.0")]);
    let theirs = lockfile_of(&registry, [("shared", "1.1.0"), ("theirs", "^1.0.0")]);
    let text = merge(&ours, &theirs);
    let project = || {
        Project::new(&registry)
            .dep("ours", "^1.0.0")
            .dep("shared", "^1.0.0")
            .dep("theirs", "^1.0.0")
            .file("package-lock.json", text.clone())
            .create()
    };
    let installed = project();
    let run = ok(&installed, ["install"]);
    assert!(run.stderr.contains("merge conflict markers"), "{run}");
    for (name, version) in [("ours", "1.0.0"), ("shared", "1.0.0"), ("theirs", "1.0.0")] {
        assert_eq!(locked_version(&installed, &format!("node_modules/{name}")), version);
    }
    assert!(!installed.read("package-lock.json").contains("<<<"));
    assert_eq!(ok(&installed, ["install"]).stdout, "Already up to date\n");

    // Also with the tree of one side in place.
    installed.write("package-lock.json", &text);
    ok(&installed, ["install"]);
    assert_eq!(locked(&installed, "node_modules/theirs")["version"], "1.0.0");

    let dry = project();
    ok(&dry, ["install", "--dry-run"]);
    assert_eq!(dry.read("package-lock.json"), text);
}

#[test]
fn ci_installs_what_the_merge_gives_and_writes_nothing() {
    let registry = registry();
    let ours = lockfile_of(&registry, [("ours", "^1.0.0"), ("shared", "^1.0.0")]);
    let theirs = lockfile_of(&registry, [("shared", "^1.0.0"), ("theirs", "^1.0.0")]);
    let text = merge(&ours, &theirs);
    let project = Project::new(&registry)
        .dep("ours", "^1.0.0")
        .dep("shared", "^1.0.0")
        .dep("theirs", "^1.0.0")
        .file("package-lock.json", text.clone())
        .create();
    let run = ok(&project, ["ci"]);
    assert!(run.stderr.contains("merge conflict markers"), "{run}");
    assert!(project.exists("node_modules/theirs"));
    assert_eq!(project.read("package-lock.json"), text);
    project.write("package.json", r#"{"dependencies":{"shared":"2"}}"#);
    fails(dx(&project, ["ci"]), "DX_LOCKFILE_OUT_OF_DATE");
}

#[test]
fn a_conflict_in_the_manifest_is_an_error() {
    let registry = registry();
    let text = "{\n<<<<<<< HEAD\n\"name\": \"a\"\n=======\n\"name\": \"b\"\n>>>>>>> other\n}\n";
    let project = Project::new(&registry).package_json(text).create();
    let before = files(&project);
    for command in ["install", "ci"] {
        let stderr = fails(dx(&project, [command]), "DX_MANIFEST_CONFLICT");
        assert!(stderr.contains("line 2"), "{stderr}");
    }
    fails(dx(&project, ["add", "ours"]), "DX_MANIFEST_CONFLICT");
    assert_eq!(files(&project), before);
}
