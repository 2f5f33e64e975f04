//! `overrides`: from JSON to the resolver's rules.

use dx_pkg_core::Spec;
use dx_pkg_resolve::Override;
use serde_json::{Map, Value};

use super::ManifestError;
use super::foreign::{ForeignPin, PinStyle};

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

/// Returns rules as the text of an `overrides` object; empty without any.
pub(super) fn text(rules: &[Override]) -> String {
    match rules {
        [] => String::new(),
        rules => object(rules).to_string(),
    }
}

fn object(rules: &[Override]) -> Value {
    let entry = |rule: &Override| {
        let mut inner = match object(&rule.children) {
            Value::Object(inner) => inner,
            _ => Map::new(),
        };
        let value = match (&rule.value, inner.is_empty()) {
            (Some(own), true) => Value::String(own.clone()),
            (Some(own), false) => {
                inner.insert(".".to_owned(), Value::String(own.clone()));
                Value::Object(inner)
            }
            (None, _) => Value::Object(inner),
        };
        (rule.key.clone(), value)
    };
    Value::Object(rules.iter().map(entry).collect())
}

fn rule(key: &str, value: &Value) -> Result<Override, ManifestError> {
    if !is_selector(key) {
        let mut styles = [PinStyle::Pnpm, PinStyle::Yarn].into_iter();
        let instead = styles.find_map(|style| {
            let pin = ForeignPin::new("overrides", key, value.as_str(), style);
            ForeignPin::as_overrides(std::slice::from_ref(&pin)).0
        });
        return Err(ManifestError::OverrideKey { key: key.to_owned(), instead });
    }
    let (own, children) = match value {
        Value::String(text) => (Some(text.clone()), Vec::new()),
        Value::Object(inner) => {
            (inner.get(".").and_then(Value::as_str).map(str::to_owned), rules(value)?)
        }
        _ => return Err(ManifestError::Override { key: key.to_owned() }),
    };
    Ok(Override { key: key.to_owned(), value: own, children })
}

/// Returns whether a key is a name, or a name with a version or range; npm stops at others, such as
/// yarn's `b/a` and pnpm's `b>a`.
fn is_selector(key: &str) -> bool {
    Spec::parse_argument(key).is_ok_and(|read| {
        read.name.is_some() && matches!(read.spec, Spec::Range(_) | Spec::Version(_))
    })
}
