//! Lockfiles and packuments without digests: the registry is asked, and else the first download's
//! digest is taken.

use std::fs;

use dx_pkg_testkit::{Fault, Project, Registry};
use serde_json::json;

use crate::harness::{dx, fails, ok, required};
use crate::incomplete::{entry, locked, project, version_3};

/// Publishes `d`, which requires `e`.
fn plain() -> Registry {
    let registry = Registry::start();
    registry.package("d", "1.0.0").dep("e", "^1.0.0").bin("d", "index.js").publish();
    registry.package("e", "1.0.0").publish();
    registry
}

#[test]
fn missing_integrities_come_from_the_registry_and_leave_the_lockfile_as_it_is() {
    for lacks in [json!({"integrity": null}), json!({"integrity": null, "resolved": null})] {
        for command in [["ci"], ["install"]] {
            let registry = plain();
            let mut d = lacks.clone();
            d["dependencies"] = json!({"e": "^1.0.0"});
            d["bin"] = json!({"d": "index.js"});
            let entries = json!({
                "node_modules/d": entry(&registry, "d", d),
                "node_modules/e": entry(&registry, "e", lacks.clone()),
            });
            registry.package("e", "1.1.0").publish();
            let dependencies = json!({"d": "^1.0.0"});
            let project = project(&registry, &dependencies, version_3(&dependencies, entries));
            let lock = project.read("package-lock.json");
            ok(&project, command);
            assert_eq!(required(&project, "e"), "e@1.0.0");
            assert!(project.exists("node_modules/.bin/d"));
            assert_eq!(project.read("package-lock.json"), lock, "{command:?} {lacks}");
            let again = ok(&project, ["install"]);
            assert!(again.stdout.contains("up to date"), "{again}");
        }
    }
}

#[test]
fn bytes_that_differ_from_the_registrys_digest_are_refused() {
    let registry = plain();
    let entries = json!({"node_modules/e": entry(&registry, "e", json!({"integrity": null}))});
    let dependencies = json!({"e": "^1.0.0"});
    let project = project(&registry, &dependencies, version_3(&dependencies, entries));
    registry.fault("/e/-/*", Fault::WrongBytes).every(1);
    let run = dx(&project, ["ci"]);
    assert_eq!(run.status, Some(1), "{run}");
    assert!(!project.exists("node_modules"));
}

#[test]
fn entry_with_nothing_but_an_integrity_is_resolved_anew() {
    let registry = plain();
    let lacks = json!({"version": null, "resolved": null});
    let entries = json!({"node_modules/e": entry(&registry, "e", lacks)});
    let dependencies = json!({"e": "^1.0.0"});
    let project = project(&registry, &dependencies, version_3(&dependencies, entries));
    fails(dx(&project, ["ci"]), "DX_LOCKFILE_OUT_OF_DATE");
    ok(&project, ["install"]);
    assert_eq!(locked(&project, "e")["version"], json!("1.0.0"));
}

#[test]
fn sha_1_of_the_registry_or_the_lockfile_is_enough() {
    let registry = Registry::start();
    registry.package("old", "1.0.0").without_integrity().publish();
    let project = Project::new(&registry).dep("old", "^1.0.0").create();
    ok(&project, ["install"]);
    let integrity = locked(&project, "old")["integrity"].as_str().unwrap().to_owned();
    assert!(integrity.starts_with("sha1-"), "{integrity}");
    ok(&project, ["ci"]);
    assert!(project.exists("node_modules/old"));
}

/// What allows a package of which nothing tells the digest.
const ALLOWED: &str = "allow-missing-integrity=true";

fn allow(project: &Project) {
    fs::write(project.home().join(".npmrc"), format!("{ALLOWED}\n")).unwrap();
}

#[test]
fn package_without_digest_is_refused_unless_that_is_allowed() {
    for dist in [
        json!({}),
        json!({"integrity": ""}),
        json!({"integrity": 5, "shasum": 7}),
        json!({"integrity": {"sha512": "x"}, "shasum": ["x"]}),
        json!({"shasum": "zz"}),
    ] {
        let registry = Registry::start();
        registry.package("bare", "1.0.0").without_digests().dist_fields(dist.clone()).publish();
        let project = Project::new(&registry).dep("bare", "^1.0.0").create();
        let error = fails(dx(&project, ["install"]), "DX_NO_INTEGRITY");
        assert!(error.contains("bare@1.0.0") && error.contains("--allow-missing"), "{error}");
        assert_eq!(registry.tarball_requests(), 0, "{dist}");
        assert!(!project.exists("node_modules") && !project.exists("package-lock.json"));
        ok(&project, ["install", "--allow-missing-integrity"]);
        assert!(project.exists("node_modules/bare"), "{dist}");
        // Its digest is in the lockfile now.
        ok(&project, ["ci"]);
    }
}

#[test]
fn optional_package_without_digest_is_left_out_and_said() {
    let registry = plain();
    registry.package("bare", "1.0.0").without_digests().publish();
    let project = Project::new(&registry).dep("e", "1").optional("bare", "1").create();
    let run = ok(&project, ["install"]);
    assert!(run.stderr.contains("bare@1.0.0"), "{run}");
    assert!(project.exists("node_modules/e") && !project.exists("node_modules/bare"));
}

/// Returns a project that depends on a package without any digest.
fn without_digest(registry: &Registry) -> Project {
    registry.package("bare", "1.0.0").bin("bare", "index.js").without_digests().publish();
    Project::new(registry).dep("bare", "^1.0.0").user_npmrc(ALLOWED).create()
}

#[test]
fn digest_of_the_first_download_is_recorded_said_and_required() {
    let registry = Registry::start();
    let project = without_digest(&registry);
    let run = ok(&project, ["install"]);
    assert!(run.stderr.contains("no digest of bare@1.0.0"), "{run}");
    assert_eq!(registry.tarball_requests(), 1);
    assert_eq!(locked(&project, "bare")["integrity"], json!(registry.integrity("bare", "1.0.0")));
    let again = ok(&project, ["ci"]);
    assert!(!again.stderr.contains("no digest"), "{again}");

    let elsewhere = Project::new(&registry)
        .dep("bare", "^1.0.0")
        .user_npmrc(ALLOWED)
        .file("package-lock.json", project.read("package-lock.json"))
        .create();
    registry.unpublish("bare", "1.0.0");
    registry.package("bare", "1.0.0").file("changed", "").without_digests().publish();
    fails(dx(&elsewhere, ["ci"]), "DX_INTEGRITY_MISMATCH");
}

#[test]
fn ci_installs_what_no_digest_vouches_for_and_says_it() {
    let registry = Registry::start();
    drop(without_digest(&registry));
    let dependencies = json!({"bare": "^1.0.0"});
    let entries = json!({
        "node_modules/bare": entry(&registry, "bare", json!({"integrity": null, "bin": {"bare": "index.js"}})),
    });
    let project = project(&registry, &dependencies, version_3(&dependencies, entries));
    let lock = project.read("package-lock.json");
    fails(dx(&project, ["ci"]), "DX_NO_INTEGRITY");
    allow(&project);
    let run = ok(&project, ["ci"]);
    assert!(run.stderr.contains("could not be verified"), "{run}");
    assert!(project.exists("node_modules/.bin/bare"));
    assert_eq!(project.read("package-lock.json"), lock);
    ok(&project, ["install"]);
    assert!(!locked(&project, "bare")["integrity"].is_null());
}

#[test]
fn package_without_digest_can_be_added_to_a_tree_in_place() {
    let registry = plain();
    let project = Project::new(&registry).dep("d", "^1.0.0").create();
    ok(&project, ["install"]);
    registry.package("bare", "1.0.0").without_digests().publish();
    fails(dx(&project, ["add", "bare"]), "DX_NO_INTEGRITY");
    allow(&project);
    ok(&project, ["add", "bare"]);
    assert!(project.exists("node_modules/bare") && project.exists("node_modules/d"));
    assert!(!locked(&project, "bare")["integrity"].is_null());
}

#[test]
fn entry_from_git_or_a_url_without_integrity_is_refused_with_the_true_cause() {
    let registry = plain();
    let url = "http://127.0.0.1:1/e/-/e-1.0.0.tgz";
    let git = "git+ssh://git@host.invalid/e.git#0123456789012345678901234567890123456789";
    for (spec, resolved, code, cause) in [
        (url, url, "DX_NO_INTEGRITY", "from a URL"),
        ("git+ssh://git@host.invalid/e.git", git, "DX_SOURCE_NOT_ALLOWED", "comes from git+ssh://"),
    ] {
        let dependencies = json!({"e": spec});
        let entries = json!({"node_modules/e": {"version": "1.0.0", "resolved": resolved}});
        let project = project(&registry, &dependencies, version_3(&dependencies, entries));
        let error = fails(dx(&project, ["ci", "--allow-remote=all"]), code);
        assert!(error.contains(cause), "{error}");
        assert_eq!(registry.requests().len(), 0, "no registry is asked about it");
    }
}

#[test]
fn entry_without_address_is_fetched_from_where_the_packument_says() {
    let mirror = plain();
    let registry = plain();
    registry.tarballs_at(mirror.url());
    registry.fault("/e/-/*", Fault::status(404)).every(1);
    let mut asked = 0;
    for lacks in [json!({"resolved": null}), json!({"resolved": null, "integrity": null})] {
        for command in [["ci"], ["install"]] {
            let entries = json!({"node_modules/e": entry(&registry, "e", lacks.clone())});
            let dependencies = json!({"e": "^1.0.0"});
            let project = project(&registry, &dependencies, version_3(&dependencies, entries));
            let lock = project.read("package-lock.json");
            let run = dx(&project, command);
            assert!(run.stderr.contains("allow-remote"), "{run}");
            assert_eq!(mirror.requests().len(), asked, "it is not asked unless that is allowed");
            std::fs::write(project.home().join(".npmrc"), "allow-remote=all\n").unwrap();
            ok(&project, command);
            assert!(project.exists("node_modules/e/package.json"));
            asked = mirror.requests().len();
            assert_eq!(project.read("package-lock.json"), lock);
        }
    }
}

#[test]
fn add_without_integrities_in_the_lockfile_takes_the_full_install() {
    let registry = plain();
    registry.package("x", "1.0.0").publish();
    let entries = json!({"node_modules/e": entry(&registry, "e", json!({"integrity": null}))});
    let dependencies = json!({"e": "^1.0.0"});
    let project = project(&registry, &dependencies, version_3(&dependencies, entries));
    ok(&project, ["install"]);
    ok(&project, ["add", "x"]);
    assert!(project.exists("node_modules/x") && project.exists("node_modules/e"));
    assert!(locked(&project, "e")["integrity"].is_null(), "npm leaves it as it is");
    project.remove("node_modules");
    ok(&project, ["ci"]);
    assert!(project.exists("node_modules/x") && project.exists("node_modules/e"));
}

#[test]
fn forbidden_address_is_not_asked_for_a_digest() {
    let mirror = Registry::start();
    let registry = Registry::start();
    for one in [&mirror, &registry] {
        one.package("bare", "1.0.0").without_digests().publish();
    }
    registry.tarballs_at(mirror.url());
    let dependencies = json!({"bare": "^1.0.0"});
    let entries = json!({"node_modules/bare": {"version": "1.0.0"}});
    let project = project(&registry, &dependencies, version_3(&dependencies, entries));
    fails(dx(&project, ["ci"]), "DX_SOURCE_NOT_ALLOWED");
    assert_eq!(mirror.requests().len(), 0);
}
