//! The packages that a lockfile names, from where this registry has them.

use super::Brought;
use crate::catalog::{Place, place};
use crate::failure::Failure;
use crate::lockfile::{self, Judgement, Source};
use crate::packument::Outline;
use crate::state::AppState;
use crate::tarballs::Found;
use axum::http::StatusCode;
use bytes::Bytes;
use dx_pkg_core::{Integrity, PackageName};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use tokio::task::JoinSet;

/// The packages of a lockfile that are fetched at once.
const AT_ONCE: usize = 16;

/// A version with its tarball.
pub(crate) struct Version {
    pub(crate) manifest: Map<String, Value>,
    pub(crate) tarball: Bytes,
    pub(crate) time: Option<String>,
    /// Where the upstream has the tarball.
    address: Option<String>,
}

/// Whether the manifests of the versions are wanted, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    Tarballs,
    Manifests,
}

/// Fetches what a lockfile names into the cache, with its packuments.
pub(crate) async fn cache_lockfile(state: Arc<AppState>, file: &Path) -> Result<Brought, String> {
    let locked = lockfile::open(file)?;
    let mut brought = Brought { skipped: locked.skipped(), ..Brought::default() };
    let mut running = JoinSet::new();
    let mut open = locked.packages.into_iter();
    loop {
        while running.len() < AT_ONCE
            && let Some((name, versions)) = open.next()
        {
            let state = Arc::clone(&state);
            running.spawn(async move {
                bring_locked(&state, &name, versions, Wanted::Tarballs, |_, _| {}).await
            });
        }
        match running.join_next().await {
            None => return Ok(brought),
            Some(Ok(one)) => {
                brought.packages += usize::from(one.versions > 0);
                brought.versions += one.versions;
                brought.skipped.extend(one.skipped);
                brought.failed.extend(one.failed);
            }
            Some(Err(error)) => return Err(error.to_string()),
        }
    }
}

/// Brings versions of a package that a lockfile names, each compared with what the lockfile says
/// about its tarball; hands those that are meant to `take`.
pub(crate) async fn bring_locked(
    state: &AppState,
    name: &PackageName,
    versions: BTreeMap<String, Vec<Source>>,
    wanted: Wanted,
    mut take: impl FnMut(String, Version),
) -> Brought {
    let mut brought = Brought::default();
    for (version, sources) in versions {
        let found = match version_of(state, name, &version, wanted).await {
            Ok(found) => found,
            Err(failure) => {
                let is_missing =
                    matches!(failure.status, StatusCode::NOT_FOUND | StatusCode::FORBIDDEN);
                // What comes from elsewhere need not be in a registry.
                let (elsewhere, here): (Vec<&Source>, Vec<&Source>) =
                    sources.iter().partition(|source| is_missing && source.address.is_some());
                brought.skipped.extend(elsewhere.into_iter().map(lockfile::skipped));
                if !here.is_empty() {
                    brought.failed.push(format!("{name}@{version}: {}", failure.message));
                }
                continue;
            }
        };
        let mut is_meant = false;
        for source in &sources {
            let matches = |integrity: &Integrity| integrity.verify(&found.tarball).is_ok();
            match source.judge(found.address.as_deref(), matches) {
                Judgement::Same => is_meant = true,
                Judgement::Elsewhere => brought.skipped.push(lockfile::skipped(source)),
                Judgement::Altered => brought.failed.push(format!(
                    "{name}@{version}: the tarball is not the one that the lockfile names ({}: {})",
                    source.entry,
                    source.integrity.as_deref().unwrap_or_default()
                )),
            }
        }
        if is_meant {
            brought.versions += 1;
            take(version, found);
        }
    }
    brought
}

async fn version_of(
    state: &AppState,
    name: &PackageName,
    version: &str,
    wanted: Wanted,
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
            let time = package.times.get(version).cloned();
            Ok(Version { manifest, tarball, time, address: None })
        }
        Place::Upstream(registry) => {
            let known = state.upstreams.package_of_any_age(&registry, name).await?;
            let known = match known.versions.contains_key(version) {
                true => known,
                false => state.upstreams.package(&registry, name).await?,
            };
            let entry = known.versions.get(version).ok_or_else(missing)?;
            let (tarball, _) = state.upstreams.tarball(&registry, name, version, entry).await?;
            let mut manifest = Map::new();
            if wanted == Wanted::Manifests {
                let document = state.upstreams.document(&known).await?;
                let outline =
                    Outline::parse(&document, name.as_str()).map_err(Failure::internal)?;
                let (_, raw) = outline.version(version).ok_or_else(missing)?;
                manifest = serde_json::from_str(raw.get()).map_err(Failure::internal)?;
            }
            let time = known.times.get(version).cloned();
            Ok(Version { manifest, tarball, time, address: Some(entry.url.clone()) })
        }
        Place::Nowhere => Err(missing()),
    }
}
