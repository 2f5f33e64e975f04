//! Packages that come from an upstream.

use crate::server::{SHORT, Server};
use dx_pkg_testkit::{Fault, Registry};
use serde_json::{Value, json};
use std::time::Duration;

fn upstream() -> Registry {
    let registry = Registry::start();
    registry.package("a", "1.0.0").dep("b", "^1").publish();
    registry.package("@s/b", "1.2.0").publish();
    registry
}

fn asked(registry: &Registry, part: &str) -> usize {
    registry.requests().iter().filter(|request| request.path.contains(part)).count()
}

#[test]
fn a_package_is_fetched_once_and_served_as_this_registrys_own() {
    let upstream = upstream();
    let server = Server::start(upstream.url());
    for (name, path, file) in [("a", "/a", "a-1.0.0.tgz"), ("@s/b", "/@s%2fb", "b-1.2.0.tgz")] {
        for accept in ["application/json", SHORT, SHORT] {
            let answer = server.get_with(path, &[("accept", accept)]);
            assert_eq!(answer.header("content-type"), accept);
            let text = String::from_utf8(answer.body).unwrap();
            assert!(!text.contains(upstream.url()), "{text}");
            assert!(text.contains(&format!("{}{name}/-/{file}", server.url())), "{text}");
        }
        let tarball = server.get(&format!("/{name}/-/{file}"));
        assert_eq!(tarball.status, 200);
        assert_eq!(server.get(&format!("/{name}/-/{file}")).body, tarball.body);
        let packument = server.get(path).json();
        let latest = packument["dist-tags"]["latest"].as_str().unwrap();
        let integrity = dx_pkg_testkit::integrity_sha512(&tarball.body);
        assert_eq!(packument["versions"][latest]["dist"]["integrity"], integrity);
    }
    assert_eq!(upstream.requests().len(), 4, "{:?}", upstream.requests());
    for request in upstream.requests() {
        assert_eq!(request.header("authorization"), None);
    }
}

#[test]
fn many_who_ask_at_once_cause_one_request() {
    let upstream = upstream();
    upstream.fault("*", Fault::Delay(Duration::from_millis(200)));
    let server = Server::start(upstream.url());
    for path in ["/a", "/a/-/a-1.0.0.tgz"] {
        std::thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| assert_eq!(server.get(path).status, 200));
            }
        });
    }
    assert_eq!(upstream.requests().len(), 2, "{:?}", upstream.requests());
}

#[test]
fn a_failing_upstream_is_never_taken_for_one_without_the_package() {
    let upstream = upstream();
    let server = Server::start(upstream.url());
    let faults = [
        Fault::status(500),
        Fault::status(502),
        Fault::status(503),
        Fault::status(429),
        Fault::Drop,
        Fault::Truncate,
        Fault::bad_json(),
        Fault::Body(b"<html>log in</html>".to_vec()),
        Fault::Body(br#"{"name":"other","versions":{}}"#.to_vec()),
    ];
    for fault in faults {
        let handle = upstream.fault("/a", fault.clone());
        let answer = server.get("/a");
        assert!((500..600).contains(&answer.status), "{fault:?}: {answer:?}");
        assert!(answer.json()["error"].is_string(), "{fault:?}");
        drop(handle);
        upstream.clear_faults();
    }
    assert_eq!(server.get("/a").status, 200);
    assert_eq!(server.get("/missing").status, 404);
}

#[test]
fn a_torn_or_wrong_tarball_is_neither_sent_nor_kept() {
    let upstream = upstream();
    let server = Server::start(upstream.url());
    for fault in [Fault::Truncate, Fault::WrongBytes, Fault::Drop, Fault::status(500)] {
        upstream.fault("/a/-/*", fault.clone());
        let answer = server.get("/a/-/a-1.0.0.tgz");
        assert!((500..600).contains(&answer.status), "{fault:?}: {answer:?}");
        let part = server.get_with("/a/-/a-1.0.0.tgz", &[("range", "bytes=0-3")]);
        assert!((500..600).contains(&part.status), "{fault:?}: {part:?}");
        upstream.clear_faults();
    }
    let tarball = server.get("/a/-/a-1.0.0.tgz").body;
    assert_eq!(dx_pkg_testkit::integrity_sha512(&tarball), upstream.integrity("a", "1.0.0"));
}

#[test]
fn what_was_cached_is_served_while_the_upstream_fails_and_after_a_restart() {
    let upstream = upstream();
    let server = Server::with(upstream.url(), &[("DX_REGISTRY_CACHE__FRESH", "0s")]);
    let tarball = server.get("/a/-/a-1.0.0.tgz").body;
    upstream.fault("*", Fault::status(503));
    let restarted = server.beside(upstream.url());
    for server in [&server, &restarted] {
        assert!(server.get("/a").is_ok());
        assert!(server.get_with("/a", &[("accept", SHORT)]).is_ok());
        assert_eq!(server.get("/a/-/a-1.0.0.tgz").body, tarball);
        assert_eq!(server.get("/@s%2fb").status, 503);
    }
    restarted.kill();
}

#[test]
fn many_cached_packages_are_served_at_once_while_the_upstream_cannot_be_reached() {
    let upstream = Registry::start();
    let names: Vec<String> = (0..60).map(|i| format!("p{i}")).collect();
    for name in &names {
        upstream.package(name, "1.0.0").publish();
    }
    let server = Server::with(upstream.url(), &[("DX_REGISTRY_CACHE__FRESH", "0s")]);
    for name in &names {
        assert!(server.get(&format!("/{name}")).is_ok());
    }
    upstream.stop();
    let start = std::time::Instant::now();
    for name in &names {
        assert!(server.get(&format!("/{name}")).is_ok());
    }
    // Two tries for each, with their pause, would take twice as long.
    assert!(start.elapsed().as_secs_f64() < 3.0, "{:?}", start.elapsed());
    assert!(server.get("/other").status >= 500, "what is not cached is asked for");
}

#[test]
fn forms_of_packuments_are_not_made_anew_after_a_restart() {
    let upstream = Registry::start();
    for i in 0..800 {
        upstream.package("large", &format!("1.0.{i}")).publish();
    }
    let server = Server::start(upstream.url());
    let first = server.get_with("/large", &[("accept", SHORT)]);
    let file = server.storage().join("cache/forms/large/abbreviated");
    let kept = std::fs::read(&file).unwrap();
    // A mark that tells what was kept from what is made anew.
    let end = kept.iter().position(|byte| *byte == b'\n').unwrap();
    let head = String::from_utf8(kept[..end].to_vec()).unwrap();
    let tag = first.header("etag").trim_start_matches("W/").trim_matches('"');
    let marked = head.replace(tag, "kept");
    assert_ne!(head, marked);
    let with = |head: &str, body: &[u8]| [head.as_bytes(), b"\n", body].concat();
    std::fs::write(&file, with(&marked, &kept[end + 1..])).unwrap();
    server.kill();
    let restarted = server.beside_at(upstream.url());
    let again = restarted.get_with("/large", &[("accept", SHORT)]);
    assert_eq!((again.header("etag"), &again.body), ("W/\"kept\"", &first.body));
    restarted.kill();
    // What is damaged, or of another program, is made anew.
    let mut damaged = kept[end + 1..].to_vec();
    damaged[100] ^= 1;
    let foreign = marked.replace("\"program\":\"", "\"program\":\"x");
    for other in
        [with(&marked, &damaged), with(&foreign, &kept[end + 1..]), b"x".to_vec(), Vec::new()]
    {
        std::fs::write(&file, other).unwrap();
        let restarted = server.beside_at(upstream.url());
        let again = restarted.get_with("/large", &[("accept", SHORT)]);
        assert_eq!((again.header("etag"), &again.body), (first.header("etag"), &first.body));
        restarted.kill();
    }
}

#[test]
fn a_packument_that_is_not_fresh_is_asked_for_by_its_tag() {
    let upstream = upstream();
    let server = Server::with(upstream.url(), &[("DX_REGISTRY_CACHE__FRESH", "0s")]);
    server.get("/a");
    server.get("/a");
    let requests = upstream.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].header("if-none-match"), None);
    assert!(requests[1].header("if-none-match").is_some());
    upstream.package("a", "2.0.0").publish();
    assert_eq!(server.versions("a"), ["1.0.0", "2.0.0"]);
}

#[test]
fn a_pause_that_the_upstream_asks_for_is_made() {
    let upstream = upstream();
    let server = Server::start(upstream.url());
    let busy = Fault::status(429).header("retry-after", "60");
    upstream.fault("/a", busy);
    let answer = server.get("/a");
    assert_eq!((answer.status, answer.header("retry-after")), (503, "60"));
    let answer = server.get("/@s%2fb");
    assert_eq!(answer.status, 503);
    assert_ne!(answer.header("retry-after"), "");
    assert_eq!(upstream.requests().len(), 1);
}

#[test]
fn a_missing_name_is_asked_for_once_and_free_to_be_published() {
    let upstream = upstream();
    let server = Server::start(upstream.url());
    assert_eq!([server.get("/mine").status, server.get("/mine").status], [404, 404]);
    assert_eq!(asked(&upstream, "mine"), 1);
    assert!(server.publish("mine", "1.0.0").is_ok());
    assert_eq!(server.versions("mine"), ["1.0.0"]);
    // From now on the name is this registry's.
    upstream.package("mine", "99.0.0").publish();
    assert_eq!(server.versions("mine"), ["1.0.0"]);
    assert_eq!(server.get("/mine/-/mine-99.0.0.tgz").status, 404);
    let revision = server.get("/mine?write=true").json()["_rev"].as_str().unwrap().to_owned();
    server.send("DELETE", &format!("/mine/-rev/{revision}"), &[], b"");
    assert_eq!(server.get("/mine").status, 404);
    assert_eq!(asked(&upstream, "mine"), 1);
}

#[test]
fn a_name_of_the_upstream_cannot_be_published_unless_it_is_given_to_this_registry() {
    let upstream = upstream();
    let server = Server::start(upstream.url());
    assert_eq!(server.publish("a", "9.0.0").status, 403);
    assert_eq!(server.versions("a"), ["1.0.0"]);
    upstream.fault("*", Fault::status(500));
    assert_eq!(server.publish("a", "9.0.0").status, 403);
    assert_eq!(server.publish("unknown", "1.0.0").status, 201);
    let ours = "[{ names = \"@s/*\", from = \"hosted\" }, { names = \"a\", from = \"upstream\" }]";
    upstream.clear_faults();
    let server = Server::with(upstream.url(), &[("DX_REGISTRY_PACKAGES", ours)]);
    assert_eq!(server.get("/@s%2fb").status, 404);
    assert_eq!(server.publish("@s/b", "0.1.0").status, 201);
    assert_eq!(server.versions("@s/b"), ["0.1.0"]);
    assert_eq!(server.publish("a", "9.0.0").status, 403);
}

#[test]
fn a_packument_or_a_redirect_leads_to_no_server_inside() {
    let (upstream, inside) = (upstream(), Registry::start());
    inside.package("a", "1.0.0").publish();
    inside.package("@s/b", "1.2.0").publish();
    let server = Server::start(upstream.url());
    upstream.fault("/a", Fault::Redirect(inside.url().to_owned()));
    assert_eq!(server.get("/a").status, 502);
    for address in
        ["http://127.0.0.1:1/", "http://169.254.169.254/", "http://[::1]:1/", "http://10.0.0.1/"]
    {
        upstream.clear_faults();
        upstream.fault("/a", Fault::Redirect(address.to_owned()));
        assert_eq!(server.get("/a").status, 502, "{address}");
    }
    upstream.clear_faults();
    upstream.tarballs_at(inside.url());
    assert_eq!(server.get("/@s%2fb").status, 200);
    assert_eq!(server.get("/@s/b/-/b-1.2.0.tgz").status, 502);
    assert_eq!(inside.requests().len(), 0);
}

#[test]
fn a_damaged_object_of_the_cache_is_fetched_again() {
    let upstream = upstream();
    let server = Server::start(upstream.url());
    let tarball = server.get("/a/-/a-1.0.0.tgz").body;
    let mut damaged = 0;
    for folder in std::fs::read_dir(server.storage().join("tarballs")).unwrap() {
        for file in std::fs::read_dir(folder.unwrap().path()).unwrap() {
            std::fs::write(file.unwrap().path(), b"damaged").unwrap();
            damaged += 1;
        }
    }
    assert_eq!(damaged, 1);
    assert_eq!(server.get("/a/-/a-1.0.0.tgz").body, tarball, "it is in memory, too");
    assert_eq!(asked(&upstream, "tgz"), 1);
    let next = server.beside(upstream.url());
    assert_eq!(next.get("/a/-/a-1.0.0.tgz").body, tarball);
    assert_eq!(asked(&upstream, "tgz"), 2);
}

#[test]
fn a_cached_version_that_the_upstream_removed_is_there_for_lockfiles() {
    let upstream = upstream();
    upstream.package("a", "1.1.0").publish();
    let fresh = ("DX_REGISTRY_CACHE__FRESH", "0s");
    let server = Server::with(upstream.url(), &[fresh]);
    let path = "/a/-/a-1.1.0.tgz";
    let tarball = server.get(path).body;
    upstream.unpublish("a", "1.1.0");
    assert_eq!(server.versions("a"), ["1.0.0"]);
    for server in [&server, &server.beside_with(upstream.url(), &[fresh])] {
        let answer = server.get(path);
        assert_eq!((answer.status, &answer.body), (200, &tarball));
        assert_eq!(server.versions("a"), ["1.0.0"]);
        assert_eq!(server.get("/a/1.1.0").status, 404);
    }
    let rest = "/a/-/a-1.0.0.tgz";
    assert_eq!(server.get(rest).status, 200);
    let gone = Fault::Status { code: 404, headers: Vec::new(), body: Vec::new() };
    let _gone = upstream.fault("*", gone);
    assert_eq!(server.get("/a").status, 404);
    for path in [path, rest] {
        assert_eq!(server.get(path).status, 200, "{path}: the whole package was removed");
    }
    let policy = [fresh, ("DX_REGISTRY_POLICY__MINIMUM_AGE", "1d")];
    let judging = server.beside_with(upstream.url(), &policy);
    assert!(matches!(judging.get(path).status, 403 | 404), "what is gone cannot be judged");
}

#[test]
fn a_slow_upstream_is_waited_for_once_where_packages_are_cached() {
    let upstream = upstream();
    upstream.package("c", "1.0.0").publish();
    let fresh = ("DX_REGISTRY_CACHE__FRESH", "0s");
    let server = Server::with(upstream.url(), &[fresh]);
    for path in ["/a", "/@s/b", "/c"] {
        assert_eq!(server.get(path).status, 200);
    }
    let slow = upstream.fault("*", Fault::Delay(Duration::from_secs(20)));
    let time = |path: &str| {
        let start = std::time::Instant::now();
        assert_eq!(server.get(path).status, 200, "{path}");
        start.elapsed()
    };
    assert!(time("/a") < Duration::from_secs(15));
    for path in ["/@s/b", "/c", "/a", "/c"] {
        assert!(time(path) < Duration::from_secs(3), "{path}");
    }
    drop(slow);
    upstream.package("d", "1.0.0").publish();
    assert_eq!(server.get("/d").status, 200);
}

#[test]
fn a_version_that_is_null_is_none() {
    let upstream = upstream();
    let mut packument: Value = Server::start(upstream.url()).get("/a").json();
    packument["versions"]["2.0.0"] = Value::Null;
    let _fault = upstream.fault("/a", Fault::Body(packument.to_string().into_bytes()));
    let server = Server::start(upstream.url());
    assert_eq!(server.versions("a"), ["1.0.0"]);
    assert_eq!(server.get("/a/2.0.0").status, 404);
}

#[test]
fn the_address_in_answers_is_the_one_that_clients_use() {
    let upstream = upstream();
    let tarball = |server: &Server, path: &str, headers: &[(&str, &str)]| -> Value {
        server.get_with(path, headers).json()["versions"]["1.0.0"]["dist"]["tarball"].clone()
    };
    let forwarded = [("x-forwarded-proto", "https"), ("x-forwarded-host", "npm.example")];
    let server = Server::start(upstream.url());
    let own = format!("{}a/-/a-1.0.0.tgz", server.url());
    assert_eq!(tarball(&server, "/a", &forwarded), own);
    let trusted = [("DX_REGISTRY_TRUSTED_PROXIES", "[\"127.0.0.0/8\"]")];
    let server = Server::with(upstream.url(), &trusted);
    assert_eq!(tarball(&server, "/a", &forwarded), "https://npm.example/a/-/a-1.0.0.tgz");
    let public = [("DX_REGISTRY_PUBLIC_URL", "https://npm.example/registry")];
    let server = Server::with(upstream.url(), &public);
    let wanted = json!("https://npm.example/registry/a/-/a-1.0.0.tgz");
    for path in ["/a", "/registry/a"] {
        assert_eq!(tarball(&server, path, &[]), wanted, "{path}");
    }
    assert_eq!(server.get("/registry/a/-/a-1.0.0.tgz").status, 200);
}
