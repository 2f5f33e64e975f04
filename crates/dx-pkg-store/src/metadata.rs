//! The metadata cache: packuments with validators and times, and the registries' chains.

mod record;

use std::io;
use std::sync::Arc;

use dx_pkg_core::PackageName;
pub use dx_pkg_format::packument::Form;
use dx_pkg_format::packument::Packument;
use dx_pkg_os::files::{Map, unique_name};

use crate::insert::write_parts;
use crate::layout::escaped;
use crate::{Folder, Store, StoreError};

pub use record::MetadataRecord;

/// The name of the chain over a registry's packages, beside its packuments.
const CHAIN: &str = "chain.dxc";

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

/// The part of a mapping that holds the DXM bytes.
struct Tail {
    map: Map,
    start: usize,
}

impl AsRef<[u8]> for Tail {
    fn as_ref(&self) -> &[u8] {
        self.map.get(self.start..).unwrap_or_default()
    }
}

impl Store {
    /// Returns the names of the packages in the cache, as far as they are not long or unusual.
    #[must_use]
    pub fn known_packages(&self) -> Vec<String> {
        let list = |folder| std::fs::read_dir(folder).into_iter().flatten().flatten();
        let registries = list(self.folder(Folder::Metadata));
        let files = registries.flat_map(|registry| list(registry.path()));
        files
            .filter_map(|file| {
                let file = file.file_name().into_string().ok()?;
                let name = file.strip_suffix(".dxm")?.get(2..)?.replace('+', "/");
                (!name.contains(['#', '%', '!'])).then_some(name)
            })
            .collect()
    }

    /// Returns the cached packument of a package. The full form is returned if the abbreviated one
    /// is missing. A damaged or unreadable file counts as missing.
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
        let dir = self.existing(Folder::Metadata)?;
        let registry = escaped(registry_key);
        forms.iter().find_map(|&form| {
            let file = dir.open_file(format!("{registry}/{}", file_name(name, form))).ok()?;
            let map = Map::of(&file).ok()?;
            let header = record::decode(&map)?;
            let (etag, last_modified) =
                (header.etag.map(str::to_owned), header.last_modified.map(str::to_owned));
            let times = (header.fetched_ms, header.fresh_until_ms, header.stale_until_ms);
            let (fetched_ms, fresh_until_ms, stale_until_ms) = times;
            let credential = header.credential;
            let start = header.length;
            let packument = Packument::decode(Arc::new(Tail { map, start })).ok()?;
            (packument.name() == name.as_str()).then_some(CachedPackument {
                packument,
                etag,
                last_modified,
                fetched_ms,
                fresh_until_ms,
                stale_until_ms,
                credential,
                full: form == Form::Full,
            })
        })
    }

    /// Returns the registry's chain, unchecked: its own format detects damage.
    #[must_use]
    pub fn chain(&self, registry_key: &str) -> Option<Map> {
        let dir = self.existing(Folder::Metadata)?;
        Map::of(&dir.open_file(format!("{}/{CHAIN}", escaped(registry_key))).ok()?).ok()
    }

    /// Writes the registry's chain.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn put_chain(&self, registry_key: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.put_document(&escaped(registry_key), CHAIN, &[bytes])
    }

    /// Writes a packument, replacing the same form of it.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn put_metadata(
        &self,
        registry_key: &str,
        name: &PackageName,
        record: &MetadataRecord<'_>,
    ) -> Result<(), StoreError> {
        let parts = [&*record.header(), record.packument];
        self.put_document(&escaped(registry_key), &file_name(name, record.form), &parts)
    }

    /// Writes a file below `metadata/<registry>/` atomically.
    fn put_document(&self, registry: &str, name: &str, parts: &[&[u8]]) -> Result<(), StoreError> {
        let (tmp, metadata) = (self.dir(Folder::Tmp)?, self.dir(Folder::Metadata)?);
        let target = format!("{registry}/{name}");
        let path = || self.folder(Folder::Metadata).join(&target);
        let temporary = unique_name("");
        let written = tmp
            .create_file(&temporary, 0o644)
            .and_then(|mut file| write_parts(&mut file, parts.iter().copied()));
        let written = written.and_then(|()| match tmp.rename(&temporary, metadata, &target) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                metadata.make_or_open_dir_by_umask(registry)?;
                tmp.rename(&temporary, metadata, &target)
            }
            renamed => renamed,
        });
        written.map_err(|error| {
            let _ = tmp.remove_file(&temporary);
            StoreError::io("writing", path())(error)
        })
    }
}

/// Returns the name of a packument's file within its registry's folder.
pub(crate) fn file_name(name: &PackageName, form: Form) -> String {
    // The prefix also keeps the names of devices, which some systems reserve, from standing alone.
    let prefix = match form {
        Form::Abbreviated => 'a',
        Form::Full => 'f',
    };
    format!("{prefix}-{}.dxm", escaped(name.as_str()))
}
