//! Trees in place with something foreign, missing or damaged in them: only that is dealt with.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use dx_pkg_testkit::{Project, Registry};

use crate::harness::{command, dx, dx_with_prepared_trees, ok};

const UP_TO_DATE: &str = "Already up to date\n";

/// Returns a project with packages of every kind of place, in which a file was generated and one
/// patched, and a script has run.
fn project() -> (Registry, Project) {
    let registry = Registry::start();
    registry.package("a", "1.0.0").bin("a", "index.js").publish();
    registry.package("b", "1.0.0").dep("n", "1").publish();
    registry.package("n", "1.0.0").bin("n", "index.js").publish();
    registry.package("n", "2.0.0").publish();
    for name in ["@s/one", "@s/two", "@t/one", "more"] {
        registry.package(name, "1.0.0").publish();
    }
    registry.package("built", "1.0.0").script("install", "echo ran >> runs.txt").publish();
    let mut project = Project::new(&registry)
        .field("allowScripts", serde_json::json!({ "built": true }))
        .file("linked/package.json", r#"{"name":"linked","version":"1.0.0"}"#);
    for name in ["a", "b", "@s/one", "@s/two", "@t/one", "built"] {
        project = project.dep(name, "1");
    }
    let project = project.dep("n", "2").create();
    ok(&project, ["install"]);
    project.write("node_modules/b/generated.js", "made by a tool");
    replace(&project, "node_modules/b/index.js", "patched");
    project.write("node_modules/built/made.txt", "by the script");
    (registry, project)
}

/// Replaces a file as a patch tool does, without writing to the store's.
fn replace(project: &Project, path: &str, contents: &str) {
    fs::remove_file(project.path().join(path)).unwrap();
    project.write(path, contents);
}

#[track_caller]
fn everything_else_stayed(project: &Project, case: &str) {
    let read = |path: &str| project.exists(path).then(|| project.read(path));
    assert_eq!(read("node_modules/b/generated.js").as_deref(), Some("made by a tool"), "{case}");
    assert_eq!(read("node_modules/b/index.js").as_deref(), Some("patched"), "{case}");
    assert_eq!(read("node_modules/built/runs.txt").as_deref(), Some("ran\n"), "{case}");
    assert_eq!(read("node_modules/built/made.txt").as_deref(), Some("by the script"), "{case}");
}

fn touch(project: &Project) {
    let manifest = project.read("package.json");
    project.write("package.json", manifest + "\n");
}

fn remove(project: &Project, path: &str) {
    let path = project.path().join(path);
    if path.symlink_metadata().unwrap().is_dir() {
        fs::remove_dir_all(path).unwrap();
    } else {
        fs::remove_file(path).unwrap();
    }
}

fn is_there(project: &Project, path: &str) -> bool {
    project.path().join(path).symlink_metadata().is_ok()
}

#[test]
fn a_foreign_package_is_taken_away_and_the_rest_stays() {
    type Make = fn(&Path);
    let cases: [(&str, Make); 7] = [
        ("node_modules/linked", |path| symlink("../linked", path).unwrap()),
        ("node_modules/copied", |path| fs::create_dir(path).unwrap()),
        ("node_modules/@s/linked", |path| symlink("../../linked", path).unwrap()),
        ("node_modules/@new/copied", |path| fs::create_dir_all(path).unwrap()),
        ("node_modules/b/node_modules/copied", |path| fs::create_dir(path).unwrap()),
        ("node_modules/a/node_modules/copied", |path| fs::create_dir_all(path).unwrap()),
        ("node_modules/more", |path| fs::create_dir(path).unwrap()),
    ];
    for (path, make) in cases {
        let (_registry, project) = project();
        make(&project.path().join(path));
        touch(&project);
        let run = ok(&project, ["install"]);
        assert!(!is_there(&project, path), "{path}");
        assert!(run.stdout.contains("Removed 1 package ("), "{path}: {run}");
        everything_else_stayed(&project, path);
        assert!(project.exists("linked/package.json"), "{path}: what a link leads to stays");
        assert!(!is_there(&project, "node_modules/@new"), "{path}");
        assert_eq!(ok(&project, ["install"]).stdout, UP_TO_DATE, "{path}");
    }
}

#[test]
fn a_foreign_package_is_taken_away_when_another_is_added_or_removed() {
    for arguments in [["install", "more"], ["remove", "@t/one"]] {
        let (_registry, project) = project();
        symlink("../linked", project.path().join("node_modules/linked")).unwrap();
        ok(&project, arguments);
        assert!(!is_there(&project, "node_modules/linked"), "{arguments:?}");
        assert_eq!(project.exists("node_modules/more"), arguments[0] == "install");
        assert_eq!(project.exists("node_modules/@t"), arguments[0] == "install");
        everything_else_stayed(&project, arguments[0]);
    }
}

#[test]
fn entries_of_tools_and_of_the_user_stay() {
    let (_registry, project) = project();
    project.write("node_modules/.cache/tool/x", "x");
    project.write("node_modules/notes.txt", "mine");
    project.write("node_modules/a/node_modules/.cache/x", "x");
    symlink("../../linked", project.path().join("node_modules/.bin/mine")).unwrap();
    ok(&project, ["install"]);
    touch(&project);
    ok(&project, ["install"]);
    let kept = [".cache/tool/x", "notes.txt", "a/node_modules/.cache/x", ".bin/mine"];
    for path in kept {
        assert!(is_there(&project, &format!("node_modules/{path}")), "{path}");
    }
    everything_else_stayed(&project, "own entries");
    project.write("node_modules/.cache/tool/y", "y");
    assert_eq!(ok(&project, ["install"]).stdout, UP_TO_DATE, "a tool writes to its cache");
}

#[test]
fn packages_that_a_script_put_into_its_package_stay() {
    let registry = Registry::start();
    let script = "mkdir -p node_modules/helper && echo {} > node_modules/helper/package.json";
    registry.package("a", "1.0.0").script("install", script).publish();
    registry.package("c", "1.0.0").bundle("inner", "1.0.0").publish();
    let project = Project::new(&registry)
        .dep("a", "1")
        .dep("c", "1")
        .field("allowScripts", serde_json::json!({ "a": true }))
        .create();
    ok(&project, ["install"]);
    touch(&project);
    ok(&project, ["install"]);
    assert!(project.exists("node_modules/a/node_modules/helper/package.json"));
    assert!(project.exists("node_modules/c/node_modules/inner/package.json"));
}

#[test]
fn what_was_removed_comes_back_at_once() {
    let cases = [
        "@s/one",
        "@s",
        "@t",
        ".bin/a",
        ".bin",
        "b/node_modules/n",
        "b/node_modules",
        "b/node_modules/.bin",
        "a",
    ];
    for path in cases {
        for args in [["install"].as_slice(), &["install", "--force"], &["install", "more"]] {
            let (_registry, project) = project();
            assert_eq!(ok(&project, ["install"]).stdout, UP_TO_DATE);
            remove(&project, &format!("node_modules/{path}"));
            let run = command(&project).args(args).run().success();
            assert!(!run.stdout.starts_with("Already up to date"), "{path}, {args:?}: {run}");
            for there in ["@s/one", "@s/two", "@t/one", "b/node_modules/n", "a"] {
                let manifest = format!("node_modules/{there}/package.json");
                assert!(project.exists(&manifest), "{there} after {path} was removed, {args:?}");
            }
            for there in [".bin/a", "b/node_modules/.bin/n"] {
                let command = format!("node_modules/{there}");
                assert!(project.exists(&command), "{there} after {path} was removed, {args:?}");
            }
            if args != ["install", "--force"] {
                everything_else_stayed(&project, path);
                assert_eq!(ok(&project, ["install"]).stdout, UP_TO_DATE, "{path}, {args:?}");
            }
        }
    }
}

#[test]
fn a_package_replaced_by_something_else_comes_back() {
    type Make = fn(&Path);
    let cases: [(&str, Make); 4] = [
        ("a", |path| symlink("../linked", path).unwrap()),
        ("@s/one", |path| symlink("../../linked", path).unwrap()),
        ("a", |path| fs::create_dir(path).unwrap()),
        ("a", |path| fs::write(path, "a file").unwrap()),
    ];
    for (package, make) in cases {
        let (_registry, project) = project();
        let path = project.path().join("node_modules").join(package);
        fs::remove_dir_all(&path).unwrap();
        make(&path);
        let run = ok(&project, ["install"]);
        assert!(run.stdout.contains("Changed 1 package ("), "{package}: {run}");
        assert!(path.symlink_metadata().unwrap().is_dir(), "{package}");
        assert!(path.join("index.js").exists() && path.join("package.json").exists());
        assert_eq!(fs::read_dir(project.path().join("linked")).unwrap().count(), 1);
        everything_else_stayed(&project, package);
    }
}

#[test]
fn nothing_is_written_through_a_link_in_place_of_a_folder_of_packages() {
    for folder in ["@s", "b/node_modules", ".bin"] {
        let (_registry, project) = project();
        let path = project.path().join("node_modules").join(folder);
        fs::remove_dir_all(&path).unwrap();
        symlink(project.path().join("linked"), &path).unwrap();
        touch(&project);
        ok(&project, ["install"]);
        assert!(path.symlink_metadata().unwrap().is_dir(), "{folder}");
        assert_eq!(fs::read_dir(project.path().join("linked")).unwrap().count(), 1, "{folder}");
        everything_else_stayed(&project, folder);
    }
}

#[test]
fn a_script_runs_again_where_its_package_was_removed_or_emptied() {
    for emptied in [false, true] {
        let (_registry, project) = project();
        let path = project.path().join("node_modules/built");
        fs::remove_dir_all(&path).unwrap();
        if emptied {
            fs::create_dir(&path).unwrap();
        }
        touch(&project);
        ok(&project, ["install"]);
        assert_eq!(project.read("node_modules/built/runs.txt"), "ran\n");
        assert!(!project.exists("node_modules/built/made.txt"));
        assert_eq!(project.read("node_modules/b/generated.js"), "made by a tool");
    }
}

#[test]
fn files_are_restored_with_force_and_where_the_manifest_is_missing() {
    let (_registry, project) = project();
    remove(&project, "node_modules/a/package.json");
    touch(&project);
    let run = ok(&project, ["install"]);
    assert!(run.stdout.contains("Changed 1 package ("), "{run}");
    assert!(project.exists("node_modules/a/package.json"));
    everything_else_stayed(&project, "a manifest is missing");

    for args in [["install", "--force"].as_slice(), &["i", "-f"], &["install"]] {
        remove(&project, "node_modules/a/index.js");
        if args == ["install"] {
            assert_eq!(ok(&project, ["install"]).stdout, UP_TO_DATE);
            project.write(".npmrc", project.read(".npmrc") + "\nforce=true\n");
        }
        replace(&project, "node_modules/@s/one/index.js", "");
        let run = command(&project).args(args).run().success();
        assert!(run.stdout.contains("Changed "), "{args:?}: {run}");
        assert!(project.exists("node_modules/a/index.js"), "{args:?}");
        assert_ne!(project.read("node_modules/@s/one/index.js"), "", "{args:?}");
        assert!(project.exists("node_modules/b/generated.js"), "{args:?}");
        assert_eq!(project.read("node_modules/built/made.txt"), "by the script", "{args:?}");
        assert_eq!(project.read("node_modules/built/runs.txt"), "ran\n", "{args:?}");
        let run = command(&project).args(args).run().success();
        assert!(run.stdout.starts_with("Already up to date: "), "{args:?}: {run}");
        touch(&project);
        ok(&project, ["install"]);
    }
}

#[test]
fn force_relinks_a_command_that_leads_elsewhere() {
    let (_registry, project) = project();
    remove(&project, "node_modules/.bin/a");
    symlink("../b/index.js", project.path().join("node_modules/.bin/a")).unwrap();
    ok(&project, ["install", "--force"]);
    let target = fs::read_link(project.path().join("node_modules/.bin/a")).unwrap();
    assert_eq!(target.to_str(), Some("../a/index.js"));
}

#[test]
fn workspaces_have_only_their_own_foreign_packages_removed() {
    let registry = Registry::start();
    registry.package("n", "1.0.0").publish();
    registry.package("n", "2.0.0").publish();
    let project = Project::new(&registry)
        .dep("n", "2")
        .field("workspaces", serde_json::json!(["packages/*"]))
        .file(
            "packages/w/package.json",
            r#"{"name":"w","version":"1.0.0","dependencies":{"n":"1"}}"#,
        )
        .create();
    ok(&project, ["install"]);
    project.write("packages/w/node_modules/n/generated.js", "x");
    project.write("packages/w/node_modules/copied/package.json", "{}");
    touch(&project);
    ok(&project, ["install"]);
    assert!(!project.exists("packages/w/node_modules/copied"));
    assert!(project.exists("packages/w/node_modules/n/generated.js"));
    remove(&project, "packages/w/node_modules");
    remove(&project, "node_modules/w");
    ok(&project, ["install"]);
    assert!(project.exists("packages/w/node_modules/n/package.json"));
    assert!(project.exists("node_modules/w/package.json"));
    assert_eq!(ok(&project, ["install"]).stdout, UP_TO_DATE);
}

#[test]
fn a_prepared_tree_is_watched_as_closely() {
    let (_registry, project) = project();
    dx_with_prepared_trees(&project, ["install", "--ignore-scripts"]);
    remove(&project, "node_modules");
    dx_with_prepared_trees(&project, ["install", "--ignore-scripts"]);
    let install = || {
        let again = command(&project).env("DX_PREPARED_TREES", "1");
        again.args(["install", "--ignore-scripts"]).run().success().stdout
    };
    assert_eq!(install(), UP_TO_DATE);
    remove(&project, "node_modules/@s/one");
    assert_ne!(install(), UP_TO_DATE);
    assert!(project.exists("node_modules/@s/one/package.json"));
}

#[test]
fn force_allows_another_platform() {
    let registry = Registry::start();
    registry.package("other-platform", "1.0.0").os(["aix"]).publish();
    let project = Project::new(&registry).dep("other-platform", "1").create();
    assert!(dx(&project, ["install"]).stderr.contains("DX_UNSUPPORTED_PLATFORM"));
    ok(&project, ["install", "--force"]);
    assert!(project.exists("node_modules/other-platform/package.json"));
}
