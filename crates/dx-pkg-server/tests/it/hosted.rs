//! Packages that are published here.

use crate::server::{SHORT, Server, path_of, publish_body, tarball, tarball_of};
use serde_json::{Value, json};

#[test]
fn a_published_version_is_served_in_every_form_and_spelling() {
    let server = Server::start("none");
    assert_eq!(server.publish("@acme/tool", "1.0.0").status, 201);
    let tarball = tarball("@acme/tool", "1.0.0");
    for name in ["@acme%2ftool", "@acme%2Ftool", "@acme/tool", "%40acme%2ftool", "%40acme/tool"] {
        for accept in ["application/json", SHORT] {
            let answer = server.get_with(&format!("/{name}"), &[("accept", accept)]);
            assert_eq!(answer.header("content-type"), accept, "{name}");
            assert_eq!(answer.header("vary"), "Accept, Accept-Encoding");
            let packument = answer.json();
            assert_eq!(packument["name"], "@acme/tool");
            let times = packument["time"].as_object().unwrap();
            assert!(times.contains_key("1.0.0"), "{times:?}");
            let dist = &packument["versions"]["1.0.0"]["dist"];
            assert_eq!(dist["tarball"], format!("{}@acme/tool/-/tool-1.0.0.tgz", server.url()));
            assert_eq!(dist["integrity"], dx_pkg_testkit::integrity_sha512(&tarball));
            assert_eq!(dist["fileCount"], 2);
        }
        for version in ["1.0.0", "latest"] {
            let manifest = server.get(&format!("/{name}/{version}")).json();
            assert_eq!(manifest["version"], "1.0.0");
        }
        assert_eq!(server.get(&format!("/{name}/-/tool-1.0.0.tgz")).body, tarball);
        assert_eq!(server.get(&format!("/{name}/-/@acme/tool-1.0.0.tgz")).body, tarball);
    }
    assert_eq!(server.get("/@acme/tool/2.0.0").status, 404);
    assert_eq!(server.get("/@acme/tool/-/tool-2.0.0.tgz").status, 404);
}

#[test]
fn a_tarball_that_was_cut_or_damaged_is_not_published() {
    let server = Server::start("none");
    let whole = tarball("tool", "1.0.0");
    let mut wrong_checksum = whole.clone();
    let at = whole.len() - 6;
    wrong_checksum[at] ^= 0xff;
    let mut damaged = vec![wrong_checksum, [&whole[..], b"more"].concat()];
    damaged.extend([1, 4, 8, 20].map(|cut| whole[..whole.len() - cut].to_vec()));
    for bytes in damaged {
        let body = publish_body("tool", "1.0.0", "latest", &bytes, &json!({}));
        let answer = server.put("/tool", &body);
        assert_eq!(answer.status, 400, "{answer:?}");
        assert_eq!(server.get("/tool").status, 404);
    }
    assert_eq!(server.publish("tool", "1.0.0").status, 201);
}

#[test]
fn forms_have_tags_of_their_own_and_encodings_that_are_made_once() {
    let server = Server::start("none");
    server.publish("tool", "1.0.0");
    let get = |accept: &str, tag: &str| {
        server.get_with("/tool", &[("accept", accept), ("if-none-match", tag)])
    };
    let (full, short) = (get("application/json", ""), get(SHORT, ""));
    let (full_tag, short_tag) = (full.header("etag"), short.header("etag"));
    assert_ne!(full_tag, short_tag);
    assert_eq!(get(SHORT, short_tag).status, 304);
    assert_eq!(get(SHORT, &format!("\"other\", {short_tag}")).status, 304);
    assert_eq!(get(SHORT, full_tag).status, 200);
    for encoding in ["gzip", "br"] {
        let answer = server.get_with("/tool", &[("accept-encoding", encoding)]);
        assert_eq!(answer.header("content-encoding"), encoding);
        assert_eq!(answer.header("etag"), full_tag);
    }
    let head = server.send("HEAD", "/tool", &[("accept", SHORT)], b"");
    assert_eq!((head.status, head.header("content-length")), (200, short.header("content-length")));
    server.publish("tool", "1.0.1");
    assert_eq!(get(SHORT, short_tag).status, 200);
    let for_change = server.get_with("/tool?write=true", &[("accept", SHORT)]);
    assert_eq!(for_change.header("content-type"), "application/json");
    assert_eq!(for_change.header("cache-control"), "no-store");
    assert_eq!(for_change.json()["_rev"], "2-dx");
}

#[test]
fn a_tarball_can_be_had_in_parts() {
    let server = Server::start("none");
    server.publish("tool", "1.0.0");
    let whole = tarball("tool", "1.0.0");
    let path = "/tool/-/tool-1.0.0.tgz";
    let part = server.get_with(path, &[("range", "bytes=5-9")]);
    assert_eq!((part.status, &part.body[..]), (206, &whole[5..10]));
    assert_eq!(part.header("content-range"), format!("bytes 5-9/{}", whole.len()));
    assert_eq!(server.get_with(path, &[("range", "bytes=99999-")]).status, 416);
    let other = server.get_with(path, &[("range", "bytes=0-1"), ("if-range", "\"other\"")]);
    assert_eq!((other.status, other.body), (200, whole.clone()));
    let head = server.send("HEAD", path, &[], b"");
    assert_eq!(head.header("content-length"), whole.len().to_string());
    let again = server.get_with(path, &[("if-none-match", head.header("etag"))]);
    assert_eq!(again.status, 304);
}

#[test]
fn a_version_never_changes_and_is_never_free_again() {
    let server = Server::start("none");
    server.publish("tool", "1.0.0");
    server.publish("tool", "2.0.0");
    let other = tarball_of(&json!({ "name": "tool", "version": "1.0.0", "private": false }));
    let body = publish_body("tool", "1.0.0", "latest", &other, &json!({ "private": false }));
    assert_eq!(server.put("/tool", &body).status, 409);
    assert_eq!(server.get("/tool/-/tool-1.0.0.tgz").body, tarball("tool", "1.0.0"));
    // As `npm unpublish tool@1.0.0`.
    let mut document = server.get("/tool?write=true").json();
    let outdated = document.clone();
    let revision = document["_rev"].as_str().unwrap().to_owned();
    document["versions"].as_object_mut().unwrap().remove("1.0.0");
    assert!(server.put(&format!("/tool/-rev/{revision}"), &document).is_ok());
    assert_eq!(server.put(&format!("/tool/-rev/{revision}"), &outdated).status, 409);
    let revision = server.get("/tool?write=true").json()["_rev"].as_str().unwrap().to_owned();
    let path = format!("/tool/-/tool-1.0.0.tgz/-rev/{revision}");
    assert!(server.send("DELETE", &path, &[], b"").is_ok());
    assert_eq!(server.get("/tool/-/tool-1.0.0.tgz").status, 404);
    assert_eq!(server.publish("tool", "1.0.0").status, 403);
    let path = format!("/tool/-rev/{revision}");
    assert!(server.send("DELETE", &path, &[], b"").is_ok());
    assert_eq!(server.get("/tool").status, 404);
    assert_eq!(server.publish("tool", "2.0.0").status, 403);
    assert!(server.publish("tool", "3.0.0").is_ok());
    assert_eq!(server.versions("tool"), ["3.0.0"]);
}

#[test]
fn latest_never_moves_back_by_itself() {
    let server = Server::start("none");
    let tags = |server: &Server| server.get("/-/package/tool/dist-tags").json();
    let publish = |version: &str, tag: &str| {
        let body = publish_body("tool", version, tag, &tarball("tool", version), &json!({}));
        assert!(server.put("/tool", &body).is_ok());
    };
    publish("1.0.0-rc.1", "next");
    assert_eq!(tags(&server), json!({ "latest": "1.0.0-rc.1", "next": "1.0.0-rc.1" }));
    publish("2.0.0", "latest");
    publish("1.0.1", "latest");
    assert_eq!(tags(&server)["latest"], "2.0.0");
    let set = |tag: &str, version: &Value| {
        let path = format!("/-/package/tool/dist-tags/{tag}");
        server.send("PUT", &path, &[], version.to_string().as_bytes()).status
    };
    assert_eq!(set("latest", &json!("1.0.1")), 201);
    assert_eq!(set("beta", &json!("9.9.9")), 400);
    assert_eq!(set("1.x", &json!("1.0.1")), 400);
    assert_eq!(set("beta", &json!({ "not": "a text" })), 400);
    assert_eq!(tags(&server), json!({ "latest": "1.0.1", "next": "1.0.0-rc.1" }));
    let remove = |tag: &str| {
        server.send("DELETE", &format!("/-/package/tool/dist-tags/{tag}"), &[], b"").status
    };
    assert_eq!([remove("next"), remove("next"), remove("latest")], [200, 404, 400]);
}

#[test]
fn without_a_tarball_only_tags_deprecations_and_maintainers_change() {
    let server = Server::start("none");
    server.publish("@acme/tool", "1.0.0");
    let path = path_of("@acme/tool");
    let read = || server.get(&format!("{path}?write=true")).json();
    let mut document = read();
    document["versions"]["1.0.0"]["deprecated"] = json!("take another");
    document["versions"]["1.0.0"]["dependencies"] = json!({ "evil": "*" });
    let outdated = document.clone();
    assert!(server.put(&path, &document).is_ok());
    assert_eq!(server.put(&path, &outdated).status, 409);
    let mut document = read();
    assert_eq!(document["versions"]["1.0.0"]["deprecated"], "take another");
    assert_eq!(document["versions"]["1.0.0"]["dependencies"], Value::Null);
    document["versions"]["1.0.0"]["deprecated"] = json!("");
    assert!(server.put(&path, &document).is_ok());
    let mut document = read();
    assert_eq!(document["versions"]["1.0.0"].get("deprecated"), None);
    document["versions"]["9.0.0"] = document["versions"]["1.0.0"].clone();
    assert_eq!(server.put(&path, &document).status, 400);
    let revision = document["_rev"].as_str().unwrap();
    let nobody = json!({ "_id": "@acme/tool", "_rev": revision, "maintainers": [] });
    assert_eq!(server.put(&format!("{path}/-rev/{revision}"), &nobody).status, 400);
    assert_eq!(read()["_rev"], document["_rev"]);
}

#[test]
fn the_names_in_url_document_and_tarball_have_to_agree() {
    let server = Server::start("none");
    let good = publish_body("tool", "1.0.0", "latest", &tarball("tool", "1.0.0"), &json!({}));
    let with =
        |tarball: &[u8], fields: Value| publish_body("tool", "1.0.0", "latest", tarball, &fields);
    let own = tarball("tool", "1.0.0");
    let cases = [
        ("another name in the URL", "/other", good.clone()),
        ("another name in the tarball", "/tool", with(&tarball("other", "1.0.0"), json!({}))),
        ("another version in the tarball", "/tool", with(&tarball("tool", "1.0.1"), json!({}))),
        ("another dependency", "/tool", with(&own, json!({ "dependencies": { "evil": "*" } }))),
        ("another script", "/tool", with(&own, json!({ "scripts": { "postinstall": "x" } }))),
        ("another command", "/tool", with(&own, json!({ "bin": { "tool": "x.js" } }))),
        ("another digest", "/tool", with(&own, json!({ "dist": { "integrity": "sha512-AAAA" } }))),
        ("no tarball", "/tool", with(b"no tarball", json!({}))),
    ];
    for (what, path, body) in cases {
        let answer = server.put(path, &body);
        assert_eq!(answer.status, 400, "{what}: {}", answer.json());
        assert!(answer.json()["error"].is_string(), "{what}");
        assert_eq!(server.versions("tool"), Vec::<String>::new(), "{what}");
    }
    assert_eq!(server.put("/tool", &good).status, 201);
}

#[test]
fn what_npm_rewrites_before_it_publishes_is_no_difference() {
    let server = Server::start("none");
    let packed = json!({
        "name": "@acme/tool", "version": "v1.0.0", "bin": "./cli.js",
        "scripts": { "preinstall": "node_modules/.bin/x" },
        "dependencies": { "a": "^1", "b": "^1" }, "optionalDependencies": { "b": "^1" },
        "bundledDependencies": ["a"], "keywords": "one, two",
    });
    let sent = json!({
        "bin": { "tool": "cli.js" }, "scripts": { "preinstall": "x" }, "keywords": ["one", "two"],
        "dependencies": { "a": "^1" }, "optionalDependencies": { "b": "^1" },
        "bundleDependencies": ["a"], "homepage": "https://elsewhere.example/",
    });
    let body = publish_body("@acme/tool", "1.0.0", "latest", &tarball_of(&packed), &sent);
    let answer = server.put("/@acme/tool", &body);
    assert_eq!(answer.status, 201, "{}", answer.json());
}

#[test]
fn a_gzipped_publish_and_one_of_some_megabytes_are_taken() {
    let server = Server::start("none");
    let noise: String =
        (0..3_000_000_u32).map(|i| char::from(b'a' + (i.wrapping_mul(i) % 25) as u8)).collect();
    let manifest = json!({ "name": "large", "version": "1.0.0", "readme": noise });
    let tarball = tarball_of(&manifest);
    let body = publish_body("large", "1.0.0", "latest", &tarball, &json!({ "note": noise }));
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, body.to_string().as_bytes()).unwrap();
    let gzip = gzip.finish().unwrap();
    let answer = server.send("PUT", "/large", &[("content-encoding", "gzip")], &gzip);
    assert_eq!(answer.status, 201, "{}", answer.json());
    assert_eq!(server.get("/large/-/large-1.0.0.tgz").body, tarball);
}

#[test]
fn nothing_changes_without_a_token() {
    let server = Server::start("none");
    server.publish("tool", "1.0.0");
    let document = server.get("/tool?write=true");
    let revision = document.json()["_rev"].as_str().unwrap().to_owned();
    let publish = publish_body("tool", "2.0.0", "latest", &tarball("tool", "2.0.0"), &json!({}));
    let publish = publish.to_string();
    for (method, path, body) in [
        ("PUT", "/tool".to_owned(), publish.as_bytes()),
        ("PUT", "/tool".to_owned(), &document.body[..]),
        ("PUT", format!("/tool/-rev/{revision}"), &document.body[..]),
        ("DELETE", format!("/tool/-rev/{revision}"), b""),
        ("PUT", "/-/package/tool/dist-tags/beta".to_owned(), b"\"1.0.0\""),
        ("DELETE", "/-/package/tool/dist-tags/latest".to_owned(), b""),
    ] {
        for token in ["", "Bearer wrong", "Basic YTpi"] {
            let headers = [("authorization", token)];
            let headers = if token.is_empty() { &[][..] } else { &headers[..] };
            let answer = server.send_as(method, &path, headers, body);
            assert!(matches!(answer.status, 401 | 403), "{method} {path} {token:?}: {answer:?}");
        }
    }
    assert_eq!(server.get("/tool?write=true").json(), document.json());
}

#[test]
fn everything_is_there_after_a_restart() {
    let server = Server::start("none");
    server.publish("tool", "1.0.0");
    let before = server.get("/tool").json()["versions"]["1.0.0"]["dist"]["integrity"].clone();
    server.kill();
    let again = server.beside("none");
    let after = again.get("/tool").json()["versions"]["1.0.0"]["dist"]["integrity"].clone();
    assert_eq!(before, after);
    assert_eq!(again.get("/tool/-/tool-1.0.0.tgz").body, tarball("tool", "1.0.0"));
}

#[test]
fn stars_are_refused_rather_than_lost() {
    let server = Server::start("none");
    assert_eq!(server.publish("left", "1.0.0").status, 201);
    let document = server.get("/left?write=true").json();
    let revision = document["_rev"].as_str().unwrap();
    let starred = json!({ "_id": "left", "_rev": revision, "users": { "alice": true } });
    for path in ["/left".to_owned(), format!("/left/-rev/{revision}")] {
        let answer = server.put(&path, &starred);
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.json()["error"], "this registry keeps no stars");
    }
}
