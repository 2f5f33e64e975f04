//! What is known of an upstream's package besides the packument itself.

use super::PackageKey;
use crate::packument::{Outline, dist};
use crate::storage::{Key, Storage};
use bytes::Bytes;
use dx_pkg_core::Integrity;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// The most versions that are remembered although the upstream has them no more.
const FORMER: usize = 1000;

/// What leads to a version's tarball.
#[derive(Debug, Clone)]
pub(crate) struct VersionEntry {
    pub(crate) url: String,
    /// The digest of the tarball; none where the upstream gives none that can be checked.
    pub(crate) integrity: Option<Integrity>,
}

/// A package of an upstream, as of its latest packument.
pub(crate) struct Known {
    pub(super) key: PackageKey,
    /// The digest of the packument.
    pub(crate) id: String,
    pub(super) etag: Option<String>,
    pub(super) last_modified: Option<String>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) versions: HashMap<String, VersionEntry>,
    /// The versions that the upstream has no more. What is cached of them is served to those who
    /// know them from a lockfile.
    pub(crate) former: BTreeMap<String, VersionEntry>,
    /// The time of each version's publication.
    pub(crate) times: BTreeMap<String, String>,
    checked: Mutex<Checked>,
    /// The cached packument itself, if it could not be written to the disk.
    pub(super) unwritten: Option<Bytes>,
}

struct Checked {
    /// When the upstream last said that this is right.
    at: SystemTime,
    /// Until when it is not asked, because it fails.
    back_off: Option<Instant>,
}

impl Known {
    pub(super) fn new(
        key: PackageKey,
        id: String,
        outline: &Outline<'_>,
        validators: (Option<String>, Option<String>),
        checked: SystemTime,
    ) -> Self {
        let entry = |version: &(String, &serde_json::value::RawValue)| {
            let dist = dist(version.1)?;
            let integrity = dist.integrity.as_deref().and_then(|text| Integrity::parse(text).ok());
            let shasum = || Integrity::from_shasum_hex(dist.shasum.as_deref()?).ok();
            let integrity = integrity.or_else(shasum);
            Some((version.0.clone(), VersionEntry { url: dist.tarball?, integrity }))
        };
        Self {
            key,
            id,
            etag: validators.0,
            last_modified: validators.1,
            tags: outline.tags(),
            versions: outline.versions.iter().filter_map(entry).collect(),
            former: BTreeMap::new(),
            times: outline.times(),
            checked: Mutex::new(Checked { at: checked, back_off: None }),
            unwritten: None,
        }
    }

    /// Returns the version whose tarball has this name here or at the upstream.
    pub(crate) fn version_of_file(&self, file: &str) -> Option<(&str, &VersionEntry)> {
        let bare = self.key.name.bare();
        let usual =
            file.strip_suffix(".tgz").and_then(|file| file.strip_prefix(bare)?.strip_prefix('-'));
        if let Some((version, entry)) =
            usual.and_then(|version| self.versions.get_key_value(version))
        {
            return Some((version, entry));
        }
        let ends = |url: &str| {
            url.split('?').next().is_some_and(|url| url.rsplit('/').next() == Some(file))
        };
        let found = self.versions.iter().find(|(_, entry)| ends(&entry.url));
        found.map(|(version, entry)| (version.as_str(), entry))
    }

    /// Returns the version whose tarball had this name here, if the upstream has it no more.
    pub(crate) fn former_version_of_file(&self, file: &str) -> Option<(&str, &VersionEntry)> {
        let version = file.strip_suffix(".tgz")?.strip_prefix(self.key.name.bare())?;
        let found = self.former.get_key_value(version.strip_prefix('-')?);
        found.map(|(version, entry)| (version.as_str(), entry))
    }

    /// Remembers which versions of an earlier packument this one lacks.
    pub(super) fn succeed(&mut self, earlier: &Self) {
        let entries = earlier.versions.iter().chain(&earlier.former);
        let gone = entries.filter(|(version, _)| !self.versions.contains_key(*version));
        self.former =
            gone.map(|(version, entry)| (version.clone(), entry.clone())).take(FORMER).collect();
    }

    /// Returns the time since the upstream last said that this is right.
    pub(super) fn age(&self) -> Duration {
        let checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        SystemTime::now().duration_since(checked.at).unwrap_or_default()
    }

    /// Takes note that the upstream says that this is right; also for the next start.
    pub(super) fn confirm(&self, storage: &Storage) {
        let now = SystemTime::now();
        let mut checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        (checked.at, checked.back_off) = (now, None);
        drop(checked);
        // Without it, the next start asks once more.
        let file = std::fs::File::options().append(true).open(storage.path(&self.object()));
        let _ = file.and_then(|file| file.set_modified(now));
    }

    /// Returns whether the upstream failed a moment ago.
    pub(super) fn backs_off(&self) -> bool {
        let checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        checked.back_off.is_some_and(|end| Instant::now() < end)
    }

    pub(super) fn back_off(&self, time: Duration) {
        let mut checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        checked.back_off = Some(Instant::now() + time);
    }

    /// Returns about the memory that it takes, in bytes.
    pub(super) fn size(&self) -> usize {
        let unwritten = self.unwritten.as_ref().map_or(0, Bytes::len);
        512 + (self.versions.len() + self.former.len()) * 400 + unwritten
    }

    /// Returns the key of the cached packument.
    pub(super) fn object(&self) -> Key {
        self.key.object()
    }
}

impl PackageKey {
    /// Returns the key of the cached packument.
    pub(super) fn object(&self) -> Key {
        Key::of("cache").with("packuments").with(&self.registry).name(&self.name).with("packument")
    }
}
