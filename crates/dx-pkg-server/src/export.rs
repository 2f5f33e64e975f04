//! The packages of a lockfile, written into a storage of their own: for a registry without an
//! upstream.

use crate::bring::Brought;
use crate::catalog::{Place, place};
use crate::documents::{Change, Documents};
use crate::failure::Failure;
use crate::lockfile;
use crate::packages::{Hosted, Packages};
use crate::packument::Outline;
use crate::state::AppState;
use crate::storage::Storage;
use crate::tarballs::{Found, Tarballs};
use crate::time::timestamp;
use bytes::Bytes;
use dx_pkg_core::{Integrity, PackageName};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;

/// A version with its tarball.
struct Version {
    manifest: Map<String, Value>,
    tarball: Bytes,
    time: Option<String>,
}

/// Writes the packages of a lockfile into the storage at `to`.
///
/// # Errors
/// A text that names the package that cannot be had.
pub(crate) async fn export(
    state: &AppState,
    lockfile: &Path,
    to: &Path,
) -> Result<Brought, String> {
    let locked = lockfile::open(lockfile)?;
    let reason = |path| format!("{path}: it does not come from a registry");
    let skipped = locked.elsewhere.into_iter().map(reason).collect();
    let mut brought = Brought { skipped, ..Brought::default() };
    let storage = Storage::open(to)?;
    let packages = Packages::new(Documents::new(storage.clone()));
    let tarballs = Tarballs::new(storage.clone(), 0);
    for (name, versions) in locked.packages {
        let told = |failure: Failure| format!("{name}: {}", failure.message);
        let mut found = BTreeMap::new();
        for version in versions {
            let one = version_of(state, &name, &version).await.map_err(told)?;
            let integrity = store(&storage, &tarballs, &one.tarball).await.map_err(told)?;
            found.insert(version, (one, integrity));
        }
        let count = found.len();
        let keep = |current: Option<&Hosted>| {
            let mut next = current.cloned().unwrap_or_default();
            for (version, (one, integrity)) in &found {
                let mut manifest = one.manifest.clone();
                if let Some(dist) = manifest.get_mut("dist").and_then(Value::as_object_mut) {
                    dist.insert("integrity".to_owned(), json!(integrity));
                    dist.shift_remove("tarball");
                }
                next.versions.entry(version.clone()).or_insert(Value::Object(manifest));
                if let Some(time) = &one.time {
                    next.times.insert(version.clone(), time.clone());
                }
            }
            next.ensure_latest();
            next.touch(&timestamp(SystemTime::now()));
            Ok(Change::To(next, ()))
        };
        packages.change(&name, keep).await.map_err(told)?;
        brought.packages += 1;
        brought.versions += count;
    }
    Ok(brought)
}

async fn version_of(
    state: &AppState,
    name: &PackageName,
    version: &str,
) -> Result<Version, Failure> {
    let missing = || Failure::not_found(format!("there is no version {version}"));
    match place(state, name).await? {
        Place::Hosted(document) => {
            let package = document.value.ok_or_else(missing)?;
            let manifest = package.versions.get(version).and_then(Value::as_object);
            let manifest = manifest.cloned().ok_or_else(missing)?;
            let integrity = Integrity::parse(package.integrity(version).unwrap_or_default());
            let integrity = integrity.map_err(Failure::internal)?;
            let Found::Whole(tarball) = state.tarballs.open(&integrity).await? else {
                return Err(Failure::internal(format!("the tarball of {version} is damaged")));
            };
            Ok(Version { manifest, tarball, time: package.times.get(version).cloned() })
        }
        Place::Upstream(registry) => {
            let known = state.upstreams.package_of_any_age(&registry, name).await?;
            let known = match known.versions.contains_key(version) {
                true => known,
                false => state.upstreams.package(&registry, name).await?,
            };
            let entry = known.versions.get(version).ok_or_else(missing)?;
            let (tarball, _) = state.upstreams.tarball(&registry, name, version, entry).await?;
            let document = state.upstreams.document(&known).await?;
            let outline = Outline::parse(&document, name.as_str()).map_err(Failure::internal)?;
            let (_, raw) = outline.version(version).ok_or_else(missing)?;
            let manifest = serde_json::from_str(raw.get()).map_err(Failure::internal)?;
            Ok(Version { manifest, tarball, time: known.times.get(version).cloned() })
        }
        Place::Nowhere => Err(missing()),
    }
}

/// Stores a tarball by its SHA-512; returns the text of that.
async fn store(storage: &Storage, tarballs: &Tarballs, bytes: &Bytes) -> Result<String, Failure> {
    let integrity = Integrity::sha512_of(bytes);
    let mut file = storage.temporary()?;
    file.write(bytes).map_err(|error| Failure::of_io("write", "a tarball", &error))?;
    tarballs.store(&integrity, file).await?;
    Ok(integrity.to_string())
}
