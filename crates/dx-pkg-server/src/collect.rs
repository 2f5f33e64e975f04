//! Garbage: what interrupted writes left behind, and what the cache holds beyond its limit.
//!
//! Published packages are never removed. Of the cache, what was used least recently goes first.

use crate::documents::Name;
use crate::failure::Failure;
use crate::state::AppState;
use crate::storage::{Key, Listed, blocking};
use crate::tarballs::Tarballs;
use crate::usage::Usage;
use dx_pkg_core::Integrity;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The age that a file reaches before it counts as left behind.
const ABANDONED: Duration = Duration::from_secs(3600);

/// What was removed, or would be.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Collected {
    /// Files of interrupted writes.
    pub(crate) abandoned: usize,
    /// Objects of the cache.
    pub(crate) evicted: usize,
    /// The bytes of both.
    pub(crate) bytes: u64,
    /// The bytes that the cache has afterwards.
    pub(crate) cache: u64,
}

/// Collects garbage; with `dry_run`, only counts it.
pub(crate) async fn collect(state: &AppState, dry_run: bool) -> Result<Collected, Failure> {
    let mut done = Collected::default();
    if !dry_run {
        state.accounts.remove_expired().await?;
    }
    let storage = state.storage.clone();
    for (path, size) in
        blocking(move || abandoned(storage.folder(), &storage.temporary_folder())).await?
    {
        (done.abandoned, done.bytes) = (done.abandoned + 1, done.bytes + size);
        if !dry_run {
            // A file that is gone already is as good as removed.
            let _ = std::fs::remove_file(path);
        }
    }
    // Listed before the published packages are read: a tarball that is published meanwhile is new,
    // and one that was in the cache before is marked as used.
    let mut cached = state.storage.list(&Key::of("cache")).await?;
    cached.extend(state.storage.list(&Key::of("tarballs")).await?);
    let published = published(state).await?;
    cached.retain(|object| !published.contains(&object.key));
    done.cache = cached.iter().map(|object| object.size).sum();
    let limit = state.config.cache.size.map_or(u64::MAX, |size| size.0);
    cached.sort_by_key(|object| object.modified);
    for Listed { key, size, modified } in cached {
        if done.cache <= limit {
            break;
        }
        if is_young(modified) || state.storage.modified(&key).is_none_or(is_young) {
            // In use, perhaps by a publish that has begun meanwhile and is about to name it.
            continue;
        }
        done.cache -= size;
        (done.evicted, done.bytes) = (done.evicted + 1, done.bytes + size);
        if !dry_run {
            state.storage.remove(&key).await?;
        }
    }
    Ok(done)
}

fn is_young(modified: SystemTime) -> bool {
    SystemTime::now().duration_since(modified).unwrap_or_default() < ABANDONED
}

/// Counts what the storage is used for; a count is good for a minute.
pub(crate) async fn usage(state: &AppState) -> Result<Usage, Failure> {
    let mut last = state.usages.lock().await;
    if let Some(usage) = last.recent() {
        return Ok(usage);
    }
    let mut objects = state.storage.list(&Key::of("cache")).await?;
    objects.extend(state.storage.list(&Key::of("tarballs")).await?);
    let published = published(state).await?;
    let mut usage = Usage::default();
    for object in objects {
        let share = match published.contains(&object.key) {
            true => &mut usage.published,
            false => &mut usage.cached,
        };
        share.objects += 1;
        share.bytes += object.size;
    }
    last.keep(usage);
    Ok(usage)
}

/// Returns the tarballs of all published versions.
async fn published(state: &AppState) -> Result<HashSet<Key>, Failure> {
    let integrities = state.packages.integrities().await?;
    let parsed = integrities.iter().filter_map(|text| Integrity::parse(text).ok());
    let mut keys: HashSet<Key> = parsed.map(|integrity| Tarballs::key(&integrity)).collect();
    // Staged versions are named by no package yet.
    for id in state.documents.keys("staged").await? {
        let staged = state.documents.read::<serde_json::Value>(&Name::new("staged", &id)).await?;
        let dist =
            staged.value.as_ref().and_then(|staged| staged["publication"]["manifest"].get("dist"));
        let integrity =
            dist.and_then(|dist| Integrity::parse(dist.get("integrity")?.as_str()?).ok());
        keys.extend(integrity.map(|integrity| Tarballs::key(&integrity)));
    }
    Ok(keys)
}

/// Returns the files of interrupted writes, with their sizes: those in the folder `temporary`, and
/// parts of objects anywhere.
fn abandoned(folder: &Path, temporary: &Path) -> Vec<(PathBuf, u64)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let is_temporary = folder == temporary;
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            if metadata.is_dir() {
                folders.push(entry.path());
                continue;
            }
            let name = entry.file_name();
            let name = name.to_string_lossy();
            // The object store writes an object as `name#number` before it gets its name.
            let is_part = name.rsplit_once('#').is_some_and(|(_, n)| n.parse::<u32>().is_ok());
            let age = metadata.modified().ok().and_then(|time| time.elapsed().ok());
            if (is_part || is_temporary) && age.is_some_and(|age| age > ABANDONED) {
                found.push((entry.path(), metadata.len()));
            }
        }
    }
    found
}
