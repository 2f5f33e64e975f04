//! `dx dedupe`, its check and its search for fewer versions, and `dx find-dupes`.

use dx_pkg_testkit::{Project, Registry};
use serde_json::{Value, json};

use crate::harness::{dx, fails, files, locked_version, ok};

/// Publishes `one`, of which `broad` allows more versions than `exact`.
fn registry() -> Registry {
    let registry = Registry::start();
    registry.package("one", "1.0.0").publish();
    registry.package("one", "1.1.0").publish();
    registry.package("broad", "1.0.0").dep("one", "^1.0.0").publish();
    registry.package("exact", "1.0.0").dep("one", "1.0.0").publish();
    registry
}

/// A project with two copies of `one`, of which one would do.
fn doubled(registry: &Registry) -> Project {
    let project = Project::new(registry)
        .dep("broad", "^1.0.0")
        .dep("exact", "^1.0.0")
        .script("preinstall", "node -e \"require('fs').writeFileSync('ran', '')\"")
        .create();
    ok(&project, ["install", "--ignore-scripts"]);
    assert_eq!(copies(&project), ["node_modules/exact/node_modules/one", "node_modules/one"]);
    project
}

/// Returns the paths of the copies of `one` in the lockfile.
fn copies(project: &Project) -> Vec<String> {
    let lock = project.json("package-lock.json");
    let paths = lock["packages"].as_object().unwrap().keys();
    paths.filter(|path| path.ends_with("/one")).cloned().collect()
}

#[test]
fn one_copy_that_suits_all_takes_the_place_of_several() {
    for command in ["dedupe", "ddp"] {
        let registry = registry();
        let project = doubled(&registry);
        let manifest = project.read("package.json");
        ok(&project, [command]);
        assert_eq!(copies(&project), ["node_modules/one"]);
        assert_eq!(locked_version(&project, "node_modules/one"), "1.0.0");
        assert!(!project.exists("node_modules/exact/node_modules"));
        assert_eq!(project.read("package.json"), manifest);
        // As with npm, the project's own scripts are those of an install.
        assert!(!project.exists("ran"));
        let lock = project.read("package-lock.json");
        ok(&project, ["install", "--ignore-scripts"]);
        assert_eq!(project.read("package-lock.json"), lock);
        ok(&project, ["ci", "--ignore-scripts"]);
        assert!(ok(&project, ["dedupe"]).stdout.contains("Already up to date"));
    }
}

#[test]
fn a_check_fails_and_writes_nothing_where_something_would_change() {
    let registry = registry();
    let project = doubled(&registry);
    project.remove("node_modules");
    let before = files(&project);
    for arguments in [["dedupe", "--check"], ["dedupe", "--frozen-lockfile"]] {
        let run = dx(&project, arguments);
        let said = "~ one 1.1.0 -> 1.0.0\n- one 1.0.0 (in node_modules/exact)\n";
        assert!(
            run.stdout.contains("~ one 1.1.0 -> 1.0.0") && run.stdout.contains("- one 1.0.0"),
            "{said}{run}"
        );
        fails(run, "DX_NOT_DEDUPED");
        assert_eq!(files(&project), before);
    }
    let run = dx(&project, ["dedupe", "--check", "--json"]);
    assert_eq!(run.status, Some(1), "{run}");
    let fields: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(fields["remove"][0]["path"], "node_modules/exact/node_modules/one");
    assert_eq!(fields["files"], json!(["package-lock.json"]));
    ok(&project, ["dedupe", "--ignore-scripts"]);
    project.remove("node_modules");
    let run = ok(&project, ["dedupe", "--check"]);
    assert_eq!(run.stdout, "Dry run: nothing would change\n");
    assert!(!project.exists("node_modules"));
}

#[test]
fn find_dupes_shows_what_would_change_and_succeeds() {
    let registry = registry();
    let project = doubled(&registry);
    let before = files(&project);
    for arguments in [["find-dupes", "--ignore-scripts"], ["dedupe", "--dry-run"]] {
        let run = ok(&project, arguments);
        assert!(run.stdout.contains("Dry run: would change 1 package, remove 1 package"), "{run}");
        assert_eq!(files(&project), before);
    }
}

/// Publishes `tool`, whose older version shares `part` with `other`.
fn parts() -> Registry {
    let registry = Registry::start();
    registry.package("part", "1.0.0").publish();
    registry.package("part", "2.0.0").publish();
    registry.package("tool", "1.9.0").dep("part", "^1.0.0").publish();
    registry.package("tool", "2.0.0").dep("part", "^2.0.0").publish();
    registry.package("other", "1.0.0").dep("part", "^1.0.0").publish();
    registry
}

#[test]
fn the_fewest_versions_are_chosen_together_and_said() {
    let registry = parts();
    let project = Project::new(&registry).dep("tool", "*").dep("other", "^1.0.0").create();
    ok(&project, ["install"]);
    let before = files(&project);
    fails(dx(&project, ["dedupe", "--minimise", "--check"]), "DX_NOT_DEDUPED");
    assert_eq!(files(&project), before);
    let run = ok(&project, ["dedupe", "--minimize"]);
    let said = "package versions 4 -> 3; 2 packages changed, 1 of them older than before\n  \
                part 1.0.0, 2.0.0 -> 1.0.0\n  tool 2.0.0 -> 1.9.0 (older)\n";
    assert!(run.stdout.contains(said), "{run}");
    assert_eq!(locked_version(&project, "node_modules/tool"), "1.9.0");
    let lock = project.read("package-lock.json");
    ok(&project, ["install"]);
    ok(&project, ["ci"]);
    assert_eq!(project.read("package-lock.json"), lock);
    let run = ok(&project, ["dedupe", "--minimise", "--json"]);
    let fields: Value = serde_json::from_str(&run.stdout).unwrap();
    let score = json!({ "versions": 3, "outdated": 0 });
    assert_eq!(
        fields["fewer"],
        json!({ "before": score, "after": score, "packages": [], "complete": true })
    );
    ok(&project, ["dedupe", "--minimise", "--check"]);
}

#[test]
fn neither_a_range_nor_a_peer_is_broken_for_fewer_versions() {
    let registry = parts();
    registry.package("host", "1.0.0").publish();
    registry.package("host", "2.0.0").publish();
    registry.package("tool", "1.9.1").dep("part", "^1.0.0").peer("host", "^1.0.0").publish();
    registry.dist_tag("tool", "latest", "2.0.0");
    for spec in ["^2.0.0", ">=1.9.1"] {
        let project = Project::new(&registry)
            .dep("tool", spec)
            .dep("other", "^1.0.0")
            .dep("host", "^2.0.0")
            .create();
        ok(&project, ["install"]);
        let before = project.read("package-lock.json");
        let run = ok(&project, ["dedupe", "--minimise"]);
        assert!(run.stdout.contains("nothing better was found than 5 package versions"), "{run}");
        assert_eq!(project.read("package-lock.json"), before, "{spec}");
    }
}

#[test]
fn the_newest_versions_are_chosen_together() {
    let registry = parts();
    let project = Project::new(&registry).dep("tool", "^1.0.0").dep("part", "*").create();
    ok(&project, ["install"]);
    project.write(
        "package.json",
        r#"{"name":"project","version":"1.0.0","dependencies":{"tool":">=1.9.0","part":"*"}}"#,
    );
    ok(&project, ["install"]);
    assert_eq!(locked_version(&project, "node_modules/tool"), "1.9.0");
    let run = ok(&project, ["dedupe", "--newest"]);
    assert!(run.stdout.contains("outdated 2 -> 0"), "{run}");
    assert!(run.stdout.contains("none of them older than before"), "{run}");
    assert_eq!(locked_version(&project, "node_modules/tool"), "2.0.0");
    assert_eq!(locked_version(&project, "node_modules/part"), "2.0.0");
}
