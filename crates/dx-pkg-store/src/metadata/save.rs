//! Writing a registry's index: what this process learnt is joined with what is there.
//!
//! One process at a time does it, under a lock. The pack with the new bytes gets its place first,
//! then the index that names it, each by one rename. A pack that no index names is left from a
//! killed process, and the next removes it.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

use dx_pkg_format::packument::{Packument, SharedBytes};
use dx_pkg_os::files::{Dir, FileLock};

use super::Form;
use crate::packuments::answer::Answer;
use crate::packuments::index::{self, Entry, Place};
use crate::packuments::unsaved::{Bytes, NewPack, Unsaved, UnsavedPackument, append};
use crate::packuments::view::{Found, INDEX, View, single};
use crate::{Folder, Store, StoreError};

/// The number of packs from which all but the largest are joined.
const MOST_PACKS: usize = 8;

/// A packument on its way to the index.
struct Row<'r> {
    checksum: u64,
    answer: Answer<&'r str>,
    bytes: RowBytes,
}

/// Where a row's bytes are.
enum RowBytes {
    /// In a pack that the index has already.
    Old(Place),
    /// In the new pack: offset and length.
    New(u64, u64),
    /// In memory or a pack that goes, to be appended to the new pack.
    Held(SharedBytes),
}

impl<'r> Row<'r> {
    fn held(packument: &Packument, answer: Answer<&'r str>) -> Self {
        let bytes = RowBytes::Held(packument.shared_bytes());
        Row { checksum: packument.checksum(), answer, bytes }
    }
}

type Rows<'r> = BTreeMap<(&'r str, Form), Row<'r>>;

/// A registry's folder in the cache.
struct Registry<'s> {
    store: &'s Store,
    metadata: &'s Dir,
    tmp: &'s Dir,
    name: &'s str,
}

impl Store {
    /// Joins what this process learnt of a registry with its index, without packuments that the
    /// registry confirmed before `unused_before_ms`; returns the number of those.
    pub(super) fn save_registry(
        &self,
        name: &str,
        unsaved: &mut Unsaved,
        unused_before_ms: u64,
    ) -> Result<usize, StoreError> {
        let path = self.folder(Folder::Metadata).join(name);
        let failed = |error| StoreError::io("writing", &path)(error);
        let (metadata, tmp) = (self.dir(Folder::Metadata)?, self.dir(Folder::Tmp)?);
        self.dir(Folder::Locks)?;
        metadata.make_or_open_dir_by_umask(name).map_err(failed)?;
        let lock = self.folder(Folder::Locks).join(format!("metadata-{name}"));
        let _lock = FileLock::exclusive(&lock, || {}).map_err(failed)?;
        Registry { store: self, metadata, tmp, name }.save(unsaved, unused_before_ms)
    }
}

impl Registry<'_> {
    fn path(&self, file: &str) -> String {
        format!("{}/{file}", self.name)
    }

    fn save(&self, unsaved: &mut Unsaved, unused_before_ms: u64) -> Result<usize, StoreError> {
        let path = self.store.folder(Folder::Metadata).join(self.name);
        let failed = |error| StoreError::io("writing", &path)(error);
        unsaved.write(self.tmp).map_err(failed)?;
        let view = View::open(self.metadata, self.name);
        let singles = self.singles(&view);
        let Unsaved { packuments, pack, .. } = &mut *unsaved;
        let mut rows = rows(&view, &singles, packuments);
        let before = rows.len();
        rows.retain(|_, row| row.answer.fetched_ms >= unused_before_ms);
        let dropped = before - rows.len();
        let stay = self.staying_packs(&view, &rows);
        self.hold_others(&view, &stay, &mut rows);
        self.write_held(pack, &mut rows).map_err(failed)?;
        let mut packs: Vec<&str> = stay.iter().filter_map(|pack| view.pack(*pack)).collect();
        if let Some(pack) = &*pack {
            let placed = self.tmp.rename(&pack.name, self.metadata, self.path(&pack.name));
            placed.map_err(failed)?;
            packs.push(&pack.name);
        }
        self.write_index(&packs, &rows)?;
        let is_old = |name: &&String| !packs.contains(&name.as_str());
        for name in view.pack_files.iter().filter(is_old).chain(&view.singles) {
            // What cannot be removed now is removed the next time.
            let _ = self.metadata.remove_file(self.path(name));
        }
        *unsaved = Unsaved::default();
        Ok(dropped)
    }

    /// Reads the packuments in files of their own.
    fn singles(&self, view: &View) -> Vec<(Form, Found)> {
        let form = |file: &str| if file.starts_with('f') { Form::Full } else { Form::Abbreviated };
        let found = |file: &String| Some((form(file), single(self.metadata, self.name, file)?));
        view.singles.iter().filter_map(found).collect()
    }

    /// Returns the packs that stay: those of which at least half is in use. Where they are many,
    /// only the largest.
    fn staying_packs(&self, view: &View, rows: &Rows<'_>) -> Vec<usize> {
        let mut used: HashMap<usize, u64> = HashMap::new();
        for row in rows.values() {
            if let RowBytes::Old(place) = row.bytes {
                *used.entry(place.pack).or_default() += place.length;
            }
        }
        let size = |pack| self.metadata.identity(self.path(view.pack(pack)?)).ok().flatten();
        let is_used = |(pack, used): &(usize, u64)| {
            size(*pack).is_some_and(|identity| used.saturating_mul(2) >= identity.size)
        };
        let mut stay: Vec<(usize, u64)> = used.into_iter().filter(is_used).collect();
        if stay.len() >= MOST_PACKS {
            stay = stay.into_iter().max_by_key(|(_, used)| *used).into_iter().collect();
        }
        let mut stay: Vec<usize> = stay.into_iter().map(|(pack, _)| pack).collect();
        stay.sort_unstable();
        stay
    }

    /// Gives rows in packs that stay their new places, and holds the bytes of others. What is
    /// damaged there is dropped.
    fn hold_others(&self, view: &View, stay: &[usize], rows: &mut Rows<'_>) {
        rows.retain(|_, row| {
            let RowBytes::Old(place) = row.bytes else { return true };
            if let Ok(pack) = stay.binary_search(&place.pack) {
                row.bytes = RowBytes::Old(Place { pack, ..place });
                return true;
            }
            let bytes = view.bytes(self.metadata, self.name, place);
            let packument = bytes.and_then(|bytes| Packument::decode(bytes).ok());
            let whole = packument.filter(|packument| packument.checksum() == row.checksum);
            whole.is_some_and(|packument| {
                row.bytes = RowBytes::Held(packument.shared_bytes());
                true
            })
        });
    }

    /// Appends the bytes that are held to the new pack.
    fn write_held(&self, pack: &mut Option<NewPack>, rows: &mut Rows<'_>) -> io::Result<()> {
        let mut held: Vec<&mut RowBytes> = rows
            .values_mut()
            .map(|row| &mut row.bytes)
            .filter(|bytes| matches!(bytes, RowBytes::Held(_)))
            .collect();
        let parts = held.iter().filter_map(|bytes| match bytes {
            RowBytes::Held(bytes) => Some((**bytes).as_ref()),
            _ => None,
        });
        let parts: Vec<&[u8]> = parts.collect();
        let lengths: Vec<u64> = parts.iter().map(|part| part.len() as u64).collect();
        let offsets = append(pack, self.tmp, &parts)?;
        for ((bytes, offset), length) in held.iter_mut().zip(offsets).zip(lengths) {
            **bytes = RowBytes::New(offset, length);
        }
        Ok(())
    }

    /// Writes the index; of `packs` the last one is the new one, if any row is in it.
    fn write_index(&self, packs: &[&str], rows: &Rows<'_>) -> Result<(), StoreError> {
        let place = |bytes: &RowBytes| match *bytes {
            RowBytes::Old(place) => Some(place),
            RowBytes::New(offset, length) => {
                Some(Place { pack: packs.len().checked_sub(1)?, offset, length })
            }
            RowBytes::Held(_) => None,
        };
        let entries: Vec<Entry<'_>> = rows
            .iter()
            .filter_map(|((name, form), row)| {
                let (place, answer) = (place(&row.bytes)?, row.answer);
                Some(Entry { name, form: *form, place, checksum: row.checksum, answer })
            })
            .collect();
        self.store.write_file(Folder::Metadata, self.path(INDEX), |file| {
            file.write_all(&index::encode(packs, &entries).map_err(io::Error::other)?)
        })
    }
}

/// Returns the packuments of the index, of files of their own, and of this process; of several the
/// one that the registry confirmed last.
fn rows<'r>(
    view: &'r View,
    singles: &'r [(Form, Found)],
    unsaved: &'r HashMap<(String, Form), UnsavedPackument>,
) -> Rows<'r> {
    let known = view.entries().map(|Entry { name, form, place, checksum, answer }| {
        ((name, form), Row { checksum, answer, bytes: RowBytes::Old(place) })
    });
    let mut rows: Rows<'r> = known.collect();
    let mut put = |key, row: Row<'r>| {
        let is_older = |known: &Row<'_>| known.answer.fetched_ms <= row.answer.fetched_ms;
        if rows.get(&key).is_none_or(is_older) {
            rows.insert(key, row);
        }
    };
    for (form, Found { packument, answer }) in singles {
        put((packument.name(), *form), Row::held(packument, answer.borrowed()));
    }
    for ((name, form), unsaved) in unsaved {
        put((name, *form), row(view, name, *form, unsaved));
    }
    rows
}

/// Returns the row of a packument that the index does not have yet.
fn row<'r>(view: &View, name: &str, form: Form, unsaved: &'r UnsavedPackument) -> Row<'r> {
    let mut row = Row::held(&unsaved.packument, unsaved.answer.borrowed());
    match &unsaved.bytes {
        Bytes::Memory => {}
        Bytes::New(offset) => {
            row.bytes = RowBytes::New(*offset, unsaved.packument.as_bytes().len() as u64);
        }
        // Another process may have moved it meanwhile.
        Bytes::Known(pack, offset) => {
            let is_there = |entry: &Entry<'_>| {
                view.pack(entry.place.pack) == Some(pack) && entry.place.offset == *offset
            };
            if let Some(entry) = view.entry(name, form).filter(is_there) {
                row.bytes = RowBytes::Old(entry.place);
            }
        }
    }
    row
}
