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
fn of_several_sections_npms_choice_counts() {
    let registry = registry();
    for (flags, saved) in [
        (["-S", "--save"].as_slice(), json!({ "dependencies": { "two": "^1.0.0" } })),
        (&["-D", "-P"], json!({ "dependencies": { "two": "^1.0.0" } })),
        (&["-D", "-D"], json!({ "devDependencies": { "two": "^1.0.0" } })),
        (&["-D", "-O"], json!({ "optionalDependencies": { "two": "^1.0.0" } })),
        (&["-D", "--save-peer"], json!({ "peerDependencies": { "two": "^1.0.0" } })),
        (&["--peer"], json!({ "peerDependencies": { "two": "^1.0.0" } })),
        (&["-E", "--save-prefix=~"], json!({ "dependencies": { "two": "1.0.0" } })),
        (
            &["-O", "--save-peer"],
            json!({
                "peerDependencies": { "two": "^1.0.0" },
                "peerDependenciesMeta": { "two": { "optional": true } },
            }),
        ),
    ] {
        let project = Project::new(&registry).package_json("{}").create();
        let arguments: Vec<&str> =
            ["add", "two"].into_iter().chain(flags.iter().copied()).collect();
        command(&project).args(arguments).run().success();
        assert_eq!(project.json("package.json"), saved, "{flags:?}");
    }
}

#[test]
fn an_optional_peer_stays_optional_until_it_is_saved_as_a_peer() {
    let registry = registry();
    let project = Project::new(&registry).create();
    let optional = |project: &Project| {
        project.json("package.json")["peerDependenciesMeta"]["two"]["optional"].clone()
    };
    ok(&project, ["add", "two", "-O", "--save-peer"]);
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
