//! `dx link` and `dx unlink`.

use std::fs;
use std::path::Path;

use dx_pkg_testkit::{Command, Project, Registry};
use serde_json::{Value, json};

use crate::harness::{command, fails};

/// Returns dx with a prefix of its own.
fn linking(project: &Project, prefix: &Path, words: &str) -> Command {
    let command = command(project).env("npm_config_prefix", prefix);
    command.args(words.split(' ').filter(|word| !word.is_empty()))
}

fn registry() -> Registry {
    let registry = Registry::start();
    registry.package("one", "1.0.0").publish();
    registry
}

/// A project with a package beside it that has a command.
fn project(registry: &Registry) -> Project {
    let linked = json!({ "name": "linked", "version": "4.0.0", "bin": { "linked-cli": "cli.js" } });
    Project::new(registry)
        .dep("one", "^1.0.0")
        .file("../linked/package.json", linked.to_string())
        .file("../linked/cli.js", "#!/usr/bin/env node\nconsole.log('linked')\n")
        .file("../other/package.json", r#"{ "name": "@s/other", "version": "1.0.0" }"#)
        .create()
}

#[test]
fn a_package_is_registered_and_linked_by_its_name() {
    let registry = registry();
    let project = project(&registry);
    let prefix = tempfile::tempdir().unwrap();
    let prefix = prefix.path();
    linking(&project, prefix, "install").run().success();
    let (manifest, lock) = (project.read("package.json"), project.read("package-lock.json"));
    fails(linking(&project, prefix, "link linked").run(), "DX_NOT_LINKED");
    let folder = project.path().join("../linked");
    linking(&project, prefix, "link").current_dir(&folder).run().success();
    let global = prefix.join("lib/node_modules/linked");
    assert_eq!(global.canonicalize().unwrap(), folder.canonicalize().unwrap());
    assert!(fs::read_link(&global).unwrap().is_relative());
    let bin = fs::read_link(prefix.join("bin/linked-cli")).unwrap();
    assert_eq!(bin, Path::new("../lib/node_modules/linked/cli.js"));
    linking(&project, prefix, "link linked").run().success();
    let link = fs::read_link(project.path().join("node_modules/linked")).unwrap();
    assert_eq!(link, Path::new("../../linked"));
    assert!(project.exists("node_modules/.bin/linked-cli"));
    assert_eq!(project.read("package.json"), manifest);
    assert_eq!(project.read("package-lock.json"), lock);
    // As with npm, the next install ends it.
    linking(&project, prefix, "install").run().success();
    assert!(!project.exists("node_modules/linked"));
    let run = linking(&project, prefix, "unlink").current_dir(&folder).run().success();
    assert!(run.stdout.contains("linked@4.0.0"), "{run}");
    assert!(!prefix.join("bin/linked-cli").exists() && global.symlink_metadata().is_err());
    fails(linking(&project, prefix, "unlink").current_dir(&folder).run(), "DX_NOT_LINKED");
}

#[test]
fn without_a_prefix_links_are_among_the_global_packages() {
    let registry = registry();
    let project = project(&registry);
    let folder = project.path().join("../linked");
    command(&project).args(["link"]).current_dir(&folder).run().success();
    let run = command(&project).args(["ls", "--global"]).run().success();
    assert!(run.stdout.contains("linked@4.0.0"), "{run}");
    command(&project).args(["link", "linked"]).run().success();
    assert!(project.exists("node_modules/linked/cli.js"));
}

#[test]
fn folders_are_linked_and_saved_where_that_is_asked_for() {
    let registry = registry();
    // The words, and the section that has the link then.
    for (words, section) in [
        ("link ../linked", None),
        ("ln ../linked --no-save", None),
        ("link ../linked --save", Some("dependencies")),
        ("link -S ../linked", Some("dependencies")),
        ("link ../linked --save-dev", Some("devDependencies")),
        ("link -O ../linked", Some("optionalDependencies")),
        ("link -P ../linked", Some("dependencies")),
    ] {
        let project = project(&registry);
        let prefix = tempfile::tempdir().unwrap();
        linking(&project, prefix.path(), "install").run().success();
        let lock = project.read("package-lock.json");
        linking(&project, prefix.path(), words).run().success();
        assert!(project.exists("node_modules/linked/cli.js"), "{words}");
        assert!(prefix.path().join("lib/node_modules/linked").exists(), "{words}");
        let manifest = project.json("package.json");
        let saved = ["dependencies", "devDependencies", "optionalDependencies"]
            .into_iter()
            .find(|section| manifest[section]["linked"] == "file:../linked");
        assert_eq!(saved, section, "{words}");
        assert_eq!(project.read("package-lock.json") != lock, section.is_some(), "{words}");
        if section.is_some() {
            linking(&project, prefix.path(), "install").run().success();
            assert!(project.exists("node_modules/linked/cli.js"), "{words}");
        }
        linking(&project, prefix.path(), "unlink linked").run().success();
        assert!(!project.exists("node_modules/linked"), "{words}");
        assert_eq!(project.read("package-lock.json"), lock, "{words}");
        assert!(project.path().join("../linked/cli.js").exists());
    }
}

#[test]
fn several_are_linked_together_and_a_link_stands_for_a_registrys_package() {
    let registry = registry();
    let project = project(&registry);
    let prefix = tempfile::tempdir().unwrap();
    let prefix = prefix.path();
    project.write("../mine/package.json", r#"{ "name": "one", "version": "9.0.0" }"#);
    linking(&project, prefix, "install").run().success();
    linking(&project, prefix, "link ../other ../mine").run().success();
    assert_eq!(project.json("node_modules/one/package.json")["version"], "9.0.0");
    assert!(project.exists("node_modules/@s/other/package.json"));
    let again = linking(&project, prefix, "link @s/other --json").run().success();
    assert!(again.stdout.contains("\"removed\""), "{again}");
    linking(&project, prefix, "install").run().success();
    assert_eq!(project.json("node_modules/one/package.json")["version"], "1.0.0");
    linking(&project, prefix, "unlink --global @s/other").run().success();
    assert!(!prefix.join("lib/node_modules/@s").exists());
}

#[test]
fn a_command_of_something_else_is_not_replaced() {
    let registry = registry();
    let project = project(&registry);
    let prefix = tempfile::tempdir().unwrap();
    let prefix = prefix.path();
    fs::create_dir(prefix.join("bin")).unwrap();
    fs::write(prefix.join("bin/linked-cli"), "mine").unwrap();
    let folder = project.path().join("../linked");
    let link = || linking(&project, prefix, "link").current_dir(&folder);
    fails(link().run(), "DX_COMMAND_IN_THE_WAY");
    assert_eq!(fs::read_to_string(prefix.join("bin/linked-cli")).unwrap(), "mine");
    linking(&project, prefix, "link --force").current_dir(&folder).run().success();
    assert!(fs::read_link(prefix.join("bin/linked-cli")).is_ok());
    let empty = tempfile::tempdir().unwrap();
    let run = linking(&project, prefix, "link").current_dir(empty.path()).run();
    fails(run, "DX_NO_MANIFEST");
    fails(linking(&project, prefix, "link ../nowhere").run(), "DX_IO");
}

#[test]
fn workspaces_are_registered_by_their_words() {
    let registry = registry();
    let project = Project::new(&registry)
        .field("workspaces", json!(["packages/*"]))
        .file("packages/a/package.json", r#"{"name":"a","version":"1.0.0"}"#)
        .file("packages/b/package.json", r#"{"name":"b","version":"1.0.0"}"#)
        .file("packages/c/package.json", r#"{"name":"c","version":"1.0.0"}"#)
        .create();
    let prefix = tempfile::tempdir().unwrap();
    let prefix = prefix.path();
    let registered = || {
        let folder = fs::read_dir(prefix.join("lib/node_modules")).unwrap();
        let mut names: Vec<String> =
            folder.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    let run = linking(&project, prefix, "link -w a --json").run().success();
    let one: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((&one["name"], &one["done"]), (&json!("a"), &json!("registered")));
    assert_eq!(registered(), ["a"]);
    let run = linking(&project, prefix, "link -w a -w packages/b --json").run().success();
    let several: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(several[1]["name"], "b");
    assert_eq!(registered(), ["a", "b"]);
    fails(linking(&project, prefix, "link -w a -w nothing").run(), "DX_NO_WORKSPACE");
    linking(&project, prefix, "link --workspaces").run().success();
    assert_eq!(registered(), ["a", "b", "c"]);
}
