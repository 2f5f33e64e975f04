//! Trees that npm made: dx takes them over, and npm finds dx's up to date.

use dx_pkg_testkit::{Project, Registry, require};

use crate::harness::{dx_with_prepared_trees, ok};

/// Returns a project with packages of every kind of place, and its registry.
fn project() -> (Registry, Project) {
    let registry = Registry::start();
    registry.package("a", "1.0.0").bin("a", "index.js").publish();
    registry.package("b", "1.0.0").dep("n", "1").publish();
    registry.package("n", "1.0.0").bin("n", "index.js").publish();
    registry.package("n", "2.0.0").publish();
    registry.package("@s/one", "1.0.0").publish();
    registry.package("c", "1.0.0").bundle("inner", "1.0.0").publish();
    registry.package("built", "1.0.0").script("install", "echo ran >> runs.txt").publish();
    let project = Project::new(&registry)
        .field("allowScripts", serde_json::json!({ "built": true }))
        .field("workspaces", serde_json::json!(["packages/*"]))
        .file(
            "packages/w/package.json",
            r#"{"name":"w","version":"1.0.0","dependencies":{"n":"1"}}"#,
        )
        .dep("a", "1")
        .dep("b", "1")
        .dep("n", "2")
        .dep("c", "1")
        .dep("@s/one", "1")
        .dep("built", "1")
        .create();
    (registry, project)
}

/// Runs npm in the project; `None` where there is none.
fn npm(project: &Project, args: &[&str]) -> Option<String> {
    let npm = require::npm()?;
    let command = project
        .command(&npm)
        .env("npm_config_cache", project.home().join("npm-cache"))
        .env("npm_config_audit", "false")
        .env("npm_config_fund", "false")
        .env("npm_config_update_notifier", "false");
    Some(command.args(args).run().success().stdout)
}

/// Makes a tree as npm does where no npm is at hand: dx's, without what only dx writes.
fn as_npm_leaves_it(project: &Project) {
    ok(project, ["install"]);
    std::fs::remove_dir_all(project.path().join("node_modules/.dx")).unwrap();
}

#[track_caller]
fn taken_over(project: &Project) {
    project.write("node_modules/b/generated.js", "made by a tool");
    let run = ok(project, ["install"]);
    assert!(run.stdout.starts_with("Already up to date: "), "{run}");
    assert_eq!(project.read("node_modules/b/generated.js"), "made by a tool");
    assert_eq!(project.read("node_modules/built/runs.txt"), "ran\n", "the script ran again");
    assert_eq!(ok(project, ["install"]).stdout, "Already up to date\n");
    project.write("node_modules/b/generated.js", "made by a tool");
    assert!(project.exists("node_modules/c/node_modules/inner/package.json"));
}

#[test]
fn packages_in_place_are_not_counted_as_added() {
    let (_registry, project) = project();
    as_npm_leaves_it(&project);
    taken_over(&project);
}

#[test]
fn a_tree_of_npm_is_taken_over() {
    let (_registry, project) = project();
    if npm(&project, &["install"]).is_none() {
        return;
    }
    taken_over(&project);
}

#[test]
fn what_is_in_place_is_not_fetched() {
    let (registry, project) = project();
    as_npm_leaves_it(&project);
    std::fs::remove_dir_all(project.store()).unwrap();
    let before = registry.requests().len();
    let run = ok(&project, ["install", "--offline"]);
    assert!(run.stdout.starts_with("Already up to date: "), "{run}");
    assert_eq!(ok(&project, ["install"]).stdout, "Already up to date\n");
    // A manifest that says the same is read anew, and so is a changed lockfile.
    project.write("package.json", format!("{}\n", project.read("package.json")));
    ok(&project, ["install", "--offline"]);
    std::fs::remove_dir_all(project.path().join("node_modules/@s/one")).unwrap();
    ok(&project, ["install"]);
    assert!(project.exists("node_modules/@s/one/package.json"));
    let later = registry.requests();
    let fetched: Vec<_> =
        later[before..].iter().filter(|sent| sent.path.contains(".tgz")).collect();
    assert_eq!(fetched.len(), 1, "{fetched:?}");
}

#[test]
fn a_tree_that_was_taken_over_is_built_again() {
    let (_registry, project) = project();
    as_npm_leaves_it(&project);
    std::fs::remove_dir_all(project.store()).unwrap();
    dx_with_prepared_trees(&project, ["install"]);
    ok(&project, ["store", "verify"]);
    let before = project.installed();
    project.remove("node_modules");
    ok(&project, ["install"]);
    assert_eq!(project.installed(), before);
    project.remove("node_modules");
    ok(&project, ["install", "--offline"]);
    assert_eq!(project.installed(), before);
}

#[test]
fn a_hidden_lockfile_that_describes_no_tree_of_dx_is_not_believed() {
    for path in ["node_modules/.store/a@1.0.0/node_modules/a", "../a", "node_modules/../../a"] {
        let (_registry, project) = project();
        as_npm_leaves_it(&project);
        let hidden = "node_modules/.package-lock.json";
        let text = project.read(hidden).replacen("\"node_modules/a\"", &format!("{path:?}"), 1);
        assert!(text.contains(path));
        project.write(hidden, text);
        ok(&project, ["install"]);
        assert!(project.exists("node_modules/a/package.json"), "{path}");
        assert_eq!(ok(&project, ["install"]).stdout, "Already up to date\n");
    }
}

#[test]
fn only_what_differs_from_the_tree_of_npm_is_changed() {
    let (registry, project) = project();
    as_npm_leaves_it(&project);
    registry.package("a", "1.1.0").bin("a", "index.js").publish();
    std::fs::remove_dir_all(project.path().join("node_modules/@s/one")).unwrap();
    project.write("node_modules/b/generated.js", "made by a tool");
    let run = ok(&project, ["install", "a@1.1.0"]);
    assert!(run.stdout.contains("Added 1 package, changed 1 ("), "{run}");
    assert_eq!(project.read("node_modules/b/generated.js"), "made by a tool");
    assert_eq!(project.read("node_modules/built/runs.txt"), "ran\n");
}

#[test]
fn a_package_that_is_not_what_npm_has_recorded_is_replaced() {
    let (_registry, project) = project();
    as_npm_leaves_it(&project);
    // A newer folder with another version, as a copy by hand makes it.
    let folder = project.path().join("node_modules/a");
    std::fs::remove_dir_all(&folder).unwrap();
    std::fs::create_dir(&folder).unwrap();
    project.write("node_modules/a/package.json", r#"{"name":"a","version":"0.9.0"}"#);
    std::fs::File::open(&folder)
        .unwrap()
        .set_modified(std::time::SystemTime::now() + std::time::Duration::from_secs(5))
        .unwrap();
    ok(&project, ["install"]);
    assert_eq!(project.json("node_modules/a/package.json")["version"], "1.0.0");
    assert!(project.exists("node_modules/a/index.js"));
}

#[test]
fn npm_finds_a_tree_of_dx_up_to_date_and_the_other_way_round() {
    let (_registry, project) = project();
    ok(&project, ["install"]);
    project.write("node_modules/b/generated.js", "made by a tool");
    let Some(said) = npm(&project, &["install"]) else { return };
    assert!(said.trim_start().starts_with("up to date"), "{said}");
    assert_eq!(project.read("node_modules/b/generated.js"), "made by a tool");
    let run = ok(&project, ["install"]);
    assert!(run.stdout.starts_with("Already up to date"), "{run}");
    assert_eq!(project.read("node_modules/built/runs.txt"), "ran\n");
}
