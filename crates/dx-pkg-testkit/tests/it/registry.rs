//! The registry's answers, with and without faults.

use crate::client::get;
use dx_pkg_testkit::{Fault, Registry, integrity_sha512, shasum};
use std::io::ErrorKind;
use std::time::{Duration, Instant};

const ABBREVIATED: (&str, &str) = ("accept", "application/vnd.npm.install-v1+json");

fn registry_with_a() -> Registry {
    let registry = Registry::start();
    registry.package("a", "1.0.0").dep("b", "^1").script("postinstall", "exit 1").publish();
    registry.package("a", "2.0.0").deprecated("use c").publish();
    registry
}

#[test]
fn abbreviated_packument_leaves_scripts_and_times_out() {
    let registry = registry_with_a();
    let full = get(registry.url(), "/a", &[]).unwrap().json();
    let short = get(registry.url(), "/a", &[ABBREVIATED]).unwrap();
    assert_eq!(short.header("content-type"), Some(ABBREVIATED.1));
    let short = short.json();
    assert_eq!(full["versions"]["1.0.0"]["scripts"]["postinstall"], "exit 1");
    assert_eq!(full["time"]["1.0.0"], "2020-01-01T00:00:00.000Z");
    assert!(short["versions"]["1.0.0"].get("scripts").is_none());
    assert!(short.get("time").is_none());
    assert_eq!(short["versions"]["1.0.0"]["hasInstallScript"], true);
    assert_eq!(short["versions"]["2.0.0"]["deprecated"], "use c");
    assert_eq!(short["dist-tags"]["latest"], "2.0.0");
}

#[test]
fn tarball_has_the_announced_digests() {
    let registry = Registry::start();
    registry.package("@scope/a", "1.0.0").publish();
    let packument = get(registry.url(), "/@scope%2fa", &[]).unwrap().json();
    let dist = &packument["versions"]["1.0.0"]["dist"];
    let url = dist["tarball"].as_str().unwrap();
    let path = url.strip_prefix(registry.url().trim_end_matches('/')).unwrap();
    let tarball = get(registry.url(), path, &[]).unwrap();
    assert_eq!(dist["integrity"], integrity_sha512(&tarball.body));
    assert_eq!(dist["shasum"], shasum(&tarball.body));
    assert_eq!(registry.integrity("@scope/a", "1.0.0"), integrity_sha512(&tarball.body));
    assert_eq!((registry.metadata_requests(), registry.tarball_requests()), (1, 1));
}

#[test]
fn matching_etag_is_answered_304_without_a_body() {
    let registry = registry_with_a();
    let first = get(registry.url(), "/a", &[]).unwrap();
    let etag = first.header("etag").unwrap();
    let second = get(registry.url(), "/a", &[("if-none-match", etag)]).unwrap();
    assert_eq!((second.status, second.body.len()), (304, 0));
    registry.package("a", "3.0.0").publish();
    assert_eq!(get(registry.url(), "/a", &[("if-none-match", etag)]).unwrap().status, 200);
}

#[test]
fn packument_is_gzipped_only_when_accepted() {
    let registry = registry_with_a();
    let plain = get(registry.url(), "/a", &[]).unwrap();
    let packed = get(registry.url(), "/a", &[("accept-encoding", "gzip")]).unwrap();
    assert_eq!(plain.header("content-encoding"), None);
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    let mut inflated = vec![0; plain.body.len()];
    libdeflater::Decompressor::new().gzip_decompress(&packed.body, &mut inflated).unwrap();
    assert_eq!(inflated, plain.body);
}

#[test]
fn unknown_package_is_404_and_missing_token_401() {
    let registry = registry_with_a();
    assert_eq!(get(registry.url(), "/none", &[]).unwrap().status, 404);
    registry.require_token("secret");
    assert_eq!(get(registry.url(), "/a", &[]).unwrap().status, 401);
    assert_eq!(
        get(registry.url(), "/a", &[("authorization", "Bearer wrong")]).unwrap().status,
        401
    );
    assert_eq!(
        get(registry.url(), "/a", &[("authorization", "Bearer secret")]).unwrap().status,
        200
    );
    let last = registry.requests().pop().unwrap();
    assert_eq!(last.header("Authorization"), Some("Bearer secret"));
}

#[test]
fn status_fault_carries_its_headers_and_ends_after_its_times() {
    let registry = registry_with_a();
    let fault = registry.fault("/a", Fault::status(429).header("retry-after", "1")).times(1);
    let struck = get(registry.url(), "/a", &[]).unwrap();
    assert_eq!((struck.status, struck.header("retry-after")), (429, Some("1")));
    assert_eq!(get(registry.url(), "/a", &[]).unwrap().status, 200);
    assert_eq!(fault.hits(), 1);
}

#[test]
fn dropped_truncated_and_stalled_answers_are_not_whole() {
    let registry = registry_with_a();
    let whole = get(registry.url(), "/a", &[]).unwrap().body.len();
    registry.fault("/a", Fault::Drop).times(1);
    assert_eq!(get(registry.url(), "/a", &[]).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    registry.fault("/a", Fault::Truncate).times(1);
    let truncated = get(registry.url(), "/a", &[]).unwrap();
    assert_eq!(truncated.header("content-length"), Some(&*whole.to_string()));
    assert_eq!(truncated.body.len(), whole / 2);
    for stall in [Fault::Stall, Fault::StallBody] {
        registry.fault("/a", stall).times(1);
        let error = get(registry.url(), "/a", &[]).unwrap_err().kind();
        assert!(matches!(error, ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
    }
}

#[test]
fn wrong_bytes_keep_the_length_and_change_the_digest() {
    let registry = registry_with_a();
    let path = "/a/-/a-1.0.0.tgz";
    let right = get(registry.url(), path, &[]).unwrap().body;
    registry.fault("*.tgz", Fault::WrongBytes);
    let wrong = get(registry.url(), path, &[]).unwrap().body;
    assert_eq!(right.len(), wrong.len());
    assert_ne!(shasum(&right), shasum(&wrong));
}

#[test]
fn full_packument_may_answer_an_abbreviated_request() {
    let registry = registry_with_a();
    registry.fault("/a", Fault::FullPackument);
    let answer = get(registry.url(), "/a", &[ABBREVIATED]).unwrap();
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert!(answer.json().get("time").is_some());
}

#[test]
fn redirect_leads_to_the_same_path_elsewhere() {
    let (registry, other) = (registry_with_a(), registry_with_a());
    registry.fault("/a", Fault::Redirect(other.url().to_owned()));
    let answer = get(registry.url(), "/a", &[]).unwrap();
    assert_eq!(answer.status, 302);
    assert_eq!(answer.header("location"), Some(&*format!("{}a", other.url())));
}

#[test]
fn delayed_answer_is_late_and_right() {
    let registry = registry_with_a();
    registry.fault("/a", Fault::Delay(Duration::from_millis(50)));
    let started = Instant::now();
    assert_eq!(get(registry.url(), "/a", &[]).unwrap().status, 200);
    assert!(started.elapsed() >= Duration::from_millis(50));
}

#[test]
fn stopped_registry_refuses_connections() {
    let registry = registry_with_a();
    registry.stop();
    assert_eq!(get(registry.url(), "/a", &[]).unwrap_err().kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn requests_in_flight_at_once_are_counted() {
    let registry = registry_with_a();
    registry.fault("/a", Fault::Delay(Duration::from_millis(100)));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| get(registry.url(), "/a", &[]).unwrap());
        }
    });
    assert_eq!(registry.most_in_flight(), 4);
    assert_eq!(registry.connections(), 4);
}
