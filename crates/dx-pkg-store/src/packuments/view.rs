//! A registry's part of the cache as it was when it was opened: the index, the packs, and
//! packuments in files of their own.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use dx_pkg_core::PackageName;
use dx_pkg_format::packument::{Form, Packument, SharedBytes};
use dx_pkg_os::files::{Dir, Map};

use super::answer::Answer;
use super::index::{Entry, Index, Place};
use super::{file_name, record};

/// The name of the index in its registry's folder.
pub(crate) const INDEX: &str = "index.dxi";
/// The end of the names of packs.
pub(crate) const PACK: &str = ".pack";
/// The end of the names of packuments in files of their own.
const SINGLE: &str = ".dxm";

/// A registry's part of the cache.
#[derive(Default)]
pub(crate) struct View {
    index: Option<Index<Map>>,
    packs: Vec<OnceLock<Option<Arc<Map>>>>,
    /// Names of packuments in files of their own.
    pub(crate) singles: HashSet<String>,
    /// Names of all packs in the folder, whether the index has them or not.
    pub(crate) pack_files: Vec<String>,
}

/// A packument with what the registry said of it.
pub(crate) struct Found {
    pub(crate) packument: Packument,
    pub(crate) answer: Answer<String>,
}

/// A part of a mapped file.
struct Part {
    map: Arc<Map>,
    start: usize,
    end: usize,
}

impl AsRef<[u8]> for Part {
    fn as_ref(&self) -> &[u8] {
        self.map.get(self.start..self.end).unwrap_or_default()
    }
}

impl View {
    /// Opens the folder `registry` in `metadata`. What is missing or damaged counts as empty.
    pub(crate) fn open(metadata: &Dir, registry: &str) -> Self {
        let index = metadata.open_file(format!("{registry}/{INDEX}")).ok();
        let index = index.and_then(|file| Index::decode(Map::of(&file).ok()?).ok());
        let packs = index.as_ref().map_or(0, |index| index.packs().len());
        let entries = metadata.open_dir(registry).and_then(|folder| folder.entries());
        let (mut singles, mut pack_files) = (HashSet::new(), Vec::new());
        for entry in entries.into_iter().flatten() {
            let Ok(name) = entry.name.into_string() else { continue };
            if name.ends_with(SINGLE) {
                singles.insert(name);
            } else if name.ends_with(PACK) {
                pack_files.push(name);
            }
        }
        Self { index, packs: (0..packs).map(|_| OnceLock::new()).collect(), singles, pack_files }
    }

    /// Returns whether nothing is cached.
    pub(crate) fn is_empty(&self) -> bool {
        self.index.is_none() && self.singles.is_empty()
    }

    /// Returns the entries of the index.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.index.iter().flat_map(Index::entries)
    }

    /// Returns the index's entry of a packument.
    pub(crate) fn entry(&self, name: &str, form: Form) -> Option<Entry<'_>> {
        self.index.as_ref()?.find(name, form)
    }

    /// Returns the name of a pack of the index.
    pub(crate) fn pack(&self, pack: usize) -> Option<&str> {
        self.index.as_ref()?.packs().nth(pack)
    }

    /// Returns the bytes at `place`, unchecked; `None` where the pack is gone or too short.
    pub(crate) fn bytes(
        &self,
        metadata: &Dir,
        registry: &str,
        place: Place,
    ) -> Option<SharedBytes> {
        let open = || {
            let pack = self.pack(place.pack)?;
            let is_name = pack.ends_with(PACK) && !pack.contains(['/', '\\']);
            let file = metadata.open_file(format!("{registry}/{pack}")).ok().filter(|_| is_name)?;
            Map::of_any_size(&file).ok().map(Arc::new)
        };
        let map = self.packs.get(place.pack)?.get_or_init(open).clone()?;
        let start = usize::try_from(place.offset).ok()?;
        let end = start.checked_add(usize::try_from(place.length).ok()?)?;
        (end <= map.len()).then(|| Arc::new(Part { map, start, end }) as SharedBytes)
    }

    /// Returns the packument of an entry, checked.
    pub(crate) fn packument(
        &self,
        metadata: &Dir,
        registry: &str,
        entry: &Entry<'_>,
    ) -> Option<Packument> {
        let packument = Packument::decode(self.bytes(metadata, registry, entry.place)?).ok()?;
        (packument.name() == entry.name && packument.checksum() == entry.checksum)
            .then_some(packument)
    }

    /// Returns a packument from the index or from a file of its own, whichever the registry
    /// confirmed last.
    pub(crate) fn find(
        &self,
        metadata: &Dir,
        registry: &str,
        name: &PackageName,
        form: Form,
    ) -> Option<Found> {
        let packed = self.entry(name.as_str(), form).and_then(|entry| {
            let packument = self.packument(metadata, registry, &entry)?;
            Some(Found { packument, answer: entry.answer.owned() })
        });
        let file = if self.singles.is_empty() { String::new() } else { file_name(name, form) };
        if !self.singles.contains(&file) {
            return packed;
        }
        let single = single(metadata, registry, &file)
            .filter(|single| single.packument.name() == name.as_str());
        [packed, single].into_iter().flatten().max_by_key(|found| found.answer.fetched_ms)
    }
}

/// Reads a packument from a file of its own.
pub(crate) fn single(metadata: &Dir, registry: &str, file: &str) -> Option<Found> {
    let file = metadata.open_file(format!("{registry}/{file}")).ok()?;
    let map = Arc::new(Map::of_any_size(&file).ok()?);
    let (answer, start) = record::decode(&map)?;
    let (answer, end) = (answer.owned(), map.len());
    let packument = Packument::decode(Arc::new(Part { map, start, end })).ok()?;
    Some(Found { packument, answer })
}
