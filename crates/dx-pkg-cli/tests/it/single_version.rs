//! `dx.singleVersion`: packages of which the project, or a workspace, uses one version only.

use dx_pkg_testkit::{Project, ProjectBuilder, Registry};
use serde_json::json;

use crate::harness::{dx, fails, locked, locked_version, ok};

/// Publishes `react`, and `widget` whose newer version needs the newer one.
fn registry() -> Registry {
    let registry = Registry::start();
    registry.package("react", "17.0.0").publish();
    registry.package("react", "18.0.0").publish();
    registry.package("widget", "1.0.0").dep("react", "^17.0.0").publish();
    registry.package("widget", "2.0.0").dep("react", "^18.0.0").publish();
    registry
}

fn single(project: ProjectBuilder) -> ProjectBuilder {
    project.field("dx", json!({ "singleVersion": ["react"] }))
}

#[test]
fn versions_are_chosen_so_that_there_is_one() {
    let registry = registry();
    let plain = Project::new(&registry).dep("react", "^17.0.0").dep("widget", "*").create();
    ok(&plain, ["install"]);
    assert_eq!(locked_version(&plain, "node_modules/widget"), "2.0.0");
    let project = single(Project::new(&registry).dep("react", "^17.0.0").dep("widget", "*"));
    let project = project.create();
    ok(&project, ["install"]);
    assert_eq!(locked_version(&project, "node_modules/widget"), "1.0.0");
    assert!(locked(&project, "node_modules/widget/node_modules/react").is_null());
    let lock = project.read("package-lock.json");
    ok(&project, ["install"]);
    ok(&project, ["ci"]);
    ok(&project, ["dedupe"]);
    ok(&project, ["dedupe", "--newest"]);
    assert_eq!(project.read("package-lock.json"), lock);
}

#[test]
fn a_lockfile_with_several_is_brought_up_to_date_and_refused_by_ci() {
    let registry = registry();
    let project = Project::new(&registry).dep("react", "^17.0.0").dep("widget", "*").create();
    ok(&project, ["install"]);
    project.write(
        "package.json",
        r#"{"name":"project","version":"1.0.0","dependencies":{"react":"^17.0.0","widget":"*"},
            "dx":{"singleVersion":["react"]}}"#,
    );
    let said = fails(dx(&project, ["ci"]), "DX_SINGLE_VERSION");
    assert!(said.contains("the lockfile has 17.0.0 and 18.0.0"), "{said}");
    ok(&project, ["install"]);
    assert_eq!(locked_version(&project, "node_modules/widget"), "1.0.0");
    ok(&project, ["ci"]);
}

#[test]
fn adding_a_package_keeps_one_version() {
    let registry = registry();
    let project = single(Project::new(&registry).dep("react", "^17.0.0")).create();
    ok(&project, ["install"]);
    ok(&project, ["add", "widget@*"]);
    assert_eq!(locked_version(&project, "node_modules/widget"), "1.0.0");
}

#[test]
fn where_there_is_none_it_is_said_who_asks_for_what() {
    let registry = registry();
    registry.package("old", "1.0.0").dep("react", "^17.0.0").publish();
    let project = single(Project::new(&registry).dep("react", "^18.0.0").dep("old", "*")).create();
    let said = fails(dx(&project, ["install"]), "DX_SINGLE_VERSION");
    let facts = "old@1.0.0 asks for react@^17.0.0, package.json asks for react@^18.0.0";
    assert!(said.contains(facts), "{said}");
    assert!(said.lines().count() <= 8, "{said}");
    assert!(!project.exists("package-lock.json") && !project.exists("node_modules"));
}

#[test]
fn a_workspace_uses_one_version_though_another_uses_a_second() {
    let registry = registry();
    let project = Project::new(&registry)
        .field("workspaces", json!(["packages/*"]))
        .file(
            "packages/a/package.json",
            r#"{"name":"a","version":"1.0.0","dependencies":{"react":"^17.0.0","widget":"*"},
                "dx":{"singleVersion":["react"]}}"#,
        )
        .file(
            "packages/b/package.json",
            r#"{"name":"b","version":"1.0.0","dependencies":{"react":"^18.0.0"}}"#,
        )
        .create();
    ok(&project, ["install"]);
    assert_eq!(locked_version(&project, "node_modules/widget"), "1.0.0");
    let lock = project.read("package-lock.json");
    assert!(lock.contains("\"17.0.0\"") && lock.contains("\"18.0.0\""), "{lock}");
    ok(&project, ["install"]);
    assert_eq!(project.read("package-lock.json"), lock);
}

#[test]
fn what_cannot_be_understood_in_the_field_is_an_error() {
    let registry = registry();
    for dx_field in [json!({ "singleVersion": "react" }), json!({ "single": [] }), json!(true)] {
        let project = Project::new(&registry).dep("react", "*").field("dx", dx_field).create();
        fails(dx(&project, ["install"]), "DX_BAD_DX_FIELD");
    }
}
