//! Existing lockfiles are obeyed, and changed only as far as necessary.

use dx_pkg_testkit::{Project, Registry};
use serde_json::json;

use crate::harness::{dx, fails, files, locked, locked_version, ok, required};

fn registry() -> Registry {
    let registry = Registry::start();
    registry.package("a", "1.0.0").dep("b", "^1").publish();
    registry.package("b", "1.0.0").publish();
    registry.package("c", "1.0.0").publish();
    registry
}

/// Returns a project with the lockfile of another that depends on `a`, and an empty store.
fn locked_project(registry: &Registry) -> Project {
    let first = Project::new(registry).dep("a", "^1.0.0").create();
    ok(&first, ["install"]);
    registry.package("b", "1.1.0").publish();
    registry.clear_requests();
    Project::new(registry)
        .dep("a", "^1.0.0")
        .file("package-lock.json", first.read("package-lock.json"))
        .create()
}

#[test]
fn locked_versions_are_installed_without_metadata_requests() {
    for command in [["install"], ["ci"]] {
        let registry = registry();
        let project = locked_project(&registry);
        let lock = project.read("package-lock.json");
        ok(&project, command);
        assert_eq!((registry.metadata_requests(), registry.tarball_requests()), (0, 2));
        assert_eq!(required(&project, "b"), "b@1.0.0");
        assert_eq!(project.read("package-lock.json"), lock);
    }
}

#[test]
fn shrinkwrap_takes_the_place_of_package_lock() {
    let registry = registry();
    let other = locked_project(&registry);
    let project = Project::new(&registry)
        .dep("a", "^1.0.0")
        .file("npm-shrinkwrap.json", other.read("package-lock.json"))
        .create();
    ok(&project, ["install"]);
    assert_eq!(registry.metadata_requests(), 0);
    assert!(!project.exists("package-lock.json"));
    assert_eq!(required(&project, "b"), "b@1.0.0");
}

#[test]
fn ci_and_frozen_install_require_a_lockfile() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").create();
    let before = files(&project);
    fails(dx(&project, ["ci"]), "DX_NO_LOCKFILE");
    fails(dx(&project, ["install", "--frozen-lockfile"]), "DX_NO_LOCKFILE");
    assert_eq!(files(&project), before);
    assert_eq!(registry.requests().len(), 0);
}

#[test]
fn lockfile_that_does_not_satisfy_the_manifest_is_refused_and_nothing_changes() {
    let manifests = [
        r#"{"dependencies":{"a":"^1.0.0","c":"1"}}"#,
        r#"{"dependencies":{"a":"^2.0.0"}}"#,
        r#"{"dependencies":{"a":"^1.0.0"},"overrides":{"b":"1.1.0"}}"#,
    ];
    for manifest in manifests {
        let registry = registry();
        let project = locked_project(&registry);
        ok(&project, ["install"]);
        project.write("package.json", manifest);
        let before = files(&project);
        fails(dx(&project, ["ci"]), "DX_LOCKFILE_OUT_OF_DATE");
        fails(dx(&project, ["install", "--frozen-lockfile"]), "DX_LOCKFILE_OUT_OF_DATE");
        assert_eq!(files(&project), before, "{manifest}");
        assert_eq!(registry.metadata_requests(), 0);
    }
}

#[test]
fn ci_replaces_node_modules() {
    let registry = registry();
    let project = locked_project(&registry);
    project.write("node_modules/stranger/package.json", "{}");
    project.write("node_modules/a/package.json", "{\"version\":\"0.0.0\"}");
    ok(&project, ["ci"]);
    assert!(!project.exists("node_modules/stranger"));
    assert_eq!(required(&project, "a"), "a@1.0.0");
}

#[test]
fn added_requirement_changes_only_its_packages() {
    let registry = registry();
    let project = locked_project(&registry);
    project.write("package.json", r#"{"dependencies":{"a":"^1.0.0","c":"1"}}"#);
    ok(&project, ["install"]);
    assert_eq!(locked_version(&project, "node_modules/b"), "1.0.0");
    assert_eq!(locked_version(&project, "node_modules/c"), "1.0.0");
    assert_eq!(registry.metadata_requests(), 1);
}

#[test]
fn locked_version_outside_the_range_is_replaced() {
    let registry = registry();
    let project = locked_project(&registry);
    project.write("package.json", r#"{"dependencies":{"a":"^1.0.0","b":"^1.1.0"}}"#);
    ok(&project, ["install"]);
    assert_eq!(required(&project, "b"), "b@1.1.0");
    assert_eq!(locked(&project, "")["dependencies"], json!({"a": "^1.0.0", "b": "^1.1.0"}));
}

#[test]
fn dependency_removed_from_the_manifest_leaves_lockfile_and_tree() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").dep("c", "1").create();
    ok(&project, ["install"]);
    project.write("package.json", r#"{"dependencies":{"c":"1"}}"#);
    let run = ok(&project, ["install"]);
    assert!(run.stdout.contains("Removed 2 packages ("), "{run}");
    assert_eq!(project.installed().into_keys().collect::<Vec<_>>(), ["node_modules/c"]);
    assert!(
        locked(&project, "node_modules/a").is_null()
            && locked(&project, "node_modules/b").is_null()
    );
}

#[test]
fn lockfile_only_writes_nothing_else() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").create();
    ok(&project, ["install", "--lockfile-only"]);
    assert!(!project.exists("node_modules"));
    assert_eq!(registry.tarball_requests(), 0);
    assert_eq!(locked_version(&project, "node_modules/b"), "1.0.0");
}

#[test]
fn lockfile_only_writes_the_same_lockfile_as_an_install() {
    let registry = Registry::start();
    let licensed = registry.package("a", "1.0.0").dep("b", "1").field("license", "MIT");
    licensed.field("funding", "http://127.0.0.1/fund").engines("node", "*").publish();
    let b = registry.package("b", "1.0.0").field("license", "ISC").script("install", "exit 0");
    b.os(["linux", "darwin", "win32"]).publish();
    let locks = [vec!["install"], vec!["install", "--lockfile-only"]].map(|arguments| {
        let project = Project::new(&registry).dep("a", "1").create();
        crate::harness::command(&project).args(arguments).run().success();
        project.read("package-lock.json")
    });
    assert_eq!(locks[0], locks[1]);
}

#[test]
fn key_order_of_the_manifest_does_not_change_the_lockfile() {
    let registry = Registry::start();
    registry.package("x", "1.0.0").dep("z", "1").publish();
    registry.package("y", "1.0.0").dep("z", "2").publish();
    registry.package("z", "1.0.0").publish();
    registry.package("z", "2.0.0").publish();
    let orders = [[("x", "1"), ("y", "1")], [("y", "1"), ("x", "1")]];
    let locks = orders.map(|order| {
        let builder = order
            .into_iter()
            .fold(Project::new(&registry), |builder, (name, spec)| builder.dep(name, spec));
        let project = builder.create();
        ok(&project, ["install"]);
        let mut lock = project.json("package-lock.json");
        lock["packages"].as_object_mut().unwrap().remove("");
        lock
    });
    assert_eq!(locks[0], locks[1]);
    assert_eq!(locks[0]["packages"]["node_modules/z"]["version"], "1.0.0");
}

#[test]
fn indentation_and_line_ends_of_the_lockfile_are_kept() {
    let registry = registry();
    let project = locked_project(&registry);
    let lock: serde_json::Value = project.json("package-lock.json");
    let text = serde_json::to_string_pretty(&lock).unwrap();
    let tabs: String = text
        .lines()
        .map(|line| {
            let content = line.trim_start();
            format!("{}{content}\r\n", "\t".repeat((line.len() - content.len()) / 2))
        })
        .collect();
    project.write("package-lock.json", &tabs);
    project.write(
        "package.json",
        r#"{"name":"project","version":"1.0.0","dependencies":{"a":"^1.0.0","c":"1"}}"#,
    );
    ok(&project, ["install"]);
    let written = project.read("package-lock.json");
    assert!(
        written.contains("\r\n\t\t\"node_modules/c\": {\r\n\t\t\t\"version\": \"1.0.0\",\r\n"),
        "{written}"
    );
    assert_eq!(written.matches('\n').count(), written.matches("\r\n").count());
}

#[test]
fn damaged_lockfiles_are_errors_and_nothing_changes() {
    let texts = [
        ("{", "DX_LOCKFILE_SYNTAX"),
        ("<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> other\n", "DX_LOCKFILE_CONFLICT"),
        (r#"{"lockfileVersion":9,"packages":{}}"#, "DX_LOCKFILE_VERSION"),
    ];
    for (text, code) in texts {
        let registry = registry();
        let project =
            Project::new(&registry).dep("a", "1").file("package-lock.json", text).create();
        let before = files(&project);
        let stderr = fails(dx(&project, ["install"]), code);
        assert!(stderr.contains("package-lock.json"), "{stderr}");
        assert_eq!(files(&project), before);
    }
}

#[test]
fn lockfile_that_leads_out_of_node_modules_is_refused() {
    for path in [
        "node_modules/../../escaped",
        "node_modules/.bin",
        "node_modules/a/../../b",
        "/node_modules/a",
    ] {
        let registry = registry();
        let project = locked_project(&registry);
        let text = project.read("package-lock.json").replace("node_modules/b", path);
        project.write("package-lock.json", text);
        let before = files(&project);
        let run = dx(&project, ["ci"]);
        assert_eq!(run.status, Some(1), "{path}: {run}");
        assert_eq!(files(&project), before, "{path}");
    }
}

#[test]
fn lockfile_of_another_manager_is_an_error() {
    let registry = registry();
    for name in ["pnpm-lock.yaml", "yarn.lock", "bun.lock"] {
        let project = Project::new(&registry).dep("a", "1").file(name, "").create();
        let stderr = fails(dx(&project, ["install"]), "DX_FOREIGN_LOCKFILE");
        assert!(stderr.contains(name), "{stderr}");
        assert!(!project.exists("package-lock.json"));
    }
}

#[test]
fn setting_package_lock_false_neither_reads_nor_writes_one() {
    let registry = registry();
    let project = locked_project(&registry);
    project.write(".npmrc", format!("registry={}\npackage-lock=false\n", registry.url()));
    let lock = project.read("package-lock.json");
    ok(&project, ["install"]);
    assert_eq!(required(&project, "b"), "b@1.1.0");
    assert_eq!(project.read("package-lock.json"), lock);
}

#[test]
fn lockfile_without_registry_addresses_is_written_and_read() {
    let registry = registry();
    let project = Project::new(&registry)
        .dep("a", "1")
        .npmrc("omit-lockfile-registry-resolved=true")
        .create();
    ok(&project, ["install"]);
    assert!(locked(&project, "node_modules/a")["resolved"].is_null());
    let other = Project::new(&registry)
        .dep("a", "1")
        .file("package-lock.json", project.read("package-lock.json"));
    let other = other.create();
    ok(&other, ["ci"]);
    assert_eq!(required(&other, "b"), "b@1.0.0");
}
