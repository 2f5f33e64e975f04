//! `packageExtensions` of npm: from JSON to the resolver's rules, and the hash by which a lockfile
//! names the rules that it was written under.

use dx_pkg_core::{Integrity, PackageName, Range};
use dx_pkg_resolve::rules::{Extension, Joining};
use serde_json::{Map, Value};

use super::ManifestError;

#[cfg(test)]
mod tests;

/// The fields that a rule may have.
const FIELDS: [&str; 4] =
    ["dependencies", "optionalDependencies", "peerDependencies", "peerDependenciesMeta"];

/// Returns the rules of a `packageExtensions`.
pub(super) fn rules(value: &Value, joining: Joining) -> Result<Vec<Extension>, ManifestError> {
    let Value::Object(entries) = value else { return Err(bad("it is not an object".to_owned())) };
    entries.iter().map(|(selector, value)| rule(selector, value, joining)).collect()
}

fn bad(what: String) -> ManifestError {
    ManifestError::PackageExtensions { what }
}

fn rule(selector: &str, value: &Value, joining: Joining) -> Result<Extension, ManifestError> {
    let (name, range) = split(selector)?;
    let mut rule = Extension {
        selector: selector.to_owned(),
        name: name.to_owned(),
        range,
        joining,
        ..Extension::default()
    };
    let Value::Object(fields) = value else {
        return Err(bad(format!("{selector:?} is not an object of dependencies")));
    };
    for (field, value) in fields {
        let place = format!("{field} of {selector:?}");
        if !FIELDS.contains(&field.as_str()) {
            let known = FIELDS.join(", ");
            return Err(bad(format!("{place} cannot be set: a rule has {known}")));
        }
        let Value::Object(entries) = value else {
            return Err(bad(format!("{place} is not an object")));
        };
        match field.as_str() {
            "peerDependenciesMeta" => rule.peer_dependencies_meta = meta(entries, &place)?,
            "dependencies" => rule.dependencies = specs(entries, &place)?,
            "optionalDependencies" => rule.optional_dependencies = specs(entries, &place)?,
            _ => rule.peer_dependencies = specs(entries, &place)?,
        }
    }
    Ok(rule)
}

/// Splits a selector, a name that may have a range.
fn split(selector: &str) -> Result<(&str, Option<Range>), ManifestError> {
    let at = selector.char_indices().skip(1).find(|(_, character)| *character == '@');
    let (name, range) = match at {
        Some((at, _)) => (&selector[..at], Some(&selector[at + 1..])),
        None => (selector, None),
    };
    if PackageName::parse(name).is_err() {
        return Err(bad(format!("{selector:?} does not begin with the name of a package")));
    }
    let range = match range {
        None => None,
        Some(range) if range.trim().is_empty() => {
            return Err(bad(format!("{selector:?} has no range: write {name:?} for all versions")));
        }
        Some(range) => Some(Range::parse(range).map_err(|_| {
            bad(format!("{selector:?} does not end in a range of versions, such as {name}@^1"))
        })?),
    };
    Ok((name, range))
}

fn specs(
    entries: &Map<String, Value>,
    place: &str,
) -> Result<Vec<(String, String)>, ManifestError> {
    let entry = |(name, value): (&String, &Value)| match value {
        Value::String(spec) if spec != "-" => Ok((name.clone(), spec.clone())),
        Value::String(_) | Value::Null | Value::Bool(false) => {
            Err(bad(format!("{place} removes {name}, but a rule can only add")))
        }
        _ => Err(bad(format!("{place} gives {name} no text as version or source"))),
    };
    entries.iter().map(entry).collect()
}

fn meta(entries: &Map<String, Value>, place: &str) -> Result<Vec<(String, bool)>, ManifestError> {
    let entry = |(name, value): (&String, &Value)| match value {
        Value::Object(members) if members.len() == 1 => {
            let optional = members.get("optional").and_then(Value::as_bool);
            optional.map(|optional| (name.clone(), optional))
        }
        _ => None,
    };
    let read = |item: (&String, &Value)| {
        let name = item.0.clone();
        entry(item).ok_or_else(|| {
            bad(format!(r#"{place} must say {{"optional": true}} or false of {name}"#))
        })
    };
    entries.iter().map(read).collect()
}

/// Returns the hash of a `packageExtensions` as npm records it in the lockfile: the SHA-512 of the
/// JSON without spaces, the keys of every object in the order of their UTF-16.
pub(super) fn hash(value: &Value) -> String {
    let mut json = String::new();
    write_sorted(value, &mut json);
    Integrity::sha512_of(json.as_bytes()).to_string()
}

fn write_sorted(value: &Value, out: &mut String) {
    match value {
        Value::Object(members) => {
            let mut members: Vec<(&String, &Value)> = members.iter().collect();
            members.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            out.push('{');
            for (position, (key, value)) in members.into_iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                write_sorted(value, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (position, item) in items.iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                write_sorted(item, out);
            }
            out.push(']');
        }
        other => out.push_str(&other.to_string()),
    }
}

/// Returns the hash of a `.npm-extension.mjs` or `.cjs` as npm records it in the lockfile; `format`
/// is `mjs` or `cjs`.
#[must_use]
pub fn npm_extension_hash(format: &str, bytes: &[u8]) -> String {
    let mut hashed = format!("npm-extension:v1:{format}\n").into_bytes();
    hashed.extend_from_slice(bytes);
    Integrity::sha512_of(&hashed).to_string()
}
