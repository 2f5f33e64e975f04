//! What a store costs: the room on the disk that each kind of its contents takes.

use dx_pkg_store::{Folder, Store};

use crate::InstallError;

/// The room that one folder of the store takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FolderCost {
    /// Its name in JSON.
    pub key: &'static str,
    /// The number of its entries.
    pub entries: usize,
    /// The bytes on the disk.
    pub bytes: u64,
    /// The part of them that files of projects are too.
    pub shared: u64,
}

/// The room that a kind of contents takes, as people are told of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KindCost {
    /// What it is.
    pub name: &'static str,
    /// The number of entries.
    pub entries: usize,
    /// The bytes on the disk.
    pub bytes: u64,
    /// The part of them that files of projects are too.
    pub shared: u64,
}

/// The room that a store takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Costs {
    /// Each folder's.
    pub folders: Vec<FolderCost>,
    /// Each kind's.
    pub kinds: Vec<KindCost>,
    /// The bytes on the disk in all.
    pub bytes: u64,
    /// The part of them that files of projects are too.
    pub shared: u64,
}

/// The kinds of contents: name, and folders with their keys. The entries of the first folder count.
const KINDS: [(&str, &[(Folder, &str)]); 5] = [
    ("packages", &[(Folder::Packages, "packages"), (Folder::Expanded, "expanded")]),
    ("prepared trees", &[(Folder::Prepared, "preparedTrees")]),
    ("packuments", &[(Folder::Metadata, "metadata")]),
    (
        "remembered installs and lockfiles",
        &[(Folder::Resolutions, "resolutions"), (Folder::Lockfiles, "lockfiles")],
    ),
    (
        "unfinished or to be deleted",
        &[(Folder::Pending, "pending"), (Folder::Tmp, "unfinished"), (Folder::Trash, "trash")],
    ),
];

/// Measures the store.
///
/// # Errors
/// The store cannot be read.
pub fn measure(store: &Store) -> Result<Costs, InstallError> {
    let usage = store.usage()?;
    let mut costs = Costs { folders: Vec::new(), kinds: Vec::new(), bytes: 0, shared: 0 };
    for (name, folders) in KINDS {
        let mut kind = KindCost { name, entries: 0, bytes: 0, shared: 0 };
        for (folder, key) in folders {
            let found = usage.iter().find(|(measured, _)| measured == folder);
            let found = found.map(|(_, usage)| *usage).unwrap_or_default();
            let cost = FolderCost {
                key,
                entries: found.entries,
                bytes: found.bytes,
                shared: found.shared,
            };
            // A package is counted once, whatever forms of it there are.
            kind.entries += if *folder == Folder::Expanded { 0 } else { cost.entries };
            kind.bytes += cost.bytes;
            kind.shared += cost.shared;
            costs.folders.push(cost);
        }
        costs.bytes += kind.bytes;
        costs.shared += kind.shared;
        costs.kinds.push(kind);
    }
    Ok(costs)
}
