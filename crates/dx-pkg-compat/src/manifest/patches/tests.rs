use serde_json::json;

use super::*;

fn selected(value: &Value, name: &str, version: &str) -> Result<Option<String>, AmbiguousPatch> {
    let rules = rules(value).unwrap();
    let found = PatchRule::select(&rules, name, version)?;
    Ok(found.map(|rule| rule.file.clone()))
}

#[test]
fn the_narrowest_key_counts() {
    let value = json!({
        "a": "all", "a@^1": "range", "a@~1.2": "narrow", "a@1.2.3": "one", "@s/b@1": "scoped",
        "c@latest": "none"
    });
    for (name, version, file) in [
        ("a", "1.2.3", Some("one")),
        ("a", "1.2.4", Some("narrow")),
        ("a", "1.9.0", Some("range")),
        ("a", "2.0.0", Some("all")),
        ("a", "not-a-version", Some("all")),
        ("@s/b", "1.5.0", Some("scoped")),
        ("@s/b", "2.0.0", None),
        ("b", "1.0.0", None),
        ("c", "1.0.0", None),
    ] {
        assert_eq!(selected(&value, name, version), Ok(file.map(str::to_owned)), "{name}");
    }
}

#[test]
fn ranges_that_only_overlap_are_ambiguous() {
    let value = json!({"a@>=1": "x", "a@<2": "y"});
    let keys = ["a@>=1".to_owned(), "a@<2".to_owned()];
    assert_eq!(selected(&value, "a", "1.0.0"), Err(AmbiguousPatch { keys }));
    assert_eq!(selected(&value, "a", "3.0.0"), Ok(Some("x".to_owned())));
    let exact = json!({"a@>=1": "x", "a@<2": "y", "a@1.0.0": "z"});
    assert_eq!(selected(&exact, "a", "1.0.0"), Ok(Some("z".to_owned())));
}

#[test]
fn values_that_name_no_file_of_the_project_are_refused() {
    for (value, told) in [
        (json!(["x"]), "not an object"),
        (json!("x"), "not an object"),
        (json!({"a": 7}), "no text"),
        (json!({"a": null}), "no text"),
        (json!({"a": "../x.patch"}), "outside"),
        (json!({"a": "x/../../y"}), "outside"),
        (json!({"a": "/x.patch"}), "outside"),
        (json!({"a": ""}), "outside"),
        (json!({"a": "."}), "outside"),
    ] {
        let refused = rules(&value).unwrap_err().to_string();
        assert!(refused.contains(told), "{value}: {refused}");
    }
    assert_eq!(rules(&json!([])), Ok(Vec::new()));
    assert!(is_inside("x/../y.patch") && is_inside("./patches/a+b.patch"));
}
