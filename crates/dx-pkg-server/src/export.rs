//! The packages of a lockfile, written into a storage of their own: for a registry without an
//! upstream.

use crate::bring::{Brought, Version, Wanted, bring_locked};
use crate::catalog::{Place, place};
use crate::documents::{Change, Documents};
use crate::failure::Failure;
use crate::lockfile;
use crate::packages::{Hosted, Packages};
use crate::signing::Signing;
use crate::state::AppState;
use crate::storage::Storage;
use crate::tarballs::Tarballs;
use crate::time::timestamp;
use bytes::Bytes;
use dx_pkg_core::{Integrity, PackageName};
use serde_json::{Value, json};
use std::path::Path;
use std::time::SystemTime;

/// The storage that is written.
struct Target {
    storage: Storage,
    packages: Packages,
    tarballs: Tarballs,
    signing: Signing,
}

/// Writes the packages of a lockfile into the storage at `to`.
///
/// # Errors
/// A text about the lockfile or the storage. Packages that cannot be had are in the result.
pub(crate) async fn export(
    state: &AppState,
    lockfile: &Path,
    to: &Path,
) -> Result<Brought, String> {
    let locked = lockfile::open(lockfile)?;
    let mut brought = Brought { skipped: locked.skipped(), ..Brought::default() };
    let storage = Storage::open(to)?;
    let target = Target {
        packages: Packages::new(Documents::new(storage.clone())),
        tarballs: Tarballs::new(storage.clone(), 0),
        signing: Signing::open(&storage).await.map_err(|failure| failure.message)?,
        storage,
    };
    for (name, versions) in locked.packages {
        let mut found = Vec::new();
        let take = |version, one| found.push((version, one));
        let one = bring_locked(state, &name, versions, Wanted::Manifests, take).await;
        brought.skipped.extend(one.skipped);
        brought.failed.extend(one.failed);
        if found.is_empty() {
            continue;
        }
        match write(state, &target, &name, found).await {
            Ok(()) => {
                brought.packages += 1;
                brought.versions += one.versions;
            }
            Err(failure) => brought.failed.push(format!("{name}: {}", failure.message)),
        }
    }
    Ok(brought)
}

/// Writes versions of a package. One that is published here keeps its owners and, with its access,
/// its readers.
async fn write(
    state: &AppState,
    target: &Target,
    name: &PackageName,
    found: Vec<(String, Version)>,
) -> Result<(), Failure> {
    let own = match place(state, name).await? {
        Place::Hosted(document) => document.value,
        _ => None,
    };
    let mut versions = Vec::new();
    for (version, Version { mut manifest, tarball, time, .. }) in found {
        let integrity = store(&target.storage, &target.tarballs, &tarball).await?;
        let signature = target.signing.sign(name.as_str(), &version, &integrity)?;
        let dist = manifest.entry("dist").or_insert_with(|| json!({}));
        if let Some(dist) = dist.as_object_mut() {
            // What only the registry that it comes from can serve or vouch for stays there.
            for field in ["tarball", "attestations", "npm-signature"] {
                dist.shift_remove(field);
            }
            dist.insert("integrity".to_owned(), json!(integrity));
            dist.insert("signatures".to_owned(), json!([signature]));
        }
        versions.push((version, manifest, time));
    }
    let keep = |current: Option<&Hosted>| {
        let mut next = current.cloned().unwrap_or_default();
        if let Some(own) = &own {
            if own.access.as_deref() == Some("restricted") || next.access.is_none() {
                next.access = own.access.clone();
            }
            if next.maintainers.is_empty() {
                next.maintainers.clone_from(&own.maintainers);
            }
        }
        for (version, manifest, time) in &versions {
            let manifest = Value::Object(manifest.clone());
            let integrity = manifest.get("dist").and_then(|dist| dist.get("integrity")?.as_str());
            if next.integrity(version).is_some_and(|there| Some(there) != integrity) {
                let text = format!("{version} is in the folder already, with another tarball");
                return Err(Failure::conflict(text));
            }
            next.versions.entry(version.clone()).or_insert(manifest);
            if let Some(time) = time {
                next.times.insert(version.clone(), time.clone());
            }
        }
        next.ensure_latest();
        next.touch(&timestamp(SystemTime::now()));
        Ok(Change::To(next, ()))
    };
    target.packages.change(name, keep).await
}

/// Stores a tarball by its SHA-512; returns the text of that.
async fn store(storage: &Storage, tarballs: &Tarballs, bytes: &Bytes) -> Result<String, Failure> {
    let integrity = Integrity::sha512_of(bytes);
    let mut file = storage.temporary()?;
    file.write(bytes).map_err(|error| Failure::of_io("write", "a tarball", &error))?;
    tarballs.store(&integrity, file).await?;
    Ok(integrity.to_string())
}
