//! The choice of versions: overrides, tags, deprecation, engines, bundles.

use dx_pkg_testkit::{Project, Registry};
use serde_json::json;

use crate::harness::{dx, fails, files, locked, ok, required, tree};

fn registry() -> Registry {
    let registry = Registry::start();
    for version in ["1.0.0", "1.1.0", "2.0.0"] {
        registry.package("b", version).publish();
    }
    registry.package("a", "1.0.0").dep("b", "^1").publish();
    registry.package("c", "1.0.0").dep("b", "^1").publish();
    registry
}

#[test]
fn override_replaces_requirements_of_dependencies() {
    let registry = registry();
    let project =
        Project::new(&registry).dep("a", "1").field("overrides", json!({"b": "1.0.0"})).create();
    ok(&project, ["install"]);
    assert_eq!(required(&project, "b"), "b@1.0.0");
    ok(&project, ["ci"]);
    assert_eq!(required(&project, "b"), "b@1.0.0");
}

#[test]
fn nested_override_applies_below_its_package_only() {
    let registry = registry();
    let overrides = json!({"c": {"b": "2.0.0"}});
    let project =
        Project::new(&registry).dep("a", "1").dep("c", "1").field("overrides", overrides).create();
    ok(&project, ["install"]);
    let expected = tree([
        ("a", "a@1.0.0"),
        ("b", "b@1.1.0"),
        ("c", "c@1.0.0"),
        ("c/node_modules/b", "b@2.0.0"),
    ]);
    assert_eq!(project.installed(), expected);
}

#[test]
fn override_with_a_range_in_its_key_applies_to_that_range_only() {
    let registry = registry();
    registry.package("d", "1.0.0").dep("b", "2").publish();
    let project = Project::new(&registry)
        .dep("a", "1")
        .dep("d", "1")
        .field("overrides", json!({"b@^1": "1.0.0"}))
        .create();
    ok(&project, ["install"]);
    assert_eq!(project.installed().values().filter(|id| *id == "b@1.0.0").count(), 1);
    assert_eq!(project.installed().values().filter(|id| *id == "b@2.0.0").count(), 1);
}

#[test]
fn override_reference_means_the_direct_dependency() {
    let registry = registry();
    let builder = Project::new(&registry).dep("a", "1").dep("b", "2.0.0");
    let project = builder.field("overrides", json!({"b": "$b"})).create();
    ok(&project, ["install"]);
    assert_eq!(project.installed(), tree([("a", "a@1.0.0"), ("b", "b@2.0.0")]));
}

#[test]
fn invalid_overrides_are_errors() {
    let registry = registry();
    let cases = [
        (json!({"b": "$nobody"}), "DX_OVERRIDE_REFERENCE"),
        (json!({"a": "2.0.0"}), "DX_OVERRIDE_CONFLICT"),
        (json!({"b": 7}), "DX_BAD_OVERRIDES"),
    ];
    for (overrides, code) in cases {
        let project = Project::new(&registry).dep("a", "1").field("overrides", overrides).create();
        let before = files(&project);
        fails(dx(&project, ["install"]), code);
        assert_eq!(files(&project), before);
    }
}

#[test]
fn changed_override_changes_the_lockfile() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").create();
    ok(&project, ["install"]);
    assert_eq!(required(&project, "b"), "b@1.1.0");
    project.write("package.json", r#"{"dependencies":{"a":"1"},"overrides":{"b":"1.0.0"}}"#);
    ok(&project, ["install"]);
    // As npm places it: a package that an override replaces is not hoisted again.
    assert_eq!(project.installed(), tree([("a", "a@1.0.0"), ("a/node_modules/b", "b@1.0.0")]));
}

#[test]
fn tags_choose_their_version() {
    let registry = registry();
    registry.dist_tag("b", "old", "1.0.0");
    let project = Project::new(&registry).dep("b", "old").create();
    ok(&project, ["install"]);
    assert_eq!(required(&project, "b"), "b@1.0.0");
}

#[test]
fn latest_tag_is_preferred_to_newer_versions_in_range() {
    let registry = registry();
    registry.dist_tag("b", "latest", "1.0.0");
    let project = Project::new(&registry).dep("b", "^1").create();
    ok(&project, ["install"]);
    assert_eq!(required(&project, "b"), "b@1.0.0");
}

#[test]
fn deprecated_versions_are_avoided_if_another_matches() {
    let registry = Registry::start();
    registry.package("b", "1.0.0").publish();
    registry.package("b", "1.1.0").deprecated("broken").publish();
    let project = Project::new(&registry).dep("b", "^1").create();
    ok(&project, ["install"]);
    assert_eq!(required(&project, "b"), "b@1.0.0");
    let exact = Project::new(&registry).dep("b", "1.1.0").create();
    ok(&exact, ["install"]);
    assert_eq!(locked(&exact, "node_modules/b")["deprecated"], "broken");
}

#[test]
fn versions_for_another_node_are_avoided_if_another_matches() {
    let registry = Registry::start();
    registry.package("b", "1.0.0").engines("node", ">=4").publish();
    registry.package("b", "1.1.0").engines("node", ">=999").publish();
    let project = Project::new(&registry).dep("b", "^1").create();
    ok(&project, ["install"]);
    assert_eq!(required(&project, "b"), "b@1.0.0");
}

#[test]
fn package_for_another_node_is_an_error_only_when_strict() {
    let registry = Registry::start();
    registry.package("b", "1.0.0").engines("node", ">=999").publish();
    let project = Project::new(&registry).dep("b", "^1").create();
    let run = ok(&project, ["install"]);
    assert!(
        run.stderr.contains("b@1.0.0") && run.stderr.contains(">=999"),
        "it is warned of: {run}"
    );
    let strict = Project::new(&registry).dep("b", "^1").npmrc("engine-strict=true").create();
    let before = files(&strict);
    fails(dx(&strict, ["install"]), "DX_UNSUPPORTED_PLATFORM");
    assert_eq!(files(&strict), before);
}

#[test]
fn prereleases_are_chosen_only_when_required() {
    let registry = Registry::start();
    registry.package("b", "1.0.0").publish();
    registry.package("b", "1.1.0-rc.1").publish();
    registry.dist_tag("b", "latest", "1.0.0");
    for (spec, expected) in
        [("^1.0.0", "b@1.0.0"), ("*", "b@1.0.0"), ("^1.1.0-rc.0", "b@1.1.0-rc.1")]
    {
        let project = Project::new(&registry).dep("b", spec).create();
        ok(&project, ["install"]);
        assert_eq!(required(&project, "b"), expected, "{spec}");
    }
}

#[test]
fn bundled_dependencies_of_the_project_are_installed_and_marked() {
    let registry = registry();
    let project = Project::new(&registry)
        .dep("a", "1")
        .dep("b", "2")
        .field("bundleDependencies", json!(["a"]))
        .create();
    ok(&project, ["install"]);
    let marked = ["node_modules/a", "node_modules/a/node_modules/b", "node_modules/b"];
    let expected = tree([("a", "a@1.0.0"), ("a/node_modules/b", "b@1.1.0"), ("b", "b@2.0.0")]);
    assert_eq!(project.installed(), expected);
    let flags = marked.map(|path| locked(&project, path)["inBundle"].clone());
    assert_eq!(flags, [json!(true), json!(true), json!(null)]);
    let lock = project.read("package-lock.json");
    ok(&project, ["ci"]);
    assert_eq!(project.installed(), expected);
    ok(&project, ["install", "c"]);
    ok(&project, ["remove", "c"]);
    assert_eq!(project.read("package-lock.json"), lock);
}

#[test]
fn bundled_dependencies_come_from_the_tarball() {
    let registry = registry();
    registry.package("whole", "1.0.0").bundle("b", "1.0.0").publish();
    let project = Project::new(&registry).dep("whole", "1").dep("b", "2").create();
    ok(&project, ["install"]);
    assert_eq!(required(&project, "whole/node_modules/b"), "b@1.0.0 bundled");
    let entry = locked(&project, "node_modules/whole/node_modules/b");
    assert_eq!(entry, json!({"version": "1.0.0", "inBundle": true}));
    assert!(!registry.requests().iter().any(|request| request.path.contains("b-1.0.0.tgz")));
    let other = Project::new(&registry)
        .dep("whole", "1")
        .dep("b", "2")
        .file("package-lock.json", project.read("package-lock.json"))
        .create();
    ok(&other, ["ci"]);
    assert_eq!(required(&other, "whole/node_modules/b"), "b@1.0.0 bundled");
    assert_eq!(other.read("package-lock.json"), project.read("package-lock.json"));
}

#[test]
fn conflicting_versions_are_nested_and_shared_ones_hoisted() {
    let registry = registry();
    registry.package("d", "1.0.0").dep("b", "2").publish();
    registry.package("e", "1.0.0").dep("b", "2").dep("d", "1").publish();
    let project = Project::new(&registry).dep("a", "1").dep("c", "1").dep("e", "1").create();
    ok(&project, ["install"]);
    assert_eq!(required(&project, "b"), "b@1.1.0");
    let from_e = project
        .node("console.log(require(require.resolve('b', {paths: [require.resolve('e')]})))")
        .success();
    assert_eq!(from_e.stdout.trim(), "b@2.0.0");
}

#[test]
fn packages_that_depend_on_each_other_are_installed() {
    let registry = Registry::start();
    registry.package("x", "1.0.0").dep("y", "1").publish();
    registry.package("y", "1.0.0").dep("x", "1").publish();
    let project = Project::new(&registry).dep("x", "1").create();
    ok(&project, ["install"]);
    assert_eq!(project.installed(), tree([("x", "x@1.0.0"), ("y", "y@1.0.0")]));
}

#[test]
fn package_without_integrity_is_verified_by_its_sha1() {
    let registry = Registry::start();
    registry.package("old", "1.0.0").without_integrity().publish();
    let project = Project::new(&registry).dep("old", "1").create();
    ok(&project, ["install"]);
    assert_eq!(required(&project, "old"), "old@1.0.0");
    assert!(
        locked(&project, "node_modules/old")["integrity"].as_str().unwrap().starts_with("sha1-")
    );
}

#[test]
fn archive_with_another_top_folder_is_installed() {
    let registry = Registry::start();
    registry.package("odd", "1.0.0").top_folder("odd-1.0.0").publish();
    let project = Project::new(&registry).dep("odd", "1").create();
    ok(&project, ["install"]);
    assert_eq!(required(&project, "odd"), "odd@1.0.0");
}
