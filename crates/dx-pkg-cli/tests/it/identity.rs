//! Scripts are allowed to packages, not to names; a lockfile does not lead packages elsewhere.

use dx_pkg_testkit::{Fault, Project, Registry};
use serde_json::{Value, json};

use crate::harness::{dx, fails, ok};

/// Returns a registry with the package that is allowed, and one that wants to be taken for it.
fn registry() -> Registry {
    let registry = Registry::start();
    let script = "node -e \"require('fs').appendFileSync(process.env.INIT_CWD + '/ran', 'x')\"";
    registry.package("good", "1.0.0").script("postinstall", script).publish();
    registry.package("evil", "1.0.0").script("postinstall", script).publish();
    registry
}

fn entry(registry: &Registry, name: &str) -> Value {
    json!({
        "version": "1.0.0",
        "resolved": format!("{}{name}/-/{name}-1.0.0.tgz", registry.url()),
        "integrity": registry.integrity(name, "1.0.0"),
        "hasInstallScript": true,
    })
}

/// Returns a project that allows `good`, with this lockfile entry for it.
fn project(registry: &Registry, entry: &Value) -> Project {
    let dependencies = json!({"good": "1.0.0"});
    let lock = json!({
        "name": "project", "version": "1.0.0", "lockfileVersion": 3, "requires": true,
        "packages": {
            "": {"name": "project", "version": "1.0.0", "dependencies": dependencies},
            "node_modules/good": entry,
        },
    });
    Project::new(registry)
        .dep("good", "1.0.0")
        .field("allowScripts", json!({"good": true}))
        .file("package-lock.json", lock.to_string())
        .create()
}

fn with(mut entry: Value, changes: &[(&str, Value)]) -> Value {
    for (key, value) in changes {
        entry[*key] = value.clone();
    }
    entry
}

#[test]
fn the_registrys_own_package_may_run() {
    let registry = registry();
    for entry in [
        entry(&registry, "good"),
        // Without an address the registry is asked, and so it is without a digest.
        json!({"version": "1.0.0", "integrity": registry.integrity("good", "1.0.0"), "hasInstallScript": true}),
        with(
            entry(&registry, "good"),
            &[("resolved", json!(format!("{}good/-/good-1.0.0.tgz", registry.url())))],
        ),
    ] {
        let project = project(&registry, &entry);
        let run = ok(&project, ["ci"]);
        assert!(project.exists("ran"), "{entry} {run}");
        assert!(!run.stderr.contains("not run"), "{run}");
    }
}

#[test]
fn another_package_under_the_name_may_not_run() {
    let registry = registry();
    let numbered = format!("{}files/17", registry.url());
    let evil = entry(&registry, "evil");
    let own = format!("{}good/-/good-1.0.0.tgz", registry.url());
    for entry in [
        evil.clone(),
        with(evil.clone(), &[("name", json!("good"))]),
        with(evil.clone(), &[("version", json!("1.0.1"))]),
        // The address says nothing, and the metadata has another digest.
        with(evil.clone(), &[("resolved", json!(numbered)), ("name", json!("good"))]),
        // The address is the right one, and the store has the other package's bytes.
        with(evil, &[("resolved", json!(own))]),
    ] {
        let warm = Project::new(&registry).dep("evil", "1.0.0").create();
        ok(&warm, ["install"]);
        let lock = project(&registry, &entry);
        let project = Project::new(&registry)
            .package_json(&lock.read("package.json"))
            .file("package-lock.json", lock.read("package-lock.json"))
            .store(warm.store())
            .create();
        let run = dx(&project, ["ci"]);
        assert!(!project.exists("ran"), "{entry} {run}");
        assert!(run.status != Some(0) || run.stderr.contains("not run"), "{entry} {run}");
    }
}

#[test]
fn another_host_is_vouched_for_by_the_registrys_metadata() {
    let script = "node -e \"require('fs').appendFileSync(process.env.INIT_CWD + '/ran', 'x')\"";
    for (digest_differs, runs) in [(false, true), (true, false)] {
        let (registry, files) = (Registry::start(), Registry::start());
        registry.package("good", "1.0.0").script("postinstall", script).publish();
        let mut other = files.package("good", "1.0.0").script("postinstall", script);
        if digest_differs {
            other = other.file("more.js", "evil");
        }
        other.publish();
        let entry = entry(&files, "good");
        let project = project(&registry, &entry);
        std::fs::write(project.home().join(".npmrc"), "allow-remote=all\n").unwrap();
        let run = ok(&project, ["ci"]);
        assert_eq!(project.exists("ran"), runs, "{run}");
        assert_eq!(run.stderr.contains("come from another place"), !runs, "{run}");
    }
}

#[test]
fn a_registry_that_cannot_be_asked_is_an_error_and_offline_a_warning() {
    let (registry, files) = (Registry::start(), Registry::start());
    let script = "node -e \"require('fs').appendFileSync(process.env.INIT_CWD + '/ran', 'x')\"";
    for registry in [&registry, &files] {
        registry.package("good", "1.0.0").script("postinstall", script).publish();
    }
    let project = project(&registry, &entry(&files, "good"));
    std::fs::write(project.home().join(".npmrc"), "allow-remote=all\nfetch-retries=0\n").unwrap();
    registry.fault("/good", Fault::status(500));
    let run = dx(&project, ["ci"]);
    assert!(run.status == Some(1) && run.stderr.contains("500"), "{run}");
    assert!(!project.exists("ran") && !project.exists("node_modules/good"), "{run}");

    // The store has the package by now.
    let run = ok(&project, ["ci", "--offline"]);
    assert!(run.stderr.contains("cannot be asked offline") && !project.exists("ran"), "{run}");
    registry.clear_faults();
    ok(&project, ["rebuild"]);
    assert!(project.exists("ran"));
}

#[test]
fn the_tarballs_own_manifest_must_agree() {
    let registry = Registry::start();
    let script = json!({"postinstall": "node -e \"require('fs').writeFileSync(process.env.INIT_CWD + '/ran', '')\""});
    let inside = Registry::start();
    let inside = inside.package("other", "1.0.0").field("scripts", script).tarball();
    let integrity = dx_pkg_testkit::integrity_sha512(&inside);
    registry
        .package("good", "1.0.0")
        .script("postinstall", "true")
        .registry_field(
            "dist",
            json!({"tarball": "/good/-/good-1.0.0.tgz", "integrity": integrity}),
        )
        .publish();
    registry.fault("/good/-/good-1.0.0.tgz", Fault::Body(inside));
    let project = Project::new(&registry)
        .dep("good", "1.0.0")
        .field("allowScripts", json!({"good": true}))
        .create();
    let run = ok(&project, ["install"]);
    assert!(!project.exists("ran") && run.stderr.contains("other@1.0.0"), "{run}");
}

#[test]
fn entries_for_other_places_are_errors_that_name_them() {
    let registry = registry();
    for place in [
        "file:evil.tgz",
        "file:../evil.tgz",
        "git+ssh://git@host.example/a/b.git#0123456789012345678901234567890123456789",
        "git+https://u:s3cret@host.example/a/b.git#0123456789012345678901234567890123456789",
        "ftp://host.example/evil-1.0.0.tgz",
        "evil-1.0.0.tgz",
        "ssh://host.example/evil",
    ] {
        for command in ["ci", "install"] {
            let project =
                project(&registry, &with(entry(&registry, "good"), &[("resolved", json!(place))]));
            let stderr = fails(dx(&project, [command]), "DX_LOCK_ORIGIN");
            assert!(stderr.contains("node_modules/good"), "{stderr}");
            assert!(!stderr.contains("s3cret"), "{stderr}");
            assert!(!project.exists("node_modules/good"), "{place}");
        }
    }
    assert_eq!(registry.tarball_requests(), 0);
}
