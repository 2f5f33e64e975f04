//! `dx publish` in a job that the registry trusts.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::people::{Upstream, publish, send};
use crate::server::Server;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

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
    let random = SystemRandom::new();
    let kind = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let key = EcdsaKeyPair::generate_pkcs8(kind, &random).unwrap();
    let key = EcdsaKeyPair::from_pkcs8(kind, key.as_ref(), &random).unwrap();
    let point = key.public_key().as_ref();
    let jwk = json!({ "kty": "EC", "crv": "P-256", "kid": "1",
        "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..]) });
    let issuer = Upstream::start(&[("/keys", json!({ "keys": [jwk] }))]);
    let issuers = format!(
        "[{{ type = \"ci\", url = \"{0}\", keys = \"{0}keys\", audience = \"npm:test\" }}]",
        issuer.url
    );
    let server = Server::with("none", &[("DX_REGISTRY_ACCOUNTS__ISSUERS", &issuers)]);
    let alice = server.token.clone();
    assert_eq!(publish(&server, &alice, "tool", "1.0.0", &[]), 201);
    let trust = json!([{ "type": "ci", "claims": { "job": "release" },
        "permissions": ["createPackage"] }]);
    let made = send(&server, &alice, "POST", "/-/package/tool/trust", Some(&trust));
    assert_eq!(made.status, 201);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let sign = |job: &str| {
        let claims = json!({ "iss": issuer.url, "aud": "npm:test", "exp": now + 300, "job": job });
        let encode = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed =
            format!("{}.{}", encode(json!({ "alg": "ES256", "kid": "1" })), encode(claims));
        let signature = key.sign(&random, signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    };
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
