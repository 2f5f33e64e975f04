use super::*;

fn manifest(value: Value) -> Manifest {
    Manifest::from_value(value).unwrap()
}

fn suggestion(value: Value) -> (String, Vec<String>) {
    let pnpm = value.get("pnpm").and_then(|pnpm| pnpm.get("overrides"));
    let mut pins = Vec::new();
    for (field, value, style) in [
        ("resolutions", value.get("resolutions"), PinStyle::Yarn),
        ("pnpm.overrides", pnpm, PinStyle::Pnpm),
    ] {
        for (key, value) in value.and_then(Value::as_object).into_iter().flatten() {
            pins.push(ForeignPin::new(field, key, value.as_str(), style));
        }
    }
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
}

#[test]
fn rules_for_one_package_are_put_together() {
    let value =
        serde_json::json!({ "resolutions": { "b": "1", "b/a": "2", "c/a": "3", "c": "4" } });
    let expected = r#"{"b":{".":"1","a":"2"},"c":{"a":"3",".":"4"}}"#;
    assert_eq!(suggestion(value), (expected.to_owned(), Vec::new()));
}

#[test]
fn empty_fields_say_nothing() {
    let value = serde_json::json!({
        "resolutions": {}, "pnpm": { "overrides": {}, "updateConfig": { "x": 1 } },
        "trustedDependencies": [], "workspaces": { "packages": ["a"], "catalog": {} },
        "dependenciesMeta": null, "flat": false,
    });
    let mut fields = ForeignFields::default();
    fields.add_project(&manifest(value));
    assert_eq!(fields.in_words(), None);
}

#[test]
fn fields_are_named_in_one_sentence() {
    let mut fields = ForeignFields::default();
    fields.add_project(&manifest(serde_json::json!({
        "trustedDependencies": ["a"],
        "workspaces": { "packages": [], "nohoist": ["x"], "catalogs": { "x": {} } },
        "pnpm": { "onlyBuiltDependencies": ["a"], "peerDependencyRules": { "x": 1 },
            "patchedDependencies": { "a@1": "x" } },
    })));
    fields.add_workspace("w", &manifest(serde_json::json!({ "overrides": { "a": "1" } })));
    fields.add_pnpm_setting("packages", false);
    fields.add_pnpm_setting("hoist", false);
    assert_eq!(
        fields.in_words().unwrap(),
        "dx does not carry out workspaces.nohoist, hoist in pnpm-workspace.yaml (node_modules is laid \
         out as npm does); overrides in w/package.json (it counts in the project's own package.json \
         only)"
    );
}

#[test]
fn fields_inside_others_are_named_by_both() {
    let mut fields = ForeignFields::default();
    fields.add_project(&manifest(serde_json::json!({
        "packageManager": "pnpm@10.0.0", "publishConfig": { "directory": "dist" },
        "dependenciesMeta": {
            "a": { "built": true, "injected": true }, "b": { "injected": true, "unplugged": false },
        },
    })));
    let workspace = |config: Value| manifest(serde_json::json!({ "publishConfig": config }));
    fields.add_workspace("v", &workspace(serde_json::json!({ "access": "public" })));
    fields.add_workspace("w", &workspace(serde_json::json!({ "directory": "dist" })));
    let not_linked = serde_json::json!({ "directory": "dist", "linkDirectory": false });
    fields.add_workspace("x", &workspace(not_linked));
    assert_eq!(
        fields.in_words().unwrap(),
        "dx does not carry out publishConfig.directory in w/package.json (node_modules is laid out \
         as npm does); dependenciesMeta.injected (workspaces are linked, not copied)"
    );
    assert_eq!(fields.misspelt_in_words(), None);
}

#[test]
fn what_npm_knows_as_well_is_not_named_outside_of_pnpm() {
    let mut fields = ForeignFields::default();
    fields.add_project(&manifest(serde_json::json!({ "name": "a" })));
    let config = serde_json::json!({ "publishConfig": { "directory": "dist" } });
    fields.add_workspace("w", &manifest(config));
    assert_eq!(fields.in_words(), None);
}

#[test]
fn misspelt_fields_are_named_with_the_right_name() {
    let mut fields = ForeignFields::default();
    fields.add_project(&manifest(serde_json::json!({
        "dependancies": { "a": "1" }, "jest": {}, "my-tool": { "overrides": {} },
    })));
    fields.add_workspace("w", &manifest(serde_json::json!({ "devDependecies": { "a": "1" } })));
    assert_eq!(fields.in_words(), None);
    assert_eq!(
        fields.misspelt_in_words().unwrap(),
        "package.json: nothing reads \"dependancies\" (did you mean \"dependencies\"?), \
         \"devDependecies\" in w/package.json (did you mean \"devDependencies\"?)"
    );
}
