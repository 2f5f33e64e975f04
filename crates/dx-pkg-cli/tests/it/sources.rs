//! Where a package's bytes come from: the place that its entry names, or none.

use dx_pkg_testkit::{Project, ProjectBuilder, Registry, integrity_sha512};
use serde_json::{Value, json};

use crate::harness::{dx, fails, ok, required};

/// Returns a lockfile for a project that requires `private-lib` as `spec`.
fn lockfile(spec: &str, entry: &Value) -> String {
    let lock = json!({
        "name": "project", "version": "1.0.0", "lockfileVersion": 3, "requires": true,
        "packages": {
            "": { "name": "project", "version": "1.0.0", "dependencies": { "private-lib": spec } },
            "node_modules/private-lib": entry
        }
    });
    serde_json::to_string_pretty(&lock).unwrap()
}

/// A project that is locked to this entry, and a registry with another package of its name.
fn locked(registry: &Registry, spec: &str, resolved: &str, integrity: &str) -> ProjectBuilder {
    let entry = json!({ "version": "1.0.0", "resolved": resolved, "integrity": integrity });
    Project::new(registry)
        .dep("private-lib", spec)
        .file("package-lock.json", lockfile(spec, &entry))
}

fn registry() -> Registry {
    let registry = Registry::start();
    registry
        .package("private-lib", "1.0.0")
        .file("index.js", "module.exports = 'public'")
        .publish();
    registry
}

/// Returns a tarball of `private-lib` that the registry does not have.
fn local(registry: &Registry) -> Vec<u8> {
    let package = registry.package("private-lib", "1.0.0");
    package.file("index.js", "module.exports = 'local'").tarball()
}

#[test]
fn locked_local_tarball_is_taken_from_its_file() {
    let registry = registry();
    let bytes = local(&registry);
    let integrity = integrity_sha512(&bytes);
    for command in ["ci", "install"] {
        let project = locked(&registry, "file:lib.tgz", "file:lib.tgz", &integrity)
            .file("lib.tgz", bytes.clone())
            .create();
        ok(&project, [command]);
        assert_eq!(required(&project, "private-lib"), "local");
        let offline = locked(&registry, "file:lib.tgz", "file:lib.tgz", &integrity)
            .file("lib.tgz", bytes.clone())
            .create();
        ok(&offline, [command, "--offline"]);
    }
    assert_eq!(registry.requests().len(), 0, "{:?}", registry.requests());
}

#[test]
fn other_place_is_never_replaced_by_the_registry() {
    let registry = registry();
    let bytes = local(&registry);
    let (own, public) = (integrity_sha512(&bytes), registry.integrity("private-lib", "1.0.0"));
    let git = "git+ssh://git.example/private-lib.git#0123456789012345678901234567890123456789";
    for (spec, resolved, integrity, code) in [
        ("file:lib.tgz", "file:lib.tgz", &public, "DX_INTEGRITY_MISMATCH"),
        ("file:no.tgz", "file:no.tgz", &own, "DX_IO"),
        (git, git, &public, "DX_SOURCE_NOT_ALLOWED"),
        ("^1.0.0", git, &public, "DX_LOCK_ORIGIN"),
        ("^1.0.0", "file:lib.tgz", &own, "DX_LOCK_ORIGIN"),
        ("^1.0.0", "somewhere", &public, "DX_LOCK_ORIGIN"),
        ("^1.0.0", "ftp://host.example/lib.tgz", &public, "DX_LOCK_ORIGIN"),
    ] {
        for command in ["ci", "install"] {
            let project = locked(&registry, spec, resolved, integrity)
                .file("lib.tgz", bytes.clone())
                .create();
            let stderr = fails(dx(&project, [command]), code);
            assert!(stderr.contains(resolved) && stderr.contains("private-lib"), "{stderr}");
            assert!(!project.exists("node_modules"), "{resolved}");
        }
    }
    assert_eq!(registry.requests().len(), 0, "{:?}", registry.requests());
}

#[test]
fn optional_package_from_another_place_is_left_out() {
    let registry = registry();
    let git = "git+https://git.example/private-lib.git#0123456789012345678901234567890123456789";
    let entry = json!({
        "version": "1.0.0", "resolved": git, "optional": true,
        "integrity": registry.integrity("private-lib", "1.0.0")
    });
    let text = lockfile("^1.0.0", &entry).replacen("dependencies", "optionalDependencies", 1);
    let project = Project::new(&registry)
        .optional("private-lib", "^1.0.0")
        .file("package-lock.json", text)
        .create();
    let run = ok(&project, ["ci"]);
    assert!(run.stderr.contains("git.example"), "{run}");
    assert!(!project.exists("node_modules/private-lib"));
    assert_eq!(registry.requests().len(), 0, "{:?}", registry.requests());
}

/// Returns a registry that offers `a`, which requires `b`, and whose tarballs are on `files`.
fn split(files: &Registry) -> Registry {
    let registry = Registry::start();
    registry.tarballs_at(files.url());
    for registry in [&registry, files] {
        registry.package("a", "1.0.0").dep("b", "1").publish();
        registry.package("b", "1.0.0").publish();
    }
    registry
}

#[test]
fn tarballs_elsewhere_are_fetched_as_allow_remote_says() {
    for (line, installed) in [
        ("", false),
        ("allow-remote=none", false),
        // Of the project's own requirements only: `a` needs `b`.
        ("allow-remote=root", false),
        ("allow-remote=all", true),
        ("replace-registry-host=always", true),
    ] {
        let files = Registry::start();
        let registry = split(&files);
        let project = Project::new(&registry).dep("a", "1").user_npmrc(line).create();
        if installed {
            ok(&project, ["install"]);
            assert_eq!(required(&project, "b"), "b@1.0.0");
            continue;
        }
        let stderr = fails(dx(&project, ["install"]), "DX_SOURCE_NOT_ALLOWED");
        let rule = if line.is_empty() { "allow-remote=none" } else { line };
        assert!(stderr.contains(files.url()) && stderr.contains(rule), "{stderr}");
        assert!(!project.exists("node_modules") && !project.exists("package-lock.json"));
        assert_eq!(files.requests().len(), 0, "{line}: {:?}", files.requests());
        // Writing a lockfile fetches nothing, and npm writes it.
        ok(&project, ["install", "--lockfile-only"]);
        let stderr = fails(dx(&project, ["ci"]), "DX_SOURCE_NOT_ALLOWED");
        assert!(stderr.contains("replace-registry-host"), "{stderr}");
        assert_eq!(files.requests().len(), 0, "{line}: {:?}", files.requests());
    }
}

#[test]
fn root_allows_what_the_project_and_its_workspaces_require() {
    let files = Registry::start();
    let registry = split(&files);
    let project = Project::new(&registry)
        .dep("a", "1")
        .field("workspaces", json!(["w"]))
        .file("w/package.json", r#"{"name":"w","version":"1.0.0","dependencies":{"b":"1"}}"#)
        .user_npmrc("allow-remote=root")
        .create();
    ok(&project, ["install"]);
    assert_eq!(
        (required(&project, "a"), required(&project, "b")),
        ("a@1.0.0".into(), "b@1.0.0".into())
    );
}

#[test]
fn scoped_registry_is_the_packages_own() {
    let scoped = Registry::start();
    scoped.package("@s/a", "1.0.0").publish();
    let registry = Registry::start();
    let line = format!("@s:registry={}", scoped.url());
    let project = Project::new(&registry).dep("@s/a", "1").npmrc(&line).create();
    ok(&project, ["install"]);
    assert_eq!(required(&project, "@s/a"), "@s/a@1.0.0");
    // Without the line the lockfile leads to a host that is no registry of the package.
    let lock = project.read("package-lock.json");
    let other = Project::new(&registry).dep("@s/a", "1").file("package-lock.json", lock).create();
    fails(dx(&other, ["ci"]), "DX_SOURCE_NOT_ALLOWED");
}

#[test]
fn allow_file_and_allow_directory_are_carried_out() {
    let registry = registry();
    let bytes = local(&registry);
    let integrity = integrity_sha512(&bytes);
    for (line, allowed) in [("allow-file=none", false), ("allow-file=root", true)] {
        let project = locked(&registry, "file:lib.tgz", "file:lib.tgz", &integrity)
            .file("lib.tgz", bytes.clone())
            .npmrc(line)
            .create();
        let run = dx(&project, ["ci"]);
        if allowed {
            run.success();
        } else {
            assert!(fails(run, "DX_SOURCE_NOT_ALLOWED").contains(line));
        }
    }
    let folders = |line: &str, inner: &str| {
        let inner = format!(r#"{{"name":"w","version":"1.0.0"{inner}}}"#);
        Project::new(&registry)
            .dep("w", "file:w")
            .file("w/package.json", inner)
            .file("v/package.json", r#"{"name":"v","version":"1.0.0"}"#)
            .npmrc(line)
            .create()
    };
    let needs_folder = r#","dependencies":{"v":"file:../v"}"#;
    for (line, inner, allowed) in [
        ("allow-directory=none", "", false),
        ("allow-directory=root", "", true),
        ("allow-directory=root", needs_folder, false),
        ("allow-directory=all", needs_folder, true),
    ] {
        let run = dx(&folders(line, inner), ["install"]);
        if allowed {
            run.success();
        } else {
            assert!(fails(run, "DX_SOURCE_NOT_ALLOWED").contains(line));
        }
    }
    // As with npm, a folder that the lockfile links to stays.
    let project = folders("", "");
    ok(&project, ["install"]);
    project.write(".npmrc", "allow-directory=none\n");
    ok(&project, ["ci"]);
}
