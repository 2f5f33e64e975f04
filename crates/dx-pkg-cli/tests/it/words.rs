//! The command line in npm's words: any setting as a flag, npm's aliases, arguments of scripts.

use dx_pkg_testkit::{Project, Registry};
use serde_json::json;

use crate::harness::{dx, fails, locked_version, ok};

fn registry() -> Registry {
    let registry = Registry::start();
    registry.package("one", "1.0.0").publish();
    registry.package("one", "1.1.0").publish();
    registry.package("one", "2.0.0").publish();
    registry.dist_tag("one", "latest", "2.0.0");
    registry.dist_tag("one", "old", "1.0.0");
    registry
}

#[test]
fn any_setting_is_a_flag() {
    let registry = registry();
    let cases: [(&[&str], &str); 5] = [
        (&["add", "one", "--save-prefix=~"], "~2.0.0"),
        (&["add", "one", "--save-prefix="], "2.0.0"),
        (&["add", "one", "--tag", "old"], "^1.0.0"),
        (&["add", "one", "--no-package-lock"], "^2.0.0"),
        (&["add", "-S", "one", "--save", "--no-color", "--depth", "3"], "^2.0.0"),
    ];
    for (arguments, saved) in cases {
        let project = Project::new(&registry).create();
        crate::harness::command(&project).args(arguments).run().success();
        assert_eq!(
            project.json("package.json")["dependencies"],
            json!({ "one": saved }),
            "{arguments:?}"
        );
        let has_lockfile = project.path().join("package-lock.json").exists();
        assert_eq!(has_lockfile, !arguments.contains(&"--no-package-lock"), "{arguments:?}");
    }
}

#[test]
fn flags_for_saving_and_output_leave_the_project_up_to_date() {
    let registry = registry();
    let project = Project::new(&registry).create();
    ok(&project, ["add", "one", "--save-prefix=~", "--loglevel=warn"]);
    assert_eq!(ok(&project, ["install"]).stdout, "Already up to date\n");
}

#[test]
fn a_flag_is_refused_where_its_setting_would_be() {
    let registry = registry();
    let project = Project::new(&registry).dep("one", "^1.0.0").create();
    fails(dx(&project, ["install", "--install-strategy=linked"]), "DX_UNSUPPORTED_SETTING");
    fails(dx(&project, ["install", "--maxsockets=many"]), "DX_CONFIG_INVALID");
    let run = dx(&project, ["add", "one", "--cafile"]);
    assert_eq!(run.status, Some(2), "{run}");
    assert!(run.stderr.contains("--cafile needs a value"), "{run}");
    let run = dx(&project, ["install", "--no-such-setting"]);
    assert_eq!(run.status, Some(2), "{run}");
    assert!(!project.path().join("node_modules").exists());
}

#[test]
fn add_without_a_version_stays_within_the_requirement() {
    let registry = registry();
    let project = Project::new(&registry).dep("one", "^1.0.0").create();
    ok(&project, ["install"]);
    ok(&project, ["add", "one"]);
    assert_eq!(project.json("package.json")["dependencies"], json!({ "one": "^1.1.0" }));
    assert_eq!(locked_version(&project, "node_modules/one"), "1.1.0");
    ok(&project, ["add", "one@latest"]);
    assert_eq!(project.json("package.json")["dependencies"], json!({ "one": "^2.0.0" }));
}

#[test]
fn remove_takes_names_only() {
    let registry = registry();
    let project = Project::new(&registry).dep("one", "^1.0.0").create();
    ok(&project, ["isntall"]);
    let before = project.read("package.json");
    for argument in ["one@1", "./one", "file:one"] {
        fails(dx(&project, ["remove", argument]), "DX_NOT_A_NAME");
        assert_eq!(project.read("package.json"), before, "{argument}");
    }
    ok(&project, ["r", "one"]);
    assert_eq!(project.json("package.json")["dependencies"], json!(null));
}

#[test]
fn add_and_remove_sort_every_section() {
    let registry = registry();
    for name in ["a", "b", "c"] {
        registry.package(name, "1.0.0").publish();
    }
    let manifest = r#"{
  "devDependencies": {
    "c": "1.0.0",
    "a": "1.0.0"
  },
  "dependencies": {
    "one": "^1.0.0"
  }
}
"#;
    let project = Project::new(&registry).file("package.json", manifest).create();
    let sorted = "    \"a\": \"1.0.0\",\n    \"c\": \"1.0.0\"\n";
    ok(&project, ["add", "b"]);
    assert!(project.read("package.json").contains(sorted));
    ok(&project, ["remove", "b"]);
    assert!(project.read("package.json").contains(sorted));
}

#[test]
fn flags_that_dx_does_not_know_go_to_the_script() {
    let project =
        Project::new(&registry()).script("test", "echo got").script("t", "echo got").create();
    for arguments in [
        ["test", "--watch", "--", "x"].as_slice(),
        &["run", "t", "--watch", "--", "x"],
        &["run", "--if-present", "t", "--watch", "--", "x"],
    ] {
        let run = crate::harness::command(&project).args(arguments).run().success();
        assert_eq!(run.stdout.lines().last(), Some("got --watch -- x"), "{arguments:?}");
    }
    let run = ok(&project, ["-C", ".", "run", "t", "--silent", "--", "--watch"]);
    assert_eq!(run.stdout, "got --watch\n");
    // A package may have the name of a command.
    let run = dx(&project, ["remove", "test", "--watch"]);
    assert_eq!(run.status, Some(2), "{run}");
}
