//! Secrets in addresses: neither printed nor recorded nor handed to scripts.

use std::fs;
use std::path::Path;

use dx_pkg_testkit::{Fault, Project, Registry};
use serde_json::json;

use crate::harness::{command, dx, fails, ok, required};

const SECRET: &str = "T0KEN-5ec2e7";

/// Returns the files below a folder that have the secret, without `.npmrc` and `package.json`.
fn holding(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() && !path.is_symlink() {
            holding(&path, found);
        } else if !path.ends_with(".npmrc") && !path.ends_with("package.json") {
            let bytes = fs::read(&path).unwrap_or_default();
            if bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes()) {
                found.push(path.display().to_string());
            }
        }
    }
}

#[track_caller]
fn keeps_the_secret(project: &Project) {
    let mut found = Vec::new();
    holding(&project.path(), &mut found);
    holding(project.store(), &mut found);
    assert_eq!(found, [""; 0]);
}

/// Returns a registry that names its tarball by a signed address.
fn signed() -> Registry {
    let registry = Registry::start();
    let path = format!("/a/-/a-1.0.0.tgz?X-Amz-Signature={SECRET}");
    let package = registry.package("a", "1.0.0");
    let integrity = dx_pkg_testkit::integrity_sha512(&package.tarball());
    package.registry_field("dist", json!({"tarball": path, "integrity": integrity})).publish();
    registry
}

/// Returns the tarballs that were requested, with their queries.
fn tarballs(registry: &Registry) -> Vec<String> {
    let paths = registry.requests().into_iter().map(|request| request.path);
    paths.filter(|path| path.contains("/-/")).collect()
}

#[test]
fn a_signed_address_is_requested_and_not_recorded() {
    let registry = signed();
    let project = Project::new(&registry).dep("a", "1").create();
    let run = ok(&project, ["install", "--verbose", "--timing", "t.json"]);
    assert!(!format!("{run}").contains(SECRET), "{run}");
    assert_eq!(required(&project, "a"), "a@1.0.0");
    let signed = format!("/a/-/a-1.0.0.tgz?X-Amz-Signature={SECRET}");
    assert_eq!(tarballs(&registry), [signed.as_str()]);
    assert!(project.read("package-lock.json").contains("/a/-/a-1.0.0.tgz\""));
    keeps_the_secret(&project);
    // The lockfile lacks the signature, which the registry's metadata has.
    let second = Project::new(&registry)
        .dep("a", "1")
        .file("package-lock.json", project.read("package-lock.json"))
        .create();
    registry.clear_requests();
    registry.fault("/a/-/*", Fault::status(403)).times(1);
    ok(&second, ["ci"]);
    assert_eq!(tarballs(&registry), ["/a/-/a-1.0.0.tgz", &signed]);
    keeps_the_secret(&second);
}

#[test]
fn a_password_in_the_registrys_address_is_recorded_nowhere() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let address = registry.url().replace("http://", &format!("http://u:{SECRET}@"));
    let project = Project::offline()
        .dep("a", "1")
        .script(
            "postinstall",
            "node -e \"require('fs').writeFileSync('env.txt', JSON.stringify(process.env))\"",
        )
        .user_npmrc(&format!("registry={address}"))
        .create();
    let run = ok(&project, ["install", "--verbose", "--json"]);
    assert!(!format!("{run}").contains(SECRET), "{run}");
    assert!(project.read("env.txt").contains("npm_config_registry"));
    keeps_the_secret(&project);
}

#[test]
fn what_a_server_repeats_is_not_printed() {
    let registry = Registry::start();
    let said = format!("bad header: Bearer {SECRET}");
    registry.fault("/a", Fault::status(403).header("npm-notice", &said));
    let project = Project::new(&registry)
        .dep("a", "1")
        .user_npmrc(&format!("[HOST]:_authToken={SECRET}"))
        .create();
    let stderr = fails(dx(&project, ["install"]), "DX_UNAUTHORIZED");
    assert!(stderr.contains("bad header: Bearer ***") && !stderr.contains(SECRET), "{stderr}");
}

#[test]
fn addresses_in_manifests_are_printed_without_secrets() {
    for spec in [
        format!("https://u:{SECRET}@127.0.0.1:1/x.tgz"),
        format!("git+https://u:{SECRET}@127.0.0.1:1/x.git"),
        format!("https://127.0.0.1:1/x.tgz?token={SECRET}"),
    ] {
        let project = Project::offline().dep("a", &spec).create();
        for json in [&["install"][..], &["install", "--json"]] {
            let run = command(&project).args(json.iter().copied()).run();
            assert_eq!(run.status, Some(1), "{run}");
            assert!(!format!("{run}").contains(SECRET), "{run}");
        }
    }
}
