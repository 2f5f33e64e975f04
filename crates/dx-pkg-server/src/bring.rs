//! Packages from elsewhere: tarballs and folders on disk, another registry's storage, what a
//! lockfile names.

mod locked;
mod verdaccio;

pub(crate) use locked::{Version, Wanted, bring_locked, cache_lockfile};
pub(crate) use verdaccio::import_verdaccio;

use crate::documents::Change;
use crate::failure::Failure;
use crate::packages::{Hosted, Maintainer, Publication, UploadedTarball};
use crate::state::AppState;
use crate::storage::{Storage, blocking};
use crate::time::timestamp;
use dx_pkg_compat::manifest::Manifest;
use dx_pkg_compat::packlist::{PackOptions, files, write_tar};
use dx_pkg_core::PackageName;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

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
/// New packages belong to `owner`, or to nobody yet.
pub(crate) async fn publish_folder(
    state: &AppState,
    folder: &Path,
    owner: Option<&Maintainer>,
) -> Result<Brought, String> {
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
            if !is_tarball && !path.join("package.json").is_file() {
                continue;
            }
            match publish_path(state, &path, owner).await {
                Ok(true) => brought.versions += 1,
                Ok(false) => {
                    let reason = "this version is published here already, with the same tarball";
                    brought.skipped.push(format!("{}: {reason}", path.display()));
                }
                Err(reason) => brought.failed.push(format!("{}: {reason}", path.display())),
            }
        }
    }
    Ok(brought)
}

/// Publishes a tarball or a folder; false where it is published already.
async fn publish_path(
    state: &AppState,
    path: &Path,
    owner: Option<&Maintainer>,
) -> Result<bool, String> {
    let told = |failure: Failure| failure.message;
    let (storage, source) = (state.storage.clone(), path.to_owned());
    let tarball = blocking(move || {
        if source.is_dir() { packed(&source, &storage) } else { copied(&source, &storage) }
    });
    let tarball = tarball.await.map_err(told)?.map_err(told)?;
    let field =
        |field: &str| tarball.manifest.get(field).and_then(Value::as_str).unwrap_or_default();
    let name = PackageName::parse(field("name")).map_err(|error| error.to_string())?;
    let version = field("version").to_owned();
    let config = tarball.manifest.get("publishConfig");
    let config = |key: &str| config.and_then(|config| config.get(key)?.as_str());
    let access = config("access");
    if let Some(other) = access.filter(|access| !matches!(*access, "public" | "restricted")) {
        return Err(format!("publishConfig.access is {other:?}, neither public nor restricted"));
    }
    let document = json!({
        "name": name.as_str(),
        "versions": { version.clone(): tarball.manifest },
        "dist-tags": { config("tag").unwrap_or("latest"): version },
        "access": access,
    });
    let document = document.as_object().cloned().unwrap_or_default();
    let stored = async {
        let mut publication = Publication::new(&name, &document, &tarball)?;
        let integrity = publication.digests().0.to_owned();
        let signing = state.signing().await?;
        publication.sign(signing.sign(name.as_str(), &publication.version, &integrity)?);
        state.tarballs.store(&tarball.integrity, tarball.file).await?;
        let apply = |current: Option<&Hosted>| {
            let known = current.and_then(|current| current.integrity(&publication.version));
            if known == Some(integrity.as_str()) {
                return Ok(Change::Keep(false));
            }
            let now = timestamp(SystemTime::now());
            Ok(Change::To(publication.apply(current, owner, &now)?, true))
        };
        state.packages.change(&name, apply).await
    };
    stored.await.map_err(told)
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
