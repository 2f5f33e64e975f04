//! The abbreviated form of a packument, for a registry that answers the full one to every request.
//!
//! Source: "Package metadata" of npm's registry API, media type `application/vnd.npm.install-v1+json`.

use serde_json::{Map, Value, json};

/// What an abbreviated packument says of a version.
const FIELDS: [&str; 20] = [
    "name",
    "version",
    "deprecated",
    "dependencies",
    "optionalDependencies",
    "devDependencies",
    "bundleDependencies",
    "bundledDependencies",
    "peerDependencies",
    "peerDependenciesMeta",
    "acceptDependencies",
    "bin",
    "directories",
    "dist",
    "engines",
    "cpu",
    "os",
    "libc",
    "funding",
    "_hasShrinkwrap",
];
/// The scripts of which an abbreviated packument says that there are such.
const INSTALL_SCRIPTS: [&str; 3] = ["preinstall", "install", "postinstall"];

/// The abbreviated form of a full packument; `None` for anything else.
pub(super) fn abbreviated(text: &str) -> Option<String> {
    let full: Value = serde_json::from_str(text).ok()?;
    full.get("_id")?;
    let versions = full.get("versions")?.as_object()?;
    let versions: Map<String, Value> =
        versions.iter().map(|(version, manifest)| (version.clone(), version_of(manifest))).collect();
    let mut short = json!({ "name": full["name"], "dist-tags": full["dist-tags"], "versions": versions });
    if let Some(modified) = full["time"].get("modified") {
        short["modified"] = modified.clone();
    }
    Some(short.to_string())
}

/// The manifest of one version, as a full packument has it.
pub(super) fn manifest(text: &str, version: &str) -> Option<String> {
    let full: Value = serde_json::from_str(text).ok()?;
    let version = full["dist-tags"][version].as_str().unwrap_or(version);
    full["versions"].get(version).map(Value::to_string)
}

fn version_of(manifest: &Value) -> Value {
    let mut short: Map<String, Value> = FIELDS
        .iter()
        .filter_map(|field| manifest.get(field).map(|value| ((*field).to_owned(), value.clone())))
        .collect();
    if INSTALL_SCRIPTS.iter().any(|script| manifest["scripts"].get(script).is_some()) {
        short.insert("hasInstallScript".to_owned(), true.into());
    }
    short.into()
}
