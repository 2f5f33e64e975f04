//! Vulnerabilities, signatures, search: what leaves the registry, and what comes back.

use crate::people::{Upstream, publish, send, send_with};
use crate::server::Server;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use std::io::Write as _;

fn advisory() -> serde_json::Value {
    json!([{ "id": 1, "url": "https://advisories.test/1", "title": "Bad", "severity": "high",
        "vulnerable_versions": "<2" }])
}

#[test]
fn own_names_never_leave_in_audits_and_searches() {
    let found = json!({ "objects": [{ "package": { "name": "front", "version": "1.0.0" } },
        { "package": { "name": "mine", "version": "9.0.0" } }], "total": 2 });
    let upstream = Upstream::start(&[
        ("/-/npm/v1/security/advisories/bulk", json!({ "front": advisory(), "mine": advisory() })),
        ("/-/v1/search", found),
    ]);
    let rules = "[{ names = \"@own/*\", from = \"hosted\" }]";
    let server = Server::with(&upstream.url, &[("DX_REGISTRY_PACKAGES", rules)]);
    let own = server.token.clone();
    assert_eq!(publish(&server, &own, "mine", "1.0.0", &[]), 201);
    assert_eq!(publish(&server, &own, "@own/hidden", "1.0.0", &[]), 201);
    let before = upstream.asked().len();
    let asked = json!({ "front": ["1.0.0"], "mine": ["1.0.0"], "@own/other": ["1.0.0"] });
    let mut body = GzEncoder::new(Vec::new(), Compression::fast());
    body.write_all(asked.to_string().as_bytes()).unwrap();
    let body = body.finish().unwrap();
    let headers = [("content-type", "application/json"), ("content-encoding", "gzip")];
    let path = "/-/npm/v1/security/advisories/bulk";
    for _ in 0..2 {
        let answer = server.send("POST", path, &headers, &body);
        assert_eq!(answer.json(), json!({ "front": advisory() }));
    }
    assert_eq!(upstream.asked().len(), before + 1, "the second answer was remembered");
    for text in
        ["mine", "@own", "scope:own", "maintainer:alice", "front mine", "hidden", "Front Hidden"]
    {
        send(&server, &own, "GET", &format!("/-/v1/search?text={}", text.replace(' ', "+")), None);
    }
    let told = upstream.asked()[before..].join("\n");
    assert!(!told.to_lowercase().contains("hidden"), "{told}");
    assert!(!told.contains("mine") && !told.contains("own") && !told.contains(&own), "{told}");
    let merged = send(&server, &own, "GET", "/-/v1/search?text=front", None).json();
    let names: Vec<&str> = merged["objects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|object| object["package"]["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["front"], "the stranger's package of an own name is left out");
}

#[test]
fn audit_without_an_answer_is_a_failure_and_not_an_all_clear() {
    let server = Server::start("http://127.0.0.1:9/");
    let body = json!({ "front": ["1.0.0"] });
    let path = "/-/npm/v1/security/advisories/bulk";
    assert!(send(&server, "", "POST", path, Some(&body)).status >= 500);
    let silent = Upstream::start(&[]);
    let server = Server::start(&silent.url);
    let answer = send(&server, "", "POST", path, Some(&body));
    assert_eq!(answer.json(), json!({}));
    assert!(answer.header("npm-notice").contains("nothing was checked"));
    assert_eq!(send(&server, "", "POST", path, Some(&json!(["front"]))).status, 400);
    assert_eq!(send(&server, "", "POST", "/-/npm/v1/security/audits/quick", None).status, 404);
}

#[test]
fn versions_are_signed_with_a_published_key_and_upstreams_keys_are_passed_on() {
    let upstream =
        Upstream::start(&[("/-/npm/v1/keys", json!({ "keys": [{ "keyid": "theirs" }] }))]);
    let server = Server::start(&upstream.url);
    let own = server.token.clone();
    assert_eq!(publish(&server, &own, "tool", "1.0.0", &[]), 201);
    let keys = server.get("/-/npm/v1/keys").json();
    let ids: Vec<&str> =
        keys["keys"].as_array().unwrap().iter().map(|key| key["keyid"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[1], "theirs");
    for path in ["/tool", "/tool/1.0.0"] {
        let found = server.get(path).json();
        let manifest = if path == "/tool" { &found["versions"]["1.0.0"] } else { &found };
        assert_eq!(manifest["dist"]["signatures"][0]["keyid"], ids[0], "{path}");
    }
    for spec in ["tool@1.0.0", "@s%2fn@1.0.0", "@s/n@1.0.0"] {
        let path = format!("/-/npm/v1/attestations/{spec}");
        assert_eq!(send_with(&server, "", "GET", &path, None, &[]).status, 404, "{spec}");
    }
}
