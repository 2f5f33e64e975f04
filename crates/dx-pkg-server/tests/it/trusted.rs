//! `dx publish` in a job that the registry trusts.

use std::path::PathBuf;
use std::process::{Command, Output};

use crate::issuer::Issuer;
use crate::people::{publish, send};
use serde_json::json;

/// Returns the `dx` of the workspace, which a test of the workspace has built.
fn dx() -> PathBuf {
    let here = std::env::current_exe().unwrap();
    let name = format!("dx{}", std::env::consts::EXE_SUFFIX);
    let program = here.ancestors().nth(2).unwrap().join(name);
    assert!(program.is_file(), "{} is missing: cargo build --workspace", program.display());
    program
}

fn run(folder: &std::path::Path, address: &str, token: &str) -> Output {
    std::fs::write(folder.join(".npmrc"), format!("registry={address}\n")).unwrap();
    Command::new(dx())
        .arg("publish")
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", folder.join("home"))
        .env("CI", "true")
        .env("CIRCLECI", "true")
        .env("NPM_ID_TOKEN", token)
        .output()
        .unwrap()
}

#[test]
fn job_publishes_without_a_token_of_its_own() {
    let issuer = Issuer::start();
    let server = issuer.server();
    let alice = server.token.clone();
    assert_eq!(publish(&server, &alice, "tool", "1.0.0", &[]), 201);
    let trust = json!([{ "type": "ci", "claims": { "job": "release" },
        "permissions": ["createPackage"] }]);
    let made = send(&server, &alice, "POST", "/-/package/tool/trust", Some(&trust));
    assert_eq!(made.status, 201);
    let sign = |job: &str| issuer.token(&json!({ "job": job }));
    let folder = tempfile::tempdir().unwrap();
    let manifest = json!({ "name": "tool", "version": "1.1.0" }).to_string();
    std::fs::write(folder.path().join("package.json"), manifest).unwrap();
    let refused = run(folder.path(), &server.url(), &sign("other"));
    assert_eq!(refused.status.code(), Some(1));
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(text.contains("did not take the job's identity token"), "{text}");
    assert_eq!(server.versions("tool"), ["1.0.0"]);
    let done = run(folder.path(), &server.url(), &sign("release"));
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(server.versions("tool"), ["1.0.0", "1.1.0"]);
}
