//! Packages from elsewhere: tarballs and folders on disk, another registry's storage.

use crate::catalog::{Place, place};
use crate::documents::Change;
use crate::failure::Failure;
use crate::lockfile;
use crate::packages::{Hosted, Maintainer, Publication, UploadedTarball};
use crate::state::AppState;
use crate::storage::{Storage, blocking};
use crate::time::timestamp;
use dx_pkg_compat::manifest::Manifest;
use dx_pkg_compat::packlist::{PackOptions, files, write_tar};
use dx_pkg_core::PackageName;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;
use tokio::task::JoinSet;

/// The packages of a lockfile that are fetched at once.
const AT_ONCE: usize = 16;

/// What came of bringing packages in.
#[derive(Debug, Default)]
pub(crate) struct Brought {
    pub(crate) packages: usize,
    pub(crate) versions: usize,
    /// What was left out, with the reason.
    pub(crate) skipped: Vec<String>,
    /// What could not be had, with the reason.
    pub(crate) failed: Vec<String>,
}

/// Publishes everything in a folder: each `.tgz`, and each folder with a `package.json`, packed.
pub(crate) async fn publish_folder(state: &AppState, folder: &Path) -> Result<Brought, String> {
    let mut brought = Brought::default();
    let mut paths = entries(folder)?;
    if folder.join("package.json").is_file() {
        paths = vec![folder.to_owned()];
    }
    for path in paths {
        // A scope's folder.
        let is_scope = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('@'));
        let inner = if is_scope && path.is_dir() { entries(&path)? } else { vec![path] };
        for path in inner {
            let is_tarball = path.extension().is_some_and(|extension| extension == "tgz");
            if is_tarball || path.join("package.json").is_file() {
                publish_path(state, &path).await?;
                brought.versions += 1;
            }
        }
    }
    Ok(brought)
}

async fn publish_path(state: &AppState, path: &Path) -> Result<(), String> {
    let told = |text: &dyn std::fmt::Display| format!("{}: {text}", path.display());
    let (storage, source) = (state.storage.clone(), path.to_owned());
    let tarball = blocking(move || {
        if source.is_dir() { packed(&source, &storage) } else { copied(&source, &storage) }
    });
    let tarball = tarball.await.map_err(|failure| told(&failure.message))?;
    let tarball = tarball.map_err(|failure| told(&failure.message))?;
    let field =
        |field: &str| tarball.manifest.get(field).and_then(Value::as_str).unwrap_or_default();
    let name = PackageName::parse(field("name")).map_err(|error| told(&error))?;
    let version = field("version").to_owned();
    let document = json!({
        "name": name.as_str(),
        "versions": { version.clone(): tarball.manifest },
        "dist-tags": { "latest": version },
    });
    let document = document.as_object().cloned().unwrap_or_default();
    let publication = Publication::new(&name, &document, &tarball);
    let publication = publication.map_err(|failure| told(&failure.message))?;
    let publisher = Maintainer { name: "fixture".to_owned(), email: String::new() };
    let stored = async {
        state.tarballs.store(&tarball.integrity, tarball.file).await?;
        let apply = |current: Option<&Hosted>| {
            let now = timestamp(SystemTime::now());
            Ok(Change::To(publication.apply(current, &publisher, &now)?, ()))
        };
        state.packages.change(&name, apply).await
    };
    stored.await.map_err(|failure| told(&failure.message))
}

fn copied(path: &Path, storage: &Storage) -> Result<UploadedTarball, Failure> {
    let broken = |error| Failure::of_io("read", "the tarball", &error);
    let file = File::open(path).map_err(broken)?;
    UploadedTarball::copy(file, broken, storage).map(|(tarball, _)| tarball)
}

/// Packs a folder as npm does.
fn packed(folder: &Path, storage: &Storage) -> Result<UploadedTarball, Failure> {
    let bad = |error: &dyn std::fmt::Display| Failure::bad_request(error.to_string());
    let text = std::fs::read_to_string(folder.join("package.json")).map_err(|error| bad(&error))?;
    let manifest = Manifest::parse(&text).map_err(|error| bad(&error))?;
    let options = PackOptions::default();
    let files = files(folder, &manifest, &options).map_err(|error| bad(&error))?;
    let mut out = GzEncoder::new(Vec::new(), Compression::new(6));
    write_tar(folder, &files, &options, &mut out).map_err(|error| bad(&error))?;
    let bytes = out.finish().map_err(|error| bad(&error))?;
    let broken = |error: std::io::Error| Failure::internal(error);
    UploadedTarball::copy(&bytes[..], broken, storage).map(|(tarball, _)| tarball)
}

/// Fetches what a lockfile names into the cache, with its packuments.
pub(crate) async fn cache_lockfile(state: Arc<AppState>, file: &Path) -> Result<Brought, String> {
    let locked = lockfile::open(file)?;
    let mut brought = Brought::default();
    let reason = |path| format!("{path}: it does not come from a registry");
    brought.skipped = locked.elsewhere.into_iter().map(reason).collect();
    let mut running = JoinSet::new();
    let mut open = locked.packages.into_iter();
    loop {
        while running.len() < AT_ONCE
            && let Some((name, versions)) = open.next()
        {
            let state = Arc::clone(&state);
            running.spawn(async move {
                let result = cache_versions(&state, &name, versions).await;
                result.map_err(|failure| format!("{name}: {}", failure.message))
            });
        }
        match running.join_next().await {
            None => return Ok(brought),
            Some(Ok(Ok(Some(versions)))) => {
                brought.packages += 1;
                brought.versions += versions;
            }
            Some(Ok(Ok(None))) => {}
            Some(Ok(Err(reason))) => brought.failed.push(reason),
            Some(Err(error)) => return Err(error.to_string()),
        }
    }
}

/// Fetches versions of a package into the cache, and returns their number; `None` for a package of
/// this registry's own, which has them already.
async fn cache_versions(
    state: &AppState,
    name: &PackageName,
    versions: BTreeSet<String>,
) -> Result<Option<usize>, Failure> {
    let missing = |version: &str| Failure::not_found(format!("there is no version {version}"));
    let registry = match place(state, name).await? {
        Place::Upstream(registry) => registry,
        Place::Hosted(document) => {
            let has = |version: &&String| {
                document.value.as_ref().is_some_and(|own| own.versions.contains_key(*version))
            };
            return match versions.iter().find(|version| !has(version)) {
                Some(version) => Err(missing(version)),
                None => Ok(None),
            };
        }
        Place::Nowhere => return Err(Failure::not_found("no upstream has this name")),
    };
    let known = state.upstreams.package(&registry, name).await?;
    for version in &versions {
        let entry = known.versions.get(version).ok_or_else(|| missing(version))?;
        state.upstreams.tarball(&registry, name, version, entry).await?;
    }
    Ok(Some(versions.len()))
}

/// Takes over the packages that were published to Verdaccio, from its storage folder. What it only
/// cached is left out.
pub(crate) async fn import_verdaccio(state: &AppState, folder: &Path) -> Result<Brought, String> {
    let mut brought = Brought::default();
    for path in entries(folder)? {
        let is_scope = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('@'));
        let inner = if is_scope { entries(&path)? } else { vec![path] };
        for path in inner.into_iter().filter(|path| path.join("package.json").is_file()) {
            match import_package(state, &path).await {
                Ok(0) => {}
                Ok(versions) => {
                    brought.packages += 1;
                    brought.versions += versions;
                }
                Err(reason) => brought.skipped.push(format!("{}: {reason}", path.display())),
            }
        }
    }
    Ok(brought)
}

async fn import_package(state: &AppState, folder: &Path) -> Result<usize, String> {
    let text = std::fs::read(folder.join("package.json")).map_err(|error| error.to_string())?;
    let mut document: Map<String, Value> =
        serde_json::from_slice(&text).map_err(|error| error.to_string())?;
    let name = document.get("name").and_then(Value::as_str).unwrap_or_default();
    let name = PackageName::parse(name).map_err(|error| error.to_string())?;
    let is_cached =
        document.get("_distfiles").and_then(Value::as_object).is_some_and(|f| !f.is_empty());
    if is_cached {
        return Err("only cached from another registry".to_owned());
    }
    let mut hosted = Hosted::default();
    let versions = document.remove("versions").unwrap_or_default();
    for (version, manifest) in versions.as_object().into_iter().flatten() {
        let file = folder.join(format!("{}-{version}.tgz", name.bare()));
        let storage = state.storage.clone();
        let tarball = blocking(move || copied(&file, &storage)).await;
        let tarball = tarball.and_then(|tarball| tarball);
        let tarball = tarball.map_err(|failure| format!("{version}: {}", failure.message))?;
        let Value::Object(mut manifest) = manifest.clone() else {
            return Err(format!("{version} has no manifest"));
        };
        manifest.shift_remove("readme");
        let dist = json!({
            "integrity": tarball.integrity_text, "shasum": tarball.shasum,
            "fileCount": tarball.files, "unpackedSize": tarball.unpacked,
        });
        manifest.insert("dist".to_owned(), dist);
        hosted.versions.insert(version.clone(), Value::Object(manifest));
        let stored = state.tarballs.store(&tarball.integrity, tarball.file).await;
        stored.map_err(|failure| failure.message)?;
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
    let count = hosted.versions.len();
    let keep = |current: Option<&Hosted>| match current {
        Some(_) => Err(Failure::conflict("the name is published here already")),
        None => {
            let mut hosted = hosted.clone();
            let modified = hosted.times.get("modified").cloned();
            hosted.touch(&modified.unwrap_or_else(|| timestamp(SystemTime::now())));
            Ok(Change::To(hosted, ()))
        }
    };
    state.packages.change(&name, keep).await.map_err(|failure| failure.message)?;
    Ok(count)
}

/// Returns what is in a folder, in the order of names.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let told = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(told)? {
        paths.push(entry.map_err(told)?.path());
    }
    paths.sort();
    Ok(paths)
}
