//! The document that a registry gets, in npm's form.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dx_pkg_core::Version;
use serde_json::{Map, Value, json};
use url::Url;

use crate::Tarball;

/// Completes a manifest by what a registry wants to know of a version.
pub(super) fn complete(
    manifest: &mut Map<String, Value>,
    tarball: &Tarball,
    registry: &Url,
    node: Option<&str>,
) {
    let Tarball { name, version, .. } = tarball;
    let clean =
        Version::parse_loose(version.trim()).map_or_else(|_| version.clone(), |v| v.to_string());
    manifest.shift_remove("patchedDependencies");
    manifest.insert("version".to_owned(), clean.as_str().into());
    if let Some(node) = node {
        manifest.insert("_nodeVersion".to_owned(), node.into());
    }
    manifest.insert("_npmVersion".to_owned(), env!("CARGO_PKG_VERSION").into());
    manifest.insert("_id".to_owned(), format!("{name}@{clean}").into());
    let address = format!("{name}/-/{name}-{clean}.tgz");
    let address = registry.join(&address).map(String::from).unwrap_or(address);
    let address = match address.strip_prefix("https://") {
        Some(rest) => format!("http://{rest}"),
        None => address,
    };
    let mut dist = manifest.get("dist").and_then(Value::as_object).cloned().unwrap_or_default();
    dist.insert("integrity".to_owned(), tarball.integrity().to_string().into());
    dist.insert("shasum".to_owned(), tarball.shasum().into());
    dist.insert("tarball".to_owned(), address.into());
    manifest.insert("dist".to_owned(), dist.into());
}

/// Returns the document with a completed manifest, and the bundle that vouches for the build.
#[must_use]
pub fn document(
    manifest: &Map<String, Value>,
    tarball: &Tarball,
    tag: &str,
    access: Option<&str>,
    bundle: Option<&Value>,
) -> Value {
    let name = &tarball.name;
    let text =
        |key: &str| manifest.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let version = text("version").unwrap_or(&tarball.version);
    let mut root = Map::new();
    root.insert("_id".to_owned(), name.as_str().into());
    root.insert("name".to_owned(), name.as_str().into());
    if let Some(description) = manifest.get("description") {
        root.insert("description".to_owned(), description.clone());
    }
    let tag = text("tag").unwrap_or(tag);
    root.insert("dist-tags".to_owned(), json!({ tag: version }));
    root.insert("versions".to_owned(), json!({ version: manifest }));
    root.insert("access".to_owned(), access.into());
    let attachment = json!({
        "content_type": "application/octet-stream",
        "data": STANDARD.encode(&tarball.bytes),
        "length": tarball.bytes.len(),
    });
    let mut attachments = json!({ format!("{name}-{version}.tgz"): attachment });
    if let Some(bundle) = bundle {
        let data = bundle.to_string();
        attachments[format!("{name}-{version}.sigstore")] = json!({
            "content_type": bundle.get("mediaType"),
            // As JavaScript counts.
            "length": data.encode_utf16().count(),
            "data": data,
        });
    }
    root.insert("_attachments".to_owned(), attachments);
    root.into()
}
