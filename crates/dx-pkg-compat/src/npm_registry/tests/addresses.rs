use super::super::address::{ReplaceHost, conventional_tarball_url, packument_url};
use super::super::encoding::{Coding, undo};
use super::super::error::token_key;
use super::super::freshness::lifetime;
use super::*;
use dx_pkg_fetch::header::{HeaderMap, HeaderName, HeaderValue};

#[test]
fn packument_urls_keep_the_base_and_escape_the_scope() {
    for (base, package, expected) in [
        ("https://registry.example/", "a", "https://registry.example/a"),
        (
            "https://registry.example/npm/private/",
            "@s/a",
            "https://registry.example/npm/private/@s%2fa",
        ),
        ("https://registry.example/npm", "@s/a", "https://registry.example/npm/@s%2fa"),
        ("http://127.0.0.1:4873/?x=1#f", "a", "http://127.0.0.1:4873/a"),
    ] {
        assert_eq!(packument_url(&url(base), &name(package)).unwrap().as_str(), expected);
    }
}

#[test]
fn tarballs_without_address_are_where_npm_puts_them() {
    let found =
        conventional_tarball_url(&url("https://registry.example/npm/"), &name("@s/a"), "1.0.0-b.1")
            .unwrap();
    assert_eq!(found.as_str(), "https://registry.example/npm/@s/a/-/a-1.0.0-b.1.tgz");
}

#[test]
fn default_registry_addresses_are_led_to_the_configured_registry() {
    let mirror = url("http://mirror.example:8080/npm/");
    for (setting, resolved, expected) in [
        (
            "npmjs",
            "https://registry.example/a/-/a-1.tgz",
            "http://mirror.example:8080/npm/a/-/a-1.tgz",
        ),
        (
            "npmjs",
            "https://registry.example/npm/a/-/a-1.tgz?x=1",
            "http://mirror.example:8080/npm/a/-/a-1.tgz?x=1",
        ),
        ("npmjs", "https://other.example/a/-/a-1.tgz", "https://other.example/a/-/a-1.tgz"),
        ("never", "https://registry.example/a/-/a-1.tgz", "https://registry.example/a/-/a-1.tgz"),
        (
            "always",
            "https://other.example/a/-/a-1.tgz",
            "http://mirror.example:8080/npm/a/-/a-1.tgz",
        ),
        (
            "other.example",
            "https://other.example/a/-/a-1.tgz",
            "http://mirror.example:8080/npm/a/-/a-1.tgz",
        ),
        (
            "other.example",
            "https://registry.example/a/-/a-1.tgz",
            "https://registry.example/a/-/a-1.tgz",
        ),
        (
            "https://other.example/old/",
            "https://other.example/old/a.tgz",
            "http://mirror.example:8080/npm/a.tgz",
        ),
        (
            "https://other.example/old/",
            "https://other.example/older/a.tgz",
            "https://other.example/older/a.tgz",
        ),
    ] {
        let rule = ReplaceHost::read(setting, &url(DEFAULT));
        assert_eq!(rule.apply(url(resolved), &mirror).as_str(), expected, "{setting} {resolved}");
    }
}

#[test]
fn only_http_addresses_are_tarball_addresses() {
    let client = client("");
    for bad in
        ["file:///etc/passwd", "git+ssh://git@registry.example/a", "a.tgz", "", "http://\x1b[31m"]
    {
        let error = client.tarball_url(&name("a"), "1.0.0", Some(bad)).unwrap_err();
        assert_eq!(error.code(), "DX_BAD_TARBALL_URL", "{bad}");
        assert!(!error.to_string().contains('\x1b'));
    }
}

#[test]
fn freshness_follows_cache_control_and_age() {
    let fresh_for_ms = |cache_control: Option<&str>, age: Option<&str>| {
        let mut headers = HeaderMap::new();
        for (name, value) in [("cache-control", cache_control), ("age", age)] {
            headers.extend(value.map(|value| {
                (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
            }));
        }
        lifetime(&headers).fresh_for_ms
    };
    assert_eq!(fresh_for_ms(None, None), 300_000);
    assert_eq!(fresh_for_ms(Some("public"), None), 300_000);
    assert_eq!(fresh_for_ms(Some("public, max-age=60"), None), 60_000);
    assert_eq!(fresh_for_ms(Some("Max-Age=\"60\""), Some("45")), 15_000);
    assert_eq!(fresh_for_ms(Some("max-age=60"), Some("90")), 0);
    assert_eq!(fresh_for_ms(Some("max-age=60, no-cache"), None), 0);
    assert_eq!(fresh_for_ms(Some("no-store"), None), 0);
    assert_eq!(fresh_for_ms(Some("max-age=never"), None), 0);
    assert_eq!(fresh_for_ms(Some("max-age=18446744073709551615"), None), 24 * 3_600_000);
}

#[test]
fn token_keys_are_those_npm_reads() {
    assert_eq!(
        token_key(&url("https://registry.example/npm/x/")),
        "//registry.example/npm/x/:_authToken"
    );
    assert_eq!(token_key(&url("http://u:p@127.0.0.1:4873/")), "//127.0.0.1:4873/:_authToken");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut compressor = libdeflater::Compressor::new(libdeflater::CompressionLvl::default());
    let mut out = vec![0; compressor.gzip_compress_bound(bytes.len())];
    let length = compressor.gzip_compress(bytes, &mut out).unwrap();
    out.truncate(length);
    out
}

#[test]
fn gzip_is_undone_even_when_its_trailer_lies() {
    let text = vec![b'x'; 100_000];
    let zipped = gzip(&text);
    let inflate = |body: &[u8]| undo(body, &[Coding::Gzip], 1 << 20);
    assert!(*inflate(&zipped).unwrap().unwrap() == *text);
    assert!(inflate(&gzip(b"")).unwrap().unwrap().is_empty());
    for told in [0u32, 1, 99_999, u32::MAX] {
        let mut lying = zipped.clone();
        let at = lying.len() - 4;
        lying[at..].copy_from_slice(&told.to_le_bytes());
        assert!(inflate(&lying).is_err(), "the length is part of what is checked");
    }
    assert!(inflate(&zipped[..20]).is_err());
    assert!(inflate(b"").unwrap().is_none());
    assert!(inflate(b"{}").unwrap().is_none());
}
