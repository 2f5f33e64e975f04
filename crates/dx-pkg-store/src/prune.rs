//! The usage of the store, and removal of unused entries.

pub mod removal;

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use dx_pkg_core::PackageId;
use dx_pkg_os::files::{Dir, EntryKind, Footprint};

use crate::metadata::is_part_of_cache;
use crate::{Folder, Store, StoreError};

/// The usage of one folder of the store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// The number of its entries: packages, trees, documents.
    pub entries: usize,
    /// The bytes it takes on the device. A file with several links counts in the first folder that
    /// has it: expanded packages come before prepared trees.
    pub bytes: u64,
    /// The part of them in files that have links outside the store too, in projects: it is not free
    /// once the entries are removed.
    pub shared: u64,
}

/// A file with several links, some of which the store has.
struct Linked {
    /// The position of the folder that it is counted in.
    counted_in: usize,
    bytes: u64,
    names: u64,
    /// The number of names in the store.
    seen: u64,
}

/// The files with several links, by device and inode.
type Links = HashMap<(u64, u64), Linked>;

/// The limits of [`Store::prune`].
#[derive(Debug, Clone)]
pub struct PruneLimits<'l> {
    /// The time before which a removed entry was last used.
    pub unused_since: SystemTime,
    /// The least recently used prepared trees, then packages, are removed until the store takes at
    /// most so many bytes.
    pub max_bytes: Option<u64>,
    /// The last use of packages, where known; otherwise the time of their storage counts.
    pub used: &'l HashMap<PackageId, SystemTime>,
}

/// The result of [`Store::prune`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// The number of prepared trees removed.
    pub trees: usize,
    /// The number of packages removed.
    pub packages: usize,
    /// The number of packuments, compiled lockfiles and resolutions removed.
    pub documents: usize,
    /// The bytes that are free once the trash is empty. Files that projects share stay on the
    /// device.
    pub bytes: u64,
}

/// A package that no project shares files with.
struct Candidate {
    id: PackageId,
    used: SystemTime,
    bytes: u64,
}

impl Store {
    /// Returns the usage of each folder, in the order of [`Folder`].
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn usage(&self) -> Result<Vec<(Folder, Usage)>, StoreError> {
        let mut links = Links::new();
        let mut usage: Vec<(Folder, Usage)> = Vec::new();
        for (folder, depth) in [
            (Folder::Packages, 2),
            (Folder::Expanded, 2),
            (Folder::Prepared, 3),
            (Folder::Metadata, 2),
            (Folder::Lockfiles, 2),
            (Folder::Resolutions, 2),
            (Folder::Pending, 1),
            (Folder::Tmp, 1),
            (Folder::Trash, 1),
        ] {
            let path = self.folder(folder);
            let is_entry = |at: usize, path: &Path| at == depth && is_counted(folder, path);
            let mut found = measure(&path, &is_entry, &mut links, usage.len())
                .map_err(StoreError::io("reading", path))?;
            if folder == Folder::Metadata {
                found.entries += self.packed_packuments();
            }
            usage.push((folder, found));
        }
        for linked in links.values().filter(|linked| linked.names > linked.seen) {
            if let Some((_, usage)) = usage.get_mut(linked.counted_in) {
                usage.shared += linked.bytes;
            }
        }
        Ok(usage)
    }

    /// Removes entries that were unused for long: prepared trees, packages that no project shares
    /// files with, packuments, compiled lockfiles, resolutions and marks of peer conflicts. Then
    /// removes the least recently used prepared trees and packages until the store is small enough.
    /// Empties the trash between the steps, as entries there share files with packages.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn prune(&self, limits: &PruneLimits<'_>) -> Result<Pruned, StoreError> {
        let mut pruned = Pruned::default();
        (pruned.documents, pruned.bytes) = self.prune_packuments(limits.unused_since)?;
        for folder in [Folder::Metadata, Folder::Lockfiles, Folder::Git, Folder::Resolutions] {
            let (documents, bytes) = self.prune_documents(folder, limits.unused_since)?;
            pruned.documents += documents;
            pruned.bytes += bytes;
        }
        // A conflict that is still there is told of once more.
        self.prune_documents(Folder::Conflicts, limits.unused_since)?;
        let mut total = self.prune_prepared(limits, &mut pruned)?;
        let mut candidates = self.candidates(limits.used)?;
        candidates.sort_by_key(|candidate| candidate.used);
        for Candidate { id, used, bytes } in candidates {
            let is_too_much = limits.max_bytes.is_some_and(|most| total > most);
            if used >= limits.unused_since && !is_too_much {
                break;
            }
            self.remove_package(id)?;
            total = total.saturating_sub(bytes);
            pruned.packages += 1;
            pruned.bytes += bytes;
        }
        Ok(pruned)
    }

    /// Removes unused prepared entries, and prepared trees until the store is small enough. Returns
    /// the bytes that the store still takes, or 0 if they are not limited.
    fn prune_prepared(
        &self,
        limits: &PruneLimits<'_>,
        pruned: &mut Pruned,
    ) -> Result<u64, StoreError> {
        let measure = || match limits.max_bytes {
            Some(_) => Ok(self.usage()?.iter().map(|(_, usage)| usage.bytes).sum()),
            None => Ok(0),
        };
        let mut total: u64 = measure()?;
        for entry in self.prepared_entries().iter().rev() {
            let is_old = entry.used < limits.unused_since;
            let is_too_much = limits.max_bytes.is_some_and(|most| total > most);
            if is_old {
                self.remove_prepared(entry)?;
            } else if is_too_much {
                entry.trees.iter().try_for_each(|tree| self.trash(tree).map(|_| ()))?;
            } else {
                break;
            }
            self.empty_trash()?;
            let left = measure()?;
            pruned.trees += entry.trees.len();
            pruned.bytes += total.saturating_sub(left);
            total = left;
        }
        Ok(total)
    }

    /// Trashes all files of a package, its record first.
    fn remove_package(&self, id: PackageId) -> Result<(), StoreError> {
        self.forget(id)?;
        self.trash(&self.expanded(id))?;
        self.trash(&self.folder(Folder::Gyp).join(id.to_string()))?;
        let package = self.package_path(id);
        for suffix in ["former", "files", "tgz", "dxp"] {
            self.trash(&package.with_extension(suffix))?;
        }
        Ok(())
    }

    /// Returns every package whose files no project shares, with its last use and its size.
    fn candidates(
        &self,
        used: &HashMap<PackageId, SystemTime>,
    ) -> Result<Vec<Candidate>, StoreError> {
        let mut found = Vec::new();
        for shard in 0..=u8::MAX {
            let shard = format!("{shard:02x}");
            let mut seen = HashSet::new();
            let mut paths = Vec::new();
            for suffix in [".dxt", ".dxp", ".tgz", ".former"] {
                let ids = self.ids_in(Folder::Packages, &shard, suffix)?;
                let new = ids.into_iter().filter(|id| seen.insert(*id));
                let extension = suffix.trim_start_matches('.');
                paths.extend(new.map(|id| (id, self.package_path(id).with_extension(extension))));
            }
            for (id, path) in paths {
                let Ok(metadata) = std::fs::metadata(&path) else { continue };
                let stored = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                let expanded = self.expanded(id);
                let fail = StoreError::io("reading", &expanded);
                let mut size = ExpandedSize::default();
                walk(&expanded, 0, &mut |_, _, footprint| size.add(footprint)).map_err(fail)?;
                if size.is_shared {
                    continue;
                }
                let used = used.get(&id).copied().unwrap_or(stored).max(stored);
                found.push(Candidate { id, used, bytes: metadata.len() + size.bytes });
            }
        }
        Ok(found)
    }

    fn prune_documents(
        &self,
        folder: Folder,
        unused_since: SystemTime,
    ) -> Result<(usize, u64), StoreError> {
        let root = self.folder(folder);
        let mut old: Vec<(PathBuf, u64)> = Vec::new();
        walk(&root, 0, &mut |path, _, footprint| {
            let is_old = footprint.kind == EntryKind::File && footprint.modified < unused_since;
            if is_old && is_counted(folder, path) {
                old.push((path.to_owned(), footprint.bytes));
            }
        })
        .map_err(StoreError::io("reading", &root))?;
        for (path, _) in &old {
            match std::fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(StoreError::io("removing", path)(error));
                }
                _ => {}
            }
        }
        Ok((old.len(), old.iter().map(|(_, bytes)| bytes).sum()))
    }
}

/// The size of a package's folder.
#[derive(Default)]
struct ExpandedSize {
    bytes: u64,
    is_shared: bool,
}

impl ExpandedSize {
    fn add(&mut self, footprint: &Footprint) {
        self.bytes += footprint.bytes;
        self.is_shared |= footprint.kind == EntryKind::File && footprint.names > 1;
    }
}

/// Returns whether a path at the right depth is an entry of its own: a folder of packages also has
/// their records.
fn is_counted(folder: Folder, path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    match folder {
        Folder::Packages => [".dxt", ".dxp", ".tgz"].iter().any(|form| name.ends_with(form)),
        Folder::Prepared => name.starts_with("tree-"),
        Folder::Metadata => !is_part_of_cache(name),
        _ => true,
    }
}

fn measure(
    root: &Path,
    is_entry: &dyn Fn(usize, &Path) -> bool,
    links: &mut Links,
    counted_in: usize,
) -> io::Result<Usage> {
    let mut usage = Usage::default();
    walk(root, 0, &mut |path, depth, footprint| {
        usage.entries += usize::from(is_entry(depth, path));
        let &Footprint { bytes, names, .. } = footprint;
        if names == 1 || footprint.kind == EntryKind::Directory {
            usage.bytes += bytes;
            return;
        }
        let new = Linked { counted_in, bytes, names, seen: 0 };
        let linked = links.entry((footprint.device, footprint.inode)).or_insert(new);
        linked.seen += 1;
        if linked.seen == 1 {
            usage.bytes += bytes;
        }
    })?;
    Ok(usage)
}

/// Visits all entries below `folder`, links not followed. Entries that vanish meanwhile are
/// skipped.
fn walk(
    folder: &Path,
    depth: usize,
    visit: &mut dyn FnMut(&Path, usize, &Footprint),
) -> io::Result<()> {
    let gone = |error: io::Error| {
        if error.kind() == io::ErrorKind::NotFound { Ok(Vec::new()) } else { Err(error) }
    };
    for entry in Dir::open(folder).and_then(|dir| dir.entries()).or_else(gone)? {
        let path = folder.join(&entry.name);
        let Some(footprint) = dx_pkg_os::files::footprint(&path)? else { continue };
        visit(&path, depth + 1, &footprint);
        if footprint.kind == EntryKind::Directory {
            walk(&path, depth + 1, visit)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
