//! `dx outdated` against a registry: what npm lists, in npm's forms.

use dx_pkg_testkit::{Project, Registry};
use serde_json::{Value, json};

use crate::harness::{command, dx, ok};

fn registry() -> Registry {
    let registry = Registry::start();
    for version in ["1.0.0", "1.1.0", "2.0.0"] {
        registry.package("one", version).publish();
    }
    registry.package("same", "1.0.0").publish();
    registry.package("two", "1.0.0").dep("one", "^1.0.0").publish();
    registry
}

#[test]
fn newer_versions_are_listed() {
    let registry = registry();
    let project = Project::new(&registry).dep("one", "1.0.0").dep("same", "1").create();
    ok(&project, ["install"]);
    project.write(
        "package.json",
        json!({
            "name": "app",
            "dependencies": { "one": "^1.0.0", "same": "1", "gone": "^1.0.0" },
            "devDependencies": { "two": "1" },
        })
        .to_string(),
    );
    let run = dx(&project, ["outdated"]);
    assert_eq!(run.status, Some(1), "{run}");
    let folder = project.path().file_name().unwrap().to_str().unwrap().to_owned();
    let expected = format!(
        "Package  Current  Wanted  Latest  Location          Depended by\n\
         one        1.0.0   1.1.0   2.0.0  node_modules/one  {folder}\n"
    );
    assert_eq!(run.stdout, expected, "{run}");
    let json: Value = serde_json::from_str(&dx(&project, ["outdated", "--json"]).stdout).unwrap();
    let place = project.path().canonicalize().unwrap().join("node_modules/one");
    assert_eq!(
        json,
        json!({ "one": {
            "current": "1.0.0",
            "wanted": "1.1.0",
            "latest": "2.0.0",
            "dependent": folder,
            "location": place,
        }})
    );
}

#[test]
fn what_is_listed_can_be_less() {
    let registry = registry();
    let project =
        Project::new(&registry).dep("one", "1.0.0").dev("two", "1").dev("same", "1").create();
    ok(&project, ["install"]);
    registry.package("two", "1.0.5").publish();
    registry.package("same", "2.0.0").publish();
    let names = |flags: &[&str]| {
        let words = ["outdated", "--json", "--prefer-online"].iter().chain(flags);
        let json: Value =
            serde_json::from_str(&command(&project).args(words).run().stdout).unwrap();
        json.as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(names(&[]), ["one", "same", "two"]);
    assert_eq!(names(&["--compatible"]), ["two"]);
    assert_eq!(names(&["--prod"]), ["one"]);
    assert_eq!(names(&["--compatible", "--prod"]), [""; 0]);
}

#[test]
fn nothing_is_printed_where_everything_is_new() {
    let registry = registry();
    let project = Project::new(&registry).dep("one", "^2.0.0").dep("same", "*").create();
    ok(&project, ["install"]);
    assert_eq!(ok(&project, ["outdated"]).stdout, "");
    assert_eq!(ok(&project, ["outdated", "--json"]).stdout, "{}\n");
    // A name asks for the requirements of whoever has them.
    let run = dx(&project, ["outdated", "nothing"]);
    assert_eq!((run.status, run.stdout.as_str()), (Some(0), ""), "{run}");
}

#[test]
fn an_unreachable_registry_is_an_error() {
    let registry = registry();
    let project = Project::new(&registry).dep("one", "1.0.0").create();
    ok(&project, ["install"]);
    let run = dx(&project, ["outdated", "--registry=http://127.0.0.1:9/", "--fetch-retries=0"]);
    assert_eq!(run.status, Some(1), "{run}");
    assert!(run.stderr.contains("error:") && run.stdout.is_empty(), "{run}");
}

#[test]
fn a_workspace_is_named_by_its_folder_and_a_home_page_is_the_registrys() {
    let registry = registry();
    let folder = r#"{"name":"@own/app","version":"1.0.0","dependencies":{"one":"1.0.0"}}"#;
    let project = Project::new(&registry)
        .field("workspaces", json!(["packages/*"]))
        .file("packages/app/package.json", folder)
        .create();
    ok(&project, ["install"]);
    let run = dx(&project, ["outdated"]);
    assert!(run.stdout.contains("  app@npm:@own/app@1.0.0\n"), "{run}");
    let run = dx(&project, ["outdated", "--json", "--long"]);
    let json: Value = serde_json::from_str(&run.stdout).unwrap();
    // The registry names no home page.
    assert_eq!(json["one"].get("homepage"), None, "{run}");
    assert_eq!(json["one"]["dependedByLocation"], "packages/app", "{run}");
}
