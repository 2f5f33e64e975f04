//! Encoding of packuments: fields that npm keeps, mistakes that it tolerates, answers that are
//! refused.

mod fast;
mod fields;
mod properties;

use std::sync::Arc;

use dx_pkg_core::{Coded, PackageName};
use dx_pkg_format::packument::{Packument, VersionView};

use super::{PackumentError, encode};

fn name(name: &str) -> PackageName {
    PackageName::parse(name).unwrap()
}

fn encoded(package: &str, json: &str) -> Packument {
    let bytes = encode(json.as_bytes(), &name(package)).unwrap();
    Packument::decode(Arc::new(bytes)).unwrap()
}

/// The packument of package `a` whose version 1.0.0 has `fields`.
fn with_fields(fields: &str) -> Packument {
    encoded("a", &format!(r#"{{"name":"a","versions":{{"1.0.0":{{{fields}}}}}}}"#))
}

fn only(packument: &Packument) -> VersionView<'_> {
    assert_eq!(packument.len(), 1);
    packument.versions().next().unwrap()
}

fn refused(package: &str, json: &[u8]) -> PackumentError {
    encode(json, &name(package)).unwrap_err()
}

#[test]
fn abbreviated_packument_is_encoded_whole() {
    let json = r#"{
        "name": "@scope/a", "modified": "2024-01-02T03:04:05.678Z",
        "dist-tags": {"latest": "1.10.0", "next": "2.0.0-rc.1"},
        "versions": {
            "1.10.0": {
                "name": "@scope/a", "version": "1.10.0", "bin": {"tool": "./cli.js"}, "hasInstallScript": true,
                "dependencies": {"z": "^1.0.0", "b": "~2"}, "peerDependencies": {"react": ">=17"},
                "peerDependenciesMeta": {"react": {"optional": true}, "other": {}},
                "engines": {"npm": ">=8", "node": ">=18"}, "os": ["linux", "!win32"], "cpu": ["x64"], "libc": ["glibc"],
                "_hasShrinkwrap": true,
                "dist": {"tarball": "http://registry.example/a.tgz", "integrity": "sha512-AAAA", "shasum": "00",
                         "unpackedSize": 12345, "fileCount": 7, "signatures": [{"keyid": "k"}]}
            },
            "1.9.0": {"deprecated": "use 1.10"},
            "2.0.0-rc.1": {}
        }
    }"#;
    let packument = encoded("@scope/a", json);
    assert_eq!(packument.name(), "@scope/a");
    assert_eq!(packument.modified(), Some(1_704_164_645_678));
    let tags: Vec<_> = packument.dist_tags().collect();
    assert_eq!(tags, [("latest", "1.10.0"), ("next", "2.0.0-rc.1")]);
    let versions: Vec<_> = packument.versions().map(|version| version.version_str()).collect();
    assert_eq!(versions, ["1.9.0", "1.10.0", "2.0.0-rc.1"]);
    let old = packument.version(packument.find_str("1.9.0").unwrap());
    assert_eq!(old.deprecated(), Some("use 1.10"));
    assert!(!old.has_install_script() && !old.has_shrinkwrap());
    let version = packument.version(packument.tag("latest").unwrap());
    assert_eq!(version.dependencies().collect::<Vec<_>>(), [("z", "^1.0.0"), ("b", "~2")]);
    assert_eq!(version.peer_dependencies().collect::<Vec<_>>(), [("react", ">=17")]);
    assert_eq!(version.peer_meta().collect::<Vec<_>>(), [("react", true), ("other", false)]);
    assert_eq!(version.engines().collect::<Vec<_>>(), [("npm", ">=8"), ("node", ">=18")]);
    assert_eq!(version.os().collect::<Vec<_>>(), ["linux", "!win32"]);
    assert_eq!(version.cpu().collect::<Vec<_>>(), ["x64"]);
    assert_eq!(version.libc().collect::<Vec<_>>(), ["glibc"]);
    assert_eq!(version.bins().collect::<Vec<_>>(), [("tool", "cli.js")]);
    assert_eq!(version.tarball(), "http://registry.example/a.tgz");
    assert_eq!(version.integrity(), Some("sha512-AAAA"));
    assert_eq!((version.unpacked_size(), version.file_count()), (Some(12345), Some(7)));
    assert!(version.has_install_script() && version.has_shrinkwrap());
    assert_eq!(version.deprecated(), None);
}

#[test]
fn full_packument_gives_publication_times() {
    let json = r#"{"_id": "a", "name": "a", "readme": "\ud83d\ude00 text \u0000 {\"[",
        "versions": {"1.0.0": {"scripts": {"test": "x", "postinstall": "node build.js"}, "license": "MIT"}, "1.1.0": {}},
        "time": {"created": "2020-01-01T00:00:00.000Z", "modified": "2021-01-01T00:00:00.000Z",
                 "1.0.0": "1970-01-01T00:00:01.500Z", "1.1.0": "2025-12-28T22:08:26.400000+00:00", "unpublished": {}}}"#;
    let packument = encoded("a", json);
    assert_eq!(packument.modified(), Some(1_609_459_200_000));
    let first = packument.version(packument.find_str("1.0.0").unwrap());
    assert_eq!(first.published(), Some(1500));
    assert!(first.has_install_script());
    assert_eq!(first.license(), Some("MIT"));
    let second = packument.version(packument.find_str("1.1.0").unwrap());
    assert_eq!(second.published(), Some(1_766_959_706_400));
    assert!(!second.has_install_script());
}

#[test]
fn answer_about_another_package_is_refused() {
    let error = refused("a", br#"{"name":"b\u001b[2J","versions":{}}"#);
    assert_eq!(error.code(), "DX_PACKUMENT_NAME");
    let text = error.to_string();
    assert!(text.contains(r"b\u{1b}[2J") && !text.contains('\u{1b}'), "{text}");
}

#[test]
fn answer_that_is_no_packument_is_refused() {
    for json in ["{}", "[]", "null", "\"a\"", "17", r#"{"error":"not found"}"#] {
        let error = refused("a", json.as_bytes());
        assert_eq!(error.code(), "DX_PACKUMENT_UNRECOGNISED", "{json}");
    }
}

#[test]
fn damaged_json_is_refused() {
    for json in [
        "",
        "<html>",
        "{",
        r#"{"name":"a","versions":{"1.0.0":{}"#,
        r#"{"name":"a"} x"#,
        r#"{"name":"a",}"#,
    ] {
        let error = refused("a", json.as_bytes());
        assert_eq!(error.code(), "DX_PACKUMENT_JSON", "{json}");
    }
}

#[test]
fn every_truncation_is_refused() {
    let json = br#"{"name":"a","dist-tags":{"latest":"1.0.0"},"versions":{"1.0.0":{"dependencies":{"b":"1"}}}}"#;
    for length in 0..json.len() {
        assert!(encode(&json[..length], &name("a")).is_err(), "{length} bytes");
    }
}

#[test]
fn deep_nesting_does_not_overflow_the_stack() {
    let depth = 200_000;
    let nested = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    for field in ["readme", "dependencies", "bin", "dist", "scripts"] {
        let packument = with_fields(&format!(r#""{field}":{nested}"#));
        assert_eq!(only(&packument).dependencies().len(), 0, "{field}");
    }
    for field in ["license", "funding", "engines", "os", "deprecated", "workspaces"] {
        let json = format!(r#"{{"name":"a","versions":{{"1.0.0":{{"{field}":{nested}}}}}}}"#);
        assert_eq!(refused("a", json.as_bytes()).code(), "DX_PACKUMENT_JSON", "{field}");
    }
}

#[test]
fn byte_order_mark_and_damaged_utf8_are_tolerated_as_npm_does() {
    let json =
        b"\xef\xbb\xbf{\"name\":\"a\",\"versions\":{\"1.0.0\":{\"deprecated\":\"caf\xe9\"}}}";
    let bytes = encode(json, &name("a")).unwrap();
    let packument = Packument::decode(Arc::new(bytes)).unwrap();
    assert_eq!(only(&packument).deprecated(), Some("caf\u{fffd}"));
}

#[test]
fn half_of_a_surrogate_pair_is_tolerated_as_npm_does() {
    let json = r#"{"name":"a","readme":"\ud83d","versions":{"1.0.0":{"deprecated":"cut \ud83d"},"1.1.0":{}}}"#;
    let packument = encoded("a", json);
    assert_eq!(
        packument.version(packument.find_str("1.0.0").unwrap()).deprecated(),
        Some("cut \u{fffd}")
    );
    assert_eq!(packument.len(), 2);
    let PackumentError::Json { column, .. } = refused("a", br#"{"name":"\ud83d","versions":]"#)
    else {
        panic!()
    };
    assert_eq!(column, 29);
}

#[test]
fn name_may_be_missing_and_versions_may_be() {
    assert_eq!(encoded("a", r#"{"versions":{"1.0.0":{}}}"#).name(), "a");
    let unpublished = encoded("a", r#"{"name":"a","time":{"unpublished":{"versions":["1.0.0"]}}}"#);
    assert!(unpublished.is_empty());
}

#[test]
fn missing_dist_tags_stay_missing() {
    for tags in
        ["", r#""dist-tags":null,"#, r#""dist-tags":[],"#, r#""dist-tags":{"latest":null},"#]
    {
        let packument =
            encoded("a", &format!(r#"{{"name":"a",{tags}"versions":{{"1.0.0":{{}}}}}}"#));
        assert_eq!(packument.dist_tags().len(), 0);
        assert_eq!(packument.tag("latest"), None);
    }
    let dangling =
        encoded("a", r#"{"name":"a","dist-tags":{"latest":"2.0.0"},"versions":{"1.0.0":{}}}"#);
    assert_eq!(dangling.dist_tags().collect::<Vec<_>>(), [("latest", "2.0.0")]);
    assert_eq!(dangling.tag("latest"), None);
}

#[test]
fn versions_that_are_none_are_left_out() {
    let json = r#"{"name":"a","versions":{"1.0.0":null,"1.1.0":"gone","1.2.0":[],"banana":{},"":{},"1.3.0":{}}}"#;
    assert_eq!(only(&encoded("a", json)).version_str(), "1.3.0");
    assert!(encoded("a", r#"{"name":"a","versions":["1.0.0"]}"#).is_empty());
}

#[test]
fn repeated_keys_count_as_in_javascript() {
    let packument =
        with_fields(r#""dependencies":{"b":"1","c":"1","b":"2"},"os":["a"],"os":["b"]"#);
    let version = only(&packument);
    assert_eq!(version.dependencies().collect::<Vec<_>>(), [("b", "2"), ("c", "1")]);
    assert_eq!(version.os().collect::<Vec<_>>(), ["b"]);
    let many: String = (0..40).map(|n| format!(r#""d{}":"{n}","#, n % 20)).collect();
    let packument = with_fields(&format!(r#""dependencies":{{{}}}"#, many.trim_end_matches(',')));
    let found: Vec<_> = only(&packument).dependencies().collect();
    assert_eq!(found.len(), 20);
    assert_eq!((found[0], found[19]), (("d0", "20"), ("d19", "39")));
}
