//! From a manifest to the record of it that the resolver and the lockfile use.

use dx_pkg_lock::LockPackage;
use serde_json::Value;

use super::Manifest;

#[cfg(test)]
mod tests;

/// Returns the record of a manifest; its path, integrity and the like are not set.
pub(super) fn of(manifest: &Manifest) -> LockPackage {
    let json = |key: &str| filled(manifest, key).map(ToString::to_string);
    let text = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    LockPackage {
        name: text(&manifest.name),
        version: text(&manifest.version),
        license: manifest.license.clone(),
        deprecated: filled(manifest, "deprecated").and_then(Value::as_str).map(str::to_owned),
        engines: json("engines"),
        funding: match &manifest.funding {
            Some(funding) => Some(funding.to_string()),
            None => json("funding"),
        },
        workspaces: json("workspaces"),
        bin: manifest.bin.clone(),
        os: manifest.os.clone(),
        cpu: manifest.cpu.clone(),
        libc: manifest.libc.clone(),
        has_install_script: manifest.has_install_script,
        dependencies: manifest.dependencies.clone(),
        dev_dependencies: manifest.dev_dependencies.clone(),
        optional_dependencies: manifest.optional_dependencies.clone(),
        peer_dependencies: manifest.peer_dependencies.clone(),
        peer_dependencies_meta: manifest.peer_meta.clone(),
        bundle_dependencies: manifest.bundle_dependencies.clone(),
        extra: extra(manifest).map(|(key, value)| (key.to_owned(), value.to_string())).collect(),
        ..LockPackage::default()
    }
}

/// Returns what npm copies to a lockfile and no field of the record can hold: members that dx does
/// not use, and those of another type than theirs.
fn extra(manifest: &Manifest) -> impl Iterator<Item = (&'static str, &Value)> {
    let kept = |key: &'static str, is_usual: fn(&Value) -> bool| {
        filled(manifest, key).filter(|value| !is_usual(value)).map(|value| (key, value))
    };
    let members = [
        kept("acceptDependencies", |_| false),
        kept("deprecated", Value::is_string),
        kept("os", is_list_of_texts),
        kept("cpu", is_list_of_texts),
        kept("libc", is_list_of_texts),
        kept("peerDependenciesMeta", is_plain_peer_meta),
        license(manifest),
        dev_dependencies(manifest),
    ];
    members.into_iter().flatten()
}

/// Returns a `license` without text: that of an object is its `type`.
fn license(manifest: &Manifest) -> Option<(&'static str, &Value)> {
    let license = filled(manifest, "license")?;
    let kind = license.get("type").filter(|kind| is_true(kind)).unwrap_or(license);
    (!kind.is_string()).then_some(("license", kind))
}

/// Returns `devDependencies` without any: npm leaves out other empty sections, but not this one.
fn dev_dependencies(manifest: &Manifest) -> Option<(&'static str, &Value)> {
    let dev = manifest.raw.get("devDependencies").filter(|value| is_true(value))?;
    manifest.dev_dependencies.is_empty().then_some(("devDependencies", dev))
}

fn is_list_of_texts(value: &Value) -> bool {
    value.as_array().is_some_and(|items| items.iter().all(Value::is_string))
}

/// Returns whether nothing but `optional` is said of each peer.
fn is_plain_peer_meta(value: &Value) -> bool {
    let is_plain = |meta: &Value| {
        meta.get("optional").is_some_and(Value::is_boolean)
            && meta.as_object().is_some_and(|members| members.len() == 1)
    };
    value.as_object().is_some_and(|peers| peers.values().all(is_plain))
}

/// Returns a member that npm does not leave out of a lockfile.
fn filled<'m>(manifest: &'m Manifest, key: &str) -> Option<&'m Value> {
    manifest.raw.get(key).filter(|value| !is_empty(value))
}

/// Returns whether the value is true for JavaScript.
fn is_true(value: &Value) -> bool {
    matches!(value, Value::Array(_) | Value::Object(_)) || !is_empty(value)
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(items) => items.is_empty(),
        _ => false,
    }
}
