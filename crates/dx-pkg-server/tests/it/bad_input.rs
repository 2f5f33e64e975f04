//! Requests that make no sense, or mean harm: a 4xx with a reason, and nothing stored.

use crate::server::{Server, publish_body, tarball};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::{Path, PathBuf};

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

fn check(server: &Server, before: &[PathBuf], what: &str, answer: &crate::server::Answer) {
    assert!((400..500).contains(&answer.status), "{what}: {answer:?}");
    assert!(answer.json()["error"].is_string(), "{what}: {answer:?}");
    assert_eq!(files(&server.storage()), before, "{what}");
}

#[test]
fn no_spelling_of_a_path_leads_elsewhere() {
    let server = Server::start("none");
    server.publish("tool", "1.0.0");
    let before = files(&server.storage());
    let long = format!("/{}", "a".repeat(300));
    let longer = format!("/{}", "a".repeat(9000));
    for path in [
        "/%2F%2F..%2F",
        "/..%2f..%2fetc",
        "/../../etc/passwd",
        "/%2e%2e/%2e%2e/etc",
        "//tool",
        "/tool//1.0.0",
        "/tool/",
        "/tool%00",
        "/tool;x",
        "/tool/-/..%2f..%2fx.tgz",
        "/tool/-/../x",
        "/tool/-/tool-1.0.0.tgz%00",
        "/tool/-/%5c..%5cx",
        "/@s%2f..%2f..",
        "/@..%2fx",
        "/@s/..",
        "/@s%2f%2e%2e",
        "/@s",
        "/@s/",
        "/@/x",
        "/%",
        "/%zz",
        "/%ff%fe",
        "/%c0%ae%c0%ae",
        "/.",
        "/..",
        "/%252e%252e%252f",
        "/_x",
        "/.x",
        "/node_modules",
        "/a%0d%0ab",
        "/tool/-/x/y/z/../..",
        "/-/package/..%2f..%2fx/dist-tags",
        "/-/package/@s/dist-tags",
        &long,
        &longer,
    ] {
        for method in ["GET", "PUT", "DELETE", "POST"] {
            let answer = server.send(method, path, &[], b"{}");
            check(&server, &before, &format!("{method} {path}"), &answer);
        }
    }
}

#[test]
fn no_body_that_makes_no_sense_is_stored() {
    let server = Server::start("none");
    let before = files(&server.storage());
    let good = publish_body("x", "1.0.0", "latest", &tarball("x", "1.0.0"), &json!({}));
    let with = |field: &str, value: Value| {
        let mut body = good.clone();
        body[field] = value;
        body.to_string().into_bytes()
    };
    let attachment = good["_attachments"]["x-1.0.0.tgz"].clone();
    let cut = json!({ "data": attachment["data"], "length": 3 });
    let bodies: Vec<Vec<u8>> = vec![
        b"".to_vec(),
        b"{".to_vec(),
        b"[]".to_vec(),
        b"null".to_vec(),
        b"\"x\"".to_vec(),
        b"[".repeat(100_000),
        b"\xff\xfe{}".to_vec(),
        with("versions", json!({})),
        with("versions", json!("x")),
        with("versions", json!({ "1.0.0": 1 })),
        with("versions", json!({ "a.b": good["versions"]["1.0.0"] })),
        with("name", json!("y")),
        with("_id", json!("y")),
        with("name", json!(7)),
        with("dist-tags", json!({ "latest": "2.0.0" })),
        with("dist-tags", json!({ "1.0.0": "1.0.0" })),
        with("_attachments", json!("x")),
        with("_attachments", json!({})),
        with("_attachments", json!({ "x.tgz": {} })),
        with("_attachments", json!({ "x.tgz": { "data": "%%%" } })),
        with("_attachments", json!({ "x.tgz": { "data": "aGVsbG8=" } })),
        with("_attachments", json!({ "x.tgz": cut })),
        with("_attachments", json!({ "a.tgz": attachment, "b.tgz": attachment })),
        format!("{{\"name\":\"x\",\"versions\":{}1{}}}", "{\"a\":".repeat(500), "}".repeat(500))
            .into(),
    ];
    for body in bodies {
        let what = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
        let answer = server.send("PUT", "/x", &[("content-type", "application/json")], &body);
        check(&server, &before, &what, &answer);
    }
    for (encoding, status) in [("gzip", 400), ("deflate", 400), ("zstd", 415), ("gzip, gzip", 415)]
    {
        let answer = server.send("PUT", "/x", &[("content-encoding", encoding)], b"no such thing");
        check(&server, &before, encoding, &answer);
        assert_eq!(answer.status, status, "{encoding}");
    }
    for sent in
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
    {
        let body = good.to_string();
        let answer = server.send("PUT", "/x", &[("content-type", sent)], body.as_bytes());
        check(&server, &before, sent, &answer);
        assert_eq!(answer.status, 415, "{sent}");
    }
    assert_eq!(server.put("/x", &good).status, 201);
}

#[test]
fn a_body_over_the_limit_is_refused_however_it_comes() {
    let server = Server::with("none", &[("DX_REGISTRY_LIMITS__PUBLISH", "1MB")]);
    let before = files(&server.storage());
    let large = vec![b' '; 2 << 20];
    let answer = server.send("PUT", "/x", &[], &large);
    check(&server, &before, "plain", &answer);
    assert_eq!(answer.status, 413);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&large).unwrap();
    let gzip = gzip.finish().unwrap();
    let answer = server.send("PUT", "/x", &[("content-encoding", "gzip")], &gzip);
    check(&server, &before, "gzip", &answer);
    assert_eq!(answer.status, 413);
}

#[test]
fn a_request_that_breaks_off_stores_nothing() {
    let server = Server::start("none");
    let before = files(&server.storage());
    let body = publish_body("x", "1.0.0", "latest", &tarball("x", "1.0.0"), &json!({})).to_string();
    let head = format!(
        "PUT /x HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\ncontent-length: {}\r\n\r\n",
        server.address,
        server.token,
        body.len()
    );
    for ends_reading in [true, false] {
        let mut stream = TcpStream::connect(&server.address).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&body.as_bytes()[..body.len() / 2]).unwrap();
        stream.shutdown(if ends_reading { Shutdown::Both } else { Shutdown::Write }).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
    }
    assert_eq!(server.get("/x").status, 404);
    assert_eq!(files(&server.storage()), before);
}

#[test]
fn a_host_that_is_none_is_refused() {
    let server = Server::start("none");
    let mut stream = TcpStream::connect(&server.address).unwrap();
    stream
        .write_all(b"GET /x HTTP/1.1\r\nhost: a\"><script>\r\nconnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(!answer.contains("script"), "{answer}");
}
