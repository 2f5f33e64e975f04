//! Edits, compared with what npm 12 writes for the same change, and the property that an edit
//! changes nothing else.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::manifest::Manifest;

fn saved(text: &str, section: Section, name: &str, spec: &str) -> String {
    let mut edit = ManifestEdit::new(text).unwrap();
    edit.set_dependency(section, name, spec);
    edit.finish()
}

fn removed(text: &str, name: &str) -> String {
    let mut edit = ManifestEdit::new(text).unwrap();
    edit.remove_dependency(None, name);
    edit.finish()
}

#[test]
fn new_name_is_sorted_into_its_section() {
    let text =
        "{\n\t\"name\": \"x\",\n\t\"dependencies\": {\n\t\t\"dep\": \"1\"\n\t},\n\t\"zz\": 1\n}\n";
    assert_eq!(
        saved(text, Section::Dependencies, "adep", "^2.0.0"),
        "{\n\t\"name\": \"x\",\n\t\"dependencies\": {\n\t\t\"adep\": \"^2.0.0\",\n\t\t\"dep\": \"1\"\n\t},\n\t\"zz\": 1\n}\n"
    );
    assert_eq!(
        saved(text, Section::Dependencies, "zdep", "^2.0.0"),
        "{\n\t\"name\": \"x\",\n\t\"dependencies\": {\n\t\t\"dep\": \"1\",\n\t\t\"zdep\": \"^2.0.0\"\n\t},\n\t\"zz\": 1\n}\n"
    );
}

#[test]
fn unsorted_section_is_sorted_when_it_gains_a_name() {
    let text = r#"{"dependencies":{"z":"1","@s/b":"2","b":"3"}}"#;
    assert_eq!(
        saved(text, Section::Dependencies, "m", "4"),
        r#"{"dependencies":{"@s/b":"2","b":"3","m":"4","z":"1"}}"#
    );
}

#[test]
fn changed_spec_leaves_the_order_alone() {
    let text = r#"{"dependencies": { "z": "1", "b": "3" }}"#;
    assert_eq!(
        saved(text, Section::Dependencies, "z", "2"),
        r#"{"dependencies": { "z": "2", "b": "3" }}"#
    );
}

#[test]
fn missing_section_goes_last() {
    assert_eq!(
        saved("{\r\n    \"name\": \"x\"\r\n}", Section::Dev, "a", "1"),
        "{\r\n    \"name\": \"x\",\r\n    \"devDependencies\": {\r\n        \"a\": \"1\"\r\n    }\r\n}"
    );
    assert_eq!(
        saved(r#"{"name":"x"}"#, Section::Peer, "a", "1"),
        r#"{"name":"x","peerDependencies":{"a":"1"}}"#
    );
    assert_eq!(
        saved("{}\n", Section::Dependencies, "a", "1"),
        "{\n  \"dependencies\": {\n    \"a\": \"1\"\n  }\n}\n"
    );
}

#[test]
fn saving_elsewhere_moves_the_name_and_removes_the_empty_section() {
    let text =
        "{\n  \"name\": \"x\",\n  \"dependencies\": {\n    \"dep\": \"1\"\n  },\n  \"zz\": 1\n}\n";
    assert_eq!(
        saved(text, Section::Dev, "dep", "1"),
        "{\n  \"name\": \"x\",\n  \"zz\": 1,\n  \"devDependencies\": {\n    \"dep\": \"1\"\n  }\n}\n"
    );
}

#[test]
fn each_section_displaces_what_npm_displaces() {
    let everywhere = json!({
        "dependencies": {"a": "1", "k": "1"}, "devDependencies": {"a": "1", "k": "1"},
        "optionalDependencies": {"a": "1", "k": "1"}, "peerDependencies": {"k": "1"},
    });
    let places = |section: Section| {
        let text = saved(&everywhere.to_string(), section, "a", "2");
        let value: Value = serde_json::from_str(&text).unwrap();
        let place = |section: &Section| {
            Some((section.key(), value[section.key()].get("a")?.as_str()?.to_owned()))
        };
        Section::ALL
            .iter()
            .filter_map(place)
            .map(|(key, spec)| format!("{key} {spec}"))
            .collect::<Vec<_>>()
    };
    assert_eq!(places(Section::Dependencies), ["dependencies 2"]);
    assert_eq!(places(Section::Dev), ["optionalDependencies 1", "devDependencies 2"]);
    assert_eq!(places(Section::Optional), ["optionalDependencies 2", "devDependencies 1"]);
    assert_eq!(places(Section::Peer), ["devDependencies 2", "peerDependencies 2"]);
}

#[test]
fn peer_that_is_a_dependency_too_stays_both() {
    let text = r#"{"dependencies":{"a":"1"},"peerDependencies":{"a":"1"}}"#;
    assert_eq!(
        saved(text, Section::Peer, "a", "2"),
        r#"{"dependencies":{"a":"2"},"peerDependencies":{"a":"2"}}"#
    );
}

#[test]
fn update_changes_one_section_only() {
    let mut edit =
        ManifestEdit::new(r#"{"devDependencies":{"a":"1"},"peerDependencies":{"a":"1"}}"#).unwrap();
    edit.update_dependency(Section::Peer, "a", "2");
    assert_eq!(edit.finish(), r#"{"devDependencies":{"a":"1"},"peerDependencies":{"a":"2"}}"#);
}

#[test]
fn removing_takes_a_name_out_of_every_section_and_the_bundle() {
    let text = "{\n  \"peerDependencies\": {\"dep\":\"*\"},\n  \"bundleDependencies\": [\"dep\", \"adep\"],\n  \"dependencies\": {\n    \"adep\": \"1\",\n    \"dep\": \"1\"\n  }\n}";
    assert_eq!(
        removed(text, "dep"),
        "{\n  \"bundleDependencies\": [\"adep\"],\n  \"dependencies\": {\n    \"adep\": \"1\"\n  }\n}"
    );
    assert_eq!(removed(&removed(text, "dep"), "adep"), "{}");
}

#[test]
fn removing_what_is_not_there_changes_nothing() {
    let text = "{ \"devDependencies\": {} , \"a\":1 }";
    let mut edit = ManifestEdit::new(text).unwrap();
    assert!(!edit.remove_dependency(None, "x") && !edit.remove(&["b", "c"]) && !edit.remove(&[]));
    assert_eq!(edit.finish(), text);
}

#[test]
fn odd_formatting_around_an_edit_survives() {
    let text = "\u{feff} {\"files\": [\"a\",\n\"b\"],  \"dependencies\" : {\n   \"a\" : \"1\"   }\n\n}\n\n";
    assert_eq!(
        saved(text, Section::Dependencies, "b", "2"),
        "\u{feff} {\"files\": [\"a\",\n\"b\"],  \"dependencies\" : {\n   \"a\" : \"1\",\n   \"b\" : \"2\"   }\n\n}\n\n"
    );
}

#[test]
fn section_of_another_shape_is_replaced() {
    assert_eq!(
        saved(r#"{"dependencies":null,"a":1}"#, Section::Dependencies, "b", "2"),
        r#"{"dependencies":{"b":"2"},"a":1}"#
    );
}

#[test]
fn repeated_keys_count_as_in_javascript() {
    let text = r#"{"dependencies":{"a":"1"},"dependencies":{"a":"2","a":"3"}}"#;
    assert_eq!(
        saved(text, Section::Dependencies, "a", "4"),
        r#"{"dependencies":{"a":"1"},"dependencies":{"a":"2","a":"4"}}"#
    );
    assert_eq!(saved(text, Section::Dev, "a", "4"), r#"{"devDependencies":{"a":"4"}}"#);
}

#[test]
fn names_are_escaped_and_matched_unescaped() {
    assert_eq!(
        saved(r#"{"dependencies":{"\u0061":"1"}}"#, Section::Dependencies, "a", "q\"\\\n"),
        r#"{"dependencies":{"\u0061":"q\"\\\n"}}"#
    );
}

#[test]
fn set_makes_the_objects_on_the_way() {
    let mut edit = ManifestEdit::new("{\n  \"a\": 1\n}\n").unwrap();
    edit.set(&["scripts", "test"], &json!("x"));
    edit.set(&["scripts", "build"], &json!("y"));
    edit.set(&["a", "b"], &json!([1, {}]));
    assert_eq!(
        edit.finish(),
        "{\n  \"a\": {\n    \"b\": [\n      1,\n      {}\n    ]\n  },\n  \"scripts\": {\n    \"test\": \"x\",\n    \"build\": \"y\"\n  }\n}\n"
    );
}

#[test]
fn set_and_remove_of_members_keep_their_neighbours() {
    let text = "{\n  \"a\": 1,\n  \"b\": {\"c\": 2},\n  \"d\": 3\n}";
    for (path, left) in [
        (&["a"][..], "{\n  \"b\": {\"c\": 2},\n  \"d\": 3\n}"),
        (&["b", "c"], "{\n  \"a\": 1,\n  \"b\": {},\n  \"d\": 3\n}"),
        (&["d"], "{\n  \"a\": 1,\n  \"b\": {\"c\": 2}\n}"),
    ] {
        let mut edit = ManifestEdit::new(text).unwrap();
        assert!(edit.remove(path));
        assert_eq!(edit.finish(), left);
    }
    let mut edit = ManifestEdit::new(text).unwrap();
    edit.set(&["b", "c"], &json!(2));
    edit.set(&["d"], &json!(3));
    edit.set(&[], &json!(3));
    assert_eq!(edit.finish(), text);
}

#[test]
fn text_that_is_no_manifest_is_refused() {
    assert!(ManifestEdit::new("[]").is_err() && ManifestEdit::new("{").is_err());
}

const NAMES: [&str; 8] = ["a", "b", "@s/a", "B", "z-1", "10", "2", "é"];

fn any_section() -> impl Strategy<Value = Section> {
    prop::sample::select(Section::ALL.to_vec())
}

fn any_entries() -> impl Strategy<Value = Value> {
    let entry = (prop::sample::select(NAMES.to_vec()), "[~^]?[0-9]");
    prop::collection::vec(entry, 0..5).prop_map(|entries| {
        let members = entries.into_iter().map(|(name, spec)| (name.to_owned(), Value::from(spec)));
        Value::Object(members.collect())
    })
}

fn any_other() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<Option<bool>>().prop_map(|value| json!(value)),
        any::<i32>().prop_map(|value| json!(value)),
        "[\\PC\"\\\\{}\\[\\],:]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec(("[a-z{}\",]{0,3}", inner), 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

prop_compose! {
    fn any_document()(
        members in prop::collection::vec(
            prop_oneof![
                (any_section().prop_map(|section| section.key().to_owned()), any_entries()),
                ("[a-d]{1,2}", any_other()),
            ],
            0..6,
        ),
        indent in prop::sample::select(vec![None, Some("  "), Some("\t"), Some("")]),
        crlf in any::<bool>(),
        end in prop::sample::select(vec!["", "\n"]),
    ) -> String {
        let value = Value::Object(members.into_iter().collect());
        let text = Layout::for_tests(indent, if crlf { "\r\n" } else { "\n" }).render(&value, 0);
        text + end
    }
}

/// The effect of saving, on the parsed document.
fn expected(mut value: Value, section: Section, name: &str, spec: &str) -> Value {
    let object = value.as_object_mut().unwrap();
    let has = |object: &serde_json::Map<String, Value>, section: Section| {
        object.get(section.key()).is_some_and(|entries| entries.get(name).is_some())
    };
    let both = section == Section::Peer
        && has(object, Section::Peer)
        && has(object, Section::Dependencies);
    let mut targets = vec![section];
    if both {
        targets.push(Section::Dependencies);
    }
    if section == Section::Peer && has(object, Section::Dev) {
        targets.push(Section::Dev);
    }
    for other in section.displaces().iter().filter(|other| !targets.contains(other)) {
        if !has(object, *other) {
            continue;
        }
        let entries = object[other.key()].as_object_mut().unwrap();
        entries.shift_remove(name);
        if entries.is_empty() {
            object.shift_remove(other.key());
        }
    }
    for target in targets {
        object.entry(target.key()).or_insert(json!({}))[name] = json!(spec);
    }
    value
}

proptest! {
    #[test]
    fn saving_changes_what_it_names_and_nothing_else(
        text in any_document(),
        section in any_section(),
        name in prop::sample::select(NAMES.to_vec()),
    ) {
        let before: Value = serde_json::from_str(&text).unwrap();
        let edited = saved(&text, section, name, "9.9.9");
        let after: Value = serde_json::from_str(&edited).unwrap();
        // `Value` compares objects without regard to order, so the next lines compare it.
        prop_assert_eq!(&after, &expected(before.clone(), section, name, "9.9.9"));
        let keys = |value: &Value| -> Vec<String> {
            let keys = value.as_object().unwrap().keys();
            keys.filter(|key| Section::ALL.iter().all(|section| section.key() != *key))
                .cloned()
                .collect()
        };
        prop_assert_eq!(keys(&after), keys(&before));
        if text.contains("\r\n") {
            let lone = |text: &str| text.replace("\r\n", "").matches('\n').count();
            prop_assert_eq!(lone(&edited), lone(&text));
        }
        prop_assert_eq!(edited.ends_with('\n'), text.ends_with('\n'));
        prop_assert!(Manifest::parse(&edited).is_ok());
    }

    #[test]
    fn saving_what_is_there_is_the_identity(
        text in any_document(),
        section in any_section(),
        name in prop::sample::select(NAMES.to_vec()),
    ) {
        let once = saved(&text, section, name, "9.9.9");
        prop_assert_eq!(saved(&once, section, name, "9.9.9"), once);
    }

    #[test]
    fn removing_an_added_name_gives_the_text_back(
        text in any_document(), section in any_section(),
    ) {
        let before: Value = serde_json::from_str(&text).unwrap();
        let entries = before.get(section.key()).and_then(Value::as_object);
        let names: Vec<&str> =
            entries.iter().flat_map(|entries| entries.keys()).map(String::as_str).collect();
        // npm sorts a section that gains a name, and drops one that becomes empty.
        prop_assume!(names.is_sorted_by(|a, b| name_order(a, b) != Ordering::Greater));
        prop_assume!(entries.is_none_or(|entries| !entries.is_empty()));
        prop_assume!(!before.as_object().unwrap().is_empty());
        let added = saved(&text, section, "new-name", "1.0.0");
        prop_assert_eq!(removed(&added, "new-name"), text);
    }
}
