//! PACK and MISSING.

use super::client::{Answered, PATH, Raw, ask, post, request, want, wanted};
use crate::people::{add_user, publish, send};
use crate::server::Server;
use dx_pkg_compat::tarball::{Limits, unpack};
use dx_pkg_core::{Integrity, PackageId};
use dx_pkg_format::dxp::{Compression, Encoding};
use dx_pkg_format::dxrp::{Reason, Wanted};
use dx_pkg_testkit::Registry;
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::json;
use std::collections::BTreeSet;
use std::io::Write as _;
use std::slice::from_ref;

fn upstream() -> Registry {
    let registry = Registry::start();
    let noise: Vec<u8> =
        (0..3_000_000_u32).flat_map(|at| at.wrapping_mul(at).to_le_bytes()).collect();
    registry
        .package("a", "1.0.0")
        .executable("bin/run", "#!/bin/sh\n")
        .bin("a", "other.js")
        .file("other.js", "1")
        .file("lib/empty", "")
        .publish();
    registry.package("@s/b", "1.2.0").file("large", noise).publish();
    registry
}

/// Checks a PACK against the tarball that it stands for.
fn check(answered: &Answered, server: &Server, path: &str) {
    let tarball = server.get(path).body;
    let integrity = Integrity::parse(&dx_pkg_testkit::integrity_sha512(&tarball)).unwrap();
    let id = PackageId::from_integrity(&integrity);
    let (head, contents, _) = answered
        .packs
        .iter()
        .find(|(head, ..)| head.package.id == id)
        .unwrap_or_else(|| panic!("no PACK for {path}"));
    let unpacked = unpack(&tarball, &Limits::default()).unwrap();
    let entries = unpacked.entries();
    let wanted: Vec<u8> = entries.iter().flat_map(|entry| entry.data).copied().collect();
    assert!(*contents == wanted, "{path}");
    assert_eq!(head.package.integrity, integrity);
    let files = head.package.files.iter().map(|file| (file.path.as_str(), file.mode, file.size));
    let own = entries.iter().map(|entry| (entry.path, entry.mode, entry.data.len() as u64));
    assert!(files.eq(own), "{path}");
    let encoded = Encoding::new(&entries, None, Compression::Stored).unwrap();
    assert_eq!(head.root, encoded.content_root());
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &answered.key);
    key.verify(&head.statement().signed(), &head.signature).unwrap();
}

#[test]
fn packages_come_over_both_carriers_as_they_are_in_their_tarballs() {
    let upstream = upstream();
    let server = Server::start(upstream.url());
    assert_eq!(server.publish("mine", "1.0.0").status, 201);
    let own = server.get("/mine").json();
    let own = own["versions"]["1.0.0"]["dist"]["integrity"].as_str().unwrap();
    let a = wanted("a", "1.0.0", &upstream.integrity("a", "1.0.0"));
    let b = wanted("@s/b", "1.2.0", &upstream.integrity("@s/b", "1.2.0"));
    let mine = wanted("mine", "1.0.0", own);
    let absent =
        Wanted { version: "9.9.9".to_owned(), id: PackageId::from_bytes([7; 32]), ..a.clone() };
    let other_name = Wanted { id: PackageId::from_bytes([8; 32]), ..mine.clone() };
    let bad_name =
        Wanted { name: "../x".to_owned(), id: PackageId::from_bytes([9; 32]), ..a.clone() };
    let named = [a.clone(), b, mine, absent.clone(), other_name, bad_name, a.clone()];
    let mut raw = Raw::open(&server, "");
    // Over HTTP it is converted, over the connection it is in memory.
    for answered in [
        ask(&server, "", &[want(&named, 0, 1)]),
        raw.ask(&[want(&named, 0, 1)]),
        raw.ask(&[want(&named, 0, 1)]),
    ] {
        check(&answered, &server, "/a/-/a-1.0.0.tgz");
        check(&answered, &server, "/@s/b/-/b-1.2.0.tgz");
        check(&answered, &server, "/mine/-/mine-1.0.0.tgz");
        assert_eq!(answered.packs.len(), 3, "each once");
        assert_eq!(answered.missing.len(), 3, "{:?}", answered.missing);
        assert!(answered.missing.iter().all(|(_, reason)| *reason == Reason::Unknown));
        assert_eq!(answered.end.unwrap().packages, 6);
    }
    // Two requests at once on one connection.
    let two = [request(&[want(from_ref(&a), 0, 1)]), request(&[])].concat();
    raw.stream.write_all(&two).unwrap();
    assert_eq!(raw.answer().packs.len(), 1);
    assert_eq!(raw.answer().end.unwrap().packages, 0);
    assert_eq!(upstream.tarball_requests(), 2, "each tarball is fetched once");
    // Another process finds what was converted.
    let beside = server.beside("none");
    let document = beside.get(&format!("{PATH}packages/{}", a.id));
    assert_eq!(document.status, 404, "without the upstream it cannot be known to be allowed");
    let beside = server.beside(upstream.url());
    let path = format!("{PATH}packages/{}", a.id);
    let whole = beside.get(&path);
    assert_eq!((whole.status, whole.header("accept-ranges")), (200, "bytes"));
    let part = server.get_with(&path, &[("range", "bytes=16-99")]);
    assert_eq!((part.status, &part.body[..]), (206, &whole.body[16..100]));
    let tag = whole.header("etag").to_owned();
    assert_eq!(server.get_with(&path, &[("if-none-match", &tag)]).status, 304);
    assert_eq!(whole.header("cache-control"), "max-age=31536000, immutable");
    assert_eq!(server.get(&format!("{PATH}packages/{}", absent.id)).status, 404);
    assert_eq!(server.get(&format!("{PATH}packages/abc")).status, 400);
    assert!(
        String::from_utf8(server.get("/-/metrics").body).unwrap().contains("dxrp_packages_total")
    );
}

#[test]
fn a_damaged_object_is_converted_again() {
    let upstream = upstream();
    let server = Server::start(upstream.url());
    let a = wanted("a", "1.0.0", &upstream.integrity("a", "1.0.0"));
    ask(&server, "", &[want(from_ref(&a), 0, 1)]);
    let mut folders = vec![server.storage().join("cache/dxrp")];
    let mut damaged = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let mut bytes = std::fs::read(&path).unwrap();
                bytes[60] ^= 1;
                std::fs::remove_file(&path).unwrap();
                std::fs::write(&path, bytes).unwrap();
                damaged += 1;
            }
        }
    }
    assert_eq!(damaged, 1);
    let beside = server.beside(upstream.url());
    let answered = ask(&beside, "", &[want(&[a], 0, 1)]);
    check(&answered, &beside, "/a/-/a-1.0.0.tgz");
}

#[test]
fn streams_of_a_request_have_each_package_once_between_them() {
    let upstream = Registry::start();
    let mut named = Vec::new();
    for number in 0..40_usize {
        let name = format!("p{number}");
        let noise: Vec<u8> = (0..number * 997).map(|at| (at * at / 7) as u8).collect();
        upstream.package(&name, "1.0.0").file("noise", noise).publish();
        named.push(wanted(&name, "1.0.0", &upstream.integrity(&name, "1.0.0")));
    }
    let server = Server::start(upstream.url());
    let all: BTreeSet<[u8; 64]> = named.iter().map(|wanted| wanted.id.hex()).collect();
    for _ in 0..2 {
        let parts = std::thread::scope(|scope| {
            let (server, named) = (&server, &named);
            let ask = move |part| Raw::open(server, "").ask(&[want(named, part, 3)]);
            let streams: Vec<_> = (0..3).map(|part| scope.spawn(move || ask(part))).collect();
            streams.into_iter().map(|stream| stream.join().unwrap()).collect::<Vec<_>>()
        });
        let sent: Vec<[u8; 64]> = parts
            .iter()
            .flat_map(|answered| &answered.packs)
            .map(|(head, ..)| head.package.id.hex())
            .collect();
        assert_eq!(sent.len(), 40);
        assert_eq!(sent.into_iter().collect::<BTreeSet<_>>(), all);
        assert!(parts.iter().all(|answered| answered.packs.len() > 3), "divided");
    }
}

#[test]
fn a_restricted_package_is_sent_to_its_readers_only() {
    let server = Server::start("none");
    let (alice, bob) = (server.token.clone(), add_user(&server, "bob"));
    assert_eq!(publish(&server, &alice, "@acme/secret", "1.0.0", &[]), 201);
    let packument = server.get("/@acme%2fsecret").json();
    let integrity = packument["versions"]["1.0.0"]["dist"]["integrity"].as_str().unwrap();
    let secret = wanted("@acme/secret", "1.0.0", integrity);
    assert_eq!(ask(&server, "", &[want(from_ref(&secret), 0, 1)]).packs.len(), 1);
    let path = format!("{PATH}packages/{}", secret.id);
    assert_eq!(send(&server, "", "GET", &path, None).status, 200);
    let body = json!({ "access": "restricted" });
    let access = "/-/package/@acme%2fsecret/access";
    assert_eq!(send(&server, &alice, "POST", access, Some(&body)).status, 200);
    for token in ["", &bob] {
        let answered = ask(&server, token, &[want(from_ref(&secret), 0, 1)]);
        assert_eq!((answered.packs.len(), answered.missing.len()), (0, 1));
        assert_eq!(answered.missing[0], (secret.id, Reason::Unknown), "as one that is not there");
        assert_eq!(Raw::open(&server, token).ask(&[want(from_ref(&secret), 0, 1)]).packs.len(), 0);
        assert_eq!(send(&server, token, "GET", &path, None).status, 404);
    }
    assert_eq!(ask(&server, &alice, &[want(from_ref(&secret), 0, 1)]).packs.len(), 1);
    assert_eq!(Raw::open(&server, &alice).ask(&[want(from_ref(&secret), 0, 1)]).packs.len(), 1);
    let document = send(&server, &alice, "GET", &path, None);
    assert_eq!(document.status, 200);
    assert!(document.header("cache-control").starts_with("private"));
}

#[test]
fn the_policy_holds_for_packages_as_for_tarballs() {
    let upstream = upstream();
    let denied = [("DX_REGISTRY_POLICY__DENY", "[{ names = \"a\", reason = \"malware\" }]")];
    let server = Server::with(upstream.url(), &denied);
    let a = wanted("a", "1.0.0", &upstream.integrity("a", "1.0.0"));
    let answered = ask(&server, "", &[want(from_ref(&a), 0, 1)]);
    assert_eq!(answered.missing, [(a.id, Reason::Refused)]);
    assert_eq!(upstream.tarball_requests(), 0);
}

#[test]
fn without_an_upgrade_the_server_tells_that_http_carries_the_protocol() {
    let server = Server::start("none");
    for path in [PATH, "/-/dxrp/1"] {
        let answer = server.get(path);
        assert_eq!((answer.status, answer.json()["dxrp"].as_u64()), (200, Some(1)));
    }
    let wrong = server.send("POST", PATH, &[("content-type", "application/json")], b"{}");
    assert_eq!(wrong.status, 415);
    let off = Server::with("none", &[("DX_REGISTRY_DXRP__ENABLED", "false")]);
    assert_eq!(off.get(PATH).status, 404);
    assert_eq!(post(&off, "", &request(&[])).status, 404);
    let users = Server::with("none", &[("DX_REGISTRY_ACCOUNTS__READERS", "users")]);
    assert_eq!(post(&users, "", &request(&[])).status, 401);
    assert_eq!(post(&users, &users.token, &request(&[])).status, 200);
    assert_eq!(ask(&users, &users.token, &[]).error, None);
}
