//! The quick reading of packuments differs from the thorough one in nothing but speed.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::super::cursor::Cursor;
use super::super::{fast, read_any};
use super::name;
use super::properties::{manifest, value};

/// Returns the quickly read packument as DXM, where it can be read quickly, after comparing it with
/// what the thorough way makes of the same text.
fn quick(text: &str) -> Option<Vec<u8>> {
    let package = name("a");
    let quick = fast::read(text, &package)?;
    let thorough = read_any(text, &package).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!((quick.recognised, &quick.name), (thorough.recognised, &thorough.name), "{text}");
    let (quick, thorough) = (quick.encode().unwrap(), thorough.encode().unwrap());
    assert!(quick == thorough, "{text}");
    Some(quick)
}

fn usual(dependency: &str, size: u64) -> Value {
    json!({
        "name": "a", "version": "any", "dependencies": {"b": dependency, "c": "*"},
        "optionalDependencies": {"c": "*"}, "devDependencies": {"x": "^1", "y": "\"\u{e9}\n"},
        "peerDependencies": {"p": "^2"}, "peerDependenciesMeta": {"p": {"optional": true}},
        "engines": {"node": ">=18"}, "os": ["linux"], "bin": {"a": "./cli.js"},
        "deprecated": "use \"b\"", "funding": "https://x.example", "hasInstallScript": true,
        "directories": {}, "license": "MIT", "scripts": {"test": "t"},
        "dist": {
            "shasum": "da39a3ee5e6b4b0d3255bfef95601890afd80709", "unpackedSize": size,
            "tarball": "https://r.example/a.tgz", "fileCount": 3,
            "signatures": [{"keyid": "k", "sig": "s", "other": [1.5e3, -0, null, true, false]}],
        },
    })
}

fn of_versions(versions: impl IntoIterator<Item = Value>) -> String {
    let versions = versions.into_iter().enumerate();
    let versions: Map<_, _> = versions.map(|(at, value)| (format!("1.{at}.0"), value)).collect();
    json!({"name": "a", "dist-tags": {"latest": "1.0.0"}, "versions": versions,
           "modified": "2020-01-02T03:04:05.678Z"})
    .to_string()
}

#[test]
fn a_usual_packument_is_read_quickly() {
    let same = [usual("^1", 1), usual("^1", 2), usual("^2", 3), usual("^2", 4)];
    assert!(quick(&of_versions(same)).is_some());
    assert!(quick(r#"{"name":"a","versions":{}}"#).is_some());
}

#[test]
fn a_manifest_between_usual_ones_changes_nothing_about_them() {
    let unusual = [
        json!(null),
        json!("text"),
        json!({}),
        json!({"bundleDependencies": true, "dependencies": {"z": "1"}}),
        json!({"engines": ["node >= 1", {"x": 1}]}),
        json!({"dependencies": {"b": 1}}),
        json!({"dist": null}),
        json!({"license": ["MIT"], "os": "linux"}),
        json!({"dependencies": {"b": "^1", "c": "*"}}),
    ];
    for between in unusual {
        let text = of_versions([usual("^1", 1), between.clone(), usual("^1", 2), between]);
        assert!(quick(&text).is_some(), "{text}");
    }
}

#[test]
fn a_version_without_a_valid_number_hides_nothing_from_the_next() {
    let usual = usual("^1", 1).to_string();
    let text = format!(r#"{{"versions":{{"none":{usual},"1.0.0":{usual},"2.0.0":{usual}}}}}"#);
    assert!(quick(&text).is_some());
}

#[test]
fn repeated_keys_count_as_ever() {
    for manifest in [
        r#"{"dependencies":{"b":"1","b":"2"}}"#,
        r#"{"dependencies":{"b":"1"},"dependencies":{"c":"2"}}"#,
        r#"{"dist":{"tarball":"x"},"dist":{"integrity":"y"}}"#,
        r#"{"dist":{"tarball":"x","tarball":"y"}}"#,
        r#"{"name":"","name":"b","bin":"x"}"#,
        r#"{"n\u0061me":"b","bin":"x"}"#,
    ] {
        quick(&format!(r#"{{"versions":{{"1.0.0":{manifest},"1.0.0":{manifest}}}}}"#));
        quick(&format!(r#"{{"versions":{{"1.0.0":{manifest}}},"versions":{{}}}}"#));
    }
}

#[test]
fn numbers_are_those_of_the_thorough_way() {
    for number in
        ["0", "00", "01", "-0", "-1", "1.0", "1e3", "1e999", "123456789012345678", "1.", "x"]
    {
        let dist = format!(r#"{{"unpackedSize":{number},"other":{number}}}"#);
        quick(&format!(r#"{{"versions":{{"1.0.0":{{"dist":{dist}}}}}}}"#));
        quick(&format!(r#"{{"x":{number},"versions":{{}}}}"#));
    }
}

#[test]
fn deep_nesting_is_left_to_the_thorough_way() {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    assert!(fast::read(&format!(r#"{{"x":{deep}}}"#), &name("a")).is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_packument_is_read_the_same_both_ways(
        manifests in prop::collection::vec(manifest(), 1..4),
        order in prop::collection::vec((any::<prop::sample::Index>(), 0..4_u64), 0..8),
        tags in value(),
        time in value(),
    ) {
        let versions = order.iter().map(|(index, of)| match of {
            0 => usual("^1", 1),
            1 => usual("^2", 1),
            _ => index.get(&manifests).clone(),
        });
        let versions = versions.enumerate().map(|(at, value)| (format!("{at}.0.0"), value));
        let versions: Map<_, _> = versions.collect();
        let json = json!({"name": "a", "dist-tags": tags, "versions": versions, "time": time});
        quick(&json.to_string());
        quick(&serde_json::to_string_pretty(&json).unwrap());
    }

    #[test]
    fn damage_that_the_quick_way_overlooks_is_none(
        manifest in manifest(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<char>()), 1..4),
    ) {
        let json = of_versions([usual("^1", 1), manifest, usual("^1", 1)]);
        let mut text: Vec<char> = json.chars().collect();
        for (at, other) in damage {
            let at = at.index(text.len());
            text[at] = other;
        }
        quick(&text.into_iter().collect::<String>());
    }

    #[test]
    fn a_value_ends_where_a_parser_says(value in value(), rest in "[ ,}\\]]{0,3}") {
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            let followed = format!("{text}{rest}");
            prop_assert_eq!(Cursor::new(&followed).value(), Some(text.as_str()));
        }
    }
}
