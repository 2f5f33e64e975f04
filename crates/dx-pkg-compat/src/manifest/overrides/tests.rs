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
    for overrides in [json!(null), json!("1"), json!([]), json!({})] {
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
