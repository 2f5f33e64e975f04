//! A first install, and the one after it.

use dx_pkg_testkit::{Project, Registry, require};

use crate::harness::{command, ok, required, stored, tree};

fn small_graph() -> (Registry, Project) {
    let registry = Registry::start();
    registry
        .package("a", "1.0.0")
        .field("license", "MIT")
        .dep("b", "^1")
        .bin("a", "cli.js")
        .executable("cli.js", "#!/usr/bin/env node\nconsole.log('a says ' + require('b'))\n")
        .engines("node", ">=10")
        .publish();
    registry.package("b", "1.1.0").publish();
    registry.package("b", "1.2.0").publish();
    registry.package("b", "2.0.0").publish();
    registry.package("@s/c", "2.0.0").dep("b", "2").publish();
    let project = Project::new(&registry).dep("a", "^1.0.0").dev("@s/c", "*").create();
    (registry, project)
}

#[test]
fn fresh_install_builds_a_tree_that_node_and_commands_work_in() {
    let (_registry, project) = small_graph();
    let run = ok(&project, ["install"]);
    let expected = "+ @s/c 2.0.0 (dev)\n+ a 1.0.0\nAdded 4 packages (4 in total)";
    assert!(run.stdout.starts_with(expected), "{run}");
    assert_eq!(run.stderr, "");
    let expected = tree([
        ("@s/c", "@s/c@2.0.0"),
        ("a", "a@1.0.0"),
        ("a/node_modules/b", "b@1.2.0"),
        ("b", "b@2.0.0"),
    ]);
    assert_eq!(project.installed(), expected);
    assert_eq!(required(&project, "b"), "b@2.0.0");
    assert_eq!(required(&project, "a/node_modules/b"), "b@1.2.0");
    if cfg!(unix) {
        let stdout =
            project.command(&project.path().join("node_modules/.bin/a")).run().success().stdout;
        assert_eq!(stdout, "a says b@1.2.0\n");
    }
}

#[test]
fn lockfile_of_a_fresh_install_is_what_npm_writes() {
    let (registry, project) = small_graph();
    ok(&project, ["install"]);
    let url = registry.url();
    let entry = |name: &str, file: &str, version: &str| {
        let integrity = registry.integrity(name, version);
        format!(
            "\"version\": \"{version}\",\n      \"resolved\": \"{url}{name}/-/{file}-{version}.tgz\",\n      \
             \"integrity\": \"{integrity}\""
        )
    };
    let expected = format!(
        r#"{{
  "name": "project",
  "version": "1.0.0",
  "lockfileVersion": 3,
  "requires": true,
  "packages": {{
    "": {{
      "name": "project",
      "version": "1.0.0",
      "dependencies": {{
        "a": "^1.0.0"
      }},
      "devDependencies": {{
        "@s/c": "*"
      }}
    }},
    "node_modules/@s/c": {{
      {c},
      "dev": true,
      "dependencies": {{
        "b": "2"
      }}
    }},
    "node_modules/a": {{
      {a},
      "license": "MIT",
      "dependencies": {{
        "b": "^1"
      }},
      "bin": {{
        "a": "cli.js"
      }},
      "engines": {{
        "node": ">=10"
      }}
    }},
    "node_modules/a/node_modules/b": {{
      {b1}
    }},
    "node_modules/b": {{
      {b2},
      "dev": true
    }}
  }}
}}
"#,
        a = entry("a", "a", "1.0.0"),
        b1 = entry("b", "b", "1.2.0"),
        b2 = entry("b", "b", "2.0.0"),
        c = entry("@s/c", "c", "2.0.0"),
    );
    assert_eq!(project.read("package-lock.json"), expected);
}

#[test]
fn npm_accepts_the_tree() {
    let Some(npm) = require::npm() else { return };
    let (_registry, project) = small_graph();
    ok(&project, ["install"]);
    let listed = project.command(&npm).args(["ls", "--all"]).run().success().stdout;
    for package in ["@s/c@2.0.0", "a@1.0.0", "b@1.2.0", "b@2.0.0"] {
        assert!(listed.contains(package), "{package} is missing: {listed}");
    }
    assert!(!listed.contains("extraneous"), "{listed}");
}

#[test]
fn second_install_is_up_to_date_without_requests() {
    let (registry, project) = small_graph();
    ok(&project, ["install"]);
    registry.clear_requests();
    let connections = registry.connections();
    let run = ok(&project, ["install"]);
    assert_eq!(run.stdout, "Already up to date\n");
    assert_eq!((registry.requests().len(), registry.connections()), (0, connections));
}

#[test]
fn install_without_its_state_makes_no_requests() {
    let (registry, project) = small_graph();
    ok(&project, ["install"]);
    let lock = project.read("package-lock.json");
    project.remove("node_modules/.dx/state");
    registry.clear_requests();
    let run = ok(&project, ["install"]);
    assert!(run.stdout.starts_with("Already up to date"), "{run}");
    assert_eq!(registry.requests().len(), 0);
    assert_eq!(project.read("package-lock.json"), lock);
}

#[test]
fn project_without_dependencies_installs_nothing() {
    let registry = Registry::start();
    let project = Project::new(&registry).create();
    ok(&project, ["install"]);
    assert!(project.installed().is_empty());
    assert_eq!(registry.requests().len(), 0);
    assert_eq!(project.json("package-lock.json")["packages"][""]["name"], "project");
}

#[test]
fn folder_below_the_project_installs_the_project() {
    let (_registry, project) = small_graph();
    project.write("src/deep/x.js", "");
    command(&project)
        .current_dir(&project.path().join("src/deep"))
        .args(["install"])
        .run()
        .success();
    assert_eq!(required(&project, "a"), "a@1.0.0");
    assert!(!project.exists("src/deep/node_modules"));
}

#[test]
fn dash_c_installs_another_folder() {
    let (_registry, project) = small_graph();
    let run =
        command(&project).current_dir(&project.home()).args(["-C", "../project", "install"]).run();
    run.success();
    assert_eq!(required(&project, "a"), "a@1.0.0");
    assert!(!project.home().join("node_modules").exists());
    let again = command(&project)
        .current_dir(&project.home())
        .args(["install", "-C", "../project"])
        .run()
        .success();
    assert_eq!(again.stdout, "Already up to date\n");
}

#[test]
fn folder_without_a_manifest_is_an_error() {
    let (_registry, project) = small_graph();
    let run = command(&project).current_dir(&project.home()).args(["install"]).run();
    crate::harness::fails(run, "DX_NO_MANIFEST");
}

#[test]
fn files_of_the_tree_are_not_copied_within_one_file_system() {
    let (_registry, project) = small_graph();
    let run = ok(&project, ["install", "--json"]);
    let summary: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let count = |name: &str| summary["statistics"][name].as_u64().unwrap();
    assert!(count("hardlinks") + count("reflinks") + count("moves") > 0, "{summary}");
    assert_eq!(count("copies"), 0, "{summary}");
    assert_eq!(stored(&project).len(), 4);
}
