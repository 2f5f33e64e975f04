//! What went wrong in other registries, where no other test shows that it does not here; the table
//! of all of it is docs/registry/incidents.md.

use crate::people::{add_user, publish, send, send_with};
use crate::server::{SHORT, Server, path_of, publish_body, tarball, tarball_of};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dx_pkg_testkit::Registry;
use serde_json::json;

#[test]
fn part_or_head_of_a_tarball_that_is_not_cached_yet_leaves_the_whole_or_nothing() {
    let upstream = Registry::start();
    for name in ["a", "b", "c"] {
        upstream.package(name, "1.0.0").publish();
    }
    let server = Server::start(upstream.url());
    let part = server.get_with("/a/-/a-1.0.0.tgz", &[("range", "bytes=2-5")]);
    assert_eq!(part.status, 206);
    assert_eq!(server.send("HEAD", "/b/-/b-1.0.0.tgz", &[], b"").status, 200);
    // Spellings that another cache may take for other files.
    for odd in ["/c/-/c-1.0.0.tgz?x=1", "/c/-/c-1.0.0.tgz?../../etc", "/%63/-/c-1.0.0.tgz"] {
        assert_eq!(server.get(odd).status, 200, "{odd}");
    }
    for odd in ["/c/-/c-1.0.0.tgz/", "/c/-/C-1.0.0.tgz", "/c/-/c-1.0.0.tgz%20", "/c/-/a-1.0.0.tgz"]
    {
        assert!((400..500).contains(&server.get(odd).status), "{odd}");
    }
    let integrity = |name: &str| upstream.integrity(name, "1.0.0");
    let wanted: Vec<String> = ["a", "b", "c"].map(integrity).to_vec();
    upstream.stop();
    for (name, wanted) in ["a", "b", "c"].iter().zip(wanted) {
        let whole = server.get(&format!("/{name}/-/{name}-1.0.0.tgz"));
        assert_eq!(whole.status, 200, "{name}");
        assert_eq!(dx_pkg_testkit::integrity_sha512(&whole.body), wanted, "{name}");
    }
    assert_eq!(part.body, server.get("/a/-/a-1.0.0.tgz").body[2..6]);
}

#[test]
fn cached_answer_for_one_user_is_none_for_another() {
    let server = Server::start("none");
    let (alice, bob) = (server.token.clone(), add_user(&server, "bob"));
    assert_eq!(publish(&server, &alice, "@acme/secret", "1.0.0", &[]), 201);
    let access = json!({ "access": "restricted" });
    let path = "/-/package/@acme%2fsecret/access";
    assert_eq!(send(&server, &alice, "POST", path, Some(&access)).status, 200);
    for path in ["/@acme%2fsecret", "/@acme%2fsecret/1.0.0", "/@acme/secret/-/secret-1.0.0.tgz"] {
        for accept in ["application/json", SHORT] {
            let form = ("accept", accept);
            let own = send_with(&server, &alice, "GET", path, None, &[form]);
            assert_eq!(own.status, 200, "{path}");
            assert!(!own.header("cache-control").contains("public"), "{path}: {own:?}");
            // With the tag that only who has read it knows, and without.
            let tag = ("if-none-match", own.header("etag"));
            for token in ["", &bob] {
                for headers in [&[form][..], &[form, tag], &[form, ("range", "bytes=0-0")]] {
                    let other = send_with(&server, token, "GET", path, None, headers);
                    assert!(matches!(other.status, 401 | 404), "{path}: {other:?}");
                    assert_eq!(other.header("etag"), "", "{path}");
                }
            }
        }
    }
}

#[test]
fn name_that_was_unpublished_is_nobody_elses() {
    let server = Server::start("none");
    let (alice, bob) = (server.token.clone(), add_user(&server, "bob"));
    assert_eq!(publish(&server, &alice, "tool", "1.0.0", &[]), 201);
    let revision = server.get("/tool?write=true").json()["_rev"].as_str().unwrap().to_owned();
    assert!(server.send("DELETE", &format!("/tool/-rev/{revision}"), &[], b"").is_ok());
    assert_eq!(server.get("/tool").status, 404);
    assert_eq!(publish(&server, &bob, "tool", "2.0.0", &[]), 403);
    assert_eq!(publish(&server, &alice, "tool", "1.0.0", &[]), 403);
    assert_eq!(publish(&server, &alice, "tool", "2.0.0", &[]), 201);
}

#[test]
fn attestation_and_description_are_no_markup() {
    let server = Server::start("none");
    let evil = "</script><script>alert(1)</script>";
    let statement = json!({ "predicateType": evil, "subject": [] }).to_string();
    let bundle = json!({ "mediaType": evil, "dsseEnvelope": {
        "payload": STANDARD.encode(statement), "payloadType": "application/vnd.in-toto+json",
        "signatures": [] } });
    let manifest = json!({ "name": "@acme/tool", "version": "1.0.0", "description": evil,
        "keywords": [evil], "author": evil, "bin": { "tool": "index.js" } });
    let fields = json!({ "description": evil, "keywords": [evil], "author": { "name": evil },
        "bin": { "tool": "index.js" } });
    let mut body = publish_body("@acme/tool", "1.0.0", "latest", &tarball_of(&manifest), &fields);
    let text = bundle.to_string();
    body["_attachments"]["@acme/tool-1.0.0.sigstore"] = json!({
        "content_type": "application/vnd.dev.sigstore.bundle+json;version=0.2",
        "data": text, "length": text.len() });
    let answer = server.put(&path_of("@acme/tool"), &body);
    assert_eq!(answer.status, 201, "{answer:?}");
    // Both spellings of the scope, as npm and as pnpm ask.
    for path in
        ["/-/npm/v1/attestations/@acme%2ftool@1.0.0", "/-/npm/v1/attestations/@acme/tool@1.0.0"]
    {
        let answer = server.get(path);
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(
            answer.json()["attestations"][0],
            json!({ "predicateType": evil, "bundle": bundle })
        );
    }
    let dist = server.get("/@acme%2ftool").json()["versions"]["1.0.0"]["dist"].clone();
    let url = format!("{}-/npm/v1/attestations/@acme%2ftool@1.0.0", server.url());
    assert_eq!(
        dist["attestations"],
        json!({ "url": url, "provenance": { "predicateType": evil } })
    );
    for path in [
        "/-/ui",
        "/-/ui/package/@acme/tool",
        "/-/ui/package/@acme/tool/v/1.0.0",
        "/-/ui/search?text=tool",
    ] {
        let html = String::from_utf8(server.get(path).body).unwrap();
        assert!(!html.contains("<script"), "{path}: {html}");
    }
    let none = server.get("/-/npm/v1/attestations/@acme%2ftool@2.0.0");
    assert_eq!(none.status, 404, "a 400 broke npm");
}

#[test]
fn what_no_client_calls_any_more_is_not_there() {
    let server = Server::start("none");
    server.publish("tool", "1.0.0");
    for (method, path) in [
        ("PUT", "/-/user/v1/star"),
        ("GET", "/-/_view/starredByUser"),
        ("GET", "/-/npm/v1/hooks"),
        ("GET", "/-/all"),
        ("GET", "/_changes"),
        ("POST", "/-/npm/v1/security/audits/quick"),
        ("POST", "/-/npm/v1/security/audits"),
    ] {
        let answer = server.send(method, path, &[("content-type", "application/json")], b"{}");
        assert!(matches!(answer.status, 400 | 404), "{method} {path}: {answer:?}");
        assert!(answer.json()["error"].is_string(), "{method} {path}");
    }
    // pnpm's way to ask, and Yarn's second spelling of a tarball.
    assert_eq!(server.get("/-/ping?write=true").status, 200);
    assert_eq!(publish(&server, &server.token, "@own/tool", "1.0.0", &[]), 201);
    for path in ["/@own%2ftool/-/tool-1.0.0.tgz", "/@own/tool/-/tool-1.0.0.tgz"] {
        assert_eq!(server.get(path).body, tarball("@own/tool", "1.0.0"), "{path}");
    }
}

#[test]
fn tests_that_the_table_of_incidents_names_exist() {
    let table = include_str!("../../../../docs/registry/incidents.md");
    let folder = concat!(env!("CARGO_MANIFEST_DIR"));
    let sources = [files(&format!("{folder}/tests/it")), files(&format!("{folder}/src"))].concat();
    let mut rows = 0;
    for line in table.lines().filter(|line| line.starts_with("| ") && line.contains('`')) {
        let named: Vec<&str> =
            line.rsplit('|').nth(1).unwrap().split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "{line}");
        for name in named {
            let function = format!("fn {name}(");
            assert!(sources.iter().any(|text| text.contains(&function)), "{name} is no test");
        }
        rows += 1;
    }
    assert!(rows >= 11, "{rows}");
}

fn files(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(path.to_str().unwrap()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(std::fs::read_to_string(path).unwrap());
        }
    }
    found
}
