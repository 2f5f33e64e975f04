//! Packages from outside the registries that the project no longer requires from there.

use dx_pkg_testkit::{Project, Registry};
use serde_json::json;

use crate::harness::{dx, fails, locked, ok};

/// A registry with `lib` in a version of its own, and `user`, which requires it.
fn registry() -> Registry {
    let registry = Registry::start();
    registry.package("lib", "1.0.0").file("from", "registry").publish();
    registry.package("user", "1.0.0").dep("lib", "^1.0.0").publish();
    registry
}

/// The tarball of another `lib` of the same version.
fn other_lib() -> Vec<u8> {
    let server = Registry::start();
    server.package("lib", "1.0.0").file("from", "tarball").tarball()
}

fn project(registry: &Registry) -> Project {
    Project::new(registry)
        .dep("lib", "file:lib.tgz")
        .dep("user", "1.0.0")
        .file("lib.tgz", other_lib())
        .create()
}

fn is_the_registrys(project: &Project, registry: &Registry) {
    assert_eq!(project.read("node_modules/lib/from"), "registry");
    assert_eq!(
        locked(project, "node_modules/lib")["integrity"],
        registry.integrity("lib", "1.0.0")
    );
    ok(project, ["ci"]);
    let again = ok(project, ["install"]);
    assert!(again.stdout.starts_with("Already up to date"), "{again}");
}

#[test]
fn removed_tarball_is_replaced_where_another_package_requires_the_name() {
    let registry = registry();
    let project = project(&registry);
    ok(&project, ["install"]);
    assert_eq!(project.read("node_modules/lib/from"), "tarball");
    ok(&project, ["remove", "lib"]);
    is_the_registrys(&project, &registry);
}

#[test]
fn requirement_that_is_a_range_now_takes_the_registrys_package() {
    let registry = registry();
    for lib in [json!("^1.0.0"), json!(null)] {
        let project = project(&registry);
        ok(&project, ["install"]);
        let mut manifest = json!({"dependencies": {"user": "1.0.0"}});
        if !lib.is_null() {
            manifest["dependencies"]["lib"] = lib;
        }
        project.write("package.json", manifest.to_string());
        // A lockfile that is not to be changed is not changed for that.
        fails(dx(&project, ["ci"]), "DX_LOCK_ORIGIN");
        ok(&project, ["install"]);
        is_the_registrys(&project, &registry);
    }
}

#[test]
fn tarball_that_a_folder_requires_too_stays() {
    let registry = registry();
    let project = Project::new(&registry)
        .dep("lib", "file:lib.tgz")
        .dep("user", "1.0.0")
        .dep("folder", "file:folder")
        .file("lib.tgz", other_lib())
        .file(
            "folder/package.json",
            r#"{"name":"folder","dependencies":{"lib":"file:../lib.tgz"}}"#,
        )
        .create();
    ok(&project, ["install"]);
    ok(&project, ["remove", "lib"]);
    assert_eq!(project.read("node_modules/lib/from"), "tarball");
}

#[test]
fn link_out_of_the_project_goes_with_its_requirement() {
    let registry = registry();
    let beside = tempfile::tempdir().unwrap();
    std::fs::write(beside.path().join("package.json"), r#"{"name":"lib","version":"1.0.0"}"#)
        .unwrap();
    let spec = format!("file:{}", beside.path().display());
    let project = Project::new(&registry).dep("lib", &spec).dep("user", "1.0.0").create();
    ok(&project, ["install"]);
    assert!(locked(&project, "node_modules/lib")["link"].as_bool().unwrap());
    ok(&project, ["remove", "lib"]);
    is_the_registrys(&project, &registry);
    assert!(beside.path().join("package.json").exists(), "the folder is the user's");
}

#[test]
fn version_that_the_tarball_had_leaves_with_what_needs_it_as_a_peer() {
    let registry = Registry::start();
    for version in ["1.0.0", "3.0.0"] {
        registry.package("lib", version).publish();
    }
    registry.package("plugin", "1.0.0").peer("lib", "^1.0.0").publish();
    registry.package("user", "1.0.0").dep("plugin", "^1.0.0").publish();
    let project = project(&registry);
    ok(&project, ["install"]);
    assert!(project.exists("node_modules/plugin"));
    let manifest = json!({"dependencies": {"lib": "3.0.0", "user": "1.0.0"}});
    project.write("package.json", manifest.to_string());
    let installed = ok(&project, ["install"]);
    assert!(!installed.stderr.contains("not met"), "{installed}");
    assert_eq!(locked(&project, "node_modules/lib")["version"], "3.0.0");
    assert_eq!(locked(&project, "node_modules/user/node_modules/lib")["version"], "1.0.0");
    ok(&project, ["ci"]);
}
