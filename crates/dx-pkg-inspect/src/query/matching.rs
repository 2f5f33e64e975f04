//! Members of manifests beside what a query wants of them.

use serde_json::Value;

use super::parse::{Matcher, Path, Step};
use crate::fund::is_true;

/// Returns whether an object has a member that is as it should be.
pub(super) fn holds(matcher: &Matcher, object: &Value) -> bool {
    let found = object.get(&matcher.member);
    if matcher.operator.is_empty() {
        return found.is_some_and(is_true);
    }
    match found {
        Some(Value::Array(items)) => items.iter().any(|item| compares(matcher, item)),
        Some(value) if is_true(value) => compares(matcher, value),
        _ => compares(matcher, &Value::String(String::new())),
    }
}

fn compares(matcher: &Matcher, value: &Value) -> bool {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return false,
    };
    let lower = |text: &str| {
        if matcher.ignores_case { text.to_lowercase() } else { text.to_owned() }
    };
    let (text, wanted) = (lower(&text), lower(&matcher.value));
    match matcher.operator.as_str() {
        "=" => text == wanted,
        "~=" => {
            let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
            text.split(|character| !is_word(character))
                .any(|word| !word.is_empty() && word == wanted)
        }
        "*=" => text.contains(&wanted),
        "|=" => text.starts_with(&format!("{wanted}-")),
        "^=" => text.starts_with(&wanted),
        "$=" => text.ends_with(&wanted),
        _ => false,
    }
}

/// Returns what is at the end of a way through an object; nothing where the way ends before.
pub(super) fn at_end(path: &Path, object: &Value) -> Vec<Value> {
    let mut found = vec![object.clone()];
    for step in &path.steps {
        found = match step {
            Step::Items => flat(found),
            Step::Member(name) => {
                let next = found.iter().filter_map(|one| one.get(name));
                flat(next.filter(|one| is_true(one)).cloned().collect())
            }
        };
        if found.is_empty() {
            break;
        }
    }
    found
}

/// Returns the items of lists in place of the lists.
fn flat(values: Vec<Value>) -> Vec<Value> {
    let items = values.into_iter().flat_map(|value| match value {
        Value::Array(items) => items,
        other => vec![other],
    });
    items.collect()
}
