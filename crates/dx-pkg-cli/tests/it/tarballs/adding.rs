//! `dx add` of an address or a path: the name is the package's own, the manifest says what npm
//! writes there.

use dx_pkg_testkit::{Entry, tgz};

use super::*;

/// Returns what `dx add` saves for an argument in a project with a few tarballs.
#[track_caller]
fn saved(server: &Registry, registry: &Registry, argument: &str) -> (Project, Value) {
    let bytes = server.package("local", "3.0.0").tarball();
    let project = project(registry)
        .file("local.tgz", bytes.clone())
        .file("sub folder/in ner.tgz", bytes.clone())
        .file("ha#sh.tgz", bytes.clone())
        .file("../up.tar.gz", bytes.clone())
        .file("../home/mine.tgz", bytes)
        .create();
    let run = command(&project).args(["add", argument]).run().success();
    assert!(run.stdout.contains("Added 1 package"), "{run}");
    let dependencies = project.json("package.json")["dependencies"].clone();
    (project, dependencies)
}

#[test]
fn path_is_saved_relative_to_the_project() {
    let (server, registry) = (server(), Registry::start());
    for (argument, name, spec) in [
        ("./local.tgz", "local", "file:local.tgz"),
        ("local.tgz", "local", "file:local.tgz"),
        ("file:local.tgz", "local", "file:local.tgz"),
        ("file:./local.tgz", "local", "file:local.tgz"),
        ("../up.tar.gz", "local", "file:../up.tar.gz"),
        ("./sub folder/in ner.tgz", "local", "file:sub folder/in ner.tgz"),
        ("./ha#sh.tgz", "local", "file:ha#sh.tgz"),
        ("~/mine.tgz", "local", "file:../home/mine.tgz"),
        ("alias@./local.tgz", "alias", "file:local.tgz"),
        ("alias@file:local.tgz", "alias", "file:local.tgz"),
    ] {
        let (project, dependencies) = saved(&server, &registry, argument);
        assert_eq!(dependencies, json!({ name: spec }), "{argument}");
        let entry = locked(&project, &format!("node_modules/{name}"));
        assert_eq!(entry["resolved"], json!(spec), "{argument}");
        let own = if name == "local" { Value::Null } else { json!("local") };
        assert_eq!(entry["name"], own);
        let lock = project.read("package-lock.json");
        let run = ok(&project, ["install"]);
        assert!(run.stdout.contains("Already up to date"), "{argument}: {run}");
        project.remove("node_modules");
        ok(&project, ["ci"]);
        assert_eq!(project.read("package-lock.json"), lock, "{argument}");
    }
    assert_eq!(registry.requests().len(), 0, "{:?}", registry.requests());
}

#[test]
fn absolute_path_is_saved_relative_to_the_project() {
    let (server, registry) = (server(), Registry::start());
    let project = project(&registry)
        .file("sub/local.tgz", server.package("local", "3.0.0").tarball())
        .create();
    let path = project.path().join("sub/local.tgz");
    command(&project).args(["add", path.to_str().unwrap()]).run().success();
    assert_eq!(
        project.json("package.json")["dependencies"],
        json!({"local": "file:sub/local.tgz"})
    );
}

#[test]
fn address_is_saved_as_it_is_given() {
    let (server, registry) = (server(), Registry::start());
    let url = lib(&server);
    for (argument, name, spec) in [
        (url.clone(), "lib", url.clone()),
        (format!("{url}?x=1"), "lib", format!("{url}?x=1")),
        (format!("{url}#part"), "lib", format!("{url}#part")),
        (format!("alias@{url}"), "alias", url.clone()),
    ] {
        server.clear_requests();
        let (project, dependencies) = saved(&server, &registry, &argument);
        assert_eq!(dependencies, json!({ name: spec }), "{argument}");
        assert_eq!(server.requests().len(), 1, "it is fetched once");
        assert_eq!(locked(&project, &format!("node_modules/{name}"))["resolved"], json!(spec));
        let run = ok(&project, ["install"]);
        assert!(run.stdout.contains("Already up to date"), "{argument}: {run}");
        ok(&project, ["remove", name]);
        assert!(project.json("package.json")["dependencies"].get(name).is_none());
        assert!(!project.exists(&format!("node_modules/{name}")));
    }
}

#[test]
fn package_without_a_name_needs_one() {
    let registry = Registry::start();
    let bytes = tgz(&[Entry::file("package/package.json", r#"{"version":"3.0.0"}"#)]);
    let project = project(&registry).file("local.tgz", bytes).create();
    let stderr = fails(dx(&project, ["add", "./local.tgz"]), "DX_NO_NAME");
    assert!(stderr.contains("dx add NAME@file:local.tgz"), "{stderr}");
    ok(&project, ["add", "mine@./local.tgz"]);
    assert!(project.exists("node_modules/mine/package.json"));
    assert_eq!(locked(&project, "node_modules/mine")["name"], Value::Null);
}

#[test]
fn adding_to_a_tree_in_place_changes_the_rest_in_nothing() {
    let (server, registry) = (server(), Registry::start());
    registry.package("a", "1.0.0").publish();
    let project = project(&registry).dep("a", "1").create();
    ok(&project, ["install"]);
    let url = lib(&server);
    let run = command(&project).args(["add", "-D", &url]).run().success();
    assert!(run.stdout.contains("+ lib 1.0.0"), "{run}");
    assert_eq!(project.json("package.json")["devDependencies"], json!({ "lib": url }));
    assert_eq!(locked(&project, "node_modules/lib")["dev"], json!(true));
    assert_eq!(required(&project, "a"), "a@1.0.0");
    assert_eq!(required(&project, "lib"), "lib 1.0.0");
}
