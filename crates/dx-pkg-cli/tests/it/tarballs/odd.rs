//! Tarballs of unusual form, and those that are no package.

use dx_pkg_testkit::{Entry, tgz};

use super::*;

/// Installs a tarball as `p`; returns the project and the lockfile's entry.
fn installed(bytes: Vec<u8>) -> (Project, Value) {
    let registry = Registry::start();
    let project = Project::new(&registry).dep("p", "file:p.tgz").file("p.tgz", bytes).create();
    ok(&project, ["install"]);
    assert_eq!(registry.requests().len(), 0, "{:?}", registry.requests());
    let entry = locked(&project, "node_modules/p");
    (project, entry)
}

fn manifest(value: Value) -> Entry {
    Entry::file("package/package.json", value.to_string())
}

#[test]
fn manifest_is_recorded_as_npm_normalises_it() {
    let gyp = Entry::file("package/binding.gyp", "{}");
    let script = Entry::file("package/cmd/a.js", "#!/usr/bin/env node\n");
    let nested = Entry::file("package/cmd/sub/b.js", "#!/usr/bin/env node\n");
    for (entries, expected) in [
        (vec![manifest(json!({}))], json!({})),
        (vec![manifest(json!({"version": "v1.2.3"}))], json!({"version": "v1.2.3"})),
        (
            vec![manifest(json!({"name": "q", "version": "1.0.0"})), gyp.clone()],
            json!({"name": "q", "version": "1.0.0", "hasInstallScript": true}),
        ),
        (
            vec![manifest(json!({"version": "1.0.0", "gypfile": false})), gyp],
            json!({"version": "1.0.0"}),
        ),
        (
            vec![
                manifest(json!({"version": "1.0.0", "directories": {"bin": "cmd"}})),
                script,
                nested,
            ],
            json!({"version": "1.0.0",
                   "bin": {"a.js": "cmd/a.js", "b.js": "cmd/sub/b.js", "sub": "cmd/sub"}}),
        ),
        (
            vec![manifest(json!({
                "name": "p", "version": "1.0.0", "license": "MIT", "deprecated": "old",
                "engines": {"node": ">=10"}, "funding": "https://host.example/",
                "devDependencies": {"never": "1"}
            }))],
            json!({"version": "1.0.0", "license": "MIT", "deprecated": "old",
                   "engines": {"node": ">=10"}, "funding": {"url": "https://host.example/"}}),
        ),
    ] {
        let bytes = tgz(&entries);
        let integrity = dx_pkg_testkit::integrity_sha512(&bytes);
        let (project, entry) = installed(bytes);
        let mut expected = expected;
        expected["resolved"] = json!("file:p.tgz");
        expected["integrity"] = json!(integrity);
        assert_eq!(entry, expected);
        let lock = project.read("package-lock.json");
        project.remove("node_modules");
        ok(&project, ["ci"]);
        ok(&project, ["install"]);
        assert_eq!(project.read("package-lock.json"), lock);
    }
}

#[test]
fn tarball_without_manifest_or_with_a_bad_one_is_refused() {
    let registry = Registry::start();
    for (bytes, code) in [
        (tgz(&[Entry::file("package/index.js", "")]), "DX_NO_MANIFEST"),
        (tgz(&[Entry::file("package/package.json", "{")]), "DX_MANIFEST_SYNTAX"),
        (tgz(&[Entry::file("package/package.json", "[]")]), "DX_MANIFEST_NOT_OBJECT"),
        (b"no tarball".to_vec(), "DX_TARBALL_UNRECOGNISED"),
        (Vec::new(), "DX_TARBALL_UNRECOGNISED"),
    ] {
        let project = Project::new(&registry).dep("p", "file:p.tgz").file("p.tgz", bytes).create();
        let stderr = fails(dx(&project, ["install"]), code);
        assert!(stderr.contains("p.tgz"), "{stderr}");
        assert!(!project.exists("node_modules") && !project.exists("package-lock.json"));
    }
}

#[test]
fn every_spelling_of_a_path_is_read() {
    let registry = Registry::start();
    let bytes = registry.package("p", "1.0.0").tarball();
    for spec in
        ["p.tgz", "./p.tgz", "file:p.tgz", "file:./p.tgz", "~/p.tgz", "file:~/p.tgz", "P.TGZ"]
    {
        let project = Project::new(&registry)
            .dep("p", spec)
            .file("p.tgz", bytes.clone())
            .file("P.TGZ", bytes.clone())
            .file("../home/p.tgz", bytes.clone())
            .create();
        ok(&project, ["install"]);
        assert_eq!(required(&project, "p"), "p@1.0.0", "{spec}");
        let lock = project.read("package-lock.json");
        project.remove("node_modules");
        ok(&project, ["ci"]);
        assert_eq!(required(&project, "p"), "p@1.0.0", "{spec}");
        assert_eq!(project.read("package-lock.json"), lock, "{spec}");
    }
}

#[test]
fn large_tarball_and_bundled_packages_are_installed() {
    let registry = Registry::start();
    let bytes = registry
        .package("p", "1.0.0")
        .bundle("inner", "1.0.0")
        .file("big", crate::harness::incompressible())
        .tarball();
    let (project, _) = installed(bytes);
    assert!(project.exists("node_modules/p/big"));
    assert_eq!(locked(&project, "node_modules/p/node_modules/inner")["inBundle"], json!(true));
}

#[test]
fn same_path_in_two_workspaces_is_two_tarballs() {
    let registry = Registry::start();
    let workspace = |name: &str| {
        let manifest = json!({
            "name": name, "version": "1.0.0", "dependencies": {"local": "file:local.tgz"}
        });
        manifest.to_string()
    };
    let project = Project::new(&registry)
        .field("workspaces", json!(["a", "b"]))
        .file("a/package.json", workspace("a"))
        .file("b/package.json", workspace("b"))
        .file("a/local.tgz", registry.package("local", "1.0.0").tarball())
        .file("b/local.tgz", registry.package("local", "2.0.0").tarball())
        .create();
    ok(&project, ["install"]);
    let version = |path: &str| locked(&project, path)["version"].clone();
    assert_eq!(version("node_modules/local"), json!("1.0.0"));
    assert_eq!(version("b/node_modules/local"), json!("2.0.0"));
    let lock = project.read("package-lock.json");
    project.remove("node_modules");
    ok(&project, ["ci"]);
    assert_eq!(project.read("package-lock.json"), lock);
}
