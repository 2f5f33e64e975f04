//! What an install says it added, changed and removed, and which of it is deprecated.

use std::fs;

use dx_pkg_testkit::{Project, Registry};
use serde_json::{Value, json};

use crate::harness::{command, dx, dx_with_prepared_trees, fails, files, maintain, ok};

fn registry() -> Registry {
    let registry = Registry::start();
    registry.package("a", "1.0.0").dep("b", "^1").publish();
    registry.package("a", "1.1.0").dep("b", "^1").publish();
    registry.package("b", "1.2.0").deprecated("use c\ninstead").publish();
    registry.package("c", "2.0.0").dep("b", "^2").publish();
    registry.package("b", "2.0.0").publish();
    registry.package("old", "1.0.0").deprecated("no longer kept").publish();
    registry
}

#[track_caller]
fn json_of<const N: usize>(project: &Project, arguments: [&str; N]) -> Value {
    let run = ok(project, arguments);
    let value: Value = serde_json::from_str(&run.stdout).unwrap();
    for (number, list) in [("added", "add"), ("changed", "change"), ("removed", "remove")] {
        assert_eq!(value[number], value[list].as_array().unwrap().len(), "{run}");
    }
    value
}

fn package(name: &str, version: &str, path: &str) -> Value {
    json!({"name": name, "version": version, "path": path})
}

fn first(name: &str, version: &str) -> Value {
    package(name, version, &format!("node_modules/{name}"))
}

fn remove_modules(project: &Project) {
    fs::remove_dir_all(project.path().join("node_modules")).unwrap();
}

#[test]
fn json_lists_every_package_whichever_way_the_install_goes() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "~1.0.0").dep("c", "2").create();
    let nested = package("b", "2.0.0", "node_modules/c/node_modules/b");
    let all = json!([first("a", "1.0.0"), first("b", "1.2.0"), first("c", "2.0.0"), nested]);
    let deprecated = json!([{"name": "b", "version": "1.2.0", "path": "node_modules/b", "message": "use c\ninstead"}]);
    let check = |result: &Value, way: &str| {
        assert_eq!((&result["add"], &result["deprecated"]), (&all, &deprecated), "{way}");
        assert_eq!((&result["change"], &result["remove"]), (&json!([]), &json!([])), "{way}");
    };
    check(&json_of(&project, ["install", "--json"]), "first");
    remove_modules(&project);
    check(&json_of(&project, ["install", "--json"]), "from lockfile and store");
    check(&json_of(&project, ["ci", "--json"]), "ci");
    remove_modules(&project);
    fs::remove_dir_all(project.store()).unwrap();
    check(&json_of(&project, ["install", "--json"]), "from the lockfile");
    project.remove("package-lock.json");
    remove_modules(&project);
    check(&json_of(&project, ["install", "--json", "--lockfile-only"]), "lockfile only");
}

#[test]
fn a_prepared_tree_is_told_of_as_one_that_is_built() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "~1.0.0").dev("old", "1").create();
    let built = dx_with_prepared_trees(&project, ["install"]);
    let without_time = |text: &str| text.rsplit_once(" in ").unwrap().0.to_owned();
    for json in [false, true] {
        remove_modules(&project);
        let mut run = command(&project).env("DX_PREPARED_TREES", "1").args(["install"]);
        if json {
            run = run.args(["--json"]);
        }
        let run = run.run().success();
        maintain(&project);
        if json {
            let result: Value = serde_json::from_str(&run.stdout).unwrap();
            assert_eq!(result["statistics"]["prepared_trees"], 1, "{run}");
            let all = [first("a", "1.0.0"), first("b", "1.2.0"), first("old", "1.0.0")];
            assert_eq!(result["add"], json!(all), "{run}");
            assert_eq!(result["deprecated"].as_array().unwrap().len(), 2, "{run}");
        } else {
            assert_eq!(without_time(&run.stdout), without_time(&built.stdout));
            assert_eq!(run.stderr, built.stderr);
            assert!(run.stdout.contains("+ old 1.0.0 (dev)\n"), "{run}");
            assert!(run.stderr.contains("deprecated old@1.0.0: no longer kept\n"), "{run}");
        }
    }
}

#[test]
fn json_lists_what_commands_change() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1.0.0").create();
    ok(&project, ["install"]);
    let nested = package("b", "2.0.0", "node_modules/c/node_modules/b");
    let added = json_of(&project, ["add", "c", "--json"]);
    assert_eq!(added["add"], json!([first("c", "2.0.0"), nested]));
    assert_eq!(added["deprecated"], json!([]), "b was deprecated before");
    let changed = json_of(&project, ["add", "a@1.1.0", "--json"]);
    assert_eq!(
        changed["change"],
        json!([{"from": first("a", "1.0.0"), "to": first("a", "1.1.0")}])
    );
    let removed = json_of(&project, ["remove", "c", "--json"]);
    assert_eq!(removed["remove"], json!([first("c", "2.0.0"), nested]));
    // The same by hand, which is no command's change.
    project.write("package.json", r#"{"dependencies": {"c": "2"}}"#);
    let edited = json_of(&project, ["install", "--json"]);
    assert_eq!(edited["remove"], json!([first("a", "1.1.0"), first("b", "1.2.0")]));
    let nothing = json_of(&project, ["install", "--json", "--force"]);
    assert_eq!(nothing["add"], json!([]));
}

#[test]
fn json_lists_what_was_foreign_or_restored() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1.0.0").create();
    ok(&project, ["install"]);
    project.write("node_modules/stranger/index.js", "");
    fs::remove_file(project.path().join("node_modules/b/index.js")).unwrap();
    let result = json_of(&project, ["install", "--json", "--force"]);
    let stranger = json!([{"name": "stranger", "version": null, "path": "node_modules/stranger"}]);
    assert_eq!(result["remove"], stranger);
    let b = first("b", "1.2.0");
    assert_eq!(result["change"], json!([{"from": b, "to": b}]));
}

#[test]
fn text_lists_direct_dependencies_and_with_verbose_all() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1.0.0").create();
    let run = ok(&project, ["install"]);
    assert!(run.stdout.starts_with("+ a 1.0.0\nAdded 2 packages (2 in total)"), "{run}");
    let hidden = "1 deprecated package among indirect dependencies (--verbose lists them)";
    assert!(run.stderr.contains(hidden), "{run}");
    remove_modules(&project);
    let run = ok(&project, ["install", "--verbose"]);
    assert!(run.stdout.contains("+ a 1.0.0\n+ b 1.2.0\nAdded 2 packages"), "{run}");
    assert!(run.stderr.contains("warning: deprecated b@1.2.0: use c instead\n"), "{run}");
}

#[test]
fn a_workspaces_dependencies_are_direct() {
    let registry = registry();
    let project = Project::new(&registry)
        .field("workspaces", json!(["packages/*"]))
        .file("packages/w/package.json", r#"{"name": "w", "dependencies": {"a": "1.0.0"}}"#)
        .create();
    let run = ok(&project, ["install"]);
    assert!(run.stdout.starts_with("+ a 1.0.0\nAdded"), "{run}");
}

#[test]
fn warnings_given_on_the_way_are_in_the_json_too() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1.0.0").create();
    ok(&project, ["install"]);
    let result = json_of(&project, ["remove", "nothing", "--json"]);
    assert_eq!(result["warnings"], json!(["nothing is not a dependency of this project"]));
}

#[test]
fn an_optional_package_whose_script_fails_is_not_said_to_be_added() {
    let registry = registry();
    registry.package("native", "1.0.0").dep("old", "1").script("install", "exit 3").publish();
    let project = Project::new(&registry)
        .dep("a", "1.0.0")
        .optional("native", "1")
        .field("allowScripts", json!({"native": true}))
        .create();
    let result = json_of(&project, ["install", "--json"]);
    assert_eq!(result["add"], json!([first("a", "1.0.0"), first("b", "1.2.0")]));
    assert_eq!((&result["packages"], &result["deprecated"][1]), (&json!(2), &Value::Null));
}

/// Returns a project in which `add plugin` brings in a peer conflict.
fn conflict(registry: &Registry) -> Project {
    registry.package("plugin", "1.0.0").peer("a", "^9").publish();
    registry.package("a", "9.0.0").publish();
    let project = Project::new(registry).dep("a", "1.0.0").create();
    ok(&project, ["install"]);
    project
}

#[test]
fn a_conflict_that_add_brings_in_is_in_the_last_line_and_in_the_json() {
    let registry = registry();
    let project = conflict(&registry);
    let run = ok(&project, ["add", "plugin"]);
    let last = run.stdout.lines().last().unwrap();
    assert!(last.ends_with(", with 1 peer requirement not met (see above)"), "{run}");
    assert!(project.read("package.json").contains("plugin"));
    assert!(run.stderr.contains("you are adding plugin; 1.0.0, the newest, needs a ^9"), "{run}");
    let told = "plugin@1.0.0 needs a@^9, but found a@1.0.0 (project requires a@1.0.0)";
    ok(&project, ["remove", "plugin"]);
    assert_eq!(json_of(&project, ["add", "plugin", "--json"])["conflicts"], json!([told]));
}

#[test]
fn a_conflict_is_told_once_and_counted_ever_after() {
    let registry = registry();
    registry.package("other", "1.0.0").dep("more", "1").publish();
    registry.package("more", "1.0.0").publish();
    let project = conflict(&registry);
    ok(&project, ["add", "plugin"]);
    for arguments in [["add", "other"], ["remove", "other"]] {
        let run = ok(&project, arguments);
        assert!(!run.stderr.contains("plugin@1.0.0 needs"), "{run}");
        assert!(!run.stderr.contains("accepts a"), "{run}");
        let last = run.stdout.lines().last().unwrap();
        assert!(last.ends_with(", with 1 peer requirement not met (as before: dx peers)"), "{run}");
    }
    let all = ok(&project, ["add", "other", "--verbose"]);
    assert!(all.stderr.contains("plugin@1.0.0 needs a@^9, but found a@1.0.0"), "{all}");
    assert_eq!(dx(&project, ["peers"]).status, Some(1));
}

#[test]
fn strict_peer_deps_refuses_an_addition_before_anything_is_written() {
    let registry = registry();
    let project = conflict(&registry);
    let before = files(&project);
    for arguments in
        [["add", "plugin", "--strict-peer-deps"], ["install", "plugin", "--strict-peer-deps"]]
    {
        fails(dx(&project, arguments), "DX_PEER_CONFLICT");
        assert!(files(&project) == before, "{arguments:?}");
    }
    project.write(".npmrc", format!("registry={}\nstrict-peer-deps=true\n", registry.url()));
    let before = files(&project);
    fails(dx(&project, ["add", "plugin"]), "DX_PEER_CONFLICT");
    assert!(files(&project) == before);
    // Where there is nothing yet, nothing is made.
    let empty = Project::new(&registry).create();
    empty.remove("package.json");
    let before = files(&empty);
    let arguments = ["add", "plugin", "a@1.0.0", "--strict-peer-deps"];
    fails(dx(&empty, arguments), "DX_PEER_CONFLICT");
    assert!(files(&empty) == before, "{:?}", files(&empty).keys());
}

#[test]
fn an_engine_warning_comes_once_for_a_package_and_never_for_what_is_bundled() {
    let registry = Registry::start();
    registry.package("picky", "1.0.0").engines("node", ">=999").publish();
    registry.package("picky", "2.0.0").publish();
    registry.package("x", "1.0.0").dep("picky", "1").publish();
    registry.package("y", "1.0.0").dep("picky", "1").publish();
    registry.package("bundler", "1.0.0").bundle("picky", "1.0.0").dep("picky", "1").publish();
    let project = Project::new(&registry)
        .dep("x", "1")
        .dep("y", "1")
        .dep("picky", "2")
        .dep("bundler", "1")
        .create();
    let first = ok(&project, ["install"]);
    assert_eq!(first.stderr.matches("picky@1.0.0 requires Node >=999 (current: ").count(), 1);
    assert_eq!(first.stderr.lines().count(), 1, "{first}");
    assert_eq!(ok(&project, ["ci"]).stderr, first.stderr);
    let alone = Project::new(&registry).dep("bundler", "1").create();
    assert_eq!(ok(&alone, ["install"]).stderr, "");
    assert_eq!(ok(&alone, ["ci"]).stderr, "");
    let omitted = Project::new(&registry).dev("x", "1").create();
    assert_eq!(ok(&omitted, ["install", "--omit=dev"]).stderr, "");
}
