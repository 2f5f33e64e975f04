//! The packages that were published to Verdaccio, from its storage folder.

use super::{Brought, copied, entries};
use crate::documents::Change;
use crate::failure::Failure;
use crate::packages::{Hosted, UploadedTarball};
use crate::state::AppState;
use crate::storage::blocking;
use crate::time::timestamp;
use dx_pkg_core::PackageName;
use serde_json::{Map, Value, json};
use std::path::Path;
use std::time::SystemTime;

/// What came of a package.
enum Taken {
    /// The number of new versions.
    Versions(usize),
    /// The reason for which there was nothing to take.
    Nothing(&'static str),
}

/// Takes over the packages that were published to Verdaccio. What it only cached is left out, and
/// so are versions that were taken over before.
pub(crate) async fn import_verdaccio(state: &AppState, folder: &Path) -> Result<Brought, String> {
    let mut brought = Brought::default();
    for path in entries(folder)? {
        let is_scope = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('@'));
        let inner = if is_scope { entries(&path)? } else { vec![path] };
        for path in inner.into_iter().filter(|path| path.join("package.json").is_file()) {
            match import_package(state, &path).await {
                Ok(Taken::Versions(versions)) => {
                    brought.packages += 1;
                    brought.versions += versions;
                }
                Ok(Taken::Nothing(reason)) => {
                    brought.skipped.push(format!("{}: {reason}", path.display()));
                }
                Err(reason) => brought.failed.push(format!("{}: {reason}", path.display())),
            }
        }
    }
    Ok(brought)
}

/// Takes over a package: all versions, or none of them where one is damaged.
async fn import_package(state: &AppState, folder: &Path) -> Result<Taken, String> {
    let text = std::fs::read(folder.join("package.json")).map_err(|error| error.to_string())?;
    let mut document: Map<String, Value> =
        serde_json::from_slice(&text).map_err(|error| error.to_string())?;
    let name = document.get("name").and_then(Value::as_str).unwrap_or_default();
    let name = PackageName::parse(name).map_err(|error| error.to_string())?;
    let is_cached =
        document.get("_distfiles").and_then(Value::as_object).is_some_and(|f| !f.is_empty());
    if is_cached {
        return Ok(Taken::Nothing("only cached from another registry"));
    }
    let mut hosted = Hosted::default();
    let versions = document.remove("versions").unwrap_or_default();
    for (version, manifest) in versions.as_object().into_iter().flatten() {
        let manifest = import_version(state, folder, &name, (version, manifest)).await;
        let manifest = manifest.map_err(|reason| format!("{version}: {reason}"))?;
        hosted.versions.insert(version.clone(), manifest);
    }
    if hosted.versions.is_empty() {
        return Ok(Taken::Nothing("it has no versions"));
    }
    let mut take = |field: &str| document.remove(field).unwrap_or_default();
    hosted.tags = serde_json::from_value(take("dist-tags")).unwrap_or_default();
    hosted.tags.retain(|_, version| hosted.versions.contains_key(version));
    hosted.times = serde_json::from_value(take("time")).unwrap_or_default();
    hosted.maintainers = serde_json::from_value(take("maintainers")).unwrap_or_default();
    if let readme @ Value::String(_) = take("readme") {
        hosted.fields.insert("readme".to_owned(), readme);
    }
    hosted.ensure_latest();
    let keep = |current: Option<&Hosted>| match current {
        Some(current) => with_new_versions(current, &hosted),
        None => {
            let mut hosted = hosted.clone();
            let modified = hosted.times.get("modified").cloned();
            hosted.touch(&modified.unwrap_or_else(|| timestamp(SystemTime::now())));
            let count = hosted.versions.len();
            Ok(Change::To(hosted, count))
        }
    };
    match state.packages.change(&name, keep).await.map_err(|failure| failure.message)? {
        0 => Ok(Taken::Nothing("it is here already")),
        count => Ok(Taken::Versions(count)),
    }
}

/// Stores a version's tarball and returns the manifest as it is kept.
async fn import_version(
    state: &AppState,
    folder: &Path,
    name: &PackageName,
    (version, manifest): (&str, &Value),
) -> Result<Value, String> {
    let told = |failure: Failure| failure.message;
    let file = folder.join(format!("{}-{version}.tgz", name.bare()));
    let storage = state.storage.clone();
    let tarball = blocking(move || copied(&file, &storage)).await.map_err(told)?.map_err(told)?;
    let Value::Object(mut manifest) = manifest.clone() else {
        return Err("it has no manifest".to_owned());
    };
    check_digests(&manifest, &tarball)?;
    manifest.shift_remove("readme");
    let signing = state.signing().await.map_err(told)?;
    let signature = signing.sign(name.as_str(), version, &tarball.integrity_text).map_err(told)?;
    let dist = json!({
        "integrity": tarball.integrity_text, "shasum": tarball.shasum,
        "fileCount": tarball.files, "unpackedSize": tarball.unpacked,
        "signatures": [signature],
    });
    manifest.insert("dist".to_owned(), dist);
    state.tarballs.store(&tarball.integrity, tarball.file).await.map_err(told)?;
    Ok(Value::Object(manifest))
}

/// Checks that a tarball is the one that was published.
fn check_digests(manifest: &Map<String, Value>, tarball: &UploadedTarball) -> Result<(), String> {
    let told = |field: &str| manifest.get("dist").and_then(|dist| dist.get(field)?.as_str());
    let integrity = told("integrity").unwrap_or_default();
    let mut strong = integrity.split_whitespace().filter(|text| text.starts_with("sha512-"));
    let is_other = strong.clone().next().is_some() && !strong.any(|t| t == tarball.integrity_text);
    if is_other || told("shasum").is_some_and(|shasum| shasum != tarball.shasum) {
        return Err("the tarball is not the one that was published".to_owned());
    }
    Ok(())
}

/// Adds the versions to a package that is here already; the number of new ones with it.
fn with_new_versions(current: &Hosted, from: &Hosted) -> Result<Change<Hosted, usize>, Failure> {
    let mut next = current.clone();
    let is_common = |version: &String| {
        current.versions.contains_key(version) || current.removed.contains_key(version)
    };
    if !from.versions.keys().any(is_common) {
        return Err(Failure::conflict("another package of this name is published here"));
    }
    let mut count = 0;
    for (version, manifest) in &from.versions {
        if current.versions.contains_key(version) {
            if current.integrity(version) != from.integrity(version) {
                let text = format!("{version} is published here with another tarball");
                return Err(Failure::conflict(text));
            }
        } else if !current.removed.contains_key(version) {
            next.versions.insert(version.clone(), manifest.clone());
            let time = from.times.get(version).cloned();
            next.times
                .insert(version.clone(), time.unwrap_or_else(|| timestamp(SystemTime::now())));
            count += 1;
        }
    }
    if count == 0 {
        return Ok(Change::Keep(0));
    }
    for (tag, version) in &from.tags {
        if next.versions.contains_key(version) {
            next.tags.entry(tag.clone()).or_insert_with(|| version.clone());
        }
    }
    next.ensure_latest();
    next.touch(&timestamp(SystemTime::now()));
    Ok(Change::To(next, count))
}
