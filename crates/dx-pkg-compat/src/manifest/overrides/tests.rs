use dx_pkg_core::Coded;
use serde_json::json;

use super::super::Manifest;
use super::*;

fn of(overrides: Value) -> Result<Vec<Override>, ManifestError> {
    Manifest::from_value(json!({ "overrides": overrides })).unwrap().override_rules()
}

fn text(key: &str, value: &str) -> Override {
    Override { key: key.to_owned(), value: Some(value.to_owned()), children: Vec::new() }
}

#[test]
fn text_replaces_and_an_object_applies_below() {
    let rules = of(json!({ "a": "1", "b@^2": { ".": "2.1.0", "c": "3", "d": { "e": "$e" } } }));
    let below_d = Override { key: "d".to_owned(), value: None, children: vec![text("e", "$e")] };
    let children = vec![text("c", "3"), below_d];
    let b = Override { children, ..text("b@^2", "2.1.0") };
    assert_eq!(rules.unwrap(), [text("a", "1"), b]);
}

#[test]
fn value_of_its_own_counts_only_where_it_is_text() {
    let rules = of(json!({ "a": { ".": 7 } })).unwrap();
    assert_eq!(rules, [Override { key: "a".to_owned(), value: None, children: Vec::new() }]);
    assert_eq!(of(json!({ ".": "1", "a": "2" })).unwrap(), [text("a", "2")]);
}

#[test]
fn without_an_object_there_are_no_rules() {
    for overrides in [json!(null), json!(""), json!([]), json!({})] {
        assert_eq!(of(overrides).unwrap(), []);
    }
}

#[test]
fn other_values_are_refused() {
    let error = of(json!({ "a": { "b": 7 } })).unwrap_err();
    assert_eq!(error.code(), "DX_BAD_OVERRIDES");
    assert_eq!(
        error.to_string(),
        r#"package.json: the override "b" is neither text nor an object"#
    );
    let hint =
        "an override is a name with a version, or with an object of overrides that apply below it";
    assert_eq!(error.hint().as_deref(), Some(hint));
    let error = rules(&json!([])).unwrap_err();
    assert_eq!(error.code(), "DX_BAD_OVERRIDES");
    assert_eq!(error.to_string(), r#"package.json: "overrides" is not an object"#);
}

#[test]
fn keys_that_npm_stops_at_are_refused_with_npms_writing() {
    for (key, instead) in [
        ("b>a", Some(r#"{"b":{"a":"1"}}"#)),
        ("b@1>@s/a@^2", Some(r#"{"b@1":{"@s/a@^2":"1"}}"#)),
        ("b/a", Some(r#"{"b":{"a":"1"}}"#)),
        ("**/a", Some(r#"{"a":"1"}"#)),
        ("@s/b/a", Some(r#"{"@s/b":{"a":"1"}}"#)),
        ("a@latest", None),
        ("a@not a range", None),
        ("a@github:x/y", None),
        ("https://host.example/a.tgz", None),
        ("", None),
    ] {
        let document = serde_json::json!({ "overrides": { key: "1" } });
        let error = Manifest::from_value(document).unwrap().override_rules().unwrap_err();
        let expected =
            ManifestError::OverrideKey { key: key.to_owned(), instead: instead.map(str::to_owned) };
        assert_eq!(error, expected, "{key}");
    }
    for key in ["a", "a@", "@s/a", "a@^1 || 2", "a@1.0.0", "a@*", "JSONStream"] {
        let document = serde_json::json!({ "overrides": { key: "1", "b": { key: "1" } } });
        assert!(Manifest::from_value(document).unwrap().override_rules().is_ok(), "{key}");
    }
    let nested = serde_json::json!({ "overrides": { "b": { "c>a": "1" } } });
    assert!(Manifest::from_value(nested).unwrap().override_rules().is_err());
}

#[test]
fn overrides_of_another_kind_are_refused_unless_they_are_empty() {
    for value in [serde_json::json!("a"), serde_json::json!(["a"]), serde_json::json!(true)] {
        let document = serde_json::json!({ "overrides": value });
        let error = Manifest::from_value(document).unwrap().override_rules().unwrap_err();
        assert_eq!(error, ManifestError::Overrides);
    }
    for value in [serde_json::json!(null), serde_json::json!([]), serde_json::json!("")] {
        let document = serde_json::json!({ "overrides": value });
        assert_eq!(Manifest::from_value(document).unwrap().override_rules(), Ok(Vec::new()));
    }
}
