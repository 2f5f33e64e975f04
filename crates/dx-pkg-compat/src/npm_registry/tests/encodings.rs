//! Answers with a `Content-Encoding`, right and wrong ones.

use super::tarballs::{fetch, fetch_streaming};
use super::*;

const PACKUMENT: &[u8] = br#"{"name":"a","dist-tags":{"latest":"1.0.0"},"versions":{"1.0.0":{"name":"a","version":"1.0.0","dist":{"tarball":"http://registry.example/a.tgz"}}}}"#;

fn encoded(label: &str, body: Vec<u8>) -> Fault {
    let headers = vec![("content-encoding".to_owned(), label.to_owned())];
    Fault::Status { code: 200, headers, body }
}

#[tokio::test]
async fn packuments_of_any_encoding_are_read() {
    for (label, body) in [
        ("gzip", gzip(PACKUMENT)),
        ("GZIP", gzip(PACKUMENT)),
        ("gzip, gzip", gzip(&gzip(PACKUMENT))),
        ("aws-chunked, gzip", gzip(PACKUMENT)),
        ("gzip", PACKUMENT.to_vec()),
        ("br", PACKUMENT.to_vec()),
        ("utf-8", PACKUMENT.to_vec()),
        ("aws-chunked", PACKUMENT.to_vec()),
        ("identity", PACKUMENT.to_vec()),
        ("binary", PACKUMENT.to_vec()),
        ("", PACKUMENT.to_vec()),
    ] {
        let registry = Registry::start();
        registry.fault("/a", encoded(label, body));
        let answer = ask(&client_of(&registry), "a").await;
        assert!(matches!(answer, Ok(PackumentAnswer::Modified { .. })), "{label}: {answer:?}");
    }
}

#[tokio::test]
async fn a_damaged_encoding_is_an_error() {
    let registry = Registry::start();
    let zipped = gzip(PACKUMENT);
    registry.fault("/a", encoded("gzip", zipped[..zipped.len() - 5].to_vec()));
    let error = ask(&client_of(&registry), "a").await.unwrap_err();
    assert_eq!(error.code(), "DX_BAD_PACKUMENT");
    assert!(error.to_string().contains("gzip encoding is damaged"), "{error}");
}

/// A registry with `a@1.0.0`, and its tarball.
fn published() -> (Registry, Vec<u8>) {
    let registry = Registry::start();
    let package = registry.package("a", "1.0.0");
    let tarball = package.tarball();
    package.publish();
    (registry, tarball)
}

#[tokio::test]
async fn tarballs_of_any_encoding_are_what_was_published() {
    let (_, tarball) = published();
    for (label, body) in [
        ("gzip", gzip(&tarball)),
        ("x-gzip", gzip(&tarball)),
        ("gzip, gzip", gzip(&gzip(&tarball))),
        // The name of the compression that the tarball has by itself.
        ("gzip", tarball.clone()),
        ("gzip, gzip", gzip(&tarball)),
        ("deflate", tarball.clone()),
        ("utf-8", tarball.clone()),
        ("aws-chunked", tarball.clone()),
    ] {
        let (registry, _) = published();
        registry.fault("/a/-/*", encoded(label, body));
        let client = client_of(&registry);
        let bytes = fetch(&client, wanted(&registry, "a", "1.0.0")).await.unwrap();
        assert!(bytes == tarball, "{label}");
        assert_eq!(registry.tarball_requests(), 1, "{label}");
        // One that is streamed cannot be told before it is whole.
        let wanted = wanted(&registry, "a", "1.0.0");
        let (bytes, _) = fetch_streaming(&client, wanted, 0).await.unwrap();
        assert!(bytes == tarball, "{label}, streamed");
        assert!(registry.tarball_requests() <= 3, "{label}");
    }
}

#[tokio::test]
async fn tarballs_of_unknown_integrity_stay_compressed_once() {
    let (_, tarball) = published();
    for (label, body) in
        [("gzip", gzip(&tarball)), ("gzip", tarball.clone()), ("gzip, gzip", gzip(&tarball))]
    {
        let (registry, _) = published();
        registry.fault("/a/-/*", encoded(label, body));
        let known = wanted(&registry, "a", "1.0.0");
        let unknown = TarballRequest { integrity: None, ..known.clone() };
        let right = known.integrity.unwrap();
        let bytes = super::tarballs::fetch_as(&client_of(&registry), unknown, right).await.unwrap();
        assert!(bytes == tarball, "{label}");
    }
}

#[tokio::test]
async fn an_encoded_tarball_with_other_bytes_is_refused() {
    let (registry, tarball) = published();
    let mut other = tarball.clone();
    *other.last_mut().unwrap() ^= 1;
    registry.fault("/a/-/*", encoded("gzip", gzip(&other)));
    let wanted = wanted(&registry, "a", "1.0.0");
    let error = fetch(&client_of(&registry), wanted).await.unwrap_err();
    assert_eq!(error.code(), "DX_INTEGRITY_MISMATCH");
}
