//! `install-strategy`: how far up the tree packages are placed, as with npm.

use std::collections::BTreeSet;

use dx_pkg_testkit::{Project, Registry};

use crate::harness::{ok, tree};

fn registry() -> Registry {
    let registry = Registry::start();
    registry.package("leaf", "1.0.0").publish();
    registry.package("mid", "1.0.0").dep("leaf", "^1.0.0").publish();
    registry.package("top", "1.0.0").dep("mid", "^1.0.0").publish();
    registry.package("other", "1.0.0").dep("leaf", "^1.0.0").publish();
    registry
}

fn places(project: &Project) -> BTreeSet<String> {
    let lock = project.json("package-lock.json");
    let paths = lock["packages"].as_object().unwrap().keys();
    paths.filter(|path| !path.is_empty()).map(|path| path.replace("node_modules/", "")).collect()
}

#[test]
fn packages_are_placed_as_npm_places_them() {
    let registry = registry();
    for (setting, expected) in [
        ("install-strategy=hoisted", ["leaf", "mid", "other", "top"].as_slice()),
        ("install-strategy=shallow", &["other", "other/leaf", "top", "top/leaf", "top/mid"]),
        ("global-style=true", &["other", "other/leaf", "top", "top/leaf", "top/mid"]),
        ("install-strategy=nested", &["other", "other/leaf", "top", "top/mid", "top/mid/leaf"]),
        ("legacy-bundling=true", &["other", "other/leaf", "top", "top/mid", "top/mid/leaf"]),
    ] {
        let project =
            Project::new(&registry).dep("top", "1").dep("other", "1").npmrc(setting).create();
        ok(&project, ["install"]);
        let expected: BTreeSet<String> = expected.iter().map(|&path| path.to_owned()).collect();
        assert_eq!(places(&project), expected, "{setting}");
        ok(&project, ["ci"]);
        assert_eq!(places(&project), expected, "{setting}");
        assert!(ok(&project, ["install"]).stdout.starts_with("Already up to date"));
    }
}

#[test]
fn an_added_package_is_nested_and_the_others_stay() {
    let registry = registry();
    let project = Project::new(&registry).dep("top", "1").create();
    ok(&project, ["install"]);
    ok(&project, ["add", "other", "--install-strategy=nested"]);
    // What is there already serves, as with npm.
    assert_eq!(
        project.installed(),
        tree([
            ("leaf", "leaf@1.0.0"),
            ("mid", "mid@1.0.0"),
            ("other", "other@1.0.0"),
            ("top", "top@1.0.0"),
        ])
    );
}
