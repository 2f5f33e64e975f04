//! From a manifest to the record of it that the resolver and the lockfile use.

use dx_pkg_lock::LockPackage;
use serde_json::Value;

use super::Manifest;

#[cfg(test)]
mod tests;

/// Returns the record of a manifest; its path, integrity and the like are not set.
pub(super) fn of(manifest: &Manifest) -> LockPackage {
    let json =
        |key: &str| manifest.raw.get(key).filter(|value| !is_empty(value)).map(ToString::to_string);
    LockPackage {
        name: manifest.name.clone(),
        version: manifest.version.clone(),
        license: manifest.license.clone(),
        engines: json("engines"),
        funding: manifest.funding.as_ref().map(ToString::to_string),
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
        ..LockPackage::default()
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(items) => items.is_empty(),
        _ => false,
    }
}
