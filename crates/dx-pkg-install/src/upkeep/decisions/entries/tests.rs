use serde_json::json;

use super::*;

/// Returns the entries and changes after a decision on `a` of these versions.
fn decided(before: Value, pins: &[Option<&str>], how: &str) -> (Value, Vec<String>, bool) {
    let entries = before.as_object().unwrap().iter();
    let mut entries: Entries = entries.map(|(key, value)| (key.clone(), value.clone())).collect();
    let is_about = |key: &str| key == "a" || key.starts_with("a@");
    let pins = pins.iter().map(|pin| pin.map(str::to_owned)).collect();
    let group = Group { name: "a", pins, is_about: Box::new(is_about) };
    let outcome = match how {
        "deny" => deny(&mut entries, &group),
        how => approve(&mut entries, &group, how == "pin"),
    };
    let changes = outcome.changes.iter().map(|change| format!("{} {}", change.change, change.key));
    (entries.into_iter().collect(), changes.collect(), outcome.warning.is_some())
}

#[test]
fn decisions_change_entries_as_with_npm() {
    let one = [Some("a@1.0.0")].as_slice();
    let two = [Some("a@2.0.0"), Some("a@1.0.0"), Some("a@1.0.0")].as_slice();
    let table = [
        (json!({}), one, "pin", json!({ "a@1.0.0": true }), vec!["added a@1.0.0"], false),
        (
            json!({ "b": true }),
            two,
            "pin",
            json!({ "b": true, "a@2.0.0": true, "a@1.0.0": true }),
            vec!["added a@2.0.0", "added a@1.0.0"],
            false,
        ),
        (
            json!({ "a@0.9.0": true, "a": true }),
            one,
            "pin",
            json!({ "a@1.0.0": true }),
            vec!["removed-stale a@0.9.0", "added a@1.0.0", "replaced-by-pin a"],
            false,
        ),
        (json!({ "a@1.0.0": true }), one, "pin", json!({ "a@1.0.0": true }), vec![], false),
        (json!({ "a": false }), one, "pin", json!({ "a": false }), vec![], true),
        (
            json!({ "a@1.0.0 || 2.0.0": true }),
            one,
            "pin",
            json!({ "a@1.0.0 || 2.0.0": true, "a@1.0.0": true }),
            vec!["added a@1.0.0"],
            false,
        ),
        (json!({ "a@1.0.0": true }), one, "name", json!({ "a": true }), vec!["added a"], false),
        (
            json!({ "a@1.0.0": true }),
            [None].as_slice(),
            "pin",
            json!({ "a": true }),
            vec!["removed-pinned-allow a@1.0.0", "added a"],
            true,
        ),
        (
            json!({ "a@1.0.0": true, "a@2.0.0": false }),
            one,
            "deny",
            json!({ "a": false }),
            vec!["removed-pinned-allow a@1.0.0", "removed-pinned-allow a@2.0.0", "added a"],
            false,
        ),
        (json!({ "a": true }), one, "deny", json!({ "a": false }), vec!["added a"], false),
        (json!({ "a": false }), one, "deny", json!({ "a": false }), vec![], false),
    ];
    for (before, pins, how, after, changes, warns) in table {
        let changes: Vec<String> = changes.into_iter().map(str::to_owned).collect();
        assert_eq!(decided(before.clone(), pins, how), (after, changes, warns), "{how} {before}");
    }
}
