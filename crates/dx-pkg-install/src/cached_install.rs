//! The results of installs, cached so that the same install need not be worked out again.
//!
//! A result is stored under a digest of everything it depends on ([`CacheKey`]): a change of any of
//! that gives another key. A result that used the registries' metadata also names the packuments
//! that it read. It is valid while the cache has them unchanged and they are fresh.
//!
//! Little-endian:
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 4 | signature `DXR\0` |
//! | 4 | 2 | version, 6 |
//! | 6 | 2 | zero |
//! | 8 | 8 | XXH3-64 of all bytes from offset 16 |
//! | 16 | 32 | key of the prepared tree |
//! | 48 | 8 | fresh until, ms since 1970 |
//! | 56 | 8 | number of installed packages |
//! | 64 | 8 | number of packages and links in the tree |
//! | 72 | 8 | digest of the credentials that registries were asked with |
//! | 80 | 4 + … | importers: number (`u32`), then length (`u32`) and text of each |
//! | | 4 + … | packages with scripts that were skipped, likewise |
//! | | 4 + … | conflicts, likewise |
//! | | 4 + … | packages with other versions so that peers agree, likewise |
//! | | 4 + … | warnings, likewise |
//! | | 4 | number of paths that visit the tree's folders |
//! | | 4 + n | for each: length of the path (`u32`), and the path |
//! | | 4 + n | length of the path of the folder it ends in (`u32`), and that path |
//! | | 4 | number of direct dependencies |
//! | | 4 + … | for each: its path, and its version, empty without one |
//! | | 1 | its section: 0 for `dependencies`, 1 optional, 2 dev, 3 peer |
//! | | 4 | number of deprecated packages |
//! | | 4 + … | for each: name, version, path, and the registry's message |
//! | | 1 | whether it is a direct dependency |
//! | | 4 | number of packuments |
//! | | 4 + n | for each: length of its name in the cache (`u32`), and the name |
//! | | 8 | the checksum of its contents |
//! | | 1 | whether the tree is a baseline |
//! | | 1 | whether the lockfile is complete |
//! | | 1 | whether the lockfile changed |
//! | | 4 + n | length of the lockfile's text (`u32`), and the text; empty if unchanged |
//!
//! Texts are UTF-8.

use dx_pkg_acquire::clock::now_ms;
use dx_pkg_compat::manifest::Section;
use dx_pkg_format::wire::{Frame, Reader};
use dx_pkg_lock::name_of_path;
use dx_pkg_store::Store;
use dx_pkg_store::metadata::MetadataSource;
use dx_pkg_store::preparation::PreparedKey;
use url::Url;

use crate::Session;
use crate::project::Project;
use crate::summary::{ChangeKind, ChangedPackage, Deprecation, Summary};
use crate::visits::Visit;

/// The first four bytes of the file.
pub(crate) const SIGNATURE: [u8; 4] = *b"DXR\0";
/// The version of the format this build reads and writes.
pub(crate) const VERSION: u16 = 6;

const FRAME: Frame = Frame { format: "DXR", signature: SIGNATURE, version: VERSION };

/// The result of an install.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct CachedInstall<'r> {
    /// The key of its tree.
    pub prepared: PreparedKey,
    /// The time until which the metadata it depends on is fresh, in milliseconds since 1970.
    pub fresh_until_ms: u64,
    /// The number of installed packages.
    pub packages: u64,
    /// The number of packages and links in the tree.
    pub placed: u64,
    /// The digest of the credentials that the registries were asked with.
    pub credentials: u64,
    /// The folders whose `node_modules` the tree has, relative to the project.
    pub importers: Vec<String>,
    /// The direct dependencies of its tree.
    pub direct: Vec<ChangedPackage>,
    /// The deprecated packages of its tree.
    pub deprecated: Vec<Deprecation>,
    /// Packages with scripts that were not run.
    pub scripts_skipped: Vec<String>,
    /// Unmet peer requirements, in words.
    pub conflicts: Vec<String>,
    /// Packages that have other versions than by npm's rules, so that peers agree, in words.
    pub solved: Vec<String>,
    /// Other warnings.
    pub warnings: Vec<String>,
    /// The paths that visit the tree's folders.
    pub(crate) visits: Vec<Visit>,
    /// The packuments it depends on.
    pub metadata: Vec<MetadataSource>,
    /// Whether a later change of requirements can be installed incrementally.
    pub is_baseline: bool,
    /// Whether another resolution would keep the lockfile.
    pub is_complete: bool,
    /// The lockfile's new text, where it changed.
    pub lockfile: Option<&'r str>,
}

/// The digest of everything that decides the result of an install.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CacheKey {
    /// The digest of the input.
    input: [u8; 32],
    /// Whether the lockfile must not change. Such an install does not find out whether the lockfile
    /// is up to date, so its result is none of an install that brings it up to date.
    frozen: bool,
}

impl CacheKey {
    /// Returns the key of the project as it is now, with the settings in force, on this machine.
    pub(crate) fn of(session: &Session, project: &Project, frozen: bool) -> Self {
        let mut hasher = blake3::Hasher::new();
        let mut field = |bytes: &[u8]| {
            hasher.update(&(bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        };
        field(env!("CARGO_PKG_VERSION").as_bytes());
        // Results before it name prepared trees whose modes depended on a umask.
        field(b"exact modes");
        let libc = dx_pkg_os::process::libc_family().unwrap_or_default();
        for machine in [std::env::consts::OS, std::env::consts::ARCH, libc] {
            field(machine.as_bytes());
        }
        let node = session.node().map(|node| node.version.to_string());
        field(node.unwrap_or_default().as_bytes());
        let default = session.environment.default_registry.as_ref();
        field(default.map_or("", Url::as_str).as_bytes());
        field(&session.config().digest_input());
        field(project.manifest_text.as_bytes());
        field(&project.workspaces_digest);
        field(project.lockfile.as_bytes());
        // A lockfile that is there, if empty, is another input than none.
        field(project.lockfile_digest().as_ref().map_or(&[], |digest| digest.as_slice()));
        if let Some(folder) = project.unnamed() {
            field(folder.as_bytes());
        }
        if let Some(digest) = project.alterations.digest() {
            field(b"alterations");
            field(&digest);
        }
        CacheKey { input: *hasher.finalize().as_bytes(), frozen }
    }

    /// Returns the key as the store takes it.
    pub(crate) fn key(self) -> [u8; 32] {
        if self.frozen { self.under_frozen() } else { self.input }
    }

    /// Returns the keys under which a result is looked up. One that brought the lockfile up to date
    /// is a result under a frozen lockfile too, if it did not change it.
    pub(crate) fn looked_up(self) -> impl Iterator<Item = [u8; 32]> {
        let frozen = self.frozen.then(|| self.under_frozen());
        std::iter::once(self.input).chain(frozen)
    }

    fn under_frozen(self) -> [u8; 32] {
        *blake3::keyed_hash(&self.input, b"frozen").as_bytes()
    }
}

impl<'r> CachedInstall<'r> {
    /// Returns whether the metadata it depends on is unchanged and fresh, and `credentials` are the
    /// ones it was requested with. Metadata from the future is not fresh: the clock was set back,
    /// and its expiry has no meaning.
    pub fn is_valid(&self, store: &Store, credentials: u64) -> bool {
        let now = now_ms();
        self.metadata.is_empty()
            || credentials == self.credentials
                && now < self.fresh_until_ms
                && store.metadata_is_unchanged(&self.metadata, now)
    }

    /// Returns the summary of installing it anew.
    pub fn summary(self) -> Summary {
        Summary {
            added: self.placed,
            packages: usize::try_from(self.packages).unwrap_or(usize::MAX),
            changes: self.direct,
            deprecated: self.deprecated,
            scripts_skipped: self.scripts_skipped,
            conflicts: self.conflicts,
            solved: self.solved,
            warnings: self.warnings,
            statistics: vec![("prepared trees", 1)],
            ..Summary::default()
        }
    }

    /// Encodes the file.
    pub fn encode(&self) -> Vec<u8> {
        let text = self.lockfile.unwrap_or_default();
        let mut out = FRAME.begin(16_384 + text.len() + 96 * self.metadata.len());
        out.bytes(&self.prepared);
        for number in [self.fresh_until_ms, self.packages, self.placed, self.credentials] {
            out.u64(number);
        }
        let Self { importers, scripts_skipped, conflicts, solved, warnings, .. } = self;
        for list in [importers, scripts_skipped, conflicts, solved, warnings] {
            out.texts(list);
        }
        out.list(&self.visits, |out, visit| {
            out.text(&visit.path);
            out.text(&visit.end);
        });
        out.list(&self.direct, |out, package| {
            out.text(&package.path);
            out.text(package.version.as_deref().unwrap_or_default());
            let section = Section::ALL.iter().position(|section| Some(*section) == package.section);
            out.u8(section.and_then(|section| u8::try_from(section).ok()).unwrap_or_default());
        });
        out.list(&self.deprecated, |out, one| {
            [&one.name, &one.version, &one.path, &one.message]
                .into_iter()
                .for_each(|text| out.text(text));
            out.flag(one.is_direct);
        });
        out.list(&self.metadata, |out, source| {
            out.text(&source.name);
            out.u64(source.revision);
        });
        out.flag(self.is_baseline);
        out.flag(self.is_complete);
        out.flag(self.lockfile.is_some());
        out.text(text);
        Frame::finish(out)
    }

    /// Decodes the file; `None` for anything but an undamaged file of this version.
    pub fn decode(bytes: &'r [u8]) -> Option<Self> {
        let mut input = FRAME.open(bytes).ok()?;
        let source = |input: &mut Reader<'r>| {
            Some(MetadataSource { name: input.text()?.to_owned(), revision: input.u64()? })
        };
        let visit = |input: &mut Reader<'r>| {
            Some(Visit { path: input.text()?.to_owned(), end: input.text()?.to_owned() })
        };
        let cached = CachedInstall {
            prepared: input.array()?,
            fresh_until_ms: input.u64()?,
            packages: input.u64()?,
            placed: input.u64()?,
            credentials: input.u64()?,
            importers: input.texts()?,
            scripts_skipped: input.texts()?,
            conflicts: input.texts()?,
            solved: input.texts()?,
            warnings: input.texts()?,
            visits: input.list(visit)?,
            direct: input.list(direct)?,
            deprecated: input.list(deprecation)?,
            metadata: input.list(source)?,
            is_baseline: input.flag()?,
            is_complete: input.flag()?,
            lockfile: {
                let present = input.flag()?;
                Some(input.text()?).filter(|_| present)
            },
        };
        input.is_empty().then_some(cached)
    }
}

fn direct(input: &mut Reader<'_>) -> Option<ChangedPackage> {
    let path = input.text()?.to_owned();
    let version = Some(input.text()?.to_owned()).filter(|version| !version.is_empty());
    Some(ChangedPackage {
        kind: ChangeKind::Added,
        name: name_of_path(&path).to_owned(),
        path,
        before: None,
        version,
        section: Some(*Section::ALL.get(usize::from(input.u8()?))?),
    })
}

fn deprecation(input: &mut Reader<'_>) -> Option<Deprecation> {
    Some(Deprecation {
        name: input.text()?.to_owned(),
        version: input.text()?.to_owned(),
        path: input.text()?.to_owned(),
        message: input.text()?.to_owned(),
        is_direct: input.flag()?,
    })
}

#[cfg(test)]
mod tests;
