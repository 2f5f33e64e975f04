//! People as npm writes them.

use serde_json::Value;

/// Returns a person as `name <email> (url)`.
pub(super) fn person(value: &Value) -> String {
    let Value::Object(members) = value else {
        return value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    };
    let text = |key: &str| members.get(key).and_then(Value::as_str).unwrap_or_default();
    let mut person = text("name").to_owned();
    if !text("email").is_empty() {
        person.push_str(&format!(" <{}>", text("email")));
    }
    if !text("url").is_empty() {
        person.push_str(&format!(" ({})", text("url")));
    }
    person
}
