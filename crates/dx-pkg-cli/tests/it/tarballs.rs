//! Packages from tarballs: at an address, and on this machine.

use dx_pkg_testkit::{Fault, Project, ProjectBuilder, Registry};
use serde_json::{Value, json};

use crate::harness::{command, dx, fails, impatient, locked, ok, required};

mod adding;
mod changed;
mod odd;

/// Returns a server that is no registry of the project, with `lib` in one version.
fn server() -> Registry {
    let server = Registry::start();
    publish(&server, "1.0.0");
    server
}

/// Publishes `lib`, which says its version.
fn publish(server: &Registry, version: &str) {
    let says = format!("module.exports = 'lib {version}'");
    server.package("lib", version).file("index.js", says).bin("lib", "index.js").publish();
}

/// Returns the address of a file on a server.
fn address(server: &Registry, path: &str) -> String {
    format!("{}/{path}", server.url().trim_end_matches('/'))
}

fn lib(server: &Registry) -> String {
    address(server, "lib/-/lib-1.0.0.tgz")
}

/// Returns a project that may take packages from any address that it names.
fn project(registry: &Registry) -> ProjectBuilder {
    Project::new(registry).user_npmrc("allow-remote=root")
}

#[test]
fn remote_tarball_is_installed_and_locked_with_its_digest() {
    let (server, registry) = (server(), Registry::start());
    let url = lib(&server);
    let project = project(&registry).dep("lib", &url).dep("other", &url).create();
    ok(&project, ["install"]);
    assert_eq!(required(&project, "lib"), "lib 1.0.0");
    assert_eq!(required(&project, "other"), "lib 1.0.0");
    let integrity = server.integrity("lib", "1.0.0");
    let entry = json!({
        "version": "1.0.0", "resolved": url, "integrity": integrity, "bin": {"lib": "index.js"}
    });
    assert_eq!(locked(&project, "node_modules/lib"), entry);
    let mut renamed = entry;
    renamed["name"] = json!("lib");
    assert_eq!(locked(&project, "node_modules/other"), renamed);
    assert!(project.exists("node_modules/.bin/lib"));
    assert_eq!(server.tarball_requests(), 1, "{:?}", server.requests());
    assert_eq!(registry.requests().len(), 0, "{:?}", registry.requests());
}

#[test]
fn tarballs_that_the_project_requires_are_requested_together() {
    let (server, registry) = (server(), Registry::start());
    let names = ["a", "b", "c", "d"];
    let mut project = project(&registry);
    for name in names {
        server.package(name, "1.0.0").publish();
        project = project.dep(name, &address(&server, &format!("{name}/-/{name}-1.0.0.tgz")));
    }
    server.fault("*.tgz", Fault::Delay(std::time::Duration::from_millis(300))).every(1);
    let project = project.optional("no", &address(&server, "no/-/no-1.0.0.tgz")).create();
    ok(&project, ["install"]);
    assert!(names.iter().all(|name| required(&project, name) == format!("{name}@1.0.0")));
    assert_eq!(server.requests().len(), 5, "{:?}", server.requests());
    assert!(server.most_in_flight() > 1, "{}", server.most_in_flight());
}

#[test]
fn locked_tarball_in_the_store_asks_no_server() {
    let (server, registry) = (server(), Registry::start());
    let project = project(&registry).dep("lib", &lib(&server)).create();
    ok(&project, ["install"]);
    let lock = project.read("package-lock.json");
    server.stop();
    for args in [["install", "--no-audit"], ["ci", "--no-audit"], ["install", "--offline"]] {
        project.remove("node_modules");
        ok(&project, args);
        assert_eq!(required(&project, "lib"), "lib 1.0.0");
        assert_eq!(project.read("package-lock.json"), lock);
    }
    let run = ok(&project, ["install"]);
    assert!(run.stdout.contains("Already up to date"), "{run}");
    assert_eq!(registry.requests().len(), 0, "{:?}", registry.requests());
}

#[test]
fn bytes_that_are_not_the_locked_ones_are_refused() {
    let (server, registry) = (server(), Registry::start());
    let project = project(&registry).dep("lib", &lib(&server)).create();
    ok(&project, ["install", "--lockfile-only"]);
    let lock = project.read("package-lock.json");
    server.fault("/lib/-/*", Fault::WrongBytes).every(1);
    for command in ["ci", "install"] {
        let fresh = impatient(&registry)
            .user_npmrc("allow-remote=root")
            .dep("lib", &lib(&server))
            .file("package-lock.json", lock.clone())
            .create();
        fails(dx(&fresh, [command]), "DX_INTEGRITY_MISMATCH");
        assert!(!fresh.exists("node_modules"));
        assert_eq!(fresh.read("package-lock.json"), lock);
    }
}

#[test]
fn answer_that_is_no_package_changes_nothing() {
    let (server, registry) = (server(), Registry::start());
    for (fault, code) in [
        (Fault::status(404), "DX_TARBALL_NOT_FOUND"),
        (Fault::status(401), "DX_UNAUTHORIZED"),
        (Fault::status(500), "DX_FETCH_STATUS"),
        (Fault::Truncate, "DX_FETCH_TRUNCATED"),
        (Fault::Body(b"<html>log in</html>".to_vec()), "DX_TARBALL_UNRECOGNISED"),
        (Fault::Body(Vec::new()), "DX_TARBALL_UNRECOGNISED"),
    ] {
        server.clear_faults();
        server.fault("/lib/-/*", fault).every(1);
        let url = lib(&server);
        let project =
            impatient(&registry).user_npmrc("allow-remote=root").dep("lib", &url).create();
        let stderr = fails(dx(&project, ["install"]), code);
        assert!(stderr.contains(&url), "{stderr}");
        assert!(!project.exists("node_modules") && !project.exists("package-lock.json"));
        // The registry is not asked for a package of this name in its stead.
        assert_eq!(registry.requests().len(), 0, "{:?}", registry.requests());
    }
}

#[test]
fn redirects_are_followed_and_the_address_stays_as_written() {
    let (server, registry, other) = (server(), Registry::start(), server());
    server.fault("/lib/-/*", Fault::Redirect(other.url().to_owned())).every(1);
    let url = lib(&server);
    let project = project(&registry).dep("lib", &url).create();
    ok(&project, ["install"]);
    assert_eq!(locked(&project, "node_modules/lib")["resolved"], json!(url));
    assert_eq!(other.tarball_requests(), 1);
}

#[test]
fn credentials_of_the_npmrc_are_sent_to_their_host_only() {
    let (server, registry, other) = (server(), Registry::start(), server());
    server.require_token("secret");
    let url = lib(&server);
    let line = format!("//127.0.0.1:{}/:_authToken=secret", server.port());
    let without = impatient(&registry).user_npmrc("allow-remote=root").dep("lib", &url).create();
    let stderr = fails(dx(&without, ["install"]), "DX_UNAUTHORIZED");
    assert!(stderr.contains(&format!("//127.0.0.1:{}/:_authToken", server.port())), "{stderr}");
    let project =
        project(&registry).user_npmrc(&line).dep("lib", &url).dep("other", &lib(&other)).create();
    ok(&project, ["install"]);
    assert_eq!(required(&project, "lib"), "lib 1.0.0");
    assert!(other.requests().iter().all(|request| request.header("authorization").is_none()));
}

#[test]
fn addresses_are_allowed_as_allow_remote_says_wherever_they_lead() {
    let (server, registry) = (server(), Registry::start());
    publish(&registry, "1.0.0");
    server.package("a", "1.0.0").dep("lib", &lib(&server)).publish();
    let a = address(&server, "a/-/a-1.0.0.tgz");
    for (setting, name, spec, is_allowed) in [
        ("", "lib", &lib(&server), false),
        // As with npm, the registry's host is no exception for an address that is required.
        ("", "lib", &lib(&registry), false),
        ("allow-remote=root", "lib", &lib(&server), true),
        ("allow-remote=root", "a", &a, false),
        ("allow-remote=all", "a", &a, true),
    ] {
        let project = Project::new(&registry).user_npmrc(setting).dep(name, spec).create();
        if is_allowed {
            ok(&project, ["install"]);
            assert!(project.exists("node_modules/lib/package.json"));
            // The lockfile does not get around the setting either.
            std::fs::write(project.home().join(".npmrc"), "allow-remote=none\n").unwrap();
            project.remove("node_modules");
            fails(dx(&project, ["ci"]), "DX_SOURCE_NOT_ALLOWED");
            continue;
        }
        let stderr = fails(dx(&project, ["install"]), "DX_SOURCE_NOT_ALLOWED");
        assert!(stderr.contains("--allow-remote") && stderr.contains("forbids"), "{stderr}");
        assert!(!project.exists("node_modules") && !project.exists("package-lock.json"));
    }
    // A project cannot allow itself what its user has not.
    let project = Project::new(&registry).npmrc("allow-remote=all").dep("a", &a).create();
    fails(dx(&project, ["install"]), "DX_SOURCE_NOT_ALLOWED");
}

#[test]
fn refused_or_missing_optional_package_is_left_out() {
    let (server, registry) = (server(), Registry::start());
    let missing = address(&server, "lib/-/lib-9.0.0.tgz");
    let project = Project::new(&registry)
        .user_npmrc("allow-remote=root")
        .optional("missing", &missing)
        .optional("no-file", "file:no.tgz")
        .optional("lib", &lib(&server))
        .create();
    let run = ok(&project, ["install"]);
    assert!(run.stderr.contains(&missing) && run.stderr.contains("no.tgz"), "{run}");
    assert_eq!(required(&project, "lib"), "lib 1.0.0");
    let lock = project.json("package-lock.json");
    let paths: Vec<&String> = lock["packages"].as_object().unwrap().keys().collect();
    assert_eq!(paths, ["", "node_modules/lib"]);
}

#[test]
fn tarball_brings_its_dependencies_and_peers() {
    let (server, registry) = (server(), Registry::start());
    registry.package("peer", "1.2.0").publish();
    let url = lib(&server);
    server.package("a", "1.0.0").dep("lib", &url).peer("peer", "^1.0.0").publish();
    let a = address(&server, "a/-/a-1.0.0.tgz");
    let project = Project::new(&registry).user_npmrc("allow-remote=all").dep("a", &a).create();
    ok(&project, ["install"]);
    assert_eq!(required(&project, "lib"), "lib 1.0.0");
    assert_eq!(locked(&project, "node_modules/peer")["version"], json!("1.2.0"));
    project.remove("node_modules");
    let before = registry.requests().len();
    ok(&project, ["ci", "--offline"]);
    assert_eq!(registry.requests().len(), before);
}

#[test]
fn override_may_name_a_tarball() {
    let (server, registry) = (server(), Registry::start());
    publish(&registry, "2.0.0");
    registry.package("a", "1.0.0").dep("lib", "^2.0.0").publish();
    let project = Project::new(&registry)
        .user_npmrc("allow-remote=all")
        .dep("a", "1")
        .field("overrides", json!({"lib": lib(&server)}))
        .create();
    ok(&project, ["install"]);
    assert_eq!(required(&project, "lib"), "lib 1.0.0");
    project.remove("node_modules");
    ok(&project, ["ci"]);
    assert_eq!(required(&project, "lib"), "lib 1.0.0");
}

#[test]
fn workspace_requires_tarballs_relative_to_its_own_folder() {
    let (server, registry) = (server(), Registry::start());
    let bytes = server.package("local", "1.0.0").tarball();
    let manifest = json!({
        "name": "w", "version": "1.0.0",
        "dependencies": {"local": "file:local.tgz", "up": "file:../up.tgz", "lib": lib(&server)}
    });
    let project = project(&registry)
        .field("workspaces", json!(["packages/*"]))
        .file("packages/w/package.json", manifest.to_string())
        .file("packages/w/local.tgz", bytes.clone())
        .file("packages/up.tgz", bytes)
        .create();
    ok(&project, ["install"]);
    let resolved =
        |name: &str| locked(&project, &format!("node_modules/{name}"))["resolved"].clone();
    assert_eq!(resolved("local"), json!("file:packages/w/local.tgz"));
    assert_eq!(resolved("up"), json!("file:packages/up.tgz"));
    let lock = project.read("package-lock.json");
    project.remove("node_modules");
    ok(&project, ["ci"]);
    ok(&project, ["install"]);
    assert_eq!(project.read("package-lock.json"), lock);
}

#[test]
fn scripts_run_for_the_address_or_path_that_is_allowed() {
    let (server, registry) = (server(), Registry::start());
    let script = "node -e \"require('fs').writeFileSync('ran', '')\"";
    server.package("s", "1.0.0").script("postinstall", script).publish();
    let bytes = server.package("t", "1.0.0").script("postinstall", script).tarball();
    let url = address(&server, "s/-/s-1.0.0.tgz");
    let installed = |allowed: Value| {
        let project = project(&registry)
            .dep("s", &url)
            .dep("t", "file:t.tgz")
            .file("t.tgz", bytes.clone())
            .field("allowScripts", allowed)
            .create();
        let run = ok(&project, ["install"]);
        let ran = |name: &str| project.exists(&format!("node_modules/{name}/ran"));
        (ran("s"), ran("t"), run)
    };
    let (s, t, run) = installed(json!({}));
    assert!(!s && !t);
    let keys = format!("\"allowScripts\": {{ \"file:t.tgz\": true, \"{url}\": true }}");
    assert!(run.stderr.contains(&keys), "{run}");
    // A name is that of the registry's package, which these are not.
    let (s, t, _) = installed(json!({"s": true, "t": true}));
    assert!(!s && !t);
    assert_eq!(registry.requests().len(), 0, "no registry is asked about these names");
    let (s, t, _) = installed(json!({ url.as_str(): true, "file:./t.tgz": true }));
    assert!(s && t);
}

#[test]
fn entry_without_digest_gets_that_of_the_first_download() {
    let (server, registry) = (server(), Registry::start());
    let project = project(&registry).dep("lib", &lib(&server)).create();
    ok(&project, ["install", "--lockfile-only"]);
    let whole = project.read("package-lock.json");
    let mut lock = project.json("package-lock.json");
    lock["packages"]["node_modules/lib"].as_object_mut().unwrap().remove("integrity");
    let lacking = serde_json::to_string_pretty(&lock).unwrap();
    project.write("package-lock.json", &lacking);
    fails(dx(&project, ["ci"]), "DX_NO_INTEGRITY");
    let run = ok(&project, ["install"]);
    assert!(run.stderr.contains("no digest of lib@1.0.0"), "{run}");
    assert_eq!(project.json("package-lock.json"), serde_json::from_str::<Value>(&whole).unwrap());
    // From now on nothing else is accepted.
    let other = impatient(&registry)
        .user_npmrc("allow-remote=root")
        .dep("lib", &lib(&server))
        .file("package-lock.json", project.read("package-lock.json"))
        .create();
    server.fault("/lib/-/*", Fault::WrongBytes).every(1);
    fails(dx(&other, ["ci"]), "DX_INTEGRITY_MISMATCH");
}

#[test]
fn addresses_that_are_required_stay_in_a_lockfile_without_those_of_registries() {
    let (server, registry) = (server(), Registry::start());
    registry.package("a", "1.0.0").publish();
    let url = lib(&server);
    let project = project(&registry)
        .user_npmrc("omit-lockfile-registry-resolved=true")
        .dep("a", "1")
        .dep("lib", &url)
        .create();
    ok(&project, ["install"]);
    assert_eq!(locked(&project, "node_modules/lib")["resolved"], json!(url));
    assert_eq!(locked(&project, "node_modules/a")["resolved"], Value::Null);
    project.remove("node_modules");
    ok(&project, ["ci"]);
    assert_eq!(required(&project, "lib"), "lib 1.0.0");
}

#[test]
fn secrets_of_an_address_are_not_shown() {
    let (server, registry) = (server(), Registry::start());
    server.fault("/lib/-/*", Fault::status(403)).every(1);
    let url = lib(&server).replace("://", "://user:topsecret@");
    let project = impatient(&registry).user_npmrc("allow-remote=root").dep("lib", &url).create();
    let run = dx(&project, ["install"]);
    assert!(!run.stderr.contains("topsecret") && !run.stdout.contains("topsecret"), "{run}");
    let run = command(&project).args(["add", &url]).env("npm_config_allow_remote", "none").run();
    assert!(!run.stderr.contains("topsecret") && !run.stdout.contains("topsecret"), "{run}");
}
