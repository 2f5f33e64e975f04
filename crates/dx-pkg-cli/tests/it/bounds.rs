//! Inputs that would take memory, time or disk without end.

use std::fs;

use dx_pkg_testkit::{Entry, Fault, Project, Registry};

use crate::harness::{command, dx, fails, files, incompressible, locked, ok};

/// Returns a registry with a package of 1.2 MB that has one path twice, and a `.gitignore` behind a
/// real `.npmignore`.
fn with_a_path_twice(chunked: bool) -> Registry {
    let registry = Registry::start();
    let package = registry
        .package("a", "1.0.0")
        .file("index.js", "first, and longer")
        .file("data.bin", incompressible())
        .file(".npmignore", "real")
        .raw_entry(Entry::file("package/index.js", "second"))
        .raw_entry(Entry::file("package/.gitignore", "renamed"));
    let tarball = package.tarball();
    package.publish();
    if chunked {
        let headers = vec![("transfer-encoding".to_owned(), "chunked".to_owned())];
        registry.fault("*.tgz", Fault::Status { code: 200, headers, body: tarball });
    }
    registry
}

#[test]
fn a_large_tarball_with_a_path_twice_is_unpacked_as_it_arrives() {
    for chunked in [false, true] {
        for (trees, ci) in [("0", ""), ("1", ""), ("0", "true")] {
            let registry = with_a_path_twice(chunked);
            let project = Project::new(&registry).dep("a", "1").create();
            let run = |args: &[&str]| {
                let command = command(&project).env("DX_PREPARED_TREES", trees).env("CI", ci);
                command.args(args.iter().copied()).run().success()
            };
            let check = || {
                let files = files(&project);
                let file = |name: &str| files[&format!("node_modules/a/{name}")].clone();
                assert_eq!(file("index.js"), b"second");
                assert_eq!(file(".npmignore"), b"real");
                assert_eq!(file("data.bin"), incompressible());
            };
            run(&["install"]);
            check();
            assert_eq!(registry.tarball_requests(), 1);
            run(&["store", "maintain"]);
            run(&["store", "verify"]);
            registry.stop();
            project.remove("node_modules");
            run(&["ci", "--offline"]);
            check();
        }
    }
}

#[test]
fn a_large_tarball_without_any_digest_is_stored_as_it_arrives() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").file("d", incompressible()).without_digests().publish();
    let allowed = "allow-missing-integrity=true";
    let project = Project::new(&registry).dep("a", "1").user_npmrc(allowed).create();
    ok(&project, ["install"]);
    assert_eq!(files(&project)["node_modules/a/d"], incompressible());
    let integrity = locked(&project, "node_modules/a")["integrity"].to_string();
    assert!(integrity.contains("sha512-"), "{integrity}");
    assert_eq!(registry.tarball_requests(), 1);
}

#[test]
fn max_package_size_bounds_packages_and_raises_the_bound() {
    for contents in [incompressible(), vec![0; 1_200_000]] {
        let registry = Registry::start();
        let contents_are_zeros = contents.iter().all(|byte| *byte == 0);
        registry.package("a", "1.0.0").file("data.bin", contents).publish();
        let project = Project::new(&registry).dep("a", "1").create();
        // One is refused by the length of its tarball already.
        let code = match contents_are_zeros {
            true => "DX_TARBALL_TOO_LARGE",
            false => "DX_FETCH_TOO_LARGE",
        };
        let stderr = fails(dx(&project, ["install", "--max-package-size=1"]), code);
        assert!(stderr.contains("max-package-size"), "{stderr}");
        assert!(!project.path().join("node_modules").exists());
        assert_eq!(fs::read_dir(project.store().join("v1/tmp")).unwrap().count(), 0);
        ok(&project, ["install", "--max-package-size=2"]);
    }
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let project = Project::new(&registry).dep("a", "1").create();
    fails(dx(&project, ["install", "--max-package-size=much"]), "DX_CONFIG_INVALID");
}

#[test]
fn a_package_whose_manifest_is_too_large_is_refused() {
    let registry = Registry::start();
    let package = |name: &str, bytes: usize| {
        let padding = " ".repeat(bytes);
        let manifest = format!(r#"{{"name":"{name}","version":"1.0.0"{padding}}}"#);
        registry
            .package(name, "1.0.0")
            .raw_entry(Entry::file("package/package.json", manifest))
            .publish();
    };
    package("fits", 4_000_000);
    package("large", 4 << 20);
    ok(&Project::new(&registry).dep("fits", "1").create(), ["install"]);
    let project = Project::new(&registry).dep("large", "1").create();
    fails(dx(&project, ["install"]), "DX_TARBALL_TOO_LARGE");
}

#[test]
fn max_packages_bounds_a_project_and_raises_the_bound() {
    let registry = Registry::start();
    for number in 1..4 {
        let package = registry.package(&format!("n{number}"), "1.0.0");
        if number < 3 { package.dep(&format!("n{}", number + 1), "1") } else { package }.publish();
    }
    let project = Project::new(&registry).dep("n1", "1").create();
    let stderr = fails(dx(&project, ["install", "--max-packages=2"]), "DX_TOO_MANY_PACKAGES");
    assert!(stderr.contains("n2@1.0.0 requires n3"), "{stderr}");
    assert!(stderr.contains("max-packages"), "{stderr}");
    assert!(!project.path().join("package-lock.json").exists());
    ok(&project, ["install", "--max-packages=3"]);
}

#[test]
fn a_manifest_with_too_many_values_is_refused() {
    let registry = Registry::start();
    let project = Project::new(&registry).create();
    let manifest = |values: usize| format!(r#"{{"x":[{}0]}}"#, "[],".repeat(values));
    project.write("package.json", manifest(49_997));
    ok(&project, ["install"]);
    project.write("package.json", manifest(49_999));
    fails(dx(&project, ["install"]), "DX_MANIFEST_TOO_LARGE");
    project.write("package.json", " ".repeat(4 << 20) + "{}");
    let stderr = fails(dx(&project, ["install"]), "DX_IO");
    assert!(stderr.contains("4194304 bytes that are read of such a file"), "{stderr}");
}

#[cfg(unix)]
#[test]
fn files_of_a_project_that_are_devices_or_pipes_are_refused_at_once() {
    let registry = Registry::start();
    for name in ["package.json", "package-lock.json", ".npmrc"] {
        for kind in ["device", "pipe"] {
            let project = Project::new(&registry).create();
            let path = project.path().join(name);
            let _ = fs::remove_file(&path);
            match kind {
                "device" => std::os::unix::fs::symlink("/dev/zero", &path).unwrap(),
                _ => {
                    let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
                    assert!(made.success());
                }
            }
            let run = dx(&project, ["install"]);
            assert_eq!(run.status, Some(1), "{name}, {kind}: {run}");
            assert!(run.stderr.contains(name), "{name}, {kind}: {run}");
        }
    }
}

#[cfg(unix)]
#[test]
fn settings_may_come_from_a_pipe_or_the_null_device_that_the_user_names() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let project = Project::new(&registry).dep("a", "1").create();
    let run = command(&project).env("npm_config_userconfig", "/dev/null").args(["install"]).run();
    run.success();
    let pipe = project.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let writer = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::write(pipe, "save-prefix=~\nnot-a-setting-of-dx=1\n").unwrap()
    });
    let run = command(&project).env("npm_config_userconfig", &pipe).args(["add", "a"]).run();
    run.success();
    writer.join().unwrap();
    assert!(project.read("package.json").contains("~1.0.0"));
}

#[cfg(unix)]
#[test]
fn a_node_that_floods_is_ended_and_its_version_not_known() {
    use std::os::unix::fs::PermissionsExt as _;
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let project = Project::new(&registry).dep("a", "1").create();
    let folder = project.home().join("bin");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("node"), "#!/bin/sh\nexec yes\n").unwrap();
    fs::set_permissions(folder.join("node"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", folder.display());
    let run = command(&project).env("PATH", path).args(["install"]).run().success();
    assert!(run.stderr.contains("the version of Node.js is not known"), "{run}");
    assert!(run.stderr.contains("answered with more than 4 KiB"), "{run}");
    assert!(project.path().join("node_modules/a").exists());
}

#[test]
fn an_advisory_of_a_range_without_end_concerns_every_version() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let project = Project::new(&registry).dep("a", "1").create();
    ok(&project, ["install"]);
    let advisory = serde_json::json!({
        "id": 1, "url": "https://a.example/1", "title": "t", "severity": "high",
        "vulnerable_versions": "<0.1.0 || ".repeat(500_000),
    });
    let body = serde_json::json!({ "a": [advisory] }).to_string().into_bytes();
    registry.fault("/-/npm/v1/security/advisories/bulk", Fault::Body(body));
    let run = dx(&project, ["audit"]);
    assert_eq!(run.status, Some(1), "{run}");
    assert!(run.stdout.contains("a  *"), "{run}");
}
