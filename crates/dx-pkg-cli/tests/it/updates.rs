//! `dx update`: newer versions within the ranges of package.json, and beyond them.

use dx_pkg_testkit::{Project, Registry};
use serde_json::json;

use crate::harness::{command, dx, fails, locked_version, ok};

/// A registry with `a` 1.0.0, 1.1.0 and 2.0.0, `b` that requires `a`, and `@s/c`.
fn registry() -> Registry {
    let registry = Registry::start();
    for version in ["1.0.0", "1.1.0", "2.0.0"] {
        registry.package("a", version).publish();
        registry.package("@s/c", version).publish();
    }
    registry.package("b", "1.0.0").dep("a", "^1.0.0").publish();
    registry.package("b", "1.0.5").dep("a", "^1.0.0").publish();
    registry
}

/// A project that is locked at the oldest versions, with ranges that allow more.
fn outdated(registry: &Registry) -> Project {
    let project =
        Project::new(registry).dep("a", "1.0.0").dep("b", "1.0.0").dev("@s/c", "1.0.0").create();
    ok(&project, ["install"]);
    let text = project.read("package.json");
    let text = text.replace("\"a\": \"1.0.0\"", "\"a\": \"^1.0.0\"");
    let text = text.replace("\"b\": \"1.0.0\"", "\"b\": \"~1.0.0\"");
    project.write("package.json", text.replace("\"@s/c\": \"1.0.0\"", "\"@s/c\": \"*\""));
    project
}

fn versions(project: &Project) -> [String; 3] {
    ["a", "b", "@s/c"].map(|name| locked_version(project, &format!("node_modules/{name}")))
}

#[test]
fn names_move_what_they_name_and_nothing_else() {
    let registry = registry();
    for (arguments, expected) in [
        (["update"].as_slice(), ["1.1.0", "1.0.5", "2.0.0"]),
        (&["up", "a"], ["1.1.0", "1.0.0", "1.0.0"]),
        (&["upgrade", "b", "@s/c"], ["1.0.0", "1.0.5", "2.0.0"]),
        (&["u", "@s/*"], ["1.0.0", "1.0.0", "2.0.0"]),
        (&["udpate", "!a"], ["1.0.0", "1.0.5", "2.0.0"]),
        (&["update", "nothing-here"], ["1.0.0", "1.0.0", "1.0.0"]),
        (&["update", "nothing-*"], ["1.0.0", "1.0.0", "1.0.0"]),
    ] {
        let project = outdated(&registry);
        let manifest = project.read("package.json");
        command(&project).args(arguments).run().success();
        assert_eq!(versions(&project), expected, "{arguments:?}");
        assert_eq!(project.read("package.json"), manifest, "{arguments:?}");
    }
}

#[test]
fn with_save_the_manifest_gets_the_versions() {
    let registry = registry();
    for (arguments, expected) in [
        (["update", "--save"].as_slice(), json!({ "a": "^1.1.0", "b": "~1.0.0" })),
        (&["update", "-S", "a"], json!({ "a": "^1.1.0", "b": "~1.0.0" })),
        (&["update", "--save", "--save-prefix=~"], json!({ "a": "~1.1.0", "b": "~1.0.5" })),
        (&["update", "--save", "-E"], json!({ "a": "1.1.0", "b": "1.0.5" })),
        (&["update", "--no-save"], json!({ "a": "^1.0.0", "b": "~1.0.0" })),
    ] {
        let project = outdated(&registry);
        command(&project).args(arguments).run().success();
        assert_eq!(project.json("package.json")["dependencies"], expected, "{arguments:?}");
        let locked = project.json("package-lock.json")["packages"][""]["dependencies"].clone();
        assert_eq!(locked, expected, "{arguments:?}");
    }
}

#[test]
fn an_exact_requirement_holds_a_package() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1.0.0").create();
    ok(&project, ["install"]);
    ok(&project, ["update", "--save"]);
    assert_eq!(project.json("package.json")["dependencies"], json!({ "a": "1.0.0" }));
}

#[test]
fn latest_goes_beyond_ranges_and_keeps_their_form() {
    let registry = registry();
    let project = Project::new(&registry)
        .dep("a", "~1.0.0")
        .dep("x", "npm:a@^1.0.0")
        .dep("local", "file:./local")
        .dev("@s/c", "1.0.0")
        .file("local/package.json", r#"{"name":"local","version":"1.0.0"}"#)
        .create();
    ok(&project, ["install"]);
    ok(&project, ["update", "--latest", "a"]);
    let saved = |section: &str| project.json("package.json")[section].clone();
    assert_eq!(
        saved("dependencies"),
        json!({ "a": "~2.0.0", "local": "file:./local", "x": "npm:a@^1.0.0" })
    );
    ok(&project, ["update", "-L"]);
    assert_eq!(saved("dependencies")["x"], "npm:a@^2.0.0");
    assert_eq!(saved("devDependencies"), json!({ "@s/c": "2.0.0" }));
    assert_eq!(locked_version(&project, "node_modules/@s/c"), "2.0.0");
}

#[test]
fn latest_leaves_a_newer_prerelease_alone() {
    let registry = registry();
    registry.package("next", "1.0.0").publish();
    registry.package("next", "2.0.0-beta.1").publish();
    registry.dist_tag("next", "latest", "1.0.0");
    registry.package("old", "1.0.0-beta.1").publish();
    let project = Project::new(&registry)
        .dep("a", "^1.0.0")
        .dep("next", "2.0.0-beta.1")
        .dep("alias", "npm:next@2.0.0-beta.1")
        .dep("old", "1.0.0-beta.1")
        .create();
    ok(&project, ["install"]);
    registry.package("old", "1.0.0").publish();
    ok(&project, ["update", "--latest", "--prefer-online"]);
    assert_eq!(
        project.json("package.json")["dependencies"],
        json!({
            "a": "^2.0.0",
            "alias": "npm:next@2.0.0-beta.1",
            "next": "2.0.0-beta.1",
            "old": "1.0.0",
        })
    );
}

#[test]
fn a_dry_run_writes_nothing() {
    let registry = registry();
    let project = outdated(&registry);
    let before = project.read("package-lock.json");
    let run = ok(&project, ["update", "--dry-run", "--save"]);
    assert!(run.stdout.contains("~ a 1.0.0 -> 1.1.0"), "{}", run.stdout);
    assert_eq!(project.read("package-lock.json"), before);
    assert_eq!(project.json("node_modules/a/package.json")["version"], "1.0.0");
}

#[test]
fn a_name_with_a_version_is_refused_with_what_installs_it() {
    let registry = registry();
    let project = outdated(&registry);
    for argument in ["a@1.1.0", "a@^1", "./local", "Bad Name"] {
        let stderr = fails(dx(&project, ["update", argument]), "DX_NOT_A_NAME");
        assert!(stderr.contains("takes names only"), "{argument}: {stderr}");
    }
    assert_eq!(versions(&project), ["1.0.0", "1.0.0", "1.0.0"]);
}
