//! The metadata cache: packuments with validators and times, and the registries' chains.
//!
//! A registry's packuments lie one after the other in a few packs, and an index tells where each is
//! and what the registry said of it. A packument that a registry confirms costs a new index only.
//! What a command learns is kept in memory and in a pack of its own; [`Store::save_metadata`] joins
//! it with what other commands wrote meanwhile.

mod prune;
mod save;

use std::io::Write;
use std::sync::{MutexGuard, PoisonError};

use dx_pkg_core::PackageName;
pub use dx_pkg_format::packument::Form;
use dx_pkg_format::packument::Packument;
use dx_pkg_os::files::{Dir, EntryKind, Map};

pub(crate) use self::prune::is_part_of_cache;
use crate::layout::escaped;
use crate::packuments::answer::Answer;
use crate::packuments::unsaved::{Bytes, UnsavedPackument};
use crate::packuments::view::Found;
use crate::packuments::{Packuments, letter};
use crate::{Folder, Store, StoreError};

/// The name of the chain over a registry's packages, beside its packuments.
const CHAIN: &str = "chain.dxc";
/// The name of what is known of a registry's own protocol, beside its packuments.
const PEER: &str = "dxrp.dxk";

/// A packument from the cache.
#[derive(Debug, Clone)]
pub struct CachedPackument {
    /// The packument.
    pub packument: Packument,
    /// The registry's `ETag`.
    pub etag: Option<String>,
    /// The registry's `Last-Modified`.
    pub last_modified: Option<String>,
    /// When the registry last confirmed it, in milliseconds since 1970.
    pub fetched_ms: u64,
    /// Until when it may be used without revalidation, in milliseconds since 1970.
    pub fresh_until_ms: u64,
    /// Until when it may be used during revalidation, in milliseconds since 1970.
    pub stale_until_ms: u64,
    /// The digest of the credential for which the registry confirmed it; 0 without one.
    pub credential: u64,
    /// Whether it is the full form.
    pub full: bool,
}

/// A registry's answer, as it is cached.
#[derive(Debug, Clone, Copy)]
pub struct MetadataRecord<'a> {
    /// The packument.
    pub packument: &'a Packument,
    /// The form of the packument.
    pub form: Form,
    /// The registry's `ETag`.
    pub etag: Option<&'a str>,
    /// The registry's `Last-Modified`.
    pub last_modified: Option<&'a str>,
    /// When the registry confirmed it, in milliseconds since 1970.
    pub fetched_ms: u64,
    /// Until when it may be used without revalidation, in milliseconds since 1970.
    pub fresh_until_ms: u64,
    /// Until when it may be used during revalidation, in milliseconds since 1970.
    pub stale_until_ms: u64,
    /// The digest of the credential for which the registry confirmed it; 0 without one.
    pub credential: u64,
}

/// A packument that a result was derived from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetadataSource {
    /// Its registry, form and package, as the cache names them.
    pub name: String,
    /// The checksum of its contents.
    pub revision: u64,
}

impl Store {
    fn metadata_state(&self) -> MutexGuard<'_, Packuments> {
        self.metadata_cell().lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the names of the packages in the cache.
    #[must_use]
    pub fn known_packages(&self) -> Vec<String> {
        let Some(dir) = self.existing(Folder::Metadata) else { return Vec::new() };
        let mut names = Vec::new();
        for registry in registries(dir) {
            let view = self.metadata_state().view(|| Some(dir), &registry);
            names.extend(view.entries().map(|entry| entry.name.to_owned()));
            let single = |file: &String| {
                let name = file.strip_suffix(".dxm")?.get(2..)?.replace('+', "/");
                // Names that are long or unusual cannot be told from their files'.
                (!name.contains(['#', '%', '!'])).then_some(name)
            };
            names.extend(view.singles.iter().filter_map(single));
        }
        names
    }

    /// Returns the cached packument of a package. The full form is returned if the abbreviated one
    /// is missing. What is damaged or unreadable counts as missing.
    #[must_use]
    pub fn metadata(
        &self,
        registry_key: &str,
        name: &PackageName,
        form: Form,
    ) -> Option<CachedPackument> {
        let forms: &[Form] = match form {
            Form::Abbreviated => &[Form::Abbreviated, Form::Full],
            Form::Full => &[Form::Full],
        };
        let registry = escaped(registry_key);
        forms.iter().find_map(|&form| {
            let Found { packument, answer } = self.find_metadata(&registry, name, form)?;
            Some(CachedPackument {
                packument,
                etag: answer.etag,
                last_modified: answer.last_modified,
                fetched_ms: answer.fetched_ms,
                fresh_until_ms: answer.fresh_until_ms,
                stale_until_ms: answer.stale_until_ms,
                credential: answer.credential,
                full: form == Form::Full,
            })
        })
    }

    fn find_metadata(&self, registry: &str, name: &PackageName, form: Form) -> Option<Found> {
        let mut state = self.metadata_state();
        if let Some(unsaved) = state.unsaved(registry, &(name.as_str().to_owned(), form)) {
            let (packument, answer) = (unsaved.packument.clone(), unsaved.answer.clone());
            return Some(Found { packument, answer });
        }
        let view = state.view(|| self.existing(Folder::Metadata), registry);
        drop(state);
        if view.is_empty() {
            return None;
        }
        view.find(self.existing(Folder::Metadata)?, registry, name, form)
    }

    /// Caches a packument in place of the same form of it. Other processes see it after
    /// [`Self::save_metadata`].
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn put_metadata(
        &self,
        registry_key: &str,
        name: &PackageName,
        record: &MetadataRecord<'_>,
    ) -> Result<(), StoreError> {
        let registry = escaped(registry_key);
        let tmp = self.dir(Folder::Tmp)?;
        let answer = Answer {
            etag: record.etag,
            last_modified: record.last_modified,
            fetched_ms: record.fetched_ms,
            fresh_until_ms: record.fresh_until_ms,
            stale_until_ms: record.stale_until_ms,
            credential: record.credential,
        };
        let packument = UnsavedPackument {
            packument: record.packument.clone(),
            answer: answer.owned(),
            bytes: self.known_bytes(&registry, name, record),
        };
        let key = (name.as_str().to_owned(), record.form);
        let mut state = self.metadata_state();
        let unsaved = state.unsaved.entry(registry).or_default();
        unsaved
            .put(tmp, key, packument)
            .map_err(StoreError::io("writing", self.folder(Folder::Tmp)))
    }

    /// Returns where the bytes of a packument are, if a pack has the same and has them whole.
    fn known_bytes(
        &self,
        registry: &str,
        name: &PackageName,
        record: &MetadataRecord<'_>,
    ) -> Bytes {
        let known = || {
            let view = self.metadata_state().view(|| self.existing(Folder::Metadata), registry);
            let entry = view.entry(name.as_str(), record.form)?;
            if entry.checksum != record.packument.checksum() {
                return None;
            }
            view.packument(self.existing(Folder::Metadata)?, registry, &entry)?;
            Some(Bytes::Known(view.pack(entry.place.pack)?.to_owned(), entry.place.offset))
        };
        known().unwrap_or(Bytes::Memory)
    }

    /// Writes the packuments that this process has cached, for all processes and later ones.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn save_metadata(&self) -> Result<(), StoreError> {
        let mut state = self.metadata_state();
        let Packuments { views, unsaved } = &mut *state;
        let mut failed = None;
        for (registry, unsaved) in unsaved.iter_mut().filter(|(_, it)| !it.packuments.is_empty()) {
            failed = self.save_registry(registry, unsaved, 0).err().or(failed);
            views.remove(registry);
        }
        failed.map_or(Ok(()), Err)
    }

    /// Returns the packuments that the cache has of a package. A result that was derived from them
    /// holds while [`Self::metadata_is_unchanged`] says so.
    #[must_use]
    pub fn metadata_sources(&self, registry_key: &str, name: &PackageName) -> Vec<MetadataSource> {
        let registry = escaped(registry_key);
        let forms = [Form::Abbreviated, Form::Full].into_iter();
        let source = |form| {
            let revision = self.revision(&registry, name.as_str(), form, u64::MAX)?;
            let name = format!("{registry}/{}-{}", letter(form), name.as_str());
            Some(MetadataSource { name, revision })
        };
        forms.filter_map(source).collect()
    }

    /// Returns whether the cache still has all `sources`, each with the same contents. One that was
    /// confirmed after `now_ms` does not count: the clock was set back, and its age is unknown.
    #[must_use]
    pub fn metadata_is_unchanged(&self, sources: &[MetadataSource], now_ms: u64) -> bool {
        sources.iter().all(|source| {
            let parts = source.name.split_once('/').and_then(|(registry, name)| {
                let (form, name) = name.split_once('-')?;
                let form =
                    [Form::Abbreviated, Form::Full].into_iter().find(|it| letter(*it) == form);
                Some((registry, name, form?))
            });
            parts.is_some_and(|(registry, name, form)| {
                self.revision(registry, name, form, now_ms) == Some(source.revision)
            })
        })
    }

    /// Returns the checksum of a cached packument that was confirmed until `now_ms`.
    fn revision(&self, registry: &str, name: &str, form: Form, now_ms: u64) -> Option<u64> {
        let mut state = self.metadata_state();
        let in_time = |fetched_ms: u64| (fetched_ms <= now_ms).then_some(());
        if let Some(unsaved) = state.unsaved(registry, &(name.to_owned(), form)) {
            in_time(unsaved.answer.fetched_ms)?;
            return Some(unsaved.packument.checksum());
        }
        let view = state.view(|| self.existing(Folder::Metadata), registry);
        drop(state);
        if view.singles.is_empty() {
            let entry = view.entry(name, form)?;
            in_time(entry.answer.fetched_ms)?;
            return Some(entry.checksum);
        }
        let (dir, name) = (self.existing(Folder::Metadata)?, PackageName::parse(name).ok()?);
        let found = view.find(dir, registry, &name, form)?;
        in_time(found.answer.fetched_ms)?;
        Some(found.packument.checksum())
    }

    /// Returns the registry's chain, unchecked: its own format detects damage.
    #[must_use]
    pub fn chain(&self, registry_key: &str) -> Option<Map> {
        let dir = self.existing(Folder::Metadata)?;
        Map::of(&dir.open_file(format!("{}/{CHAIN}", escaped(registry_key))).ok()?).ok()
    }

    /// Returns what is recorded of the registry's protocol, unchecked: its own format detects
    /// damage.
    #[must_use]
    pub fn protocol(&self, registry_key: &str) -> Option<Map> {
        let dir = self.existing(Folder::Metadata)?;
        Map::of(&dir.open_file(format!("{}/{PEER}", escaped(registry_key))).ok()?).ok()
    }

    /// Records what is known of the registry's protocol.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn put_protocol(&self, registry_key: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let target = format!("{}/{PEER}", escaped(registry_key));
        self.write_file(Folder::Metadata, target, |file| file.write_all(bytes))
    }

    /// Writes the registry's chain.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn put_chain(&self, registry_key: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let target = format!("{}/{CHAIN}", escaped(registry_key));
        self.write_file(Folder::Metadata, target, |file| file.write_all(bytes))
    }
}

/// Returns the names of the registries' folders.
fn registries(metadata: &Dir) -> Vec<String> {
    let entries = metadata.entries().unwrap_or_default().into_iter();
    let folders = entries.filter(|entry| entry.kind == EntryKind::Directory);
    folders.filter_map(|entry| entry.name.into_string().ok()).collect()
}

#[cfg(test)]
mod tests;
