//! Lockfiles with the markers of a merge in them: both sides, merged entry by entry.
//!
//! Of an entry that both sides changed, ours counts; npm merges its fields, and may give one
//! version the dependencies of another.

use serde_json::{Map, Value};

/// A part of the text that the sides have.
#[derive(Clone, Copy, PartialEq)]
enum Side {
    All,
    Ours,
    Base,
    Theirs,
}

/// Returns the text of a lockfile that has what both sides of a merge have; `None` where the text
/// is no such lockfile, or a side of it is none.
#[must_use]
pub fn merged(text: &str) -> Option<String> {
    let [ours, base, theirs] = [Side::Ours, Side::Base, Side::Theirs].map(|side| sides(text, side));
    let (ours, theirs) = (document(&ours?)?, document(&theirs?)?);
    if ours.get("lockfileVersion")? != theirs.get("lockfileVersion")? {
        return None;
    }
    // Without the common ancestor nothing is known to be removed.
    let base = base.and_then(|text| document(&text)).unwrap_or_default();
    serde_json::to_string_pretty(&document_of(&base, ours, theirs)).ok()
}

/// Returns the text of one side; `None` where that is not in it. The common ancestor only is where
/// git was told to write it (`merge.conflictStyle=diff3`).
fn sides(text: &str, wanted: Side) -> Option<String> {
    let (mut side, mut found, mut kept) = (Side::All, false, String::with_capacity(text.len()));
    for line in text.split_inclusive('\n') {
        side = match line.get(..7) {
            Some("<<<<<<<") => Side::Ours,
            Some("|||||||") => Side::Base,
            Some("=======") => Side::Theirs,
            Some(">>>>>>>") => Side::All,
            _ => {
                if [Side::All, wanted].contains(&side) {
                    kept.push_str(line);
                }
                continue;
            }
        };
        found |= side == wanted;
    }
    (found && side == Side::All).then_some(kept)
}

fn document(text: &str) -> Option<Map<String, Value>> {
    match serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()? {
        Value::Object(members) => Some(members),
        _ => None,
    }
}

/// Merges two lockfiles. Entries are merged as a whole, but for the project's own, whose
/// dependencies come from both sides.
fn document_of(
    base: &Map<String, Value>,
    ours: Map<String, Value>,
    theirs: Map<String, Value>,
) -> Map<String, Value> {
    merge(base, ours, theirs, &|key, base, ours, theirs| match key {
        "packages" | "dependencies" => merge(base, ours, theirs, &|path, base, ours, theirs| {
            if path.is_empty() { union(base, ours, theirs) } else { ours }
        }),
        _ => ours,
    })
}

fn union(
    base: &Map<String, Value>,
    ours: Map<String, Value>,
    theirs: Map<String, Value>,
) -> Map<String, Value> {
    merge(base, ours, theirs, &|_, base, ours, theirs| union(base, ours, theirs))
}

/// Merges an object whose members differ by `both`, given those of the ancestor.
type Both<'b> = &'b dyn Fn(
    &str,
    &Map<String, Value>,
    Map<String, Value>,
    Map<String, Value>,
) -> Map<String, Value>;

/// Merges the members of two objects: what one side alone changed, added or removed counts, and
/// where both did, ours, or what `both` makes of two objects.
fn merge(
    base: &Map<String, Value>,
    ours: Map<String, Value>,
    mut theirs: Map<String, Value>,
    both: Both<'_>,
) -> Map<String, Value> {
    let mut merged = Map::new();
    for (key, own) in ours {
        let (known, other) = (base.get(&key), theirs.shift_remove(&key));
        let value = match (own, other) {
            (own, Some(other)) if own == other => own,
            (own, Some(other)) if Some(&own) == known => other,
            (own, None) if Some(&own) == known => continue,
            (Value::Object(own), Some(Value::Object(other))) => {
                let known = known.and_then(Value::as_object).cloned().unwrap_or_default();
                Value::Object(both(&key, &known, own, other))
            }
            (own, _) => own,
        };
        merged.insert(key, value);
    }
    merged.extend(theirs.into_iter().filter(|(key, other)| base.get(key) != Some(other)));
    merged
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lockfile(inside: &str) -> String {
        format!("{{\n\"lockfileVersion\": 3,\n\"packages\": {{\n{inside}\n}}\n}}\n")
    }

    fn entries(text: &str) -> Value {
        serde_json::from_str::<Value>(&merged(text).unwrap()).unwrap()["packages"].clone()
    }

    #[test]
    fn entries_of_both_sides_stay_and_ours_counts_twice_changed() {
        let text = lockfile(
            "<<<<<<< HEAD\n\"a\": {\"version\": \"2\", \"dependencies\": {\"x\": \"1\"}},\n\"b\": 1\n\
             =======\n\"a\": {\"version\": \"3\", \"dependencies\": {\"y\": \"1\"}},\n\"c\": 1\n>>>>>>> other",
        );
        let own = json!({ "version": "2", "dependencies": { "x": "1" } });
        assert_eq!(entries(&text), json!({ "a": own, "b": 1, "c": 1 }));
    }

    #[test]
    fn the_project_has_the_dependencies_of_both() {
        let text = lockfile(
            "\"\": {\"dependencies\": {\n<<<<<<< HEAD\n\"a\": \"1\"\n=======\n\"b\": \"1\"\n>>>>>>> other\n}}",
        );
        assert_eq!(entries(&text), json!({ "": { "dependencies": { "a": "1", "b": "1" } } }));
    }

    #[test]
    fn with_the_ancestor_removals_and_single_changes_count() {
        let text = lockfile(
            "<<<<<<< HEAD\n\"a\": 2,\n\"b\": 1\n||||||| base\n\"a\": 1,\n\"b\": 1,\n\"gone\": 1\n\
             =======\n\"a\": 1,\n\"b\": 3,\n\"gone\": 1\n>>>>>>> other",
        );
        assert_eq!(entries(&text), json!({ "a": 2, "b": 3 }));
    }

    #[test]
    fn what_is_no_lockfile_on_a_side_is_not_merged() {
        for text in [
            "<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> other\n".to_owned(),
            lockfile("<<<<<<< HEAD\n\"a\": 1,\n=======\n\"b\": 1\n>>>>>>> other"),
            lockfile("<<<<<<< HEAD\n\"a\": 1\n=======\n\"b\": 1\n"),
            lockfile("\"a\": 1"),
        ] {
            assert_eq!(merged(&text), None, "{text}");
        }
    }
}
