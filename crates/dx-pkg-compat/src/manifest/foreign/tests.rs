use super::*;

fn manifest(value: Value) -> Manifest {
    Manifest::from_value(value).unwrap()
}

fn suggestion(value: Value) -> (String, Vec<String>) {
    let pins = manifest(value).foreign_pins();
    let (json, others) = ForeignPin::as_overrides(&pins);
    (json.unwrap_or_default(), others.into_iter().map(str::to_owned).collect())
}

#[test]
fn pins_are_translated_to_overrides() {
    for (key, value, overrides) in [
        ("a", "1.0.0", r#"{"a":"1.0.0"}"#),
        ("**/a", "1.0.0", r#"{"a":"1.0.0"}"#),
        ("b/a", "^1", r#"{"b":{"a":"^1"}}"#),
        ("b/**/a", "^1", r#"{"b":{"a":"^1"}}"#),
        ("@s/b/@t/a", "^1", r#"{"@s/b":{"@t/a":"^1"}}"#),
        ("a@npm:^1.0.0", "npm:1.2.0", r#"{"a@^1.0.0":"1.2.0"}"#),
        ("a", "npm:other@2", r#"{"a":"npm:other@2"}"#),
        ("a", "portal:../a", r#"{"a":"file:../a"}"#),
    ] {
        let value = serde_json::json!({ "resolutions": { key: value } });
        assert_eq!(suggestion(value), (overrides.to_owned(), Vec::new()), "{key}");
    }
    for (key, value, overrides) in [
        ("b>a", "1.0.0", r#"{"b":{"a":"1.0.0"}}"#),
        ("b@>=1 <2>a@>3", "1.0.0", r#"{"b@>=1 <2":{"a@>3":"1.0.0"}}"#),
        ("b@1 || >2>@s/a", "$b", r#"{"b@1 || >2":{"@s/a":"$b"}}"#),
        ("a", "link:./a", r#"{"a":"file:./a"}"#),
    ] {
        let value = serde_json::json!({ "pnpm": { "overrides": { key: value } } });
        assert_eq!(suggestion(value), (overrides.to_owned(), Vec::new()), "{key}");
    }
}

#[test]
fn pins_without_a_translation_are_named() {
    for (key, value) in [
        ("a@patch:a@1#x", "1.0.0"),
        ("a", "patch:a@1#x"),
        ("a", "catalog:"),
        ("a", "workspace:*"),
        ("a/**", "1.0.0"),
        ("", "1.0.0"),
    ] {
        let value = serde_json::json!({ "resolutions": { key: value } });
        assert_eq!(suggestion(value), (String::new(), vec![key.to_owned()]), "{key}");
    }
    let removed = serde_json::json!({ "pnpm": { "overrides": { "a": "-", "b": 1 } } });
    assert_eq!(suggestion(removed), (String::new(), vec!["a".to_owned(), "b".to_owned()]));
    let text = serde_json::json!({ "resolutions": ["a"] });
    assert_eq!(suggestion(text), (String::new(), vec!["*".to_owned()]));
}

#[test]
fn rules_for_one_package_are_put_together() {
    let value =
        serde_json::json!({ "resolutions": { "b": "1", "b/a": "2", "c/a": "3", "c": "4" } });
    let expected = r#"{"b":{".":"1","a":"2"},"c":{"a":"3",".":"4"}}"#;
    assert_eq!(suggestion(value), (expected.to_owned(), Vec::new()));
}

#[test]
fn pins_that_overrides_repeat_need_no_word() {
    let value = serde_json::json!({
        "dependencies": { "d": "1.2.3" },
        "resolutions": { "**/a": "1", "b/a": "2", "d": "1.2.3", "b": "3" },
        "pnpm": { "overrides": { "a": "1", "b>a": "2" } },
        "overrides": { "a": "1", "b": { ".": "3", "a": "2" }, "d": "$d" },
    });
    assert_eq!(manifest(value).foreign_pins(), []);
    let value = serde_json::json!({ "resolutions": { "a": "1" }, "overrides": { "a": "2" } });
    assert_eq!(manifest(value).foreign_pins().len(), 1);
}

#[test]
fn empty_fields_say_nothing() {
    let value = serde_json::json!({
        "resolutions": {}, "pnpm": { "overrides": {}, "updateConfig": { "x": 1 } },
        "trustedDependencies": [], "workspaces": { "packages": ["a"], "catalog": {} },
        "dependenciesMeta": null, "flat": false,
    });
    let mut fields = ForeignFields::default();
    fields.add_project(&manifest(value.clone()));
    assert_eq!(fields.in_words(), None);
    assert_eq!(manifest(value).foreign_pins(), []);
}

#[test]
fn fields_are_named_in_one_sentence() {
    let mut fields = ForeignFields::default();
    fields.add_project(&manifest(serde_json::json!({
        "trustedDependencies": ["a"],
        "workspaces": { "packages": [], "catalogs": { "x": {} } },
        "pnpm": { "onlyBuiltDependencies": ["a"], "peerDependencyRules": { "x": 1 },
            "patchedDependencies": { "a@1": "x" } },
    })));
    fields.add_workspace("w", &manifest(serde_json::json!({ "overrides": { "a": "1" } })));
    fields.add_pnpm_workspace(&["packages".to_owned(), "hoist".to_owned()], false);
    assert_eq!(
        fields.in_words().unwrap(),
        "dx does not carry out trustedDependencies, pnpm.onlyBuiltDependencies (name the packages \
         in allowScripts instead); pnpm.patchedDependencies (packages are installed unpatched); \
         workspaces.catalogs (write a version instead of each catalog: requirement); overrides in \
         w/package.json (it counts in the project's own package.json only); \
         pnpm.peerDependencyRules, packages in pnpm-workspace.yaml, to be written as workspaces in \
         package.json, hoist in pnpm-workspace.yaml"
    );
}

#[test]
fn scripts_that_are_decided_on_need_no_other_list() {
    let mut fields = ForeignFields::default();
    fields.add_project(&manifest(serde_json::json!({
        "allowScripts": { "a": true, "b": false },
        "trustedDependencies": ["a"], "pnpm": { "onlyBuiltDependencies": ["a", "b"] },
    })));
    assert_eq!(fields.in_words(), None);
}
