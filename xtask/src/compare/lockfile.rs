//! The entries of two `package-lock.json` files compared.

use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// One text for every path whose entries differ, and for every other top-level field that does.
pub(super) fn differences(npm: &str, dx: &str) -> Result<Vec<String>, String> {
    let (npm, dx) = (parse("npm", npm)?, parse("dx", dx)?);
    let mut found = Vec::new();
    for key in keys(&npm, &dx) {
        if key != "packages" && npm.get(key) != dx.get(key) {
            found.push(format!("{key}: npm {}, dx {}", show(npm.get(key)), show(dx.get(key))));
        }
    }
    let empty = Map::new();
    let packages =
        |lock: &Map<String, Value>| lock.get("packages").and_then(Value::as_object).cloned();
    let (npm, dx) = (packages(&npm).unwrap_or_default(), packages(&dx).unwrap_or_default());
    for path in keys(&npm, &dx) {
        let (left, right) = (npm.get(path), dx.get(path));
        let (Some(left), Some(right)) = (left, right) else {
            let side = if left.is_some() { "npm" } else { "dx" };
            found.push(format!("{path}: only {side} has it: {}", version(left.or(right))));
            continue;
        };
        let (left, right) =
            (left.as_object().unwrap_or(&empty), right.as_object().unwrap_or(&empty));
        let fields: Vec<String> = keys(left, right)
            .into_iter()
            .filter(|key| left.get(*key) != right.get(*key))
            .map(|key| format!("{key} npm {} dx {}", show(left.get(key)), show(right.get(key))))
            .collect();
        if !fields.is_empty() {
            found.push(format!("{path}: {}", fields.join("; ")));
        }
    }
    Ok(found)
}

fn parse(whose: &str, text: &str) -> Result<Map<String, Value>, String> {
    serde_json::from_str(text).map_err(|error| format!("{whose}'s package-lock.json: {error}"))
}

fn keys<'a>(left: &'a Map<String, Value>, right: &'a Map<String, Value>) -> BTreeSet<&'a String> {
    left.keys().chain(right.keys()).collect()
}

fn show(value: Option<&Value>) -> String {
    value.map_or_else(|| "nothing".to_owned(), Value::to_string)
}

fn version(entry: Option<&Value>) -> String {
    show(entry.and_then(|entry| entry.get("version")))
}

#[cfg(test)]
mod tests {
    use super::differences;

    const NPM: &str = r#"{"lockfileVersion":3,"packages":{"":{"name":"p"},"node_modules/a":{"version":"1.0.0","dev":true}}}"#;

    #[test]
    fn equal_entries_in_another_order_do_not_differ() {
        let dx = r#"{"packages":{"node_modules/a":{"dev":true,"version":"1.0.0"},"":{"name":"p"}},"lockfileVersion":3}"#;
        assert_eq!(differences(NPM, dx).unwrap(), [""; 0]);
    }

    #[test]
    fn fields_paths_and_top_level_differences_are_named() {
        let dx = r#"{"lockfileVersion":2,"packages":{"":{"name":"p"},"node_modules/a":{"version":"1.0.1","dev":true},"node_modules/b":{"version":"2.0.0"}}}"#;
        assert_eq!(
            differences(NPM, dx).unwrap(),
            [
                "lockfileVersion: npm 3, dx 2",
                "node_modules/a: version npm \"1.0.0\" dx \"1.0.1\"",
                "node_modules/b: only dx has it: \"2.0.0\"",
            ]
        );
    }
}
