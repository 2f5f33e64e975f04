//! The flags that say where and how packages are saved, and which commands are linked.

use dx_pkg_testkit::{Project, Registry};
use serde_json::json;

use crate::harness::{command, ok};

fn registry() -> Registry {
    let registry = Registry::start();
    registry.package("one", "1.0.0").bin("one", "one.js").file("one.js", "1").publish();
    registry.package("two", "1.0.0").publish();
    registry
}

#[test]
fn bundled_packages_are_listed_in_order() {
    let registry = registry();
    let project = Project::new(&registry).create();
    ok(&project, ["add", "-B", "two"]);
    ok(&project, ["add", "-D", "--save-bundle", "one"]);
    let manifest = project.json("package.json");
    assert_eq!(manifest["bundleDependencies"], json!(["one", "two"]));
    assert_eq!(manifest["devDependencies"], json!({ "one": "^1.0.0" }));
    let lock = project.json("package-lock.json");
    assert_eq!(lock["packages"][""]["bundleDependencies"], json!(["one", "two"]));
    ok(&project, ["add", "-B", "two"]);
    assert_eq!(project.json("package.json"), manifest);
    ok(&project, ["remove", "one", "two"]);
    assert_eq!(project.json("package.json").get("bundleDependencies"), None);
}

#[test]
fn peers_are_never_bundled() {
    let registry = registry();
    let project = Project::new(&registry).create();
    ok(&project, ["add", "-B", "--save-peer", "two"]);
    assert_eq!(project.json("package.json").get("bundleDependencies"), None);
}

#[test]
fn flags_of_one_section_may_be_repeated_and_spelled_out() {
    let registry = registry();
    for (flags, saved) in [
        (["-S", "--save"].as_slice(), json!({ "dependencies": { "two": "^1.0.0" } })),
        (&["-D", "-D"], json!({ "devDependencies": { "two": "^1.0.0" } })),
        (&["--save-dev=true"], json!({ "devDependencies": { "two": "^1.0.0" } })),
        (&["--save-dev=false"], json!({ "dependencies": { "two": "^1.0.0" } })),
        (&["--no-save-dev"], json!({ "dependencies": { "two": "^1.0.0" } })),
        (&["--peer"], json!({ "peerDependencies": { "two": "^1.0.0" } })),
        (&["-E", "--save-prefix=~"], json!({ "dependencies": { "two": "1.0.0" } })),
    ] {
        let project = Project::new(&registry).package_json("{}").create();
        let arguments: Vec<&str> =
            ["add", "two"].into_iter().chain(flags.iter().copied()).collect();
        command(&project).args(arguments).run().success();
        assert_eq!(project.json("package.json"), saved, "{flags:?}");
    }
}

#[test]
fn only_one_section_can_be_named_as_with_npm() {
    let registry = registry();
    for flags in [["-D", "-P"], ["-D", "-O"], ["-D", "--save-peer"], ["-O", "--save-peer"]] {
        let project = Project::new(&registry).package_json("{}").create();
        let run = command(&project).args(["add", "two"].into_iter().chain(flags)).run().failure();
        assert!(run.stderr.contains("cannot be used with"), "{flags:?}: {}", run.stderr);
        assert_eq!(project.read("package.json"), "{}", "{flags:?}");
    }
}

#[test]
fn an_optional_peer_stays_optional_until_it_is_saved_as_a_peer() {
    let registry = registry();
    let project = Project::new(&registry)
        .peer("two", "1.0.0")
        .field("peerDependenciesMeta", json!({ "two": { "optional": true } }))
        .create();
    let optional = |project: &Project| {
        project.json("package.json")["peerDependenciesMeta"]["two"]["optional"].clone()
    };
    ok(&project, ["add", "two@1.0.0"]);
    assert_eq!(optional(&project), true);
    ok(&project, ["add", "two", "--save-peer"]);
    assert_eq!(optional(&project), false);
}

#[test]
fn commands_are_not_linked_without_bin_links() {
    let registry = registry();
    let project = Project::new(&registry).dep("one", "^1.0.0").create();
    ok(&project, ["install", "--no-bin-links"]);
    assert!(project.exists("node_modules/one/one.js"));
    assert!(!project.exists("node_modules/.bin"));
    assert_eq!(ok(&project, ["install", "--no-bin-links"]).stdout, "Already up to date\n");
    assert_eq!(
        project.json("package-lock.json")["packages"]["node_modules/one"]["bin"],
        json!({ "one": "one.js" })
    );
    ok(&project, ["add", "two", "--no-bin-links"]);
    assert!(!project.exists("node_modules/.bin"));
    ok(&project, ["install"]);
    assert!(project.exists("node_modules/.bin/one"));
    ok(&project, ["ci", "--bin-links=false"]);
    assert!(!project.exists("node_modules/.bin"));
}
