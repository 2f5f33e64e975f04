//! `overrides`: from JSON to the resolver's rules.

use dx_pkg_resolve::Override;
use serde_json::Value;

use super::ManifestError;

#[cfg(test)]
mod tests;

/// Returns the rules of an `overrides` object. The key `.` is the value of the object it is in.
pub(super) fn rules(value: &Value) -> Result<Vec<Override>, ManifestError> {
    let Value::Object(entries) = value else {
        return Err(ManifestError::Overrides);
    };
    let named = entries.iter().filter(|(key, _)| *key != ".");
    named.map(|(key, value)| rule(key, value)).collect()
}

fn rule(key: &str, value: &Value) -> Result<Override, ManifestError> {
    let (own, children) = match value {
        Value::String(text) => (Some(text.clone()), Vec::new()),
        Value::Object(inner) => {
            (inner.get(".").and_then(Value::as_str).map(str::to_owned), rules(value)?)
        }
        _ => return Err(ManifestError::Override { key: key.to_owned() }),
    };
    Ok(Override { key: key.to_owned(), value: own, children })
}
