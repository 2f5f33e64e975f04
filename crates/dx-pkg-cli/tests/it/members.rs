//! Commands for some of a project's workspaces: `--workspace`, `--workspaces`, and the folder that
//! a command is started in.

use dx_pkg_testkit::{Project, Registry};
use serde_json::{Value, json};

use crate::harness::{command, dx, fails, ok};

fn registry() -> Registry {
    let registry = Registry::start();
    for name in ["one", "two", "tool"] {
        registry.package(name, "1.0.0").publish();
        registry.package(name, "2.0.0").publish();
    }
    registry
}

/// A project with the workspaces `a`, which requires `b`, and `b`; each has a dependency.
fn monorepo(registry: &Registry) -> Project {
    Project::new(registry)
        .field("workspaces", json!(["packages/*"]))
        .dep("tool", "^1.0.0")
        .file(
            "packages/a/package.json",
            r#"{"name":"a","version":"1.0.0","dependencies":{"b":"^1.0.0","one":"^1.0.0"}}"#,
        )
        .file("packages/a/deep/x.txt", "")
        .file(
            "packages/b/package.json",
            r#"{"name":"@s/b","version":"1.0.0","dependencies":{"one":"^1.0.0"}}"#,
        )
        .file("packages/c/package.json", r#"{"name":"c","version":"1.0.0"}"#)
        .create()
}

/// Returns the dependencies of the project and the three workspaces.
fn dependencies(project: &Project) -> [Value; 4] {
    ["", "packages/a/", "packages/b/", "packages/c/"].map(|folder| {
        let manifest = project.json(&format!("{folder}package.json"));
        let names = manifest["dependencies"].as_object().map(|names| names.keys().cloned());
        names.into_iter().flatten().collect::<Vec<_>>().into()
    })
}

#[test]
fn the_named_importers_get_a_package() {
    let registry = registry();
    let (root, a, b) = (json!(["tool"]), json!(["b", "one"]), json!(["one"]));
    let with = |list: &Value| {
        let mut names: Vec<String> = serde_json::from_value(list.clone()).unwrap();
        names.push("two".to_owned());
        names.sort();
        json!(names)
    };
    let none = json!([]);
    for (folder, flags, expected) in [
        (".", ["-w", "a"].as_slice(), [&root, &with(&a), &b, &none]),
        (".", &["--workspace=packages/b"], [&root, &a, &with(&b), &none]),
        (".", &["-w", "@s/b", "-w", "c"], [&root, &a, &with(&b), &with(&none)]),
        (".", &["-w", "packages"], [&root, &with(&a), &with(&b), &with(&none)]),
        (".", &["--ws"], [&root, &with(&a), &with(&b), &with(&none)]),
        (".", &["-ws"], [&root, &with(&a), &with(&b), &with(&none)]),
        (".", &["-w", "c", "--iwr"], [&with(&root), &a, &b, &with(&none)]),
        (".", &["--no-workspaces"], [&with(&root), &a, &b, &none]),
        ("packages/a", &[], [&root, &with(&a), &b, &none]),
        ("packages/a/deep", &[], [&root, &with(&a), &b, &none]),
        ("packages/a", &["-w", "../b"], [&root, &a, &with(&b), &none]),
        ("packages/a", &["--include-workspace-root"], [&with(&root), &with(&a), &b, &none]),
    ] {
        let project = monorepo(&registry);
        project.write(
            "packages/a/package.json",
            project.read("packages/a/package.json").replace("\"b\":", "\"@s/b\":"),
        );
        ok(&project, ["install"]);
        command(&project)
            .current_dir(&project.path().join(folder))
            .args(["add", "two"].into_iter().chain(flags.iter().copied()))
            .run()
            .success();
        let found = dependencies(&project).map(|list| {
            let names: Vec<String> = serde_json::from_value(list).unwrap();
            json!(names.iter().map(|name| name.trim_start_matches("@s/")).collect::<Vec<_>>())
        });
        for (found, expected) in found.iter().zip(expected) {
            assert_eq!(found, expected, "{folder} {flags:?}");
        }
        assert!(!project.exists("packages/a/package-lock.json"), "{folder} {flags:?}");
    }
}

#[test]
fn removing_in_a_workspace_changes_it_and_the_projects_lockfile() {
    let registry = registry();
    let project = monorepo(&registry);
    project.write("packages/a/package.json", r#"{"name":"a","dependencies":{"one":"^1.0.0"}}"#);
    ok(&project, ["install"]);
    let inside = project.path().join("packages/a");
    command(&project).current_dir(&inside).args(["rm", "one"]).run().success();
    assert_eq!(project.read("packages/a/package.json"), r#"{"name":"a"}"#);
    assert_eq!(
        project.json("package-lock.json")["packages"]["packages/a"]["dependencies"],
        json!(null)
    );
    assert!(project.exists("node_modules/one"), "packages/b requires it");
    ok(&project, ["rm", "one", "-w", "@s/b"]);
    assert!(!project.exists("node_modules/one"));
    assert!(project.exists("node_modules/tool"));
}

#[test]
fn only_what_a_workspace_needs_is_installed() {
    let registry = registry();
    let project = monorepo(&registry);
    project.write("packages/a/package.json", r#"{"name":"a","dependencies":{"one":"^1.0.0"}}"#);
    project.write("packages/b/package.json", r#"{"name":"@s/b","dependencies":{"two":"^1.0.0"}}"#);
    let there = |project: &Project| {
        ["one", "two", "tool", "a", "@s/b"]
            .map(|name| project.exists(&format!("node_modules/{name}")))
    };
    ok(&project, ["install", "-w", "a"]);
    assert_eq!(there(&project), [true, false, false, true, false]);
    let locked = project.read("package-lock.json");
    // What is there stays, and nothing else comes.
    ok(&project, ["install", "-w", "@s/b"]);
    assert_eq!(there(&project), [true, true, false, true, true]);
    assert_eq!(project.read("package-lock.json"), locked);
    ok(&project, ["install"]);
    assert_eq!(there(&project), [true; 5]);
    ok(&project, ["ci", "-w", "a"]);
    assert_eq!(there(&project), [true, false, false, true, false]);
    ok(&project, ["ci", "--no-workspaces"]);
    assert_eq!(there(&project), [false, false, true, false, false]);
    assert!(!ok(&project, ["install"]).stdout.lines().last().unwrap().contains("up to date"));
    assert_eq!(there(&project), [true; 5]);
    assert_eq!(ok(&project, ["install"]).stdout, "Already up to date\n");
}

#[test]
fn a_folder_is_saved_relative_to_the_workspace() {
    let registry = registry();
    let project = monorepo(&registry);
    project.write("packages/a/package.json", r#"{"name":"a"}"#);
    project.write("lib/package.json", r#"{"name":"lib","version":"1.0.0"}"#);
    ok(&project, ["add", "./lib", "-w", "a"]);
    let manifest = project.json("packages/a/package.json");
    assert_eq!(manifest["dependencies"], json!({ "lib": "file:../../lib" }));
    assert!(project.path().join("node_modules/lib").is_symlink());
}

#[test]
fn what_names_no_workspace_is_an_error_and_changes_nothing() {
    let registry = registry();
    let project = monorepo(&registry);
    project.write("packages/a/package.json", r#"{"name":"a"}"#);
    for (arguments, code) in [
        (["add", "two", "-w", "nothere"].as_slice(), "DX_NO_WORKSPACE"),
        (&["install", "-w", "packages/x"], "DX_NO_WORKSPACE"),
        (&["add", "two", "-w", "a", "--no-workspaces"], "DX_WORKSPACE_CONFLICT"),
        (&["add", "-g", "two", "-w", "a"], "DX_WORKSPACE_CONFLICT"),
        (&["add", "-g", "two", "--package-lock-only"], "DX_GLOBAL_LOCKFILE"),
    ] {
        fails(command(&project).args(arguments).run(), code);
    }
    assert!(!project.exists("package-lock.json"));
    let plain = Project::new(&registry).dep("one", "1").create();
    fails(dx(&plain, ["install", "--workspaces"]), "DX_NO_WORKSPACE");
}

#[test]
fn rebuild_is_for_what_the_named_workspaces_need() {
    let registry = Registry::start();
    for name in ["one", "two", "three"] {
        let script = format!("node -e \"fs.appendFileSync('../../log', '{name} ')\"");
        registry.package(name, "1.0.0").script("install", &script).publish();
    }
    let project = Project::new(&registry)
        .field("workspaces", json!(["packages/*"]))
        .field("allowScripts", json!({ "one": true, "two": true, "three": true }))
        .dep("three", "1.0.0")
        .file("packages/a/package.json", r#"{"name":"a","dependencies":{"one":"1.0.0"}}"#)
        .file("packages/b/package.json", r#"{"name":"b","dependencies":{"two":"1.0.0"}}"#)
        .create();
    ok(&project, ["install"]);
    for (folder, words, expected) in [
        (".", ["rebuild"].as_slice(), "one three two"),
        (".", &["rebuild", "-w", "a"], "one"),
        (".", &["rebuild", "-w", "a", "-w", "packages/b"], "one two"),
        (".", &["rebuild", "-w", "a", "--include-workspace-root"], "one three"),
        (".", &["rebuild", "--no-workspaces"], "three"),
        (".", &["rebuild", "two", "-w", "a"], "two"),
        ("packages/b", &["rebuild"], "two"),
    ] {
        project.write("log", "");
        let run = command(&project).current_dir(&project.path().join(folder)).args(words).run();
        run.success();
        let log = project.read("log");
        let mut names: Vec<&str> = log.split_whitespace().collect();
        names.sort_unstable();
        assert_eq!(names.join(" "), expected, "{words:?}");
    }
}

/// The same words name the same workspaces for every command.
#[test]
fn words_name_the_same_workspaces_everywhere() {
    let registry = registry();
    let project = monorepo(&registry);
    project.write(
        "packages/a/package.json",
        r#"{"name":"a","version":"1.0.0","scripts":{"x":"exit 0"}}"#,
    );
    for (word, is_known) in [
        ("a", true),
        ("packages/a", true),
        ("packages", true),
        ("pack*", true),
        ("nothing", false),
        ("package", false),
        ("packages/*", false),
    ] {
        for words in [
            ["install", "--dry-run"].as_slice(),
            &["run", "x", "--if-present"],
            &["ls"],
            &["pkg", "get", "name"],
        ] {
            let run = command(&project).args(words).args(["-w", word]).run();
            let is_missing = run.stderr.contains("[DX_NO_WORKSPACE]");
            assert_eq!(is_missing, !is_known, "{words:?} -w {word}: {run}");
            // One word that names something does not hide another that names nothing.
            let run = command(&project).args(words).args(["-w", "a", "-w", word]).run();
            let is_missing = run.stderr.contains("[DX_NO_WORKSPACE]");
            assert_eq!(is_missing, !is_known, "{words:?} -w a -w {word}: {run}");
        }
    }
}
