//! Entries of old lockfiles for optional packages that could not be loaded: they have no version.

use dx_pkg_testkit::{Project, Registry};
use serde_json::{Value, json};

use crate::harness::{dx, fails, ok};

/// A project with a lockfile of version 1 in which `user` has an entry for `absent`.
fn project(registry: &Registry, is_nested: bool) -> Project {
    let mut user = json!({
        "version": "1.0.0", "requires": {"absent": "^2.0.0"},
        "resolved": format!("{}/user/-/user-1.0.0.tgz", registry.url().trim_end_matches('/')),
        "integrity": registry.integrity("user", "1.0.0"),
    });
    let absent = json!({"absent": {"optional": true}});
    let mut all = json!({});
    if is_nested {
        user["dependencies"] = absent;
    } else {
        all = absent;
    }
    all["user"] = user;
    let lock = json!({
        "name": "p", "version": "1.0.0", "lockfileVersion": 1, "requires": true, "dependencies": all
    });
    Project::new(registry)
        .package_json(r#"{"name":"p","version":"1.0.0","dependencies":{"user":"1.0.0"}}"#)
        .file("package-lock.json", lock.to_string())
        .create()
}

fn registry() -> Registry {
    let registry = Registry::start();
    registry.package("user", "1.0.0").optional("absent", "^2.0.0").publish();
    registry
}

#[test]
fn entry_without_a_version_is_no_reason_to_refuse_where_there_is_still_no_package() {
    let registry = registry();
    for is_nested in [true, false] {
        let project = project(&registry, is_nested);
        ok(&project, ["ci"]);
        assert!(project.exists("node_modules/user/package.json"));
        assert!(!project.exists("node_modules/absent"));
        assert!(!project.exists("node_modules/user/node_modules"));
        ok(&project, ["install"]);
        let lock: Value = project.json("package-lock.json");
        assert!(lock["packages"].get("node_modules/absent").is_none(), "{lock}");
    }
}

#[test]
fn package_that_is_published_meanwhile_comes_with_the_next_install() {
    let registry = registry();
    registry.package("absent", "2.0.0").publish();
    let project = project(&registry, true);
    // As for npm: the lockfile lacks it now.
    fails(dx(&project, ["ci"]), "DX_LOCKFILE_OUT_OF_DATE");
    ok(&project, ["install"]);
    assert!(project.exists("node_modules/absent"), "{}", project.read("package-lock.json"));
}
