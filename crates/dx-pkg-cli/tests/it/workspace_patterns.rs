//! The patterns of `workspaces`: what they find, what they refuse, and that a change is noticed.

use dx_pkg_testkit::{Project, ProjectBuilder, Registry};
use serde_json::{Value, json};

use crate::harness::{command, dx, fails, locked, ok};

fn registry() -> Registry {
    let registry = Registry::start();
    registry.package("b", "1.0.0").publish();
    registry
}

fn workspace(builder: ProjectBuilder, folder: &str) -> ProjectBuilder {
    let name = folder.rsplit('/').next().unwrap().trim_start_matches('.');
    let manifest = json!({"name": name, "version": "1.0.0", "dependencies": {"b": "1"}});
    builder.file(&format!("{folder}/package.json"), manifest.to_string())
}

fn project(registry: &Registry, patterns: Value) -> Project {
    let builder = Project::new(registry).field("workspaces", patterns);
    ["apps/web", "apps/.hidden", "packages/one", "packages/two", "packages/two/deep/three"]
        .into_iter()
        .fold(builder, workspace)
        .create()
}

fn linked(project: &Project) -> Vec<String> {
    let packages = project.json("package-lock.json")["packages"].clone();
    let entries = packages.as_object().unwrap().iter();
    let links = entries.filter(|(_, entry)| entry["link"] == true);
    let names = links.map(|(path, _)| path.trim_start_matches("node_modules/").to_owned());
    names.inspect(|name| assert!(project.path().join("node_modules").join(name).is_dir())).collect()
}

#[test]
fn pattern_that_names_a_file_finds_no_workspace() {
    let registry = registry();
    let project = project(&registry, json!(["package.json", "packages/*"]));
    ok(&project, ["install"]);
    assert_eq!(linked(&project), ["one", "two"]);
}

#[test]
fn every_kind_of_pattern_finds_its_workspaces() {
    let registry = registry();
    for (patterns, expected) in [
        (json!(["{apps,packages}/*"]), vec!["one", "two", "web"]),
        (json!({"packages": ["{apps,packages}/*"], "nohoist": []}), vec!["one", "two", "web"]),
        (json!(["packages/{one,other}", "apps/web"]), vec!["one", "web"]),
        (json!(["packages/t?o"]), vec!["two"]),
        (json!(["packages/[!t]*", "apps/[a-z]eb"]), vec!["one", "web"]),
        (json!(["packages/!(one)"]), vec!["two"]),
        (json!(["packages/+(one|two)/"]), vec!["one", "two"]),
        (json!(["./packages/**"]), vec!["one", "three", "two"]),
        (json!(["!packages/one", "packages/*"]), vec!["two"]),
        (json!(["packages/**", "!**/two"]), vec!["one", "three"]),
        (json!(["packages/**", "!packages/two/**"]), vec!["one"]),
        (json!(["apps/*", "apps/.hidden"]), vec!["hidden", "web"]),
        (json!(["**/deep/*"]), vec!["three"]),
    ] {
        let project = project(&registry, patterns.clone());
        ok(&project, ["install"]);
        assert_eq!(linked(&project), expected, "{patterns}");
        assert!(project.exists("node_modules/b"), "{patterns}");
        assert_eq!(ok(&project, ["install"]).stdout, "Already up to date\n", "{patterns}");
        ok(&project, ["ci"]);
    }
}

#[test]
fn a_workspace_that_comes_or_goes_is_noticed() {
    let registry = registry();
    let manifest = |name: &str| json!({"name": name, "version": "1.0.0"}).to_string();
    for (patterns, new) in [
        (json!(["{apps,packages}/*"]), "apps/new"),
        (json!(["packages/{one,new}"]), "packages/new"),
        (json!(["packages/**"]), "packages/two/deep/er/new"),
        (json!(["packages/*", "later/*"]), "later/new"),
        (json!(["packages/*", "some/where/new"]), "some/where/new"),
        (json!(["packages/!(one)"]), "packages/new"),
    ] {
        let project = project(&registry, patterns.clone());
        ok(&project, ["install"]);
        let before = linked(&project);
        assert_eq!(ok(&project, ["install"]).stdout, "Already up to date\n", "{patterns}");
        project.write(&format!("{new}/package.json"), manifest("new"));
        ok(&project, ["install"]);
        assert!(linked(&project).contains(&"new".to_owned()), "{patterns}");
        assert_eq!(ok(&project, ["install"]).stdout, "Already up to date\n", "{patterns}");
        project.remove(&format!("{new}/package.json"));
        ok(&project, ["install"]);
        assert_eq!(linked(&project), before, "{patterns}");
        project.write(&format!("{new}/package.json"), manifest("new"));
        ok(&project, ["install"]);
        assert!(
            linked(&project).contains(&"new".to_owned()),
            "{patterns}, in a folder that was there"
        );
    }
}

#[cfg(unix)]
#[test]
fn a_link_to_a_folder_of_the_project_is_a_workspace() {
    let registry = registry();
    let project = project(&registry, json!(["packages/*"]));
    for (name, target) in [("inner", "../elsewhere/inner"), ("beside", "one/beside")] {
        let manifest = json!({"name": name, "version": "1.0.0", "dependencies": {"b": "1"}});
        project.write(&format!("packages/{target}/package.json"), manifest.to_string());
        let link = project.path().join("packages").join(name);
        std::os::unix::fs::symlink(target, link).unwrap();
    }
    ok(&project, ["install"]);
    assert_eq!(linked(&project), ["beside", "inner", "one", "two"]);
    for name in ["inner", "beside"] {
        let resolved = format!("packages/{name}");
        let entry = locked(&project, &format!("node_modules/{name}"));
        assert_eq!(entry, json!({"resolved": resolved, "link": true}));
    }
    assert_eq!(ok(&project, ["install"]).stdout, "Already up to date\n");
    ok(&project, ["ci"]);
}

#[test]
fn a_nameless_workspace_is_called_after_its_folder_and_scope() {
    let registry = registry();
    let project = Project::new(&registry)
        .field("workspaces", json!(["packages/*/*", "@top/*"]))
        .file("packages/@s/a/package.json", r#"{"version":"1.0.0"}"#)
        .file("packages/q/c/package.json", "{}")
        .file("@top/d/package.json", r#"{"version":"1.0.0","dependencies":{"@s/a":"1"}}"#)
        .create();
    ok(&project, ["install"]);
    assert_eq!(linked(&project), ["@s/a", "@top/d", "c"]);
    assert_eq!(locked(&project, "packages/@s/a"), json!({"version": "1.0.0"}));
    assert_eq!(registry.requests().len(), 0, "the workspace is found by its name");
    let lock = project.read("package-lock.json");
    ok(&project, ["ci"]);
    project.remove("node_modules");
    ok(&project, ["install"]);
    assert_eq!(project.read("package-lock.json"), lock);
}

#[test]
fn two_workspaces_of_one_name_are_refused_by_both_names() {
    let registry = registry();
    let project = Project::new(&registry)
        .field("workspaces", json!(["p/*", "q/*"]))
        .file("p/a/package.json", r#"{"name":"same"}"#)
        .file("q/b/package.json", r#"{"name":"same"}"#)
        .create();
    for arguments in ["install", "ci"] {
        let said = fails(dx(&project, [arguments]), "DX_SAME_WORKSPACE_NAME");
        assert!(said.contains("\"same\": p/a and q/b"), "{said}");
    }
    assert!(!project.exists("node_modules") && !project.exists("package-lock.json"));
    project.write("package.json", r#"{"name":"project","workspaces":["p/*","q/*","!q/b"]}"#);
    ok(&project, ["install"]);
    assert_eq!(linked(&project), ["same"]);
}

#[test]
fn patterns_that_cannot_be_read_are_errors() {
    let registry = registry();
    for (patterns, code) in [
        (json!("packages/*"), "DX_MANIFEST_WORKSPACES"),
        (json!([1]), "DX_MANIFEST_WORKSPACES"),
        (json!({"nohoist": []}), "DX_MANIFEST_WORKSPACES"),
        (json!(["{a,b}".repeat(30)]), "DX_WORKSPACE_PATTERN"),
    ] {
        let project = project(&registry, patterns);
        fails(dx(&project, ["install"]), code);
        assert!(!project.exists("node_modules") && !project.exists("package-lock.json"));
    }
}

#[test]
fn a_command_in_a_workspace_finds_the_project_by_any_pattern() {
    let registry = registry();
    for patterns in [json!(["{apps,packages}/**"]), json!(["packages/*/deep/@(three)"])] {
        let project = project(&registry, patterns);
        let folder = project.path().join("packages/two/deep/three");
        command(&project).current_dir(&folder).args(["install"]).run().success();
        assert!(project.exists("package-lock.json"));
        assert!(!project.exists("packages/two/deep/three/package-lock.json"));
    }
}
