//! A loss of power: what was written and is not on the device is gone.
//!
//! The worst that ext4 and Btrfs do with delayed allocation: names are kept, also those that a
//! rename gave, and so are modification times; the bytes of a file that was not synchronised since
//! they were written are not. Its length is zero, or ends with the pages that were written back. A
//! file that was renamed over another keeps its bytes: both systems write them first
//! (`auto_da_alloc` of ext4(5)).

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The size of a page.
const PAGE: u64 = 4096;

/// The files whose bytes are not on the device, by device and inode.
#[derive(Debug, Default)]
pub struct Disk {
    dirty: BTreeSet<(u64, u64)>,
}

/// How much is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Every byte of every file.
    All,
    /// What is beyond the first page of each file.
    BeyondPage,
    /// Every byte of every second file.
    EverySecond,
}

impl Disk {
    pub(super) fn written(&mut self, file: &Path) {
        self.dirty.extend(identity(file));
    }

    pub(super) fn synced(&mut self, file: &Path) {
        if let Some(identity) = identity(file) {
            self.dirty.remove(&identity);
        }
    }

    pub(super) fn all_synced(&mut self) {
        self.dirty.clear();
    }

    /// Loses what is not on the device, of the files below a folder; returns how many files.
    pub fn lose(&self, root: &Path, loss: Loss) -> usize {
        let kept: BTreeSet<(u64, u64)> = match loss {
            Loss::EverySecond => self.dirty.iter().copied().step_by(2).collect(),
            Loss::All | Loss::BeyondPage => BTreeSet::new(),
        };
        let length = if loss == Loss::BeyondPage { PAGE } else { 0 };
        let mut lost = BTreeSet::new();
        let mut folders = vec![root.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let Ok(metadata) = entry.metadata() else { continue };
                if metadata.is_dir() {
                    folders.push(entry.path());
                    continue;
                }
                let identity = (metadata.dev(), metadata.ino());
                let is_lost = metadata.is_file()
                    && metadata.len() > length
                    && self.dirty.contains(&identity)
                    && !kept.contains(&identity);
                if is_lost && lost.insert(identity) {
                    shorten(&entry.path(), length);
                }
            }
        }
        lost.len()
    }
}

/// Shortens a file, whatever its mode; its times stay.
fn shorten(path: &Path, length: u64) {
    let metadata = fs::metadata(path).expect("a file that was listed");
    let mut writable = metadata.permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut writable, 0o600);
    fs::set_permissions(path, writable).expect("change a mode");
    let file = File::options().write(true).open(path).expect("open a file of this user");
    file.set_len(length).expect("shorten a file");
    file.set_permissions(metadata.permissions()).expect("change a mode back");
    file.set_modified(metadata.modified().expect("a time")).expect("set a time back");
}

/// Returns the identity of a regular file.
fn identity(file: &Path) -> Option<(u64, u64)> {
    let metadata = fs::metadata(file).ok().filter(fs::Metadata::is_file)?;
    Some((metadata.dev(), metadata.ino()))
}
