//! The abbreviated form of a packument, for a registry that answers the full one to every request.
//!
//! Source: "Package metadata" of npm's registry API, media type
//! `application/vnd.npm.install-v1+json`.

use serde_json::{Map, Value, json};

use crate::packument;

/// The abbreviated form of a full packument; `None` for anything else.
pub(super) fn abbreviated(text: &str) -> Option<String> {
    let full: Value = serde_json::from_str(text).ok()?;
    full.get("_id")?;
    let versions = full.get("versions")?.as_object()?;
    let short =
        |manifest: &Value| manifest.as_object().map(packument::abbreviated).unwrap_or_default();
    let versions: Map<String, Value> = versions
        .iter()
        .map(|(version, manifest)| (version.clone(), short(manifest).into()))
        .collect();
    let mut short =
        json!({ "name": full["name"], "dist-tags": full["dist-tags"], "versions": versions });
    if let Some(modified) = modified(&full["time"]) {
        short["modified"] = modified.into();
    }
    Some(short.to_string())
}

/// Returns the time of a package's last change; without `modified`, that of its last version.
fn modified(time: &Value) -> Option<&str> {
    let newest = || time.as_object()?.values().filter_map(Value::as_str).max();
    time["modified"].as_str().or_else(newest)
}

/// The manifest of one version, as a full packument has it.
pub(super) fn manifest(text: &str, version: &str) -> Option<String> {
    let full: Value = serde_json::from_str(text).ok()?;
    let version = full["dist-tags"][version].as_str().unwrap_or(version);
    full["versions"].get(version).map(Value::to_string)
}
