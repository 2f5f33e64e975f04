//! Omitted and included kinds of dependencies.

use dx_pkg_testkit::{Command, Project, Registry};

use crate::harness::{command, locked, ok};

fn project() -> (Registry, Project) {
    let registry = Registry::start();
    for name in ["main", "tool", "extra"] {
        registry
            .package(name, "1.0.0")
            .dep(&format!("{name}-part"), "1")
            .dep("shared", "1")
            .publish();
        registry.package(&format!("{name}-part"), "1.0.0").publish();
    }
    registry.package("shared", "1.0.0").publish();
    let project =
        Project::new(&registry).dep("main", "1").dev("tool", "1").optional("extra", "1").create();
    (registry, project)
}

fn names(project: &Project) -> Vec<String> {
    project.installed().into_keys().map(|path| path.replace("node_modules/", "")).collect()
}

const ALL: [&str; 7] = ["extra", "extra-part", "main", "main-part", "shared", "tool", "tool-part"];
const WITHOUT_DEV: [&str; 5] = ["extra", "extra-part", "main", "main-part", "shared"];

#[test]
fn every_way_to_omit_dev_keeps_it_in_the_lockfile() {
    let check = |way: &dyn Fn(Command) -> Command| {
        let (_registry, project) = project();
        way(command(&project).args(["install"])).run().success();
        assert_eq!(names(&project), WITHOUT_DEV);
        assert_eq!(locked(&project, "node_modules/tool")["dev"], true);
    };
    check(&|dx| dx.args(["--omit=dev"]));
    check(&|dx| dx.args(["--omit", "dev"]));
    check(&|dx| dx.args(["--prod"]));
    check(&|dx| dx.args(["--production"]));
    check(&|dx| dx.env("NODE_ENV", "production"));
    check(&|dx| dx.env("npm_config_omit", "dev"));
}

#[test]
fn optional_can_be_omitted_too_and_both_together() {
    let (_registry, project) = project();
    ok(&project, ["install", "--omit=optional"]);
    assert_eq!(names(&project), ["main", "main-part", "shared", "tool", "tool-part"]);
    ok(&project, ["install", "--omit=dev,optional"]);
    assert_eq!(names(&project), ["main", "main-part", "shared"]);
}

#[test]
fn switching_back_and_forth_is_noticed() {
    let (registry, project) = project();
    ok(&project, ["install"]);
    assert_eq!(names(&project), ALL);
    registry.clear_requests();
    for _ in 0..2 {
        ok(&project, ["install", "--prod"]);
        assert_eq!(names(&project), WITHOUT_DEV);
        assert_eq!(ok(&project, ["install", "--prod"]).stdout, "Already up to date\n");
        ok(&project, ["install"]);
        assert_eq!(names(&project), ALL);
        command(&project).env("NODE_ENV", "production").args(["install"]).run().success();
        assert_eq!(names(&project), WITHOUT_DEV);
    }
    assert_eq!(registry.requests().len(), 0);
}

#[test]
fn include_wins_over_omit() {
    let (_registry, project) = project();
    project.write(".npmrc", format!("{}include=dev\n", project.read(".npmrc")));
    ok(&project, ["install", "--omit=dev"]);
    assert_eq!(names(&project), ALL);
}

#[test]
fn omitted_packages_are_not_downloaded() {
    let (registry, project) = project();
    ok(&project, ["install", "--lockfile-only"]);
    ok(&project, ["ci", "--prod"]);
    assert!(
        !registry
            .requests()
            .iter()
            .any(|request| request.is_tarball() && request.path.contains("tool"))
    );
}

#[test]
fn linked_folder_is_omitted_with_its_dependents() {
    let registry = Registry::start();
    registry.package("main", "1.0.0").publish();
    let project = Project::new(&registry)
        .dep("main", "1")
        .dev("lib", "file:lib")
        .optional("opt", "file:opt")
        .file("lib/package.json", r#"{"name":"lib","version":"1.0.0","dependencies":{"main":"1"}}"#)
        .file("opt/package.json", r#"{"name":"opt","version":"1.0.0"}"#)
        .create();
    ok(&project, ["install"]);
    let links = || ["lib", "opt"].map(|name| project.exists(&format!("node_modules/{name}")));
    assert_eq!(links(), [true, true]);
    ok(&project, ["install", "--omit=dev"]);
    assert_eq!(links(), [false, true]);
    ok(&project, ["ci", "--omit=optional"]);
    assert_eq!(links(), [true, false]);
    ok(&project, ["install"]);
    assert_eq!(links(), [true, true]);
}
