//! Folders that dependencies name: outside the project, in it, and those that are not the user's.

use std::fs;
use std::path::Path;

use dx_pkg_testkit::{Project, ProjectBuilder, Registry};
use serde_json::json;

use crate::harness::{dx, fails, locked, ok, required};

fn registry() -> Registry {
    let registry = Registry::start();
    registry.package("a", "1.0.0").dep("b", "^1.0.0").publish();
    registry.package("b", "1.0.0").publish();
    registry
}

/// Writes a package beside the project.
fn beside(project: &Project, folder: &str, manifest: &str) {
    project.write(&format!("../{folder}/package.json"), manifest);
    project.write(&format!("../{folder}/cli.js"), "#!/usr/bin/env node\nconsole.log('ran')\n");
}

/// Returns where a link in the project leads.
#[track_caller]
fn link(project: &Project, path: &str) -> String {
    let target = fs::read_link(project.path().join(path)).unwrap();
    target.to_str().unwrap().replace('\\', "/")
}

/// Installs in every way; the lockfile stays as the first install wrote it.
#[track_caller]
fn installs_again(project: &Project) {
    let lock = project.read("package-lock.json");
    ok(project, ["ci"]);
    project.remove("node_modules");
    ok(project, ["install"]);
    ok(project, ["install", "--force"]);
    ok(project, ["install"]);
    assert_eq!(ok(project, ["install"]).stdout, "Already up to date\n");
    assert_eq!(project.read("package-lock.json"), lock);
}

#[test]
fn dependencies_of_a_folder_outside_the_project_are_left_alone() {
    let registry = registry();
    let project = Project::new(&registry).dep("out", "file:../out").create();
    let manifest = r#"{"name":"out","version":"1.0.0","bin":{"out":"cli.js"},"dependencies":{
        "b":"^1.0.0","next":"file:../next"},"peerDependencies":{"a":"1"}}"#;
    beside(&project, "out", manifest);
    beside(&project, "next", r#"{"name":"next","version":"1.0.0","dependencies":{"a":"1"}}"#);
    ok(&project, ["install"]);
    assert_eq!(locked(&project, "node_modules/out"), json!({"resolved": "../out", "link": true}));
    assert_eq!(locked(&project, "../out")["dependencies"]["b"], "^1.0.0");
    for path in ["node_modules/b", "../next", "node_modules/next", "../out/node_modules/b"] {
        assert!(locked(&project, path).is_null(), "{path} is not the project's");
    }
    assert!(!project.exists("../out/node_modules") && !project.exists("node_modules/b"));
    assert_eq!(link(&project, "node_modules/out"), "../../out");
    assert!(project.exists("node_modules/.bin/out"));
    installs_again(&project);
    assert_eq!(registry.requests().len(), 0, "nothing of it is asked for");
}

#[test]
fn lockfile_that_is_out_of_date_below_a_folder_outside_is_obeyed() {
    let registry = registry();
    let project = Project::new(&registry).dep("out", "file:../out").create();
    beside(&project, "out", r#"{"name":"out","version":"1.0.0"}"#);
    ok(&project, ["install"]);
    beside(&project, "out", r#"{"name":"out","version":"1.1.0","dependencies":{"b":"1"}}"#);
    ok(&project, ["ci"]);
    project.remove("node_modules");
    ok(&project, ["install"]);
    assert_eq!(locked(&project, "../out")["dependencies"], json!({"b": "1"}));
    assert_eq!(registry.requests().len(), 0);
}

#[test]
fn folder_outside_is_reached_from_a_workspace_and_from_a_folder_in_the_project() {
    let registry = registry();
    let project = Project::new(&registry)
        .field("workspaces", json!(["w"]))
        .dep("lib", "file:lib")
        .file("w/package.json", r#"{"name":"w","dependencies":{"out":"file:../../out"}}"#)
        .file(
            "lib/package.json",
            r#"{"name":"lib","dependencies":{"b":"1","other":"file:../../other"}}"#,
        )
        .create();
    beside(&project, "out", r#"{"name":"out","version":"1.0.0","dependencies":{"a":"1"}}"#);
    beside(&project, "other", r#"{"name":"other","version":"1.0.0","dependencies":{"a":"1"}}"#);
    ok(&project, ["install"]);
    assert_eq!(link(&project, "node_modules/out"), "../../out");
    assert_eq!(link(&project, "node_modules/other"), "../../other");
    assert!(project.exists("node_modules/b") && !project.exists("node_modules/a"));
    installs_again(&project);
}

#[test]
fn folder_in_the_node_modules_of_another_project_is_linked() {
    let registry = registry();
    let project = Project::new(&registry)
        .dep("out", "file:../node_modules/out")
        .dep("@s/deep", "file:../node_modules/out/node_modules/@s/deep")
        .dep("mine", "file:vendor/node_modules/mine")
        .file(
            "vendor/node_modules/mine/package.json",
            r#"{"name":"mine","dependencies":{"b":"1"}}"#,
        )
        .create();
    beside(&project, "node_modules/out", r#"{"name":"out","version":"1.0.0"}"#);
    beside(&project, "node_modules/out/node_modules/@s/deep", r#"{"name":"@s/deep"}"#);
    ok(&project, ["install"]);
    assert_eq!(
        locked(&project, "node_modules/out"),
        json!({"resolved": "../node_modules/out", "link": true})
    );
    assert_eq!(link(&project, "node_modules/out"), "../../node_modules/out");
    assert_eq!(link(&project, "node_modules/mine"), "../vendor/node_modules/mine");
    assert!(project.exists("node_modules/b"));
    assert!(locked(&project, "vendor/node_modules/mine").is_object());
    installs_again(&project);
}

#[test]
fn entries_that_npm_link_leaves_behind_are_read_and_dropped() {
    let registry = registry();
    let project = Project::new(&registry).dep("b", "1").create();
    ok(&project, ["install"]);
    let mut lock = project.json("package-lock.json");
    lock["packages"]["../x"] = json!({"extraneous": true});
    lock["packages"]["../x/node_modules/y"] = json!({"version": "1.0.0", "extraneous": true});
    let text = lock.to_string();
    project.write("package-lock.json", &text);
    ok(&project, ["ci"]);
    assert_eq!(project.read("package-lock.json"), text);
    project.remove("node_modules");
    ok(&project, ["install"]);
    assert!(
        locked(&project, "../x").is_null() && locked(&project, "../x/node_modules/y").is_null()
    );
    assert!(!project.exists("../x"));
}

#[test]
fn packages_below_a_folder_outside_are_kept_in_the_lockfile_and_not_installed() {
    let registry = registry();
    let project = Project::new(&registry).dep("out", "file:../out").create();
    beside(&project, "out", r#"{"name":"out","version":"1.0.0","dependencies":{"b":"1"}}"#);
    ok(&project, ["install"]);
    let mut lock = project.json("package-lock.json");
    let b = json!({"version": "1.0.0", "resolved": format!("{}b/-/b-1.0.0.tgz", registry.url()),
        "integrity": registry.integrity("b", "1.0.0")});
    lock["packages"]["../out/node_modules/b"] = b.clone();
    project.write("package-lock.json", lock.to_string());
    ok(&project, ["ci"]);
    project.remove("node_modules");
    ok(&project, ["install"]);
    assert_eq!(locked(&project, "../out/node_modules/b"), b);
    assert!(!project.exists("../out/node_modules"));
    assert_eq!(registry.requests().len(), 0);
}

#[test]
fn what_only_a_linked_folders_packages_lack_is_not_added() {
    let registry = registry();
    let project = Project::new(&registry)
        .field("workspaces", json!(["w"]))
        .file("w/package.json", r#"{"name":"w","dependencies":{"a":"1"}}"#)
        .create();
    ok(&project, ["install"]);
    let mut lock = project.json("package-lock.json");
    lock["packages"].as_object_mut().unwrap().remove("node_modules/b");
    let text = format!("{}\n", serde_json::to_string_pretty(&lock).unwrap());
    project.write("package-lock.json", &text);
    ok(&project, ["ci"]);
    assert!(project.exists("node_modules/a") && !project.exists("node_modules/b"));
    project.remove("node_modules");
    ok(&project, ["install"]);
    assert_eq!(project.read("package-lock.json"), text);
    // What the workspace itself requires is checked.
    lock["packages"].as_object_mut().unwrap().remove("node_modules/a");
    project.write("package-lock.json", lock.to_string());
    fails(dx(&project, ["ci"]), "DX_LOCKFILE_OUT_OF_DATE");
    ok(&project, ["install"]);
    assert!(project.exists("node_modules/a") && project.exists("node_modules/b"));
}

#[test]
fn project_that_depends_on_itself_has_its_own_commands() {
    let registry = registry();
    for (section, name) in [("dependencies", "project"), ("devDependencies", "other")] {
        let project = Project::new(&registry)
            .field(section, json!({ name: "file:.", "b": "1" }))
            .field("bin", json!({"mine": "cli.js"}))
            .file("cli.js", "#!/usr/bin/env node\nconsole.log('mine')\n")
            .create();
        ok(&project, ["install"]);
        assert_eq!(
            locked(&project, &format!("node_modules/{name}")),
            json!({"resolved": "", "link": true})
        );
        let has_command = || project.exists("node_modules/.bin/mine");
        assert!(has_command(), "{section}");
        let hidden = project.json("node_modules/.package-lock.json");
        assert_eq!(
            hidden["packages"][format!("node_modules/{name}")],
            json!({"resolved": "", "link": true})
        );
        installs_again(&project);
        assert!(has_command());
        ok(&project, ["remove", "b"]);
        assert!(has_command(), "it outlives a change");
    }
}

fn overridden() -> Registry {
    let registry = registry();
    registry.package("top", "1.0.0").dep("mid", "^1.0.0").publish();
    registry
        .package("mid", "1.0.0")
        .dep("leaf", "^1.0.0")
        .file("index.js", "module.exports = require('leaf')")
        .publish();
    registry.package("leaf", "1.0.0").publish();
    registry
}

fn overriding(registry: &Registry) -> ProjectBuilder {
    Project::new(registry)
        .dep("top", "1")
        .file("fork/package.json", r#"{"name":"leaf","version":"9.0.0","dependencies":{"b":"1"}}"#)
        .file("fork/index.js", "module.exports = 'fork with ' + require('b')")
}

#[test]
fn override_with_a_folder_means_one_of_the_project() {
    let registry = overridden();
    for overrides in [
        json!({"leaf": "file:./fork"}),
        json!({"leaf": "./fork"}),
        json!({"mid": {"leaf": "file:fork/"}}),
        json!({"leaf@^1": "file:x/../fork"}),
    ] {
        let project = overriding(&registry).field("overrides", overrides.clone()).create();
        ok(&project, ["install"]);
        assert_eq!(required(&project, "mid"), "fork with b@1.0.0", "{overrides}");
        let (path, _) = link_to_fork(&project);
        assert_eq!(locked(&project, &path)["resolved"], "fork", "{overrides}");
        assert_eq!(locked(&project, "fork")["version"], "9.0.0");
        installs_again(&project);
        assert_eq!(required(&project, "mid"), "fork with b@1.0.0");
    }
}

/// Returns path and target of the link to the fork.
fn link_to_fork(project: &Project) -> (String, String) {
    let places = ["node_modules/leaf", "node_modules/mid/node_modules/leaf"];
    let found = places.into_iter().find(|path| project.path().join(path).is_symlink()).unwrap();
    (found.to_owned(), link(project, found))
}

#[test]
fn override_refers_to_a_folder_that_the_project_depends_on() {
    let registry = overridden();
    let project = overriding(&registry)
        .dep("leaf", "file:./fork")
        .field("overrides", json!({"leaf": "$leaf"}))
        .create();
    ok(&project, ["install"]);
    assert_eq!(required(&project, "mid"), "fork with b@1.0.0");
    assert!(!project.exists("node_modules/mid/node_modules"));
    installs_again(&project);
}

#[test]
fn override_with_a_folder_reaches_a_workspace_and_may_lead_outside() {
    let registry = overridden();
    let project = overriding(&registry)
        .field("workspaces", json!(["packages/w"]))
        .field("overrides", json!({"leaf": "file:../out"}))
        .file("packages/w/package.json", r#"{"name":"w","dependencies":{"leaf":"^1.0.0"}}"#)
        .create();
    beside(&project, "out", r#"{"name":"leaf","version":"2.0.0","dependencies":{"a":"1"}}"#);
    ok(&project, ["install"]);
    assert_eq!(locked(&project, "node_modules/leaf"), json!({"resolved": "../out", "link": true}));
    assert!(!project.exists("node_modules/a"));
    installs_again(&project);
}

#[test]
fn override_with_a_folder_that_is_not_there_is_an_error() {
    let registry = overridden();
    let project =
        overriding(&registry).field("overrides", json!({"leaf": "file:./fork2"})).create();
    let said = fails(dx(&project, ["install"]), "DX_NO_FOLDER");
    let folder = project.path().join("fork2");
    assert!(said.contains(folder.to_str().unwrap()), "{said}");
    assert!(!project.exists("node_modules") && !project.exists("package-lock.json"));
}

#[test]
fn every_form_of_a_folders_path_is_read_as_npm_reads_it() {
    let registry = registry();
    let forms = [
        ("file:[ROOT]/lib", "lib"),
        ("file://[ROOT]/lib", "lib"),
        ("[ROOT]/lib/", "lib"),
        ("file:./a/../lib", "lib"),
        ("./lib", "lib"),
        ("file:lib//", "lib"),
        ("file:/./lib", "lib"),
        ("file:///../out", "../out"),
        ("../out", "../out"),
        ("file:~/lib", "../home/lib"),
        ("file://~/lib", "../home/lib"),
        ("~/lib", "../home/lib"),
        ("file:[ROOT]/../out", "../out"),
        ("file:a b", "a b"),
        ("file:x%20y", "x%20y"),
        ("file:#1?", "#1?"),
    ];
    for (form, expected) in forms {
        let project = Project::new(&registry).create();
        let root = project.path();
        let text = json!({"name": "project", "dependencies": {
            "lib": form.replace("[ROOT]", root.to_str().unwrap())
        }});
        project.write("package.json", text.to_string());
        project.write(
            &format!("{expected}/package.json"),
            r#"{"name":"lib","version":"1.0.0","dependencies":{"b":"1"}}"#,
        );
        ok(&project, ["install"]);
        let entry = locked(&project, "node_modules/lib");
        assert_eq!(entry, json!({"resolved": expected, "link": true}), "{form}");
        let linked = fs::canonicalize(root.join("node_modules/lib")).unwrap();
        assert_eq!(linked, fs::canonicalize(root.join(expected)).unwrap(), "{form}");
        assert_eq!(project.exists("node_modules/b"), !expected.starts_with(".."), "{form}");
        installs_again(&project);
    }
}

#[test]
fn folder_of_a_packages_author_is_left_out_and_named() {
    let registry = registry();
    for (number, spec) in
        ["file:../q", "file:/home/author/q", "~/q", "file:.", "../../.."].into_iter().enumerate()
    {
        for section in ["dependencies", "optionalDependencies", "peerDependencies"] {
            let name = format!("m{number}{}", section.to_lowercase());
            registry
                .package(&name, "1.0.0")
                .field(section, json!({"q": spec}))
                .field("devDependencies", json!({}))
                .publish();
            let project = Project::new(&registry).dep(&name, "1").dep("b", "1").create();
            let said = ok(&project, ["install"]).stderr;
            assert!(said.contains(&format!("{name}@1.0.0 requires q@{spec}")), "{said}");
            assert!(project.exists(&format!("node_modules/{name}")), "{name}");
            assert!(project.exists("node_modules/b") && !project.exists("node_modules/q"));
            installs_again(&project);
            assert!(!Path::new("/home/author/q").exists());
        }
    }
}

#[test]
fn adding_a_package_with_its_authors_folder_tells_so() {
    let registry = registry();
    registry.package("m", "1.0.0").dep("q", "file:../q").dep("b", "1").publish();
    let project = Project::new(&registry).dep("a", "1").create();
    ok(&project, ["install"]);
    let said = ok(&project, ["add", "m"]).stderr;
    assert!(said.contains("m@1.0.0 requires q@file:../q"), "{said}");
    assert!(project.exists("node_modules/m"));
    ok(&project, ["ci"]);
}

#[test]
fn folder_in_a_package_itself_is_linked() {
    let registry = registry();
    registry
        .package("m", "1.0.0")
        .dep("q", "file:./lib/q")
        .file("lib/q/package.json", r#"{"name":"q","version":"3.0.0","dependencies":{"b":"1"}}"#)
        .file("lib/q/index.js", "module.exports = 'inner'")
        .file("index.js", "module.exports = require('q')")
        .publish();
    let project = Project::new(&registry).dep("m", "1").create();
    ok(&project, ["install"]);
    assert_eq!(required(&project, "m"), "inner");
    assert_eq!(
        locked(&project, "node_modules/q"),
        json!({"resolved": "node_modules/m/lib/q", "link": true})
    );
    assert_eq!(locked(&project, "node_modules/m/lib/q"), json!({}));
    installs_again(&project);
    assert_eq!(required(&project, "m"), "inner");
}

#[test]
fn an_override_takes_the_place_of_an_authors_folder() {
    let registry = registry();
    registry.package("m", "1.0.0").dep("q", "file:../q").publish();
    registry.package("q", "1.0.0").publish();
    let project =
        Project::new(&registry).dep("m", "1").field("overrides", json!({"q": "1.0.0"})).create();
    let said = ok(&project, ["install"]).stderr;
    assert_eq!(said, "");
    assert!(project.exists("node_modules/q"));
    installs_again(&project);
}
