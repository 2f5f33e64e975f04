//! A registry that is down, slow, refuses, lies or is hostile: a clear error, and nothing
//! half-written.

use std::fs;

use dx_pkg_testkit::{Entry, Fault, Project, Registry};

use crate::harness::{dx, fails, files, impatient, incompressible, ok, required, stored, unpacked};

fn registry() -> Registry {
    registry_with("x".repeat(4000).into())
}

fn registry_with(data: Vec<u8>) -> Registry {
    let registry = Registry::start();
    registry.package("a", "1.0.0").file("data", data).publish();
    registry
}

/// Runs an install that fails with `code` and changes nothing, and one without the fault, which
/// succeeds.
#[track_caller]
fn fails_then_heals(registry: &Registry, pattern: &str, fault: Fault, code: &str) -> String {
    let project = impatient(registry).dep("a", "^1.0.0").create();
    let before = files(&project);
    let fault = registry.fault(pattern, fault);
    let stderr = fails(dx(&project, ["install"]), code);
    assert!(stderr.contains('a'), "what could not be had: {stderr}");
    assert!(fault.hits() > 0, "the fault never struck");
    assert_eq!(files(&project), before, "{code}");
    assert_eq!((stored(&project), unpacked(&project)), (Vec::new(), Vec::new()), "{code}");
    fault.clear();
    ok(&project, ["install"]);
    assert_eq!(required(&project, "a"), "a@1.0.0");
    stderr
}

#[test]
fn registry_that_is_down() {
    let registry = registry();
    let project = impatient(&registry).dep("a", "1").create();
    let before = files(&project);
    let stderr =
        fails(dx(&project, ["install", "--registry", "http://127.0.0.1:1/"]), "DX_FETCH_CONNECT");
    assert!(stderr.contains("127.0.0.1:1") && stderr.contains("help:"), "{stderr}");
    assert_eq!(files(&project), before);
    ok(&project, ["install"]);
    assert_eq!(required(&project, "a"), "a@1.0.0");
}

#[test]
fn packument_requests_that_fail() {
    let cases = [
        (Fault::Stall, "DX_FETCH_TIMEOUT"),
        (Fault::StallBody, "DX_FETCH_TIMEOUT"),
        (Fault::status(404), "DX_PACKAGE_NOT_FOUND"),
        (Fault::status(401), "DX_UNAUTHORIZED"),
        (Fault::status(403), "DX_UNAUTHORIZED"),
        (Fault::status(500), "DX_FETCH_STATUS"),
        (Fault::status(503), "DX_FETCH_STATUS"),
        (Fault::status(429), "DX_FETCH_STATUS"),
        (Fault::Drop, "DX_FETCH_CONNECT"),
        (Fault::Truncate, "DX_FETCH_TRUNCATED"),
        (Fault::bad_json(), "DX_BAD_PACKUMENT"),
        (Fault::Body(b"<html>please log in</html>".to_vec()), "DX_BAD_PACKUMENT"),
        (Fault::Body(b"{}".to_vec()), "DX_BAD_PACKUMENT"),
        (
            Fault::Body(br#"{"name":"other","versions":{},"dist-tags":{}}"#.to_vec()),
            "DX_BAD_PACKUMENT",
        ),
    ];
    for (fault, code) in cases {
        fails_then_heals(&registry(), "/a", fault, code);
    }
}

#[test]
fn tarball_requests_that_fail() {
    tarball_requests_fail(|| vec![b'x'; 4000]);
}

#[test]
fn requests_for_tarballs_that_are_unpacked_as_they_arrive_fail() {
    tarball_requests_fail(incompressible);
}

fn tarball_requests_fail(data: impl Fn() -> Vec<u8>) {
    let other = registry();
    let another = other.package("a", "2.0.0").tarball();
    let cases = [
        (Fault::Stall, "DX_FETCH_TIMEOUT"),
        (Fault::StallBody, "DX_FETCH_TIMEOUT"),
        (Fault::status(404), "DX_TARBALL_NOT_FOUND"),
        (Fault::status(401), "DX_UNAUTHORIZED"),
        (Fault::status(500), "DX_FETCH_STATUS"),
        (Fault::Drop, "DX_FETCH_CONNECT"),
        (Fault::Truncate, "DX_FETCH_TRUNCATED"),
        (Fault::WrongBytes, "DX_INTEGRITY_MISMATCH"),
        (Fault::Body(another), "DX_INTEGRITY_MISMATCH"),
        (Fault::Body(b"<html>please log in</html>".to_vec()), "DX_INTEGRITY_MISMATCH"),
        (Fault::Body(Vec::new()), "DX_INTEGRITY_MISMATCH"),
    ];
    for (fault, code) in cases {
        fails_then_heals(&registry_with(data()), "/a/-/*", fault, code);
    }
}

#[test]
fn failing_install_leaves_the_tree_that_is_there() {
    let registry = registry();
    registry.package("b", "1.0.0").publish();
    let project = impatient(&registry).dep("a", "1").create();
    ok(&project, ["install"]);
    let (before, packages) = (files(&project), stored(&project));
    registry.fault("/b/-/*", Fault::WrongBytes);
    for kind in ["-P", "-D"] {
        fails(dx(&project, ["install", kind, "b"]), "DX_INTEGRITY_MISMATCH");
        assert_eq!((files(&project), stored(&project)), (before.clone(), packages.clone()));
    }
}

#[test]
fn transient_faults_are_retried() {
    let cases = [
        Fault::status(429).header("retry-after", "1"),
        Fault::status(503),
        Fault::status(500),
        Fault::Drop,
        Fault::Truncate,
        Fault::Stall,
    ];
    for fault in cases {
        for pattern in ["/a", "/a/-/*"] {
            let registry = registry();
            let struck = registry.fault(pattern, fault.clone()).times(1);
            let project = impatient(&registry).dep("a", "1").create();
            let run = ok(&project, ["install"]);
            assert_eq!(struck.hits(), 1);
            assert_eq!(required(&project, "a"), "a@1.0.0");
            assert_eq!(run.stderr, "", "what was waited out is not complained about");
        }
    }
}

#[test]
fn full_packument_for_an_abbreviated_request_is_understood() {
    let registry = registry();
    registry.without_gzip();
    registry.fault("/a", Fault::FullPackument);
    let project = Project::new(&registry).dep("a", "1").create();
    ok(&project, ["install"]);
    assert_eq!(required(&project, "a"), "a@1.0.0");
}

#[test]
fn lockfile_that_lies_about_integrity_is_caught() {
    let registry = registry();
    let honest = Project::new(&registry).dep("a", "1").create();
    ok(&honest, ["install"]);
    let lock = honest.read("package-lock.json");
    let wrong = format!("sha512-{}==", "A".repeat(86));
    let lie = lock.replace(&registry.integrity("a", "1.0.0"), &wrong);
    let project = impatient(&registry).dep("a", "1").file("package-lock.json", lie).create();
    let before = files(&project);
    fails(dx(&project, ["ci"]), "DX_INTEGRITY_MISMATCH");
    assert_eq!(files(&project), before);
    assert_eq!((stored(&project), unpacked(&project)), (Vec::new(), Vec::new()));
    project.write("package-lock.json", lock);
    ok(&project, ["ci"]);
    assert_eq!(required(&project, "a"), "a@1.0.0");
}

#[test]
fn hostile_tarballs_write_nothing() {
    let cases = [
        (Entry::file("package/../../escaped", "x"), "DX_TARBALL_UNSAFE_PATH"),
        (Entry::file("package/lib/../../../escaped", "x"), "DX_TARBALL_UNSAFE_PATH"),
        (Entry::file("package/a\\..\\..\\escaped", "x"), "DX_TARBALL_UNSAFE_PATH"),
        (Entry::file("package/C:/escaped", "x"), "DX_TARBALL_UNSAFE_PATH"),
        (Entry::file("package/index.js/below-a-file", "x"), "DX_TARBALL_COLLISION"),
    ];
    for (data, (entry, code)) in [Vec::new(), incompressible()]
        .iter()
        .flat_map(|data| cases.iter().map(move |case| (data, case)))
    {
        let registry = Registry::start();
        registry
            .package("a", "1.0.0")
            .file("data", data.clone())
            .raw_entry(entry.clone())
            .publish();
        let project = Project::new(&registry).dep("a", "1").create();
        let before = files(&project);
        let outside = entries(&project);
        let stderr = fails(dx(&project, ["install"]), code);
        assert!(stderr.contains('a'), "{stderr}");
        assert_eq!(files(&project), before, "{entry:?}");
        assert_eq!((stored(&project), unpacked(&project)), (Vec::new(), Vec::new()), "{entry:?}");
        assert_eq!(entries(&project), outside, "{entry:?}");
    }
}

/// Returns the names beside the project.
fn entries(project: &Project) -> Vec<String> {
    let parent = project.path();
    let parent = parent.parent().unwrap();
    let mut names: Vec<String> = fs::read_dir(parent)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "store")
        .collect();
    names.sort();
    names
}

#[test]
fn links_in_tarballs_are_never_made() {
    let registry = Registry::start();
    registry
        .package("a", "1.0.0")
        .raw_entry(Entry::symlink("package/passwords", "/etc/passwd"))
        .publish();
    let project = Project::new(&registry).dep("a", "1").create();
    dx(&project, ["install"]);
    assert!(!project.exists("node_modules/a/passwords"));
}

#[test]
fn commands_that_would_lead_out_of_their_package_are_not_made() {
    let registry = Registry::start();
    registry
        .package("a", "1.0.0")
        .bin("../../escaped", "x.js")
        .bin("inside", "../../../package.json")
        .file("x.js", "")
        .publish();
    let project = Project::new(&registry).dep("a", "1").create();
    let outside = entries(&project);
    dx(&project, ["install"]);
    assert_eq!(entries(&project), outside);
    assert!(!project.exists("escaped"));
    let inside = project.path().join("node_modules/.bin/inside");
    assert!(
        !inside.exists()
            || fs::canonicalize(inside).unwrap().starts_with(project.path().join("node_modules/a"))
    );
}

#[test]
fn dependencies_with_names_that_traverse_are_refused() {
    for name in ["../escaped", ".bin", "node_modules", "a/b", "@s/../x"] {
        let registry = Registry::start();
        registry.package("a", "1.0.0").dep(name, "1").publish();
        let project = Project::new(&registry).dep("a", "1").create();
        let before = files(&project);
        let run = dx(&project, ["install"]);
        assert_eq!(run.status, Some(1), "{name}: {run}");
        assert_eq!(files(&project), before, "{name}");
    }
}

#[test]
fn next_install_completes_a_killed_one() {
    let registry = registry();
    registry.package("b", "1.0.0").publish();
    registry.fault("/b/-/*", Fault::Stall).times(1);
    let project = Project::new(&registry).dep("a", "1").dep("b", "1").create();
    let before = files(&project);
    let mut child = crate::harness::command(&project).args(["install"]).spawn();
    while registry.tarball_requests() < 2 {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // But for the tree that was being built.
    let is_staging = |name: &str| name.starts_with(".node_modules-dx-");
    let mut left = files(&project);
    left.retain(|path, _| !is_staging(path));
    assert_eq!(left, before);
    ok(&project, ["install"]);
    assert!(!files(&project).keys().any(|path| is_staging(path)));
    assert_eq!(
        (required(&project, "a"), required(&project, "b")),
        ("a@1.0.0".to_owned(), "b@1.0.0".to_owned())
    );
}
